//! Replicas: copies of backups in another region, and how making them goes.

use serde::{Deserialize, Serialize};

use crate::id::{BackupId, CheckpointId, ProjectId, ReplicationId, VaultId};
use crate::time::Timestamp;
use crate::vault::words;

words! {
    /// Which end of a replication a record stands for.
    ReplicationSide {
        /// The region that has the backup.
        Source = "source",
        /// The region that gets the copy.
        Destination = "destination",
    }
}

words! {
    /// Where a replication stands.
    ReplicationStatus {
        /// It waits for its turn.
        Waiting = "waiting_replicate",
        /// The copy is being made.
        Replicating = "replicating",
        /// The copy is there, verified.
        Success = "success",
        /// There is no copy.
        Fail = "fail",
        /// It was not to be done.
        Skip = "skip",
    }
}

impl ReplicationStatus {
    /// Whether nothing more happens.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Success | Self::Fail | Self::Skip)
    }
}

/// One backup of a disk and its copy. A server's backup has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaPart {
    /// The backup of the disk at the source.
    pub source_backup_id: BackupId,
    /// Its copy; none until the destination has begun.
    pub destination_backup_id: Option<BackupId>,
}

/// One backup, of a disk or of a server, that is copied to another region, as one end sees it. Both
/// ends have a record of the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replication {
    /// Its id.
    pub id: ReplicationId,
    /// Which end this is.
    pub side: ReplicationSide,
    /// The project at this end.
    pub project_id: ProjectId,
    /// The vault at this end.
    pub vault_id: VaultId,
    /// The backup at this end.
    pub backup_id: BackupId,
    /// Where it stands.
    pub status: ReplicationStatus,
    /// The region that has the backup.
    pub source_region: String,
    /// The project that owns the backup.
    pub source_project_id: String,
    /// The vault that keeps the backup.
    pub source_vault_id: VaultId,
    /// The backup.
    pub source_backup_id: BackupId,
    /// The run that made the backup.
    pub source_checkpoint_id: CheckpointId,
    /// The region that gets the copy.
    pub destination_region: String,
    /// The project that owns the copy.
    pub destination_project_id: String,
    /// The vault that keeps the copy.
    pub destination_vault_id: VaultId,
    /// The copy; none until the destination has begun.
    pub destination_backup_id: Option<BackupId>,
    /// The checkpoint of the copy.
    pub destination_checkpoint_id: Option<CheckpointId>,
    /// Whether a policy caused it.
    pub is_automatic: bool,
    /// Percent that is done.
    pub progress: u8,
    /// Why it failed.
    pub message: Option<String>,
    /// The disks' backups and their copies.
    pub parts: Vec<ReplicaPart>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}
