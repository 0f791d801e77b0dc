//! Which policies are applied to which vaults.

use strongroom_catalog::Transaction;
use strongroom_model::id::{PolicyId, ProjectId, VaultId};
use strongroom_model::policy::{Policy, PolicyOperation, VaultPolicy};
use strongroom_model::vault::{CloudType, ProtectType, Vault, VaultStatus};

use crate::error::{Error, Result};
use crate::{Refusal, Service};

impl Service {
    /// The policies of a vault, that for backups first, with the vault that each copies to.
    pub(crate) async fn policies_of_vault(
        &self,
        tx: &mut Transaction<'_>,
        vault_id: VaultId,
    ) -> Result<Vec<(Policy, Option<VaultId>)>> {
        let mut policies = Vec::new();
        for bound in tx.policies().of_vault(vault_id).await? {
            if let Some(policy) = tx.policies().find_any(bound.policy_id).await? {
                policies.push((policy, bound.destination_vault_id));
            }
        }
        Ok(policies)
    }

    /// Applies a policy to a vault in place of the one of its operation. To apply the same once more
    /// changes nothing but the destination.
    pub(crate) async fn bind_vault_policy(
        &self,
        tx: &mut Transaction<'_>,
        vault: &Vault,
        policy_id: &str,
        destination: Option<VaultId>,
    ) -> Result<Policy> {
        check_vault(vault)?;
        let policy = find_any_policy(tx, &vault.project_id, policy_id).await?;
        check_fit(&policy, vault)?;
        let destination_vault_id = match policy.operation {
            PolicyOperation::Backup => None,
            PolicyOperation::Replication => Some(destination.ok_or_else(|| Error::Invalid {
                field: "destination_vault_id",
                message: "a replication policy needs a vault to copy to".to_owned(),
            })?),
        };
        let all = tx.policies().of_vault(vault.id).await?;
        let present = all.into_iter().find(|one| one.operation == policy.operation);
        let is_other = present.as_ref().is_some_and(|one| one.policy_id != policy.id);
        if is_other && vault.is_locked {
            let message = "a policy of a locked vault cannot be replaced";
            return Err(Refusal::VaultNotUpdatable.because(message));
        }
        let since = present.filter(|one| one.policy_id == policy.id).map(|one| one.created_at);
        let bound = VaultPolicy {
            vault_id: vault.id,
            operation: policy.operation,
            policy_id: policy.id,
            destination_vault_id,
            created_at: since.unwrap_or_else(|| self.now()),
        };
        tx.policies().bind_vault(&bound).await?;
        Ok(policy)
    }

    /// Takes a policy off a vault. Its backups stay; those that have a date still go by it.
    pub(crate) async fn release_vault_policy(
        &self,
        tx: &mut Transaction<'_>,
        vault: &Vault,
        policy_id: &str,
    ) -> Result<Policy> {
        check_vault(vault)?;
        let policy = find_any_policy(tx, &vault.project_id, policy_id).await?;
        let all = tx.policies().of_vault(vault.id).await?;
        if !all.iter().any(|one| one.policy_id == policy.id) {
            let message = format!("policy {} is not applied to vault {}", policy.id, vault.id);
            return Err(Refusal::PolicyNotBound.because(message));
        }
        if vault.is_locked {
            let message = "a policy cannot be taken off a locked vault";
            return Err(Refusal::VaultNotUpdatable.because(message));
        }
        tx.policies().release_vault(policy.id, vault.id).await?;
        Ok(policy)
    }

    /// Refuses what would take a policy off a locked vault.
    pub(super) async fn refuse_if_on_locked_vault(
        &self,
        tx: &mut Transaction<'_>,
        policy_id: PolicyId,
    ) -> Result<()> {
        for bound in tx.policies().vaults(policy_id).await? {
            let vault = tx.vaults().find_any(bound.vault_id).await?;
            if vault.is_some_and(|vault| vault.is_locked) {
                let message =
                    format!("the policy is applied to vault {}, which is locked", bound.vault_id);
                return Err(Refusal::VaultNotUpdatable.because(message));
            }
        }
        Ok(())
    }
}

/// A policy of a project, whatever it does. What is no UUID is not found.
pub(super) async fn find_any_policy(
    tx: &mut Transaction<'_>,
    project: &ProjectId,
    id: &str,
) -> Result<Policy> {
    let missing = || Error::PolicyNotFound(id.to_owned());
    let parsed = PolicyId::parse(id).map_err(|_| missing())?;
    tx.policies().find(project, parsed).await?.ok_or_else(missing)
}

fn check_vault(vault: &Vault) -> Result<()> {
    if matches!(vault.status, VaultStatus::Available | VaultStatus::Lock) {
        return Ok(());
    }
    let message = format!("vault {} is {}", vault.id, vault.status.as_str());
    Err(Refusal::VaultState.because(message))
}

/// Into a vault for copies no backup is made, and nothing is copied on from there.
fn check_fit(policy: &Policy, vault: &Vault) -> Result<()> {
    if vault.terms.cloud_type == CloudType::Hybrid {
        let message = "no policy is applied to a vault of another site";
        return Err(Refusal::PolicyOnHybrid.because(message));
    }
    let protect_type = vault.terms.protect_type;
    if protect_type == ProtectType::Backup {
        return Ok(());
    }
    let (kind, operation) = (protect_type.as_str(), policy.operation.as_str());
    let message = format!("a {operation} policy cannot be applied to a vault for {kind}");
    Err(Refusal::PolicyUnfit.because(message))
}
