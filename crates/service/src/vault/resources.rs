//! What a vault protects: resources come, go, and take part in automatic backups or not.

use std::collections::BTreeSet;

use strongroom_catalog::Transaction;
use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{JobId, OperationId};
use strongroom_model::identity::Role;
use strongroom_model::job::{JobKind, Subject};
use strongroom_model::operation::{OperationDetail, OperationKind};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::vault::{ProtectType, Vault, VaultResource, VaultStatus};

use super::{NewResource, RESOURCES_MAX};
use crate::error::{Error, Result};
use crate::{Caller, Refusal, Service};

/// Whether `suspend` makes a resource take part in automatic backups. Every description of the
/// contract says so, although the word suggests the opposite.
pub const SUSPEND_MEANS_AUTO_PROTECT: bool = true;

/// What is asked of resources as to automatic backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoProtection {
    /// `suspend`.
    Suspend,
    /// `unsuspend`.
    Unsuspend,
}

impl AutoProtection {
    /// Whether the resources take part from now on.
    pub const fn takes_part(self) -> bool {
        match self {
            Self::Suspend => SUSPEND_MEANS_AUTO_PROTECT,
            Self::Unsuspend => !SUSPEND_MEANS_AUTO_PROTECT,
        }
    }
}

impl Service {
    /// Adds resources to a vault: all of them or none.
    pub async fn add_resources(
        &self,
        caller: &Caller,
        id: &str,
        new: &[NewResource],
    ) -> Result<Vec<ResourceId>> {
        let project = caller.project(Role::Member, "vault:add_resources")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let vault = self.find_vault(tx, project, id).await?;
                    require_usable(&vault)?;
                    self.bind_resources(tx, &vault, new).await
                })
            })
            .await?;
        Ok(new.iter().map(|one| one.id).collect())
    }

    /// Removes resources from a vault with the backups that it keeps of them. One without backups
    /// is gone at once. Returns the operation that tells how it ended.
    pub async fn remove_resources(
        &self,
        caller: &Caller,
        id: &str,
        ids: &[ResourceId],
    ) -> Result<OperationId> {
        let project = caller.project(Role::Member, "vault:remove_resources")?;
        let operation = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let vault = self.find_vault(tx, project, id).await?;
                    require_usable(&vault)?;
                    let resources = in_vault(tx, &vault, ids).await?;
                    for resource in &resources {
                        self.refuse_to_lose(tx, resource).await?;
                    }
                    self.begin_removal_of(tx, caller, &vault, resources).await
                })
            })
            .await?;
        self.nudge();
        Ok(operation)
    }

    /// Says whether resources take part in automatic backups.
    pub async fn set_resources(
        &self,
        caller: &Caller,
        id: &str,
        (ids, action): (&[ResourceId], AutoProtection),
    ) -> Result<()> {
        let project = caller.project(Role::Member, "vault:set_resources")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let vault = self.find_vault(tx, project, id).await?;
                    require_usable(&vault)?;
                    for mut resource in in_vault(tx, &vault, ids).await? {
                        resource.auto_protect = action.takes_part();
                        tx.vaults().update_resource(&resource).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await?;
        let takes_part = action.takes_part();
        tracing::info!(vault = id, resources = ?ids, takes_part, "automatic backups were set");
        Ok(())
    }

    /// Adds resources to a vault that may have them.
    pub(super) async fn bind_resources(
        &self,
        tx: &mut Transaction<'_>,
        vault: &Vault,
        new: &[NewResource],
    ) -> Result<()> {
        if vault.terms.protect_type != ProtectType::Backup && !new.is_empty() {
            let message = "resources are protected by vaults for backups only";
            return Err(Refusal::VaultTakesNone.because(message));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = new.iter().find(|one| !seen.insert(one.id)) {
            let message = format!("resource {} is named twice", twice.id);
            return Err(Refusal::ResourceTwice.because(message));
        }
        let held = usize::try_from(tx.vaults().count_resources(vault.id).await?);
        if held.unwrap_or(usize::MAX).saturating_add(new.len()) > RESOURCES_MAX {
            let message = format!("{RESOURCES_MAX} resources are all that a vault may have");
            return Err(Refusal::TooManyResources.because(message));
        }
        for one in new {
            self.bind_resource(tx, vault, one).await?;
        }
        Ok(())
    }

    async fn bind_resource(
        &self,
        tx: &mut Transaction<'_>,
        vault: &Vault,
        new: &NewResource,
    ) -> Result<()> {
        if !new.kind.fits(vault.terms.object_type) {
            let (kind, object_type) = (new.kind.as_str(), vault.terms.object_type.as_str());
            let message = format!("a vault for {object_type} takes no {kind}");
            return Err(Refusal::ResourceUnfit.because(message));
        }
        // Whether the resource exists comes before whose it is, so that no other project's is told.
        let resource = self.look_up(tx, (&vault.project_id, vault.id), new).await?;
        match tx.vaults().find_resource(new.id).await? {
            None => Ok(tx.vaults().insert_resource(&resource).await?),
            Some(other) if other.is_removing => {
                let message = format!("resource {} is being removed from a vault", new.id);
                Err(Refusal::ResourceRemoving.because(message))
            }
            Some(other) if other.vault_id == vault.id => {
                let message = format!("resource {} is in this vault", new.id);
                let reason = match new.kind {
                    ResourceKind::Volume => Refusal::DiskBound,
                    _ => Refusal::ServerBound,
                };
                Err(reason.because(message))
            }
            Some(_) => {
                let message = format!("resource {} is in another vault", new.id);
                Err(Refusal::ResourceTaken.because(message))
            }
        }
    }

    /// Refuses to take a resource away whose backups are worked on or kept by a lock.
    async fn refuse_to_lose(
        &self,
        tx: &mut Transaction<'_>,
        resource: &VaultResource,
    ) -> Result<()> {
        let busy = |status| matches!(status, BackupStatus::Creating | BackupStatus::Restoring);
        let is_busy = if resource.kind == ResourceKind::Volume {
            let volume_id = resource.id.volume();
            let backups =
                tx.backups().to_remove_from(resource.vault_id, Some(volume_id), u32::MAX).await?;
            for backup in &backups {
                self.refuse_while_locked(tx, backup, self.now()).await?;
            }
            backups.iter().any(|backup| busy(backup.status))
        } else {
            let server_id = resource.id.server();
            let vault_id = resource.vault_id;
            let backups =
                tx.server_backups().to_remove_from(vault_id, Some(server_id), u32::MAX).await?;
            for backup in &backups {
                self.refuse_while_locked(tx, backup, self.now()).await?;
            }
            backups.iter().any(|backup| busy(backup.status))
        };
        if is_busy {
            let message = format!("a backup of resource {} is being made or read", resource.id);
            return Err(Refusal::VaultBusy.because(message));
        }
        Ok(())
    }

    async fn begin_removal_of(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        vault: &Vault,
        resources: Vec<VaultResource>,
    ) -> Result<OperationId> {
        let place = (&vault.project_id, Some(vault.id));
        let mut operation =
            self.new_operation(tx, caller, OperationKind::RemoveResource, place).await?;
        let named = |one: &VaultResource| (one.id, one.kind, one.name.clone());
        operation.resource = resources.first().map(named);
        operation.detail = OperationDetail {
            total: u64::try_from(resources.len()).ok(),
            failed: Some(0),
            resources: resources.iter().map(named).collect(),
            ..OperationDetail::default()
        };
        let mut waits = false;
        for mut resource in resources {
            if has_backups(tx, &resource).await? {
                resource.is_removing = true;
                tx.vaults().update_resource(&resource).await?;
                waits = true;
            } else {
                tx.vaults().delete_resource(vault.id, resource.id).await?;
            }
        }
        if waits {
            let kind = JobKind::RemoveResources { vault_id: vault.id };
            let job_id: JobId = self.enqueue_about(tx, caller, kind, Subject::default()).await?;
            operation.id = OperationId(job_id.0);
            operation.job_id = Some(job_id);
        }
        tx.operations().insert(&operation).await?;
        if !waits {
            tx.operations().end_one(operation.id, self.now(), Ok(())).await?;
        }
        Ok(operation.id)
    }
}

/// Whether the resource's vault keeps any backup of it.
pub(super) async fn has_backups(
    tx: &mut Transaction<'_>,
    resource: &VaultResource,
) -> Result<bool> {
    let vault_id = resource.vault_id;
    if resource.kind == ResourceKind::Volume {
        return Ok(tx.backups().is_any_in(vault_id, resource.id.volume()).await?);
    }
    Ok(!tx.server_backups().of_server(vault_id, resource.id.server()).await?.is_empty())
}

/// Refuses what is done with the resources of a vault that is not at rest.
pub(super) fn require_usable(vault: &Vault) -> Result<()> {
    if matches!(vault.status, VaultStatus::Available | VaultStatus::Lock) {
        return Ok(());
    }
    let message = format!("vault {} is {}", vault.id, vault.status.as_str());
    Err(Refusal::VaultState.because(message))
}

/// The named resources of a vault, each once.
pub(super) async fn in_vault(
    tx: &mut Transaction<'_>,
    vault: &Vault,
    ids: &[ResourceId],
) -> Result<Vec<VaultResource>> {
    let all = tx.vaults().resources(vault.id).await?;
    let mut found = Vec::new();
    let unique: BTreeSet<_> = ids.iter().copied().collect();
    for id in unique {
        let Some(resource) = all.iter().find(|one| one.id == id) else {
            let message = format!("resource {id} is not in the vault");
            return Err(Refusal::ResourceNotInVault.because(message));
        };
        if resource.is_removing {
            let message = format!("resource {id} is being removed from the vault");
            return Err(Refusal::ResourceRemoving.because(message));
        }
        found.push(resource.clone());
    }
    Ok(found)
}
