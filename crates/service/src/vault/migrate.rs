//! Resources that move from one vault to another, and disks that are brought into the default one.

use std::collections::BTreeSet;

use strongroom_catalog::Transaction;
use strongroom_model::id::{ProjectId, VaultId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::vault::{ProtectType, Vault, VaultResource};
use strongroom_model::volume::VolumeStatus;

use super::resources::{has_backups, in_vault, require_usable};
use super::{RESOURCES_MAX, vault_used_bytes};
use crate::error::{Error, Result};
use crate::{Caller, CallerScope, Refusal, Service};

impl Service {
    /// Moves resources to another vault of the project: all of them or none.
    ///
    /// What a vault keeps is sealed under its own key, so that backups cannot change hands: a
    /// resource of which the vault keeps any is refused.
    pub async fn move_resources(
        &self,
        caller: &Caller,
        id: &str,
        (destination, ids): (VaultId, &[ResourceId]),
    ) -> Result<Vec<ResourceId>> {
        let project = caller.project(Role::Member, "vault:migrate_resources")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let from = self.find_vault(tx, project, id).await?;
                    let missing = || {
                        let message = format!("vault {destination} could not be found");
                        Refusal::DestinationMissing.because(message)
                    };
                    let to = tx.vaults().find(project, destination).await?.ok_or_else(missing)?;
                    check_pair(tx, &from, &to, ids.len()).await?;
                    let mut moved = Vec::new();
                    for mut resource in in_vault(tx, &from, ids).await? {
                        refuse_with_backups(tx, &resource).await?;
                        resource.vault_id = to.id;
                        tx.vaults().update_resource(&resource).await?;
                        moved.push(resource.id);
                    }
                    Ok::<_, Error>(moved)
                })
            })
            .await
    }

    /// Makes the disks whose backups a project's default vault keeps resources of it, as far as they
    /// exist, are in no vault and there is room; returns which. For an admin of a project it is
    /// that project, for an admin of a domain each of the domain's.
    pub async fn adopt_disks(&self, caller: &Caller) -> Result<Vec<VolumeId>> {
        const RULE: &str = "vault:migrate";
        let (project, domain) = match &caller.scope {
            CallerScope::Domain(domain) if caller.is_admin() => (None, Some(domain)),
            _ => (Some(caller.project(Role::Admin, RULE)?), None),
        };
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut projects: Vec<_> = project.into_iter().cloned().collect();
                    if let Some(domain) = domain {
                        let all = tx.projects().list(Some(domain)).await?;
                        projects.extend(all.into_iter().map(|project| project.id));
                    }
                    let mut adopted = Vec::new();
                    for project in &projects {
                        adopted.extend(self.adopt_disks_of(tx, project).await?);
                    }
                    Ok(adopted)
                })
            })
            .await
    }

    async fn adopt_disks_of(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
    ) -> Result<Vec<VolumeId>> {
        match tx.vaults().find_default(project).await? {
            Some(vault) if require_usable(&vault).is_ok() => {
                self.adopt_disks_into(tx, project, &vault).await
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn adopt_disks_into(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        vault: &Vault,
    ) -> Result<Vec<VolumeId>> {
        let held = usize::try_from(tx.vaults().count_resources(vault.id).await?);
        let mut room = RESOURCES_MAX.saturating_sub(held.unwrap_or(usize::MAX));
        let backups = tx.backups().to_remove_from(vault.id, None, u32::MAX).await?;
        let volumes: BTreeSet<_> = backups.iter().map(|backup| backup.volume_id).collect();
        let mut adopted = Vec::new();
        for id in volumes {
            let volume = tx.volumes().find(project, id).await?;
            let volume = volume.filter(|volume| volume.status != VolumeStatus::Deleting);
            let is_free = tx.vaults().find_resource(id.into()).await?.is_none();
            let Some(volume) = volume.filter(|_| is_free && room > 0) else { continue };
            let resource = VaultResource {
                vault_id: vault.id,
                id: id.into(),
                kind: ResourceKind::Volume,
                name: volume.name.unwrap_or_default(),
                size: volume.size,
                excluded_volumes: Vec::new(),
                auto_protect: true,
                is_removing: false,
                created_at: self.now(),
            };
            tx.vaults().insert_resource(&resource).await?;
            room -= 1;
            adopted.push(id);
        }
        Ok(adopted)
    }
}

/// Refuses vaults between which nothing can move.
async fn check_pair(
    tx: &mut Transaction<'_>,
    from: &Vault,
    to: &Vault,
    count: usize,
) -> Result<()> {
    require_usable(from)?;
    require_usable(to)?;
    if from.is_locked {
        let message = "nothing can be moved out of a locked vault";
        return Err(Refusal::VaultNotUpdatable.because(message));
    }
    let terms = [&from.terms, &to.terms];
    let kinds = terms.map(|it| (it.object_type, it.protect_type, it.consistent_level));
    if from.id == to.id || kinds[0] != kinds[1] || to.terms.protect_type != ProtectType::Backup {
        let message = "the destination must be another vault of the same kind";
        return Err(Refusal::ResourceUnfit.because(message));
    }
    let held = usize::try_from(tx.vaults().count_resources(to.id).await?);
    if held.unwrap_or(usize::MAX).saturating_add(count) > RESOURCES_MAX {
        let message = format!("{RESOURCES_MAX} resources are all that a vault may have");
        return Err(Refusal::TooManyResources.because(message));
    }
    if vault_used_bytes(tx, to.id).await? >= to.size.bytes() {
        let message = format!("the {} GiB of the destination are used up", to.size.0);
        return Err(Refusal::DestinationFull.because(message));
    }
    Ok(())
}

async fn refuse_with_backups(tx: &mut Transaction<'_>, resource: &VaultResource) -> Result<()> {
    if !has_backups(tx, resource).await? {
        return Ok(());
    }
    let message = format!(
        "the vault keeps backups of resource {}, which are sealed under its own key and cannot \
         move; delete them first, or add the resource anew",
        resource.id
    );
    Err(Refusal::VaultNotUpdatable.because(message))
}
