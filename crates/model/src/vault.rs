//! Vaults: where backups are kept, and the border of keys and deduplication.

use crate::id::{ProjectId, VaultId};
use crate::time::Timestamp;

/// The name of the vault that a project gets at its first backup.
pub const DEFAULT_VAULT_NAME: &str = "default";

/// A set of backups of one project that share keys and deduplicate against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    /// Its id, and the prefix of its objects in the store.
    pub id: VaultId,
    /// The project that owns it.
    pub project_id: ProjectId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}
