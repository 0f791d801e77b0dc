//! The stored bytes, exactly as `docs/format.md` draws them.
//!
//! Pure functions between bytes and values: no I/O, and every decoder takes any bytes whatever
//! without a panic. An object that was changed is [`Flaw::Damaged`]; one that a later version wrote
//! is [`Flaw::Unsupported`] and is never guessed at.

pub(crate) mod cursor;
pub(crate) mod keyfile;
pub(crate) mod manifest;
pub(crate) mod name;
pub(crate) mod pack;
pub(crate) mod page;
pub(crate) mod record;
#[cfg(test)]
mod tests;

use crate::error::Error;

/// The format version written here and the only one read.
pub(crate) const VERSION: u16 = 1;
/// Bytes of a grid cell.
pub(crate) const GRID_BYTES: u32 = 256 * 1024;
/// Largest grid a reader accepts, and so the longest plaintext of a record.
pub(crate) const GRID_BYTES_MAX: u32 = 4 * 1024 * 1024;

/// Why bytes could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The bytes are not what was written.
    Damaged(String),
    /// The bytes need a later version.
    Unsupported(String),
}

impl Flaw {
    /// The error that names the object.
    pub(crate) fn at(self, object: &str) -> Error {
        match self {
            Self::Damaged(detail) => Error::damaged(object, detail),
            Self::Unsupported(detail) => Error::unsupported(object, detail),
        }
    }
}

/// A damaged object, in the words of `detail`.
pub(crate) fn damaged<T>(detail: impl Into<String>) -> Result<T, Flaw> {
    Err(Flaw::Damaged(detail.into()))
}

/// An object of a later version, in the words of `detail`.
pub(crate) fn unsupported<T>(detail: impl Into<String>) -> Result<T, Flaw> {
    Err(Flaw::Unsupported(detail.into()))
}

/// Reads a version field.
fn check_version(version: u16) -> Result<(), Flaw> {
    if version == VERSION {
        return Ok(());
    }
    unsupported(format!("format version {version}, this program reads {VERSION}"))
}
