//! Vaults that go, and resources that go from them, with their backups.
//!
//! The request checks and marks; a job begins the deletion of the backups, a flock at a time, waits
//! for the last of them to be gone, and only then takes the row away. It reads what is left anew
//! each time, so that it may be cut short anywhere.

use strongroom_catalog::Transaction;
use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{JobId, OperationId, ProjectId, ServerId, VaultId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::job::{JobKind, Subject};
use strongroom_model::operation::{Operation, OperationDetail, OperationKind};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::tag::Tagged;
use strongroom_model::vault::{Vault, VaultStatus};

use crate::error::Result;
use crate::{Caller, Refusal, Service};

/// Backups whose deletion is begun in one transaction.
const FLOCK: u32 = 100;

/// What is left of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remaining {
    /// Nothing.
    Nothing,
    /// Backups that are being removed, or whose removal has just been begun.
    Going,
    /// So many backups that could not be removed.
    Failed(u64),
}

/// Which backups of a vault are to be removed.
#[derive(Debug, Clone, Copy)]
enum Doomed {
    All,
    OfVolume(VolumeId),
    OfServer(ServerId),
}

impl Service {
    /// Removes a vault with its backups. An empty one is gone at once; else it is `deleting` until
    /// the last backup is gone. The operation tells how it ended.
    pub async fn delete_vault(&self, caller: &Caller, id: &str) -> Result<OperationId> {
        let project = caller.project(Role::Member, "vault:delete")?;
        let operation = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let vault = self.find_vault(tx, project, id).await?;
                    self.check_deletable(tx, &vault).await?;
                    self.begin_vault_deletion(tx, caller, vault).await
                })
            })
            .await?;
        self.nudge();
        Ok(operation)
    }

    async fn check_deletable(&self, tx: &mut Transaction<'_>, vault: &Vault) -> Result<()> {
        match vault.status {
            VaultStatus::Available | VaultStatus::Frozen | VaultStatus::Error => {}
            VaultStatus::Deleting => {
                return Err(Refusal::BackupsRunning.because("the vault is being deleted"));
            }
            VaultStatus::Lock => {
                let message = "a vault whose size is being changed cannot be deleted";
                return Err(Refusal::VaultNotDeletable.because(message));
            }
        }
        let statuses = tx.vaults().statuses(vault.id).await?;
        if vault.is_default && !statuses.is_empty() {
            let message = "the default vault keeps the backups of volumes; delete those first";
            return Err(Refusal::VaultNotDeletable.because(message));
        }
        let busy = [BackupStatus::Creating, BackupStatus::Restoring];
        if busy.iter().any(|status| statuses.contains_key(status.as_str())) {
            let message = "backups of the vault are being made or read";
            return Err(Refusal::BackupsRunning.because(message));
        }
        if vault.is_locked {
            self.refuse_if_any_is_kept(tx, vault.id).await?;
        }
        Ok(())
    }

    /// Refuses if the lock of a vault keeps any of its backups.
    async fn refuse_if_any_is_kept(&self, tx: &mut Transaction<'_>, id: VaultId) -> Result<()> {
        let now = self.now();
        let mut is_kept = false;
        for backup in tx.backups().to_remove_from(id, None, u32::MAX).await? {
            is_kept |= self.is_kept_by_lock(tx, &backup, now).await?;
        }
        for backup in tx.server_backups().to_remove_from(id, None, u32::MAX).await? {
            is_kept |= self.is_kept_by_lock(tx, &backup, now).await?;
        }
        if is_kept {
            let message = "the vault is locked and keeps backups whose date has not come";
            return Err(Refusal::VaultNotDeletable.because(message));
        }
        Ok(())
    }

    async fn begin_vault_deletion(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        mut vault: Vault,
    ) -> Result<OperationId> {
        let place = (&vault.project_id, Some(vault.id));
        let mut operation =
            self.new_operation(tx, caller, OperationKind::VaultDelete, place).await?;
        let total = tx.vaults().statuses(vault.id).await?.values().sum();
        operation.detail =
            OperationDetail { total: Some(total), failed: Some(0), ..OperationDetail::default() };
        let first = tx.vaults().resources(vault.id).await?.into_iter().next();
        operation.resource = first.map(|one| (one.id, one.kind, one.name));
        tx.policies().clear_vault(vault.id).await?;
        if total == 0 {
            tx.operations().insert(&operation).await?;
            self.forget_vault(tx, vault.id).await?;
            tx.operations().end_one(operation.id, self.now(), Ok(())).await?;
            return Ok(operation.id);
        }
        vault.status = VaultStatus::Deleting;
        tx.vaults().update(&vault).await?;
        let kind = JobKind::DeleteVault { vault_id: vault.id };
        let job_id = self.enqueue_about(tx, caller, kind, Subject::default()).await?;
        operation.id = OperationId(job_id.0);
        operation.job_id = Some(job_id);
        tx.operations().insert(&operation).await?;
        Ok(operation.id)
    }

    /// Takes the row of an empty vault away with what hangs on it. Its garbage in the store is
    /// collected for some time yet.
    pub(crate) async fn forget_vault(&self, tx: &mut Transaction<'_>, id: VaultId) -> Result<()> {
        tx.tags().clear(Tagged::Vault, &id.to_string()).await?;
        tx.vaults().insert_former(id, self.now()).await?;
        tx.vaults().delete(id).await?;
        Ok(())
    }

    /// Takes away the vaults of a project that goes; tells whether none keeps backups.
    pub(crate) async fn forget_vaults(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
    ) -> Result<bool> {
        for vault in tx.vaults().list(project).await? {
            if tx.vaults().has_backups(vault.id).await? {
                return Ok(false);
            }
            self.forget_vault(tx, vault.id).await?;
        }
        Ok(true)
    }

    /// One step of a vault's removal; `None` if it is not wanted any more.
    pub(crate) async fn step_vault_deletion(
        &self,
        tx: &mut Transaction<'_>,
        (job_id, id): (JobId, VaultId),
    ) -> Result<Option<Remaining>> {
        let vault = tx.vaults().find_any(id).await?;
        let Some(vault) = vault.filter(|vault| vault.status == VaultStatus::Deleting) else {
            return Ok(None);
        };
        let operation = tx.operations().find_any(OperationId(job_id.0)).await?;
        let remaining = self.step(tx, &vault, (operation.as_ref(), Doomed::All)).await?;
        if remaining == Remaining::Nothing {
            self.forget_vault(tx, id).await?;
        }
        Ok(Some(remaining))
    }

    /// One step of the removal of resources.
    pub(crate) async fn step_resource_removal(
        &self,
        tx: &mut Transaction<'_>,
        (job_id, id): (JobId, VaultId),
    ) -> Result<Remaining> {
        let Some(vault) = tx.vaults().find_any(id).await? else { return Ok(Remaining::Nothing) };
        let Some(operation) = tx.operations().find_any(OperationId(job_id.0)).await? else {
            return Ok(Remaining::Nothing);
        };
        let (mut is_going, mut failed) = (false, 0);
        for resource in removed_by(tx, &vault, &operation).await? {
            match self.step(tx, &vault, (Some(&operation), doomed(resource))).await? {
                Remaining::Nothing => {
                    tx.vaults().delete_resource(id, resource.0).await?;
                }
                Remaining::Going => is_going = true,
                Remaining::Failed(_) => failed += 1,
            }
        }
        Ok(match failed {
            _ if is_going => Remaining::Going,
            0 => Remaining::Nothing,
            failed => Remaining::Failed(failed),
        })
    }

    /// Begins the deletion of the next backups, and tells what is left.
    async fn step(
        &self,
        tx: &mut Transaction<'_>,
        vault: &Vault,
        (operation, doomed): (Option<&Operation>, Doomed),
    ) -> Result<Remaining> {
        let begun_at = operation.map_or(vault.created_at, |operation| operation.created_at);
        let (mut failed, mut begun) = (0, 0);
        let volume = match doomed {
            Doomed::All => Some(None),
            Doomed::OfVolume(id) => Some(Some(id)),
            Doomed::OfServer(_) => None,
        };
        if let Some(volume) = volume {
            for mut backup in tx.backups().to_remove_from(vault.id, volume, u32::MAX).await? {
                let has_failed = backup.updated_at.is_some_and(|at| at >= begun_at);
                if Self::is_half_removed(&backup) && has_failed {
                    failed += 1;
                } else if is_at_work(backup.status) {
                    // It is looked at again when that has ended.
                    begun = begun.max(1);
                } else if begun < FLOCK {
                    let caller = self.caller_for(&backup.user_id, &backup.project_id);
                    self.begin_deletion(tx, &caller, &mut backup).await?;
                    begun += 1;
                }
            }
        }
        let server = match doomed {
            Doomed::All => Some(None),
            Doomed::OfServer(id) => Some(Some(id)),
            Doomed::OfVolume(_) => None,
        };
        if let Some(server) = server {
            for mut backup in tx.server_backups().to_remove_from(vault.id, server, u32::MAX).await?
            {
                let has_failed = backup.updated_at.is_some_and(|at| at >= begun_at);
                if backup.status == BackupStatus::ErrorDeleting && has_failed {
                    failed += 1;
                } else if is_at_work(backup.status) || is_read_in_part(tx, &backup).await? {
                    begun = begun.max(1);
                } else if begun < FLOCK {
                    let caller = self.caller_for(&backup.user_id, &backup.project_id);
                    self.begin_server_deletion(tx, &caller, &mut backup).await?;
                    begun += 1;
                }
            }
        }
        let is_empty = match doomed {
            Doomed::All => !tx.vaults().has_backups(vault.id).await?,
            Doomed::OfVolume(id) => !tx.backups().is_any_in(vault.id, id).await?,
            Doomed::OfServer(id) => tx.server_backups().of_server(vault.id, id).await?.is_empty(),
        };
        Ok(match failed {
            _ if is_empty => Remaining::Nothing,
            failed if begun == 0 && failed > 0 && !is_any_going(tx, vault, doomed).await? => {
                Remaining::Failed(failed)
            }
            _ => Remaining::Going,
        })
    }

    /// Writes where a user sees it that a removal was given up.
    pub(crate) async fn fail_removal(
        &self,
        tx: &mut Transaction<'_>,
        (job_id, kind): (JobId, &JobKind),
    ) -> Result<()> {
        let (JobKind::DeleteVault { vault_id } | JobKind::RemoveResources { vault_id }) = *kind
        else {
            return Ok(());
        };
        let Some(mut vault) = tx.vaults().find_any(vault_id).await? else { return Ok(()) };
        let operation = tx.operations().find_any(OperationId(job_id.0)).await?;
        if matches!(kind, JobKind::DeleteVault { .. }) {
            vault.status = VaultStatus::Error;
            tx.vaults().update(&vault).await?;
            let left = tx.vaults().statuses(vault_id).await?.values().sum();
            return count_failed(tx, operation, left).await;
        }
        let Some(operation) = operation else { return Ok(()) };
        let mut left = 0;
        for resource in removed_by(tx, &vault, &operation).await? {
            if let Some(mut row) = tx.vaults().find_resource(resource.0).await? {
                row.is_removing = false;
                tx.vaults().update_resource(&row).await?;
                left += 1;
            }
        }
        count_failed(tx, Some(operation), left).await
    }
}

async fn count_failed(
    tx: &mut Transaction<'_>,
    operation: Option<Operation>,
    failed: u64,
) -> Result<()> {
    if let Some(mut operation) = operation {
        operation.detail.failed = Some(failed);
        tx.operations().update(&operation).await?;
    }
    Ok(())
}

/// The resources that an operation removes and that are still in the vault.
async fn removed_by(
    tx: &mut Transaction<'_>,
    vault: &Vault,
    operation: &Operation,
) -> Result<Vec<(ResourceId, ResourceKind)>> {
    let rows = tx.vaults().resources(vault.id).await?;
    let is_removed = |id| operation.detail.resources.iter().any(|(one, _, _)| *one == id);
    let left = rows.iter().filter(|row| row.is_removing && is_removed(row.id));
    Ok(left.map(|row| (row.id, row.kind)).collect())
}

/// Whether a backup is being made or read.
const fn is_at_work(status: BackupStatus) -> bool {
    matches!(status, BackupStatus::Creating | BackupStatus::Restoring)
}

/// Whether a disk of a server's backup is being read by itself.
async fn is_read_in_part(tx: &mut Transaction<'_>, backup: &ServerBackup) -> Result<bool> {
    let parts = tx.backups().of_server_backup(backup.id).await?;
    Ok(parts.iter().any(|part| part.status == BackupStatus::Restoring))
}

const fn doomed((id, kind): (ResourceId, ResourceKind)) -> Doomed {
    match kind {
        ResourceKind::Volume => Doomed::OfVolume(id.volume()),
        _ => Doomed::OfServer(id.server()),
    }
}

/// Whether a job still removes some backup.
async fn is_any_going(tx: &mut Transaction<'_>, vault: &Vault, doomed: Doomed) -> Result<bool> {
    let is_going = |status: BackupStatus| status == BackupStatus::Deleting;
    Ok(match doomed {
        Doomed::All => {
            let statuses = tx.vaults().statuses(vault.id).await?;
            statuses.contains_key(BackupStatus::Deleting.as_str())
        }
        Doomed::OfVolume(id) => {
            let all = tx.backups().of_vault(vault.id).await?;
            all.iter().any(|one| one.volume_id == id && is_going(one.status))
        }
        Doomed::OfServer(id) => {
            let all = tx.server_backups().of_server(vault.id, id).await?;
            all.iter().any(|one| is_going(one.status))
        }
    })
}
