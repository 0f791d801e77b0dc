//! Brings one backup of a vault into another vault, with keys and a store of its own, over a wire.
//!
//! The vault that is to have the copy pulls: it runs an ordinary session of its own and asks a
//! [`ReplicaSource`], which is an [`Origin`] at the other end of whatever wire there is. For each
//! page it gets an *outline*: which cells are holes, zeros, the same as in a base that both vaults
//! hold, or chunks, named by the key of the asking vault. It fetches what it holds nowhere, hashes it
//! again, and commits like any backup. What an attempt that was cut had made durable is found by the
//! next one in the index, so going on and beginning are the same call.
//!
//! # What is proven
//!
//! - A chunk that was fetched has, under this vault's key, the name that was announced.
//! - The outlines are those of the one backup that the summary speaks of: the digests of all pages
//!   make the content root of the summary.
//! - "The same as in the base" is true: the outlines also tell how the base differed, so the content
//!   root of the base is computed again too, and must be the one kept when the base was received.
//! - No chunk is used whose length is not that of its cell.
//!
//! What cannot be proven: that a name announced for content which this vault happens to hold is the
//! right one. An origin that wants to give other content than its own can do so anyway.

mod claims;
mod fill;
mod origin;
mod receive;
mod root;
#[cfg(test)]
mod tests;
mod wire;

pub use origin::Origin;
pub use receive::{ReceiveReport, receive};
pub use wire::{CELLS_PER_REQUEST_MAX, CHUNKS_BYTES_MAX, OUTLINE_BYTES_MAX, SUMMARY_BYTES_MAX};

/// The other end of the wire, asked by several threads at once; all calls block.
///
/// Answers are opaque bytes that an [`Origin`] made. Whoever carries them may cut them, mix them up
/// or invent them: nothing of that is ever committed.
pub trait ReplicaSource: Send + Sync {
    /// What [`Origin::summary`] gives, at most [`SUMMARY_BYTES_MAX`] bytes.
    fn summary(&self) -> Result<Vec<u8>, WireError>;

    /// What [`Origin::outline`] gives, at most [`OUTLINE_BYTES_MAX`] bytes.
    fn outline(&self, page: u64, with_base: bool) -> Result<Vec<u8>, WireError>;

    /// What [`Origin::chunks`] gives, at most [`CHUNKS_BYTES_MAX`] bytes.
    fn chunks(&self, cells: &[u64]) -> Result<Vec<u8>, WireError>;
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The wire or the other side failed for now; a later attempt may succeed.
    #[error("{0}")]
    Cut(String),
    /// The other side will not answer: what was asked for is damaged, deleted or forbidden there.
    /// The text names the object.
    #[error("{0}")]
    Refused(String),
}

impl From<crate::error::Error> for WireError {
    fn from(error: crate::error::Error) -> Self {
        let text = error.to_string();
        if error.is_transient() { Self::Cut(text) } else { Self::Refused(text) }
    }
}
