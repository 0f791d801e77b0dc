//! Vaults with what hangs on them.

use std::collections::BTreeMap;

use strongroom_catalog::{ResourceUsage, TaggedQuery, Transaction};
use strongroom_model::id::{ProjectId, VaultId};
use strongroom_model::resource::ResourceId;
use strongroom_model::tag::{Tagged, Tags};
use strongroom_model::vault::{ProtectStatus, Vault, VaultResource};

use super::lookup::Facts;
use super::{ResourceView, VaultView, whole_mib};
use crate::Service;
use crate::error::{Error, Result};

/// The most vaults whose use is asked for in one statement.
const AT_ONCE: usize = 200;

/// What the catalogue knows of some vaults.
#[derive(Default)]
struct Hangings {
    resources: BTreeMap<VaultId, Vec<VaultResource>>,
    usage: BTreeMap<(VaultId, ResourceId), ResourceUsage>,
    used: BTreeMap<VaultId, u64>,
    tags: BTreeMap<VaultId, Tags>,
}

impl Service {
    /// One vault of a project with what hangs on it.
    pub(super) async fn vault_view(&self, project: &ProjectId, id: VaultId) -> Result<VaultView> {
        let vault = self
            .catalog()
            .read(|tx| {
                Box::pin(async move { Ok::<_, Error>(tx.vaults().find(project, id).await?) })
            })
            .await?;
        let vault = vault.ok_or_else(|| Error::VaultNotFound(id.to_string()))?;
        let views = self.vault_views(project, vec![vault]).await?;
        views.into_iter().next().ok_or_else(|| Error::VaultNotFound(id.to_string()))
    }

    /// Vaults of a project with what hangs on them. Names and sizes of resources are the present
    /// ones, or those that were noted last if a resource is gone.
    pub(crate) async fn vault_views(
        &self,
        project: &ProjectId,
        vaults: Vec<Vault>,
    ) -> Result<Vec<VaultView>> {
        let wanted = &vaults;
        let mut hangings = self
            .catalog()
            .read(|tx| Box::pin(async move { hangings(tx, project, wanted).await }))
            .await?;
        let resources: Vec<_> = hangings.resources.values().flatten().collect();
        let facts = self.facts_of(project, &resources).await?;
        Ok(vaults.into_iter().map(|vault| view(vault, &mut hangings, &facts)).collect())
    }
}

async fn hangings(
    tx: &mut Transaction<'_>,
    project: &ProjectId,
    vaults: &[Vault],
) -> Result<Hangings> {
    let mut found = Hangings::default();
    let [only] = vaults else {
        for resource in tx.vaults().resources_of_project(project).await? {
            found.resources.entry(resource.vault_id).or_default().push(resource);
        }
        let everything = TaggedQuery { limit: u32::MAX, ..TaggedQuery::default() };
        for row in tx.tags().find(project, Tagged::Vault, &everything).await?.items {
            if let Ok(id) = VaultId::parse(&row.id) {
                found.tags.insert(id, row.tags);
            }
        }
        measure(tx, vaults, &mut found).await?;
        return Ok(found);
    };
    found.resources.insert(only.id, tx.vaults().resources(only.id).await?);
    found.tags.insert(only.id, tx.tags().get(Tagged::Vault, &only.id.to_string()).await?);
    measure(tx, vaults, &mut found).await?;
    Ok(found)
}

async fn measure(tx: &mut Transaction<'_>, vaults: &[Vault], found: &mut Hangings) -> Result<()> {
    let ids: Vec<_> = vaults.iter().map(|vault| vault.id).collect();
    found.resources.retain(|id, _| ids.contains(id));
    for ids in ids.chunks(AT_ONCE) {
        found.used.extend(tx.vaults().used_bytes_of(ids).await?);
        found.usage.extend(tx.vaults().usage_of_resources(ids).await?);
    }
    Ok(())
}

fn view(vault: Vault, hangings: &mut Hangings, facts: &Facts) -> VaultView {
    let resources = hangings.resources.remove(&vault.id).unwrap_or_default();
    let resources: Vec<_> = resources
        .into_iter()
        .map(|mut resource| {
            facts.refresh(&mut resource);
            let usage = hangings.usage.get(&(vault.id, resource.id));
            resource_view(resource, usage.copied().unwrap_or_default())
        })
        .collect();
    VaultView {
        allocated_gib: resources.iter().map(|one| u64::from(one.resource.size.0)).sum(),
        used_mib: whole_mib(hangings.used.get(&vault.id).copied().unwrap_or(0)),
        tags: hangings.tags.remove(&vault.id).unwrap_or_default(),
        resources,
        vault,
    }
}

fn resource_view(resource: VaultResource, usage: ResourceUsage) -> ResourceView {
    let status = match usage {
        _ if resource.is_removing => ProtectStatus::Removing,
        ResourceUsage { is_being_read: true, .. } => ProtectStatus::Restoring,
        ResourceUsage { is_being_made: true, .. } => ProtectStatus::Protecting,
        ResourceUsage { has_failed: true, .. } => ProtectStatus::Error,
        _ => ProtectStatus::Available,
    };
    ResourceView { resource, backup_mib: whole_mib(usage.bytes), backup_count: usage.count, status }
}
