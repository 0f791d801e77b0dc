//! Tags: keys and values by which an owner finds its things again.

use std::collections::BTreeMap;

/// The tags of one thing: each key once.
pub type Tags = BTreeMap<String, String>;

/// What can be tagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tagged {
    /// A backup.
    Backup,
    /// A policy.
    Policy,
    /// A vault.
    Vault,
}

impl Tagged {
    /// The word in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Policy => "policy",
            Self::Vault => "vault",
        }
    }
}

/// A condition on one key: it is there, with one of these values; with any if none is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagMatch {
    /// The key.
    pub key: String,
    /// The values of which one must be there; none for any.
    pub values: Vec<String>,
}

/// Conditions on the tags of a thing, which must all hold. An empty one holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagQuery {
    /// Every one of these.
    pub all: Vec<TagMatch>,
    /// At least one of these.
    pub any: Vec<TagMatch>,
    /// Not every one of these.
    pub not_all: Vec<TagMatch>,
    /// None of these.
    pub not_any: Vec<TagMatch>,
}
