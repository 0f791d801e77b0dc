//! What can go wrong between the engine and the place where objects lie.

use std::error::Error as StdError;
use std::io;

/// A failed operation on the store; every variant names the object.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The object does not exist.
    #[error("object '{object}' does not exist")]
    Missing {
        /// Name of the object.
        object: String,
    },
    /// The store has no room; nothing was made visible.
    #[error("the store is full, '{object}' was not written")]
    Full {
        /// Name of the object.
        object: String,
        /// What the store said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The store failed or could not be reached; an object that was being created may exist.
    #[error("could not {verb} '{object}'")]
    Failed {
        /// What was tried: `create`, `read`, `list`, `delete`.
        verb: &'static str,
        /// Name of the object, or the prefix that was listed.
        object: String,
        /// Whether the same call may succeed later.
        is_transient: bool,
        /// What the store said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The store overwrites objects although it was asked not to, so nothing here is safe on it.
    #[error("the store ignores 'If-None-Match: *': a second put of '{object}' replaced the first")]
    Overwrites {
        /// Name of the object that the probe wrote.
        object: String,
    },
    /// The text does not name a store.
    #[error("'{location}' does not name a store: {detail}")]
    Location {
        /// The text.
        location: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl StoreError {
    /// Whether the same operation may succeed later without anybody's help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Failed { is_transient: true, .. })
    }

    /// Whether the store ran out of room or of quota.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// Whether the object is not there, as opposed to not readable.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    /// Sorts an I/O error of the folder store.
    pub(crate) fn from_io(verb: &'static str, object: &str, source: io::Error) -> Self {
        let object = object.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound if verb != "create" => Self::Missing { object },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { object, source: Box::new(source) }
            }
            kind => {
                let is_transient = matches!(
                    kind,
                    io::ErrorKind::Interrupted
                        | io::ErrorKind::TimedOut
                        | io::ErrorKind::WouldBlock
                        | io::ErrorKind::StaleNetworkFileHandle
                );
                Self::Failed { verb, object, is_transient, source: Box::new(source) }
            }
        }
    }

    /// Sorts an error of the object store.
    pub(crate) fn from_object(
        verb: &'static str,
        object: &str,
        source: object_store::Error,
    ) -> Self {
        use object_store::Error as E;
        let object = object.to_owned();
        if matches!(source, E::NotFound { .. }) {
            return Self::Missing { object };
        }
        if has_io_kind(&source, |k| {
            matches!(k, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        }) {
            return Self::Full { object, source: Box::new(source) };
        }
        let is_transient = matches!(source, E::Generic { .. } | E::JoinError { .. });
        Self::Failed { verb, object, is_transient, source: Box::new(source) }
    }
}

/// Looks for an I/O error of some kind along the chain of causes.
fn has_io_kind(error: &(dyn StdError + 'static), wanted: fn(io::ErrorKind) -> bool) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(|e| wanted(e.kind())) {
            return true;
        }
        next = error.source();
    }
    false
}
