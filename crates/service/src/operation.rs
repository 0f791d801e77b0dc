//! The log of operations: what was begun, and how it ended.
//!
//! An operation that one job does has the job's id and ends in the transaction that ends the job.

use strongroom_catalog::Transaction;
use strongroom_model::backup::Backup;
use strongroom_model::id::{JobId, OperationId, ProjectId, VaultId};
use strongroom_model::job::JobKind;
use strongroom_model::operation::{
    Operation, OperationDetail, OperationFault, OperationKind, OperationStatus,
};
use strongroom_model::resource::ResourceKind;

use crate::error::Result;
use crate::{Caller, Service};

impl Service {
    /// An operation that begins now, with nothing known about it but its project and its vault.
    pub(crate) async fn new_operation(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        kind: OperationKind,
        (project_id, vault_id): (&ProjectId, Option<VaultId>),
    ) -> Result<Operation> {
        let now = self.now();
        let vault = match vault_id {
            Some(id) => tx.vaults().find_any(id).await?,
            None => None,
        };
        Ok(Operation {
            id: OperationId(self.chance().uuid()),
            kind,
            status: OperationStatus::Running,
            project_id: project_id.clone(),
            vault_id,
            object_type: vault.as_ref().map(|vault| vault.terms.object_type),
            vault_name: vault.map(|vault| vault.name),
            checkpoint_id: None,
            policy_id: None,
            resource: None,
            backup_id: None,
            backup_name: None,
            job_id: None,
            detail: OperationDetail::default(),
            fault: None,
            message: None,
            progress: 0,
            request_id: caller.request_id.clone(),
            created_at: now,
            updated_at: now,
            ended_at: None,
        })
    }

    /// Logs what a job does with a backup of a disk, unless the disk is one of a server's backup,
    /// which is logged as a whole.
    pub(crate) async fn log_backup_job(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        (kind, job_id, detail): (OperationKind, JobId, OperationDetail),
        backup: &Backup,
    ) -> Result<()> {
        if backup.origin.server_backup_id.is_some() {
            return Ok(());
        }
        let place = (&backup.project_id, Some(backup.vault_id));
        let operation = self.new_operation(tx, caller, kind, place).await?;
        let volume_name = backup.origin.volume_name.clone().unwrap_or_default();
        let operation = Operation {
            id: OperationId(job_id.0),
            job_id: Some(job_id),
            checkpoint_id: Some(backup.checkpoint_id()),
            policy_id: backup.policy_id,
            resource: Some((backup.volume_id.into(), ResourceKind::Volume, volume_name)),
            backup_id: Some(backup.id),
            backup_name: backup.name.clone(),
            detail,
            ..operation
        };
        Ok(tx.operations().insert(&operation).await?)
    }

    /// Ends the operation that a job does, if there is one: well, or with a reason.
    pub(crate) async fn end_operation_of(
        &self,
        tx: &mut Transaction<'_>,
        (job_id, kind): (JobId, &JobKind),
        reason: Option<&str>,
    ) -> Result<()> {
        let end = reason.map_or(Ok(()), |reason| Err((fault_of(kind), reason)));
        tx.operations().end_with_job(job_id, self.now(), end).await?;
        Ok(())
    }
}

/// What it is called when a job of that kind fails.
const fn fault_of(kind: &JobKind) -> OperationFault {
    match kind {
        JobKind::RestoreBackup { .. } => OperationFault::RestoreFailed,
        JobKind::ReplicateBackup { .. } | JobKind::ReceiveBackup { .. } => {
            OperationFault::ReplicationFailed
        }
        JobKind::DeleteBackup { .. }
        | JobKind::DeleteVault { .. }
        | JobKind::RemoveResources { .. } => OperationFault::RemovalFailed,
        _ => OperationFault::BackupFailed,
    }
}
