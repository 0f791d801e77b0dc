//! Saved points, whatever was saved: backups of disks and of servers as one noun.
//!
//! A list of them has what stands by itself. The backups of a server's disks belong to that of the
//! server and come with it; by their own ids they can be read, and nothing else.

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, CheckpointId, ProjectId, VaultId};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::server_backup::ServerBackup;

use crate::error::{Error, Result};
use crate::{Caller, Service};

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

impl Service {
    /// A backup of a disk or of a server that is the caller's: its project's own, or any for a cloud
    /// admin. `id` is text as it came; what is no UUID is not found.
    pub(crate) async fn find_saved(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        project: &ProjectId,
        id: &str,
    ) -> Result<Saved> {
        let missing = || Error::BackupNotFound(id.to_owned());
        let parsed = BackupId::parse(id).map_err(|_| missing())?;
        let found = find_any(tx, parsed).await?;
        found
            .filter(|saved| saved.project_id() == project || caller.is_cloud_admin)
            .ok_or_else(missing)
    }
}

/// The backup of that id, of a disk or of a server, whoever owns it.
pub(crate) async fn find_any(tx: &mut Transaction<'_>, id: BackupId) -> Result<Option<Saved>> {
    if let Some(backup) = tx.backups().find_any(id).await? {
        return Ok(Some(Saved::Disk(backup)));
    }
    Ok(tx.server_backups().find_any(id).await?.map(Saved::Server))
}
