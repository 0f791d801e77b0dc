//! Backups: one saved point of one volume.

use serde::{Deserialize, Serialize};

use crate::id::{
    BackupId, CheckpointId, PolicyId, ProjectId, SnapshotId, UserId, VaultId, VolumeId,
};
use crate::size::GiB;
use crate::time::Timestamp;
use crate::volume::Metadata;

/// The state of a backup, in Cinder's words.
///
/// ```text
/// creating ──► available ◄──► restoring
///    │            │
///    ▼            ▼
///  error ──► deleting ──► (gone) | error_deleting
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupStatus {
    /// Its bytes are being stored.
    Creating,
    /// These exact bytes can be read back.
    Available,
    /// It is being read back onto a volume.
    Restoring,
    /// Being removed.
    Deleting,
    /// Could not be stored; `fail_reason` says why.
    Error,
    /// Could not be removed.
    ErrorDeleting,
}

impl BackupStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Creating,
        Self::Available,
        Self::Restoring,
        Self::Deleting,
        Self::Error,
        Self::ErrorDeleting,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Available => "available",
            Self::Restoring => "restoring",
            Self::Deleting => "deleting",
            Self::Error => "error",
            Self::ErrorDeleting => "error_deleting",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// What the engine measured while it stored a backup. Nothing here is ever estimated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Measured {
    /// Logical size of the source in bytes.
    pub size_bytes: u64,
    /// Bytes read from the source: its size less holes.
    pub read_bytes: u64,
    /// Bytes that this backup added to the store.
    pub stored_bytes: u64,
    /// Bytes in the store that this backup and its ancestors by the same name needed.
    pub chain_stored_bytes: u64,
    /// Time from the first read to the commit, in microseconds.
    pub duration_micros: u64,
    /// Objects that this backup added to the store.
    pub object_count: u64,
    /// Whether unchanged data of an earlier backup was reused.
    pub is_incremental: bool,
    /// Id of the master key that wraps the vault's key.
    pub master_key_id: String,
}

/// Which run made a backup, and as part of what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The run over a vault; a backup that was made by itself has none.
    pub checkpoint_id: Option<CheckpointId>,
    /// The backup of a server that owns this one of its disk.
    pub server_backup_id: Option<BackupId>,
    /// Whether a schedule made it, so that retention applies.
    pub is_automatic: bool,
    /// Whether it is a copy of another region's backup.
    pub is_replica: bool,
    /// The volume's name when it was backed up.
    pub volume_name: Option<String>,
}

/// One saved point of one volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its id, the same in every dialect.
    pub id: BackupId,
    /// The project that owns it.
    pub project_id: ProjectId,
    /// The user who asked for it.
    pub user_id: UserId,
    /// The vault that keeps it.
    pub vault_id: VaultId,
    /// The backup in the store that holds the bytes. Differs from `id` only for an imported record.
    pub data_id: BackupId,
    /// The volume it was made of; kept when that volume is gone.
    pub volume_id: VolumeId,
    /// The snapshot it was made of, if any.
    pub snapshot_id: Option<SnapshotId>,
    /// Its name, not unique.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Its state.
    pub status: BackupStatus,
    /// Why the last work on it failed.
    pub fail_reason: Option<String>,
    /// Size of the volume when it was backed up.
    pub size: GiB,
    /// What the caller named as container; stored and echoed, nothing else.
    pub container: Option<String>,
    /// The zone that the caller named, or that of the volume.
    pub availability_zone: Option<String>,
    /// Whether the caller asked for an increment and an earlier backup stood ready to build on.
    pub is_incremental: bool,
    /// Whether the source volume was bootable.
    pub is_bootable: bool,
    /// The user's key-value pairs.
    pub metadata: Metadata,
    /// The source volume's key-value pairs, given back to a volume that is made from this backup.
    pub volume_metadata: Metadata,
    /// Percent of the source that has been read and stored.
    pub progress: u8,
    /// What the engine measured; absent until the backup is committed.
    pub measured: Option<Measured>,
    /// The volume being restored onto while `status` is `restoring`.
    pub restore_volume_id: Option<VolumeId>,
    /// The policy that made it, which may be gone; none if it was made by hand.
    pub policy_id: Option<PolicyId>,
    /// When the retention of its policy removes it; none if no date was set when it was made.
    pub expires_at: Option<Timestamp>,
    /// Whether it was asked for as a full backup, that builds on no earlier one.
    pub wants_full: bool,
    /// Which run made it, and as part of what.
    pub origin: Origin,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// The instant whose bytes it holds.
    pub data_timestamp: Timestamp,
}

impl Backup {
    /// The run that made it; one that was made by itself is a run of its own.
    pub fn checkpoint_id(&self) -> CheckpointId {
        self.origin.checkpoint_id.unwrap_or(CheckpointId::alone(self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_statuses_correspond() {
        for status in BackupStatus::ALL {
            assert_eq!(BackupStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!(BackupStatus::parse("error_restoring"), None);
    }
}
