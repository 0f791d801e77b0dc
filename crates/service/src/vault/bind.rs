//! Binding by itself: resources whose tags fit, when a vault's policy runs.

use std::collections::BTreeSet;

use strongroom_catalog::{Transaction, VolumeFilter, VolumeQuery};
use strongroom_model::page::Start;
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::server::Server;
use strongroom_model::vault::{BindTag, ObjectType, Vault, VaultResource};
use strongroom_model::volume::VolumeStatus;

use super::{NewResource, RESOURCES_MAX};
use crate::Service;
use crate::error::Result;

/// How many volumes are looked at in one step.
const VOLUMES_AT_ONCE: u32 = 1000;

impl Service {
    /// Binds the resources of the project that no vault has and whose tags fit, the oldest first,
    /// up to what a vault may have. Of a volume the metadata are its tags; a server has tags.
    pub(crate) async fn auto_bind(&self, tx: &mut Transaction<'_>, vault: &Vault) -> Result<()> {
        if !vault.terms.auto_bind {
            return Ok(());
        }
        let bound = tx.vaults().resources_of_project(&vault.project_id).await?;
        let held = bound.iter().filter(|one| one.vault_id == vault.id).count();
        let room = RESOURCES_MAX.saturating_sub(held);
        let taken: BTreeSet<_> = bound.iter().map(|one| one.id).collect();
        let free = match vault.terms.object_type {
            ObjectType::Disk => self.unbound_disks(tx, vault, &taken).await?,
            ObjectType::Server => self.unbound_servers(tx, vault, &taken, room).await?,
            _ => Vec::new(),
        };
        for resource in free.into_iter().take(room) {
            tx.vaults().insert_resource(&resource).await?;
        }
        Ok(())
    }

    /// Servers of the inventory, the oldest first.
    async fn unbound_servers(
        &self,
        tx: &mut Transaction<'_>,
        vault: &Vault,
        taken: &BTreeSet<ResourceId>,
        room: usize,
    ) -> Result<Vec<VaultResource>> {
        let mut servers = self.project_servers(&vault.project_id).await?;
        let fits = |server: &Server| {
            let has = |tag: &BindTag| server.tags.get(&tag.key) == Some(&tag.value);
            !taken.contains(&server.id.into()) && vault.terms.bind_tags.iter().all(has)
        };
        servers.retain(fits);
        servers.sort_by_key(|server| (server.created_at, server.id));
        let mut resources = Vec::new();
        for server in servers.into_iter().take(room) {
            let new = NewResource {
                id: server.id.into(),
                kind: ResourceKind::Server,
                excluded_volumes: Vec::new(),
                included_volumes: None,
            };
            resources.push(self.look_up(tx, (&vault.project_id, vault.id), &new).await?);
        }
        Ok(resources)
    }

    async fn unbound_disks(
        &self,
        tx: &mut Transaction<'_>,
        vault: &Vault,
        taken: &BTreeSet<ResourceId>,
    ) -> Result<Vec<VaultResource>> {
        let tags = vault.terms.bind_tags.iter();
        let mut query = VolumeQuery {
            project: Some(vault.project_id.clone()),
            filters: tags
                .map(|tag| VolumeFilter::Metadata(tag.key.clone(), tag.value.clone()))
                .collect(),
            sort: Vec::new(),
            start: Start::Offset(0),
            limit: VOLUMES_AT_ONCE,
            with_total: false,
        };
        let mut found = Vec::new();
        loop {
            let page = tx.volumes().list(&query).await?;
            let Some(last) = page.items.last() else { break };
            query.start = Start::After(last.id);
            found.extend(page.items);
        }
        let is_bindable = |status| {
            matches!(
                status,
                VolumeStatus::Available | VolumeStatus::InUse | VolumeStatus::BackingUp
            )
        };
        found.retain(|volume| is_bindable(volume.status) && !taken.contains(&volume.id.into()));
        // The newest come first.
        let resources = found.into_iter().rev().map(|volume| VaultResource {
            vault_id: vault.id,
            id: volume.id.into(),
            kind: ResourceKind::Volume,
            name: volume.name.unwrap_or_default(),
            size: volume.size,
            excluded_volumes: Vec::new(),
            auto_protect: true,
            is_removing: false,
            created_at: self.now(),
        });
        Ok(resources.collect())
    }
}
