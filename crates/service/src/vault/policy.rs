//! Policies of vaults, as callers apply and take them off.

use strongroom_model::id::{PolicyId, VaultId};
use strongroom_model::identity::Role;

use crate::error::{Error, Result};
use crate::{Caller, Service};

/// A policy that is applied to a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppliedPolicy {
    /// The vault.
    pub vault_id: VaultId,
    /// The policy.
    pub policy_id: PolicyId,
    /// The vault that is copied to, if the policy copies.
    pub destination_vault_id: Option<VaultId>,
}

impl Service {
    /// Applies policies to a vault, each in place of the one of its operation, and returns the last
    /// one. To apply one again changes nothing.
    pub async fn associate_policies(
        &self,
        caller: &Caller,
        id: &str,
        (policies, destination): (&[String], Option<VaultId>),
    ) -> Result<AppliedPolicy> {
        let project = caller.project(Role::Member, "vault:associate_policy")?;
        let applied = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let vault = self.find_vault(tx, project, id).await?;
                    let mut last = None;
                    for policy in policies {
                        last = Some(self.bind_vault_policy(tx, &vault, policy, destination).await?);
                    }
                    let nothing = || Error::Invalid {
                        field: "policy_id",
                        message: "a policy is needed".to_owned(),
                    };
                    let policy = last.ok_or_else(nothing)?;
                    let bound = tx.policies().of_vault(vault.id).await?;
                    let bound = bound.into_iter().find(|one| one.policy_id == policy.id);
                    Ok::<_, Error>(AppliedPolicy {
                        vault_id: vault.id,
                        policy_id: policy.id,
                        destination_vault_id: bound.and_then(|one| one.destination_vault_id),
                    })
                })
            })
            .await?;
        self.0.alarm.notify_one();
        Ok(applied)
    }

    /// Takes a policy off a vault. Its backups stay.
    pub async fn dissociate_policy(
        &self,
        caller: &Caller,
        id: &str,
        policy_id: &str,
    ) -> Result<AppliedPolicy> {
        let project = caller.project(Role::Member, "vault:dissociate_policy")?;
        let released = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let vault = self.find_vault(tx, project, id).await?;
                    let policy = self.release_vault_policy(tx, &vault, policy_id).await?;
                    Ok::<_, Error>(AppliedPolicy {
                        vault_id: vault.id,
                        policy_id: policy.id,
                        destination_vault_id: None,
                    })
                })
            })
            .await?;
        self.0.alarm.notify_one();
        Ok(released)
    }
}
