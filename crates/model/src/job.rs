//! Jobs: units of background work, claimed by lease and fenced by number.

use serde::{Deserialize, Serialize};

use crate::id::{BackupId, JobId, ProjectId, ShareId, SnapshotId, VaultId, VolumeId};
use crate::time::Timestamp;

/// What a job does. It names rows and carries no data that a row could give.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum JobKind {
    /// Makes a volume's bytes: empty, from a snapshot, a volume or a backup.
    CreateVolume {
        /// The volume to make.
        volume_id: VolumeId,
        /// The share by which the backup may be read, if it is another project's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        share_id: Option<ShareId>,
    },
    /// Removes a volume.
    DeleteVolume {
        /// The volume to remove.
        volume_id: VolumeId,
    },
    /// Freezes a volume's bytes.
    CreateSnapshot {
        /// The snapshot to take.
        snapshot_id: SnapshotId,
    },
    /// Removes a snapshot.
    DeleteSnapshot {
        /// The snapshot to remove.
        snapshot_id: SnapshotId,
    },
    /// Stores a backup.
    CreateBackup {
        /// The backup to store.
        backup_id: BackupId,
    },
    /// Reads a backup back onto a volume.
    RestoreBackup {
        /// The backup to read.
        backup_id: BackupId,
        /// The volume to write.
        volume_id: VolumeId,
    },
    /// Removes a backup from the store and the catalogue.
    DeleteBackup {
        /// The backup to remove.
        backup_id: BackupId,
    },
    /// Freezes the disks of a server at one point, each to be stored by a job of its own.
    FreezeServer {
        /// The server's backup.
        server_backup_id: BackupId,
    },
    /// Checks that an imported record's bytes are in the store, then makes it available.
    ImportBackup {
        /// The backup to adopt.
        backup_id: BackupId,
    },
    /// Removes a vault with its backups. Its operation has the job's id.
    DeleteVault {
        /// The vault to remove.
        vault_id: VaultId,
    },
    /// Removes resources from a vault with their backups. Its operation has the job's id, and names
    /// them.
    RemoveResources {
        /// The vault.
        vault_id: VaultId,
    },
}

impl JobKind {
    /// A short name for logs and counters.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CreateVolume { .. } => "create-volume",
            Self::DeleteVolume { .. } => "delete-volume",
            Self::CreateSnapshot { .. } => "create-snapshot",
            Self::DeleteSnapshot { .. } => "delete-snapshot",
            Self::CreateBackup { .. } => "create-backup",
            Self::RestoreBackup { .. } => "restore-backup",
            Self::DeleteBackup { .. } => "delete-backup",
            Self::FreezeServer { .. } => "freeze-server",
            Self::ImportBackup { .. } => "import-backup",
            Self::DeleteVault { .. } => "delete-vault",
            Self::RemoveResources { .. } => "remove-resources",
        }
    }
}

/// What a job is about, for whoever asks when its rows have changed or are gone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Subject {
    /// The project that may ask.
    pub project_id: Option<ProjectId>,
    /// The backup that is made, read or removed.
    pub backup_id: Option<BackupId>,
    /// The volume that is read or written.
    pub volume_id: Option<VolumeId>,
    /// The snapshot that is read.
    pub snapshot_id: Option<SnapshotId>,
    /// The name of the backup.
    pub backup_name: Option<String>,
}

/// A unit of background work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// How often it has been claimed; the first run is attempt 1. Also its fencing number: every
    /// result a worker writes is refused unless the row still bears the number of its claim.
    pub attempt: u32,
    /// How often it failed for a passing reason. Being cut short or having to wait is no failure.
    pub failures: u32,
    /// The instant before which it must not be claimed.
    pub not_before: Timestamp,
    /// While claimed: the instant after which others may claim it.
    pub lease_until: Option<Timestamp>,
    /// While claimed: the worker's name.
    pub worker: Option<String>,
    /// What it is about.
    pub subject: Subject,
    /// The id of the request that caused it, for the log.
    pub request_id: String,
    /// When it was enqueued.
    pub created_at: Timestamp,
}

/// A worker's hold on a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The job as claimed.
    pub job: Job,
    /// The worker that holds it.
    pub worker: String,
}
