//! Saved points, whatever was saved: backups of disks and of servers as one noun.

use crate::backup::{Backup, BackupStatus};
use crate::id::{BackupId, CheckpointId, ProjectId, VaultId};
use crate::resource::{ResourceId, ResourceKind};
use crate::server_backup::ServerBackup;

/// A backup of a disk or of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// Of a disk.
    Disk(Backup),
    /// Of a server; its bytes are those of its disks' backups.
    Server(ServerBackup),
}

impl Saved {
    /// Its id.
    pub const fn id(&self) -> BackupId {
        match self {
            Self::Disk(backup) => backup.id,
            Self::Server(backup) => backup.id,
        }
    }

    /// The project that owns it.
    pub const fn project_id(&self) -> &ProjectId {
        match self {
            Self::Disk(backup) => &backup.project_id,
            Self::Server(backup) => &backup.project_id,
        }
    }

    /// The vault that keeps it.
    pub const fn vault_id(&self) -> VaultId {
        match self {
            Self::Disk(backup) => backup.vault_id,
            Self::Server(backup) => backup.vault_id,
        }
    }

    /// The run that made it.
    pub fn checkpoint_id(&self) -> CheckpointId {
        match self {
            Self::Disk(backup) => backup.checkpoint_id(),
            Self::Server(backup) => backup.checkpoint_id,
        }
    }

    /// Its state.
    pub const fn status(&self) -> BackupStatus {
        match self {
            Self::Disk(backup) => backup.status,
            Self::Server(backup) => backup.status,
        }
    }

    /// What it is of: the id and what that is. It may be gone.
    pub fn resource(&self) -> (ResourceId, ResourceKind) {
        match self {
            Self::Disk(backup) => (backup.volume_id.into(), ResourceKind::Volume),
            Self::Server(backup) => (backup.server_id.into(), ResourceKind::Server),
        }
    }

    /// The backup of a server that it belongs to.
    pub const fn parent_id(&self) -> Option<BackupId> {
        match self {
            Self::Disk(backup) => backup.origin.server_backup_id,
            Self::Server(_) => None,
        }
    }
}
