//! Removing the backup of a server: each of its disks' by a job of its own, the whole with the last.

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, CheckpointId, OperationId};
use strongroom_model::operation::{Operation, OperationFault, OperationKind};
use strongroom_model::resource::ResourceKind;
use strongroom_model::server_backup::ServerBackup;

use crate::error::Result;
use crate::{Caller, Refusal, Service};

impl Service {
    /// Marks the backup of a server and those of its disks `deleting`, ends its shares and enqueues
    /// the removal; the workers are still to be nudged. The row goes with the last disk's. Refused
    /// while one of the disks is being read back.
    pub(crate) async fn begin_server_deletion(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        backup: &mut ServerBackup,
    ) -> Result<OperationId> {
        let children = tx.backups().of_server_backup(backup.id).await?;
        if children.iter().any(|child| child.status == BackupStatus::Restoring) {
            let message = format!("backup {} is being restored", backup.id);
            return Err(Refusal::BackupInUse.because(message));
        }
        self.refuse_while_locked(tx, &*backup, self.now()).await?;
        backup.status = BackupStatus::Deleting;
        self.write_server_backup(tx, backup).await?;
        tx.shares().delete_of(backup.id).await?;
        let operation = self.server_operation(tx, caller, OperationKind::Delete, backup).await?;
        tx.operations().insert(&operation).await?;
        for mut child in children {
            if child.status != BackupStatus::Deleting {
                self.begin_deletion(tx, caller, &mut child).await?;
            }
        }
        self.settle_server_deletion(tx, backup.id).await?;
        Ok(operation.id)
    }

    /// What is logged of work on a whole server's backup.
    pub(crate) async fn server_operation(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        kind: OperationKind,
        backup: &ServerBackup,
    ) -> Result<Operation> {
        let place = (&backup.project_id, Some(backup.vault_id));
        let operation = self.new_operation(tx, caller, kind, place).await?;
        let server = (backup.server_id.into(), ResourceKind::Server, backup.server_name.clone());
        Ok(Operation {
            checkpoint_id: Some(backup.checkpoint_id),
            policy_id: backup.policy_id,
            resource: Some(server),
            backup_id: Some(backup.id),
            backup_name: Some(backup.name.clone()),
            ..operation
        })
    }

    /// Writes a changed row with the present instant.
    pub(crate) async fn write_server_backup(
        &self,
        tx: &mut Transaction<'_>,
        backup: &mut ServerBackup,
    ) -> Result<()> {
        backup.updated_at = Some(self.now());
        tx.server_backups().update(backup).await?;
        Ok(())
    }

    /// Removes the row of a server's backup that is being deleted and has lost its last disk.
    pub(crate) async fn settle_server_deletion(
        &self,
        tx: &mut Transaction<'_>,
        id: BackupId,
    ) -> Result<()> {
        let Some(backup) = tx.server_backups().find_any(id).await? else { return Ok(()) };
        let is_going =
            matches!(backup.status, BackupStatus::Deleting | BackupStatus::ErrorDeleting);
        if !is_going || !tx.backups().of_server_backup(id).await?.is_empty() {
            return Ok(());
        }
        tx.shares().delete_of(id).await?;
        tx.replications().delete_of(id).await?;
        tx.server_backups().delete(id).await?;
        self.forget_checkpoint(tx, backup.checkpoint_id).await?;
        for operation in tx.operations().running_of(id).await? {
            if operation.kind == OperationKind::Delete {
                tx.operations().end_one(operation.id, self.now(), Ok(())).await?;
            }
        }
        Ok(())
    }

    /// The backup of a server's disk could not be removed: the whole says so, and its operation ends.
    pub(crate) async fn fail_server_deletion(
        &self,
        tx: &mut Transaction<'_>,
        child: &Backup,
        reason: &str,
    ) -> Result<()> {
        let Some(id) = child.origin.server_backup_id else { return Ok(()) };
        let Some(mut backup) = tx.server_backups().find_any(id).await? else { return Ok(()) };
        if backup.status != BackupStatus::Deleting {
            return Ok(());
        }
        let reason = format!("the backup of disk {} was not removed: {reason}", child.volume_id);
        backup.status = BackupStatus::ErrorDeleting;
        backup.fail_reason = Some(reason.clone());
        self.write_server_backup(tx, &mut backup).await?;
        for operation in tx.operations().running_of(id).await? {
            if operation.kind == OperationKind::Delete {
                let end = Err((OperationFault::RemovalFailed, reason.as_str()));
                tx.operations().end_one(operation.id, self.now(), end).await?;
            }
        }
        Ok(())
    }

    /// Forgets a checkpoint if none of its backups is left.
    pub(crate) async fn forget_checkpoint(
        &self,
        tx: &mut Transaction<'_>,
        id: CheckpointId,
    ) -> Result<()> {
        let is_empty = tx.backups().of_checkpoint(id).await?.is_empty()
            && tx.server_backups().of_checkpoint(id).await?.is_empty();
        if is_empty {
            tx.checkpoints().delete(id).await?;
        }
        Ok(())
    }
}
