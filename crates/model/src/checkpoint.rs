//! Checkpoints: one run over the resources of a vault.
//!
//! A backup that was made by itself, through the volume door, is a checkpoint of one: its id is the
//! backup's own.

use serde::{Deserialize, Serialize};

use crate::id::{BackupId, CheckpointId, PolicyId, ProjectId, UserId, VaultId};
use crate::operation::OperationFault;
use crate::resource::{ResourceId, ResourceKind};
use crate::time::Timestamp;

/// A resource that a run left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedResource {
    /// The resource.
    pub id: ResourceId,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
    /// Why.
    pub fault: OperationFault,
    /// The same as a sentence.
    pub message: String,
}

/// One run over a vault. Where it stands follows from its backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its id.
    pub id: CheckpointId,
    /// The project that owns it.
    pub project_id: ProjectId,
    /// The user who asked for it.
    pub user_id: UserId,
    /// The vault.
    pub vault_id: VaultId,
    /// The policy whose run it is.
    pub policy_id: Option<PolicyId>,
    /// The name of its backups.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Whether its backups count as automatic.
    pub is_automatic: bool,
    /// How many days its backups are kept, if that was said.
    pub retention_days: Option<u32>,
    /// What it left out.
    pub skipped: Vec<SkippedResource>,
    /// When it was begun.
    pub created_at: Timestamp,
}

impl CheckpointId {
    /// The checkpoint of a backup that was made by itself.
    pub const fn alone(id: BackupId) -> Self {
        Self(id.0)
    }
}
