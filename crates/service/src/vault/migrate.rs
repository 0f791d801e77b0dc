//! Resources that move from one vault to another, and disks that are brought into the default one.

use std::collections::BTreeSet;

use strongroom_catalog::Transaction;
use strongroom_model::id::{ProjectId, VaultId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::project::Project;
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::vault::{ProtectType, Vault, VaultResource};
use strongroom_model::volume::{Volume, VolumeStatus};

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

    /// How far the disks that [`Service::adopt_disks`] is for are in the default vaults of the
    /// projects that the caller asks about: its own, those of the domain of which it is admin, or
    /// else those in which it holds a role. A project that has none and never had is not told of.
    pub async fn adoptions(&self, caller: &Caller) -> Result<Vec<Adoption>> {
        let own = self.projects_of(caller, &caller.user_id).await?;
        let (scope, is_admin) = (&caller.scope, caller.is_admin());
        self.catalog()
            .read(|tx| {
                let own = own.clone();
                Box::pin(async move {
                    let projects = match scope {
                        CallerScope::Project(id) => {
                            tx.projects().find(id).await?.into_iter().collect()
                        }
                        CallerScope::Domain(id) if is_admin => tx.projects().list(Some(id)).await?,
                        _ => own,
                    };
                    let mut told = Vec::new();
                    for project in projects {
                        told.extend(adoption_of(tx, project).await?);
                    }
                    Ok(told)
                })
            })
            .await
    }

    async fn adopt_disks_of(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
    ) -> Result<Vec<VolumeId>> {
        let Some(vault) = tx.vaults().find_default(project).await? else {
            return Ok(Vec::new());
        };
        if require_usable(&vault).is_err() {
            return Ok(Vec::new());
        }
        let room = room_in(tx, &vault).await?;
        let mut adopted = Vec::new();
        for volume in strays(tx, &vault).await?.into_iter().take(room) {
            let resource = VaultResource {
                vault_id: vault.id,
                id: volume.id.into(),
                kind: ResourceKind::Volume,
                name: volume.name.unwrap_or_default(),
                size: volume.size,
                excluded_volumes: Vec::new(),
                auto_protect: true,
                is_removing: false,
                created_at: self.now(),
            };
            tx.vaults().insert_resource(&resource).await?;
            adopted.push(volume.id);
        }
        Ok(adopted)
    }
}

/// How far the disks of a project are in its default vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The project.
    pub project: Project,
    /// How many are.
    pub adopted: usize,
    /// How many are in no vault at all, although the default one keeps their backups.
    pub outside: usize,
    /// Why these cannot become resources of it now; absent if nothing hinders.
    pub obstacle: Option<String>,
}

async fn adoption_of(tx: &mut Transaction<'_>, project: Project) -> Result<Option<Adoption>> {
    let Some(vault) = tx.vaults().find_default(&project.id).await? else { return Ok(None) };
    let adopted = usize::try_from(tx.vaults().count_resources(vault.id).await?);
    let adopted = adopted.unwrap_or(usize::MAX);
    let outside = strays(tx, &vault).await?.len();
    if adopted == 0 && outside == 0 {
        return Ok(None);
    }
    let obstacle = match require_usable(&vault) {
        Err(refused) if outside > 0 => Some(refused.to_string()),
        Ok(()) if outside > room_in(tx, &vault).await? => {
            Some(format!("{RESOURCES_MAX} resources are all that a vault may have"))
        }
        _ => None,
    };
    Ok(Some(Adoption { project, adopted, outside, obstacle }))
}

/// How many resources more a vault may have.
async fn room_in(tx: &mut Transaction<'_>, vault: &Vault) -> Result<usize> {
    let held = usize::try_from(tx.vaults().count_resources(vault.id).await?);
    Ok(RESOURCES_MAX.saturating_sub(held.unwrap_or(usize::MAX)))
}

/// The disks whose backups a vault keeps, as far as they exist and are in no vault, by their ids.
async fn strays(tx: &mut Transaction<'_>, vault: &Vault) -> Result<Vec<Volume>> {
    let backups = tx.backups().to_remove_from(vault.id, None, u32::MAX).await?;
    let ids: BTreeSet<_> = backups.iter().map(|backup| backup.volume_id).collect();
    let mut strays = Vec::new();
    for id in ids {
        let volume = tx.volumes().find(&vault.project_id, id).await?;
        let volume = volume.filter(|volume| volume.status != VolumeStatus::Deleting);
        let is_free = tx.vaults().find_resource(id.into()).await?.is_none();
        strays.extend(volume.filter(|_| is_free));
    }
    Ok(strays)
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
