//! Locked vaults: a backup leaves one only when its date has passed.
//!
//! Everything that removes a backup, or makes one lose its bytes, asks here first. A backup without
//! a date never leaves a locked vault, whoever made it and whoever asks. What holds no bytes is not
//! kept: one that failed. One that is being made is.

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, VaultId};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::time::Timestamp;

use crate::error::Result;
use crate::{Refusal, Service};

/// A backup that a lock may keep.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lockable<'a> {
    /// Of a disk.
    Disk(&'a Backup),
    /// Of a server.
    Server(&'a ServerBackup),
}

impl<'a> From<&'a Backup> for Lockable<'a> {
    fn from(backup: &'a Backup) -> Self {
        Self::Disk(backup)
    }
}

impl<'a> From<&'a ServerBackup> for Lockable<'a> {
    fn from(backup: &'a ServerBackup) -> Self {
        Self::Server(backup)
    }
}

impl Lockable<'_> {
    const fn id(&self) -> BackupId {
        match self {
            Self::Disk(backup) => backup.id,
            Self::Server(backup) => backup.id,
        }
    }

    const fn vault_id(&self) -> VaultId {
        match self {
            Self::Disk(backup) => backup.vault_id,
            Self::Server(backup) => backup.vault_id,
        }
    }

    /// Whether it holds bytes, or is about to.
    async fn holds_bytes(&self, tx: &mut Transaction<'_>) -> Result<bool> {
        Ok(match self {
            Self::Disk(backup) => holds_bytes(backup),
            Self::Server(backup) if backup.status == BackupStatus::Creating => true,
            Self::Server(backup) => {
                tx.backups().of_server_backup(backup.id).await?.iter().any(holds_bytes)
            }
        })
    }

    /// Its date; of a server's disk that of the server's backup.
    async fn expires_at(&self, tx: &mut Transaction<'_>) -> Result<Option<Timestamp>> {
        let backup = match self {
            Self::Server(backup) => return Ok(backup.expires_at),
            Self::Disk(backup) => backup,
        };
        let whole = match backup.origin.server_backup_id {
            Some(id) => tx.server_backups().find_any(id).await?,
            None => None,
        };
        Ok(whole.map_or(backup.expires_at, |whole| whole.expires_at))
    }
}

impl Service {
    /// Refuses what would take a backup out of a locked vault before its date.
    pub(crate) async fn refuse_while_locked<'a>(
        &self,
        tx: &mut Transaction<'_>,
        backup: impl Into<Lockable<'a>>,
        now: Timestamp,
    ) -> Result<()> {
        let backup = backup.into();
        if self.is_kept_by_lock(tx, backup, now).await? {
            let message = format!("the vault is locked and keeps backup {} now", backup.id());
            return Err(Refusal::Locked.because(message));
        }
        Ok(())
    }

    /// Whether a lock keeps a backup at an instant.
    pub(crate) async fn is_kept_by_lock<'a>(
        &self,
        tx: &mut Transaction<'_>,
        backup: impl Into<Lockable<'a>>,
        now: Timestamp,
    ) -> Result<bool> {
        let backup = backup.into();
        let vault = tx.vaults().find_any(backup.vault_id()).await?;
        if !vault.is_some_and(|vault| vault.is_locked) || !backup.holds_bytes(tx).await? {
            return Ok(false);
        }
        Ok(backup.expires_at(tx).await?.is_none_or(|date| now < date))
    }

    /// Refuses to set the status of a disk's backup to one that gives up bytes which a lock keeps.
    pub(crate) async fn refuse_reset_while_locked(
        &self,
        tx: &mut Transaction<'_>,
        backup: &Backup,
        wanted: BackupStatus,
    ) -> Result<()> {
        use BackupStatus::{Creating, Deleting, ErrorDeleting};
        let removes = matches!(wanted, Deleting | ErrorDeleting);
        let gives_up_old = matches!(backup.status, Deleting | ErrorDeleting);
        let gives_up_new =
            backup.status == Creating && backup.measured.is_none() && wanted != Creating;
        if removes || gives_up_old || gives_up_new {
            self.refuse_while_locked(tx, backup, self.now()).await?;
        }
        Ok(())
    }
}

const fn holds_bytes(backup: &Backup) -> bool {
    backup.measured.is_some() || matches!(backup.status, BackupStatus::Creating)
}
