//! One run of a policy over the vaults that it is applied to: a checkpoint of each, or copies.
//!
//! A run over a vault that is refused half-way leaves nothing behind: the transaction is given up
//! and the whole run begun again, with that vault's refusal noted in place of its run.

use std::collections::BTreeMap;

use strongroom_catalog::Transaction;
use strongroom_model::id::VaultId;
use strongroom_model::operation::{Operation, OperationFault, OperationKind, OperationStatus};
use strongroom_model::policy::{Policy, PolicyOperation, VaultPolicy};
use strongroom_model::quota::Resource;
use strongroom_model::tag::Tagged;
use strongroom_model::vault::{Vault, VaultStatus};

use super::longer;
use crate::checkpoint::{AutomaticRun, NewCheckpoint};
use crate::error::{Error, Kind, Result};
use crate::{Caller, Refusal, Service};

/// Why something was not done, as its operation tells it.
type Reason = (OperationFault, String);

/// Vaults that a run was refused for, and why.
pub(super) type RefusedVaults = BTreeMap<VaultId, Reason>;

/// What came of an attempt to begin a run.
pub(super) type Attempt<T> = std::result::Result<T, Halt>;

/// Why a run was given up.
pub(super) enum Halt {
    /// It was refused for one of its vaults. Without that one it can be begun again.
    Refused(VaultId, Reason),
    /// It failed.
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<strongroom_catalog::Error> for Halt {
    fn from(error: strongroom_catalog::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Halt {
    /// Notes the refusal of a vault, so that the run can be begun again without it; a failure goes
    /// on.
    pub(super) fn note(self, refused: &mut RefusedVaults) -> Result<()> {
        match self {
            Self::Refused(id, reason) if !refused.contains_key(&id) => {
                refused.insert(id, reason);
                Ok(())
            }
            Self::Refused(_, (_, message)) => Err(Error::internal(message)),
            Self::Failed(error) => Err(error),
        }
    }

    /// What an error of a vault's run means for the run as a whole.
    fn of(vault_id: VaultId, operation: PolicyOperation, error: Error) -> Self {
        if matches!(error.kind(), Kind::Internal | Kind::Unavailable) {
            return Self::Failed(error);
        }
        let fault = match (&error, operation) {
            (Error::Refused { reason: Refusal::VaultFull, .. }, _) => OperationFault::VaultFull,
            (Error::QuotaExceeded { resource: Resource::Backups, .. }, _) => {
                OperationFault::CountQuota
            }
            (Error::QuotaExceeded { .. }, _) => OperationFault::SizeQuota,
            (_, PolicyOperation::Backup) => OperationFault::BackupFailed,
            (_, PolicyOperation::Replication) => OperationFault::ReplicationFailed,
        };
        Self::Refused(vault_id, (fault, error.to_string()))
    }
}

impl Service {
    /// Begins what a policy does on all of its vaults. The workers are still to be nudged.
    pub(super) async fn start_on_vaults(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        policy: &Policy,
        refused: &RefusedVaults,
    ) -> Attempt<()> {
        for (vault, bound) in vaults_of(tx, policy).await? {
            if let Some(reason) = refused.get(&vault.id) {
                let outcome = (OperationStatus::Failed, reason);
                self.log_vault_run(tx, caller, (policy, &vault), outcome).await?;
                continue;
            }
            let begun = match policy.operation {
                PolicyOperation::Backup => self.back_up_vault(tx, caller, policy, &vault).await,
                PolicyOperation::Replication => {
                    self.replicate_vault(tx, caller, policy, (&vault, &bound)).await
                }
            };
            begun.map_err(|error| Halt::of(vault.id, policy.operation, error))?;
        }
        Ok(())
    }

    /// Begins a checkpoint of what a vault protects, unless the one before is not finished.
    async fn back_up_vault(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        policy: &Policy,
        vault: &Vault,
    ) -> Result<()> {
        if is_being_backed_up(tx, vault.id).await? {
            let message = "the run before is not finished".to_owned();
            let outcome = (OperationStatus::Skipped, &(OperationFault::Unfinished, message));
            return self.log_vault_run(tx, caller, (policy, vault), outcome).await;
        }
        self.auto_bind(tx, vault).await?;
        let run = AutomaticRun {
            policy_id: policy.id,
            expires_at: longer::expires_at(&policy.retention, self.now()),
            full_interval: policy.full_interval(),
            tags: tx.tags().get(Tagged::Policy, &policy.id.to_string()).await?,
        };
        let new =
            NewCheckpoint { is_automatic: true, policy: Some(run), ..NewCheckpoint::of(vault.id) };
        self.begin_checkpoint(tx, caller, &new).await?;
        Ok(())
    }

    async fn replicate_vault(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        policy: &Policy,
        (vault, bound): (&Vault, &VaultPolicy),
    ) -> Result<()> {
        let Some(destination) = policy.destination() else {
            let message = format!("policy {} names no destination", policy.id);
            return Err(Refusal::RegionUnknown.because(message));
        };
        let to = (policy, &destination, bound.destination_vault_id);
        self.begin_vault_replication(tx, caller, vault, to).await
    }

    /// Notes runs over vaults that were missed, one for each vault and message.
    pub(super) async fn log_missed_on_vaults(
        &self,
        tx: &mut Transaction<'_>,
        policy: &Policy,
        messages: &[String],
    ) -> Result<()> {
        let caller = self.caller_for(&policy.user_id, &policy.project_id);
        for (vault, _) in vaults_of(tx, policy).await? {
            for message in messages {
                let outcome =
                    (OperationStatus::Skipped, &(OperationFault::Missed, message.clone()));
                self.log_vault_run(tx, &caller, (policy, &vault), outcome).await?;
            }
        }
        Ok(())
    }

    /// Logs a run over a vault that came to nothing.
    async fn log_vault_run(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        (policy, vault): (&Policy, &Vault),
        (status, (fault, message)): (OperationStatus, &Reason),
    ) -> Result<()> {
        let kind = match policy.operation {
            PolicyOperation::Backup => OperationKind::Backup,
            PolicyOperation::Replication => OperationKind::Replication,
        };
        let place = (&vault.project_id, Some(vault.id));
        let operation = self.new_operation(tx, caller, kind, place).await?;
        let operation = Operation {
            status,
            policy_id: Some(policy.id),
            fault: Some(*fault),
            message: Some(message.clone()),
            ended_at: Some(operation.created_at),
            ..operation
        };
        Ok(tx.operations().insert(&operation).await?)
    }
}

/// The vaults that a policy is applied to and that are not on their way out.
async fn vaults_of(tx: &mut Transaction<'_>, policy: &Policy) -> Result<Vec<(Vault, VaultPolicy)>> {
    let mut vaults = Vec::new();
    for bound in tx.policies().vaults(policy.id).await? {
        let vault = tx.vaults().find_any(bound.vault_id).await?;
        if let Some(vault) = vault.filter(|vault| vault.status != VaultStatus::Deleting) {
            vaults.push((vault, bound));
        }
    }
    Ok(vaults)
}

/// Whether a run of a policy over a vault goes on.
async fn is_being_backed_up(tx: &mut Transaction<'_>, vault_id: VaultId) -> Result<bool> {
    for operation in tx.operations().running_in(vault_id).await? {
        let is_run = operation.kind == OperationKind::Backup && operation.policy_id.is_some();
        let Some(checkpoint_id) = operation.checkpoint_id.filter(|_| is_run) else { continue };
        // The backup of a disk that a policy is bound to alone has no record of a checkpoint.
        if tx.checkpoints().find_any(checkpoint_id).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
