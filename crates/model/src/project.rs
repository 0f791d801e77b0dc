//! Projects: the owners of everything, and the wall between users.

use crate::id::{DomainId, ProjectId};
use crate::time::Timestamp;

/// An owner of volumes, vaults and backups. Nothing crosses from one to another unless shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id, part of every URL.
    pub id: ProjectId,
    /// The domain in which `name` is unique.
    pub domain_id: DomainId,
    /// Its name, unique in its domain.
    pub name: String,
    /// Free text.
    pub description: String,
    /// A disabled project gives no tokens.
    pub is_enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}
