//! The end of a disk's restore, as part of that of a server's.

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{ProjectId, ServerId, VolumeId};
use strongroom_model::operation::{Operation, OperationFault, OperationKind};
use strongroom_model::server_backup::ServerBackup;

use crate::Service;
use crate::error::{Error, Result};

/// A server that is to be on or off after a restore.
#[derive(Debug, Clone)]
pub(crate) struct PowerWish {
    project_id: ProjectId,
    server_id: ServerId,
    /// Whether it is to be on when everything is restored.
    is_on: bool,
}

impl Service {
    /// What the restore that a disk's backup takes part in wants of the server that it is for.
    pub(crate) async fn power_wish(
        &self,
        tx: &mut Transaction<'_>,
        child: &Backup,
    ) -> Result<Option<PowerWish>> {
        let Some((whole, operation)) = restore_of(tx, child).await? else { return Ok(None) };
        let wish = whole.restore_server_id.zip(operation.detail.power_on);
        Ok(wish.map(|(server_id, is_on)| PowerWish {
            project_id: operation.project_id,
            server_id,
            is_on,
        }))
    }

    /// Notes on a server whether it is to be switched on when its disks are restored. Nothing is
    /// switched here, and its status is what its owner says. A server that is gone from the
    /// inventory is as it is.
    pub(crate) async fn note_wish(&self, wish: &PowerWish) -> Result<()> {
        match self.note_power_wish(&wish.project_id, wish.server_id, wish.is_on).await {
            Err(Error::ServerNotFound(_)) => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    /// The restore of a disk has ended, well or with a reason; with the last disk's that of the
    /// server ends too.
    pub(crate) async fn settle_server_restore(
        &self,
        tx: &mut Transaction<'_>,
        child: &Backup,
        (volume_id, reason): (VolumeId, Option<&str>),
    ) -> Result<()> {
        let Some((mut whole, mut operation)) = restore_of(tx, child).await? else {
            return Ok(());
        };
        if let Some(reason) = reason {
            note_failure(&mut operation, volume_id, reason);
        }
        let children = tx.backups().of_server_backup(whole.id).await?;
        let open = children.iter().filter(|one| one.status == BackupStatus::Restoring).count();
        let done = (children.len() - open) * 100 / children.len().max(1);
        operation.progress = u8::try_from(done).unwrap_or(99).min(99);
        operation.updated_at = self.now();
        tx.operations().update(&operation).await?;
        if open > 0 {
            return Ok(());
        }
        let is_whole = children.iter().all(|one| one.status == BackupStatus::Available);
        whole.status = if is_whole { BackupStatus::Available } else { BackupStatus::Error };
        whole.restore_server_id = None;
        if let Some(message) = &operation.message {
            whole.fail_reason = Some(format!("the latest restore failed: {message}"));
        }
        self.write_server_backup(tx, &mut whole).await?;
        let end = match &operation.message {
            Some(message) => Err((OperationFault::RestoreFailed, message.as_str())),
            None => Ok(()),
        };
        tx.operations().end_one(operation.id, self.now(), end).await?;
        Ok(())
    }
}

/// The restore of a server that a disk's backup takes part in, with its operation.
async fn restore_of(
    tx: &mut Transaction<'_>,
    child: &Backup,
) -> Result<Option<(ServerBackup, Operation)>> {
    let Some(id) = child.origin.server_backup_id else { return Ok(None) };
    let found = tx.server_backups().find_any(id).await?;
    let Some(whole) = found.filter(|whole| whole.status == BackupStatus::Restoring) else {
        return Ok(None);
    };
    let running = tx.operations().running_of(id).await?;
    let operation = running.into_iter().find(|one| one.kind == OperationKind::Restore);
    Ok(operation.map(|operation| (whole, operation)))
}

/// Adds a disk that could not be restored to what the operation will tell.
fn note_failure(operation: &mut Operation, volume_id: VolumeId, reason: &str) {
    let told = format!("disk {volume_id}: {reason}");
    operation.fault = Some(OperationFault::RestoreFailed);
    operation.message = Some(match operation.message.take() {
        Some(before) => format!("{before}; {told}"),
        None => told,
    });
    *operation.detail.failed.get_or_insert(0) += 1;
}
