//! Removing a backup: from the store first, then from the catalogue.

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::BackupId;
use strongroom_model::job::{Claim, JobKind};
use strongroom_model::tag::Tagged;

use super::backup::blocking;
use super::failure::{Failure, Work};
use crate::Service;

/// Why a backup was not removed although nothing went wrong.
const UNWANTED: &str = "the backup's status was set by hand before it was removed";

/// What a backup says of a removal that was given up, before the reason.
const NOT_REMOVED: &str = "the backup could not be removed: ";

impl Service {
    /// Marks the bytes as deleted in the store unless another record needs them, then removes the
    /// row and what hangs on it. Space comes back when garbage is collected.
    pub(super) async fn remove_backup(&self, claim: &Claim, id: BackupId) -> Work<()> {
        let found = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    let Some(backup) = tx.backups().find_any(id).await? else {
                        return Ok(None);
                    };
                    if is_being_made(tx, id).await? {
                        return Err(Failure::Later);
                    }
                    let users = tx.backups().count_other_users(backup.data_id, id).await?;
                    Ok(Some((backup, users)))
                })
            })
            .await?;
        if let Some((backup, users)) = found
            && backup.status == BackupStatus::Deleting
            && users == 0
            && let Some(repository) = self.find_repository(backup.vault_id).await?
        {
            blocking(move || strongroom_engine::delete(&repository, backup.data_id)).await?;
            self.0.litter.notify_one();
        }
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let backup = tx.backups().find_any(id).await?;
                    let is_kept = backup
                        .as_ref()
                        .is_some_and(|backup| backup.status != BackupStatus::Deleting);
                    if is_kept {
                        return self.finish_as(tx, claim, Some(UNWANTED)).await;
                    }
                    tx.tags().clear(Tagged::Backup, &id.to_string()).await?;
                    tx.shares().delete_of(id).await?;
                    tx.replications().delete_of(id).await?;
                    tx.backups().delete(id).await?;
                    if let Some(backup) = backup {
                        self.settle_gone(tx, &backup).await?;
                    }
                    self.finish(tx, claim).await
                })
            })
            .await
    }

    /// A backup that could not be removed says so.
    pub(super) async fn fail_backup_removal(
        &self,
        tx: &mut Transaction<'_>,
        id: BackupId,
        reason: &str,
    ) -> crate::Result<()> {
        let Some(mut backup) = tx.backups().find_any(id).await? else {
            return Ok(());
        };
        if backup.status == BackupStatus::Deleting {
            backup.status = BackupStatus::ErrorDeleting;
            backup.fail_reason = Some(format!("{NOT_REMOVED}{reason}"));
            self.write_backup(tx, &mut backup).await?;
            self.fail_server_deletion(tx, &backup, reason).await?;
        }
        Ok(())
    }

    /// What the end of a backup's row means for the server's backup and the run that it was part of.
    async fn settle_gone(&self, tx: &mut Transaction<'_>, gone: &Backup) -> crate::Result<()> {
        if let Some(server_backup_id) = gone.origin.server_backup_id {
            self.settle_server_deletion(tx, server_backup_id).await?;
        }
        match gone.origin.checkpoint_id {
            Some(checkpoint_id) => self.forget_checkpoint(tx, checkpoint_id).await,
            None => Ok(()),
        }
    }

    /// Whether the removal of a backup was begun and given up. The same status, set by hand, alone
    /// is no wish to lose the backup.
    pub(crate) fn is_half_removed(backup: &Backup) -> bool {
        let reason = backup.fail_reason.as_deref().unwrap_or_default();
        backup.status == BackupStatus::ErrorDeleting && reason.starts_with(NOT_REMOVED)
    }
}

/// Whether the job that makes or adopts the backup has not ended. It sees that its work is no longer
/// wanted and gives the source back; only then may the row go.
async fn is_being_made(tx: &mut Transaction<'_>, backup_id: BackupId) -> Work<bool> {
    let kinds = [&JobKind::CreateBackup { backup_id }, &JobKind::ImportBackup { backup_id }];
    if tx.jobs().is_any_unfinished(kinds).await? {
        return Ok(true);
    }
    let Some(backup) = tx.backups().find_any(backup_id).await? else { return Ok(false) };
    let whole = backup.origin.server_backup_id.unwrap_or(backup_id);
    let Some(record) = tx.replications().of_copy(whole).await? else { return Ok(false) };
    let receiving = JobKind::ReceiveBackup { backup_id, replication_id: record.id };
    Ok(tx.jobs().is_any_unfinished([&receiving, &receiving]).await?)
}
