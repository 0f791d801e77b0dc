//! Changes of the key-value pairs that users keep on backups, volumes and snapshots. They are made
//! in the transaction that reads the pairs, so that of two changes at once none is lost.

use strongroom_model::volume::Metadata;

use crate::error::{Error, Result};

/// A change of key-value pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataChange {
    /// These and no others.
    Replace(Metadata),
    /// These besides the others, over those of the same keys.
    Merge(Metadata),
    /// All but the one of this key, which must be there.
    Remove(String),
}

impl MetadataChange {
    /// Makes the change; [`Error::MetadataNotFound`] if a key to be removed is not there.
    pub(crate) fn apply(&self, pairs: &mut Metadata) -> Result<()> {
        match self {
            Self::Replace(new) => pairs.clone_from(new),
            Self::Merge(new) => pairs.extend(new.clone()),
            Self::Remove(key) => {
                let removed = pairs.remove(key);
                removed.ok_or_else(|| Error::MetadataNotFound(key.clone()))?;
            }
        }
        Ok(())
    }
}
