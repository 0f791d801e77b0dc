//! What resources are: volumes stand in the catalogue, servers in the inventory.

use std::collections::BTreeMap;

use strongroom_catalog::{Transaction, VolumeFilter, VolumeQuery};
use strongroom_model::id::{ProjectId, VaultId};
use strongroom_model::page::Start;
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::server::Server;
use strongroom_model::size::GiB;
use strongroom_model::vault::VaultResource;
use strongroom_model::volume::{Volume, VolumeStatus};

use super::NewResource;
use crate::error::{Error, Result};
use crate::{Refusal, Service};

/// The most ids that one question to the catalogue names.
const IDS_AT_ONCE: usize = 500;

/// Names and sizes of resources at this moment.
#[derive(Debug, Default)]
pub(super) struct Facts(BTreeMap<ResourceId, (String, GiB)>);

impl Facts {
    /// Writes the present name and size into a resource, if it is still there.
    pub(super) fn refresh(&self, resource: &mut VaultResource) {
        if let Some((name, size)) = self.0.get(&resource.id) {
            resource.name.clone_from(name);
            resource.size = *size;
        }
    }
}

impl Service {
    /// What resources of a project are called and how large they are.
    pub(super) async fn facts_of(
        &self,
        project: &ProjectId,
        resources: &[&VaultResource],
    ) -> Result<Facts> {
        let mut facts = Facts::default();
        let of = |kind| resources.iter().filter(move |one| one.kind == kind).map(|one| one.id);
        let disks: Vec<_> = of(ResourceKind::Volume).collect();
        for ids in disks.chunks(IDS_AT_ONCE) {
            for volume in self.volumes_by_id(project, ids).await? {
                facts.0.insert(volume.id.into(), fact_of(volume));
            }
        }
        let wanted: Vec<_> = of(ResourceKind::Server).collect();
        if !wanted.is_empty() {
            let mut servers = self.project_servers(project).await?;
            servers.retain(|server| wanted.contains(&server.id.into()));
            let volumes = self.volumes_of_servers(&servers).await?;
            for server in servers {
                let disks = server.disks.iter().filter_map(|disk| volumes.get(&disk.volume_id));
                let size = sum(disks.map(|volume| volume.size));
                facts.0.insert(server.id.into(), (server.name, size));
            }
        }
        Ok(facts)
    }

    async fn volumes_by_id(&self, project: &ProjectId, ids: &[ResourceId]) -> Result<Vec<Volume>> {
        let query = &VolumeQuery {
            project: Some(project.clone()),
            filters: vec![VolumeFilter::Ids(ids.iter().map(|id| id.volume()).collect())],
            sort: Vec::new(),
            start: Start::default(),
            limit: u32::try_from(ids.len()).unwrap_or(u32::MAX),
            with_total: false,
        };
        let page = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.volumes().list(query).await?) }));
        Ok(page.await?.items)
    }

    /// What a caller wants protected, as a resource of a vault; refused if the project has none of
    /// that id, or one that is broken or going.
    pub(super) async fn look_up(
        &self,
        tx: &mut Transaction<'_>,
        (project, vault_id): (&ProjectId, VaultId),
        new: &NewResource,
    ) -> Result<VaultResource> {
        let (name, size, excluded_volumes) = match new.kind {
            ResourceKind::Volume => {
                let (name, size) = fact_of(usable_volume(tx, project, new.id).await?);
                (name, size, new.excluded_volumes.clone())
            }
            ResourceKind::Server => self.server_fact(tx, project, new).await?,
            kind => {
                let message = format!("there is no {} {}", kind.as_str(), new.id);
                return Err(Refusal::ResourceMissing.because(message));
            }
        };
        Ok(VaultResource {
            vault_id,
            id: new.id,
            kind: new.kind,
            name,
            size,
            excluded_volumes,
            auto_protect: true,
            is_removing: false,
            created_at: self.now(),
        })
    }

    /// The name and the size of a server, and which of its disks are left out.
    async fn server_fact(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        new: &NewResource,
    ) -> Result<(String, GiB, Vec<ResourceId>)> {
        let server = self.project_server(project, new.id.server()).await?;
        let excluded = left_out(&server, new)?;
        let mut sizes = Vec::new();
        for disk in &server.disks {
            let volume = tx.volumes().find(project, disk.volume_id).await?;
            sizes.extend(volume.map(|volume| volume.size));
        }
        Ok((server.name, sum(sizes.into_iter()), excluded))
    }
}

/// The disks of a server that are left out: those that are named, or all but those that are.
fn left_out(server: &Server, new: &NewResource) -> Result<Vec<ResourceId>> {
    let refuse = |field, message| Err(Error::Invalid { field, message });
    let foreign = |ids: &[ResourceId]| ids.iter().copied().find(|id| !is_disk_of(server, *id));
    if let Some(id) = foreign(&new.excluded_volumes) {
        let message = format!("volume {id} is no disk of server {}", server.id);
        return refuse("exclude_volumes", message);
    }
    let Some(included) = &new.included_volumes else { return Ok(new.excluded_volumes.clone()) };
    if let Some(id) = foreign(included) {
        let message = format!("volume {id} is no disk of server {}", server.id);
        return refuse("include_volumes", message);
    }
    if !new.excluded_volumes.is_empty() {
        let message = "it cannot stand beside exclude_volumes".to_owned();
        return refuse("include_volumes", message);
    }
    let all = server.disks.iter().map(|disk| ResourceId::from(disk.volume_id));
    Ok(all.filter(|id| !included.contains(id)).collect())
}

fn is_disk_of(server: &Server, id: ResourceId) -> bool {
    server.disk(id.volume()).is_some()
}

async fn usable_volume(
    tx: &mut Transaction<'_>,
    project: &ProjectId,
    id: ResourceId,
) -> Result<Volume> {
    let missing = || Error::VolumeNotFound(id.to_string());
    let volume = tx.volumes().find(project, id.volume()).await?.ok_or_else(missing)?;
    match volume.status {
        VolumeStatus::Deleting | VolumeStatus::Error | VolumeStatus::ErrorDeleting => {
            Err(Error::VolumeNotBackupable(volume.status))
        }
        _ => Ok(volume),
    }
}

fn fact_of(volume: Volume) -> (String, GiB) {
    (volume.name.unwrap_or_default(), volume.size)
}

fn sum(sizes: impl Iterator<Item = GiB>) -> GiB {
    sizes.fold(GiB(0), |sum, size| GiB(sum.0.saturating_add(size.0)))
}
