//! What can be protected: the servers and disks of a project, and what stands in the way.

use std::collections::BTreeMap;

use serde_json::Value;
use strongroom_catalog::{Transaction, VolumeFilter, VolumeQuery};
use strongroom_model::id::{ServerId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::page::{Page, Start};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::server::{Server, ServerStatus};
use strongroom_model::size::GiB;
use strongroom_model::tag::Tags;
use strongroom_model::volume::{Volume, VolumeStatus};

use crate::error::{Error, Result};
use crate::servers::documents::{server_document, volume_document};
use crate::servers::{Attachment, Attachments, Place, ServerFilter, ServerListing};
use crate::vault::VaultView;
use crate::{Caller, Refusal, Service};

/// A server or a disk, and whether a vault can take it.
#[derive(Debug, Clone, PartialEq)]
pub struct Protectable {
    /// Its id.
    pub id: ResourceId,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
    /// Its size; of a server that of its disks together.
    pub size: GiB,
    /// Its state, as the service that has it says.
    pub status: &'static str,
    /// Why no vault can take it: the reason and the same as a sentence.
    pub obstacle: Option<(Refusal, String)>,
    /// The vault that has it, without its resources.
    pub vault: Option<VaultView>,
    /// Its document, as the service that has it shows it.
    pub detail: Value,
    /// The disks of a server.
    pub children: Vec<Self>,
}

/// Which of them to list, newest first, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct ProtectableListing {
    /// What the name contains, in any case.
    pub name: Option<String>,
    /// Its state.
    pub status: Option<String>,
    /// Only this one.
    pub id: Option<ResourceId>,
    /// Only disks of this server.
    pub server_id: Option<ServerId>,
    /// Where the page starts.
    pub start: Start<ResourceId>,
    /// The most items to return.
    pub limit: u32,
}

impl Service {
    /// A page of the servers of the caller's project. A marker that names nothing gives an empty
    /// page.
    pub async fn protectable_servers(
        &self,
        caller: &Caller,
        listing: ProtectableListing,
    ) -> Result<Vec<Protectable>> {
        let mut filters = Vec::new();
        if let Some(text) = listing.name {
            filters.push(ServerFilter::Name { text, at_start: false, at_end: false });
        }
        if let Some(word) = &listing.status {
            let Some(status) = ServerStatus::parse(word) else { return Ok(Vec::new()) };
            filters.push(ServerFilter::Status(status));
        }
        let ids = listing.id.map(ResourceId::server).into_iter().chain(listing.server_id);
        filters.extend(ids.map(|id| ServerFilter::Ids(vec![id])));
        let start = match listing.start {
            Start::Offset(offset) => Start::Offset(offset),
            Start::After(id) => Start::After(id.server()),
        };
        let wanted = ServerListing { filters, start, limit: listing.limit, ..Default::default() };
        let page = match self.servers(caller, wanted).await {
            Err(Error::MarkerNotFound(_)) => return Ok(Vec::new()),
            page => page?,
        };
        self.with_disks(caller, page.items).await
    }

    /// Those of some servers that the caller's project has.
    pub async fn servers_named(&self, caller: &Caller, ids: &[ServerId]) -> Result<Vec<ServerId>> {
        let project = caller.project(Role::Reader, "server:get_all")?;
        let servers = self.project_servers(project).await?;
        let known = servers.into_iter().map(|server| server.id);
        Ok(known.filter(|id| ids.contains(id)).collect())
    }

    /// One server of the caller's project.
    pub async fn protectable_server(&self, caller: &Caller, id: &str) -> Result<Protectable> {
        let server = self.server(caller, id).await?;
        let found = self.with_disks(caller, vec![server]).await?;
        found.into_iter().next().ok_or_else(|| Error::ServerNotFound(id.to_owned()))
    }

    /// A page of the disks of the caller's project. A marker that names nothing gives an empty page.
    pub async fn protectable_disks(
        &self,
        caller: &Caller,
        listing: ProtectableListing,
    ) -> Result<Vec<Protectable>> {
        let project = caller.project(Role::Reader, "volume:get_all")?;
        let mut filters = Vec::new();
        filters.extend(listing.name.map(VolumeFilter::NameLike));
        filters.extend(listing.status.map(VolumeFilter::Status));
        filters.extend(listing.id.map(|id| VolumeFilter::Ids(vec![id.volume()])));
        if let Some(id) = listing.server_id {
            filters.push(VolumeFilter::Ids(self.disks_of(caller, id).await?));
        }
        let query = &VolumeQuery {
            project: Some(project.clone()),
            filters,
            sort: Vec::new(),
            start: match listing.start {
                Start::Offset(offset) => Start::Offset(offset),
                Start::After(id) => Start::After(id.volume()),
            },
            limit: listing.limit,
            with_total: false,
        };
        let attachments = &self.attachments(caller).await?;
        let found = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    let page: Page<Volume> = match tx.volumes().list(query).await {
                        Err(strongroom_catalog::Error::MarkerNotFound(_)) => {
                            return Ok(Vec::new());
                        }
                        page => page?,
                    };
                    let mut found = Vec::with_capacity(page.items.len());
                    for volume in page.items {
                        found.push(disk(tx, &volume, attachments).await?);
                    }
                    Ok::<_, Error>(found)
                })
            })
            .await?;
        self.with_vaults(caller, found).await
    }

    /// One disk of the caller's project.
    pub async fn protectable_disk(&self, caller: &Caller, id: &str) -> Result<Protectable> {
        let volume = &self.volume(caller, id).await?;
        let attachments = &self.attachments(caller).await?;
        let found = self
            .catalog()
            .read(|tx| Box::pin(async move { disk(tx, volume, attachments).await }))
            .await?;
        let found = self.with_vaults(caller, vec![found]).await?;
        found.into_iter().next().ok_or_else(|| Error::VolumeNotFound(id.to_owned()))
    }

    /// The volumes that a server of the caller's project has as disks; none if there is no such
    /// server.
    async fn disks_of(&self, caller: &Caller, id: ServerId) -> Result<Vec<VolumeId>> {
        match self.server(caller, &id.to_string()).await {
            Ok(server) => Ok(server.disks.iter().map(|disk| disk.volume_id).collect()),
            Err(Error::ServerNotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    async fn with_disks(&self, caller: &Caller, servers: Vec<Server>) -> Result<Vec<Protectable>> {
        let volumes = &self.volumes_of_servers(&servers).await?;
        let servers = &servers;
        let found = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    let mut found = Vec::with_capacity(servers.len());
                    for server in servers {
                        let attached = Attachment::all_of(server);
                        let disks = attached.iter().filter_map(|attachment| {
                            let volume = volumes.get(&attachment.volume_id)?;
                            let is_own = volume.project_id == server.project_id;
                            is_own.then_some((volume, attachment))
                        });
                        let disks: Vec<_> = disks.collect();
                        found.push(whole_server(tx, server, &disks).await?);
                    }
                    Ok::<_, Error>(found)
                })
            })
            .await?;
        self.with_vaults(caller, found).await
    }

    /// Looks up what hangs on the vaults that have these, each vault once.
    async fn with_vaults(
        &self,
        caller: &Caller,
        mut found: Vec<Protectable>,
    ) -> Result<Vec<Protectable>> {
        let project = caller.project(Role::Reader, "vault:get")?;
        let all = found.iter().flat_map(|one| std::iter::once(one).chain(&one.children));
        let bare = all.filter_map(|one| one.vault.as_ref());
        let bare: BTreeMap<_, _> = bare.map(|view| (view.id(), view.vault.clone())).collect();
        if bare.is_empty() {
            return Ok(found);
        }
        let views = self.vault_views(project, bare.into_values().collect()).await?;
        let places = found.iter_mut().flat_map(|one| {
            std::iter::once(&mut one.vault)
                .chain(one.children.iter_mut().map(|child| &mut child.vault))
        });
        for place in places.filter_map(Option::as_mut) {
            if let Some(view) = views.iter().find(|view| view.id() == place.id()) {
                *place = VaultView { resources: Vec::new(), ..view.clone() };
            }
        }
        Ok(found)
    }
}

async fn whole_server(
    tx: &mut Transaction<'_>,
    server: &Server,
    disks: &[(&Volume, &Attachment)],
) -> Result<Protectable> {
    let vault = vault_of(tx, server.id.into()).await?;
    let obstacle = taken(vault.as_ref()).or_else(|| obstacle_of_server(server, disks));
    let mut children = Vec::with_capacity(disks.len());
    for (volume, attachment) in disks {
        let vault = vault_of(tx, volume.id.into()).await?;
        let obstacle = taken(vault.as_ref()).or_else(|| obstacle_of_disk(volume));
        children.push(shown(volume, Some(attachment), (vault, obstacle)));
    }
    Ok(Protectable {
        id: server.id.into(),
        kind: ResourceKind::Server,
        name: server.name.clone(),
        size: GiB(disks.iter().map(|(volume, _)| volume.size.0).sum()),
        status: server.status.as_str(),
        obstacle,
        vault,
        detail: server_document(server, &Place::default()),
        children,
    })
}

async fn disk(
    tx: &mut Transaction<'_>,
    volume: &Volume,
    attachments: &Attachments,
) -> Result<Protectable> {
    let vault = vault_of(tx, volume.id.into()).await?;
    let obstacle = taken(vault.as_ref()).or_else(|| obstacle_of_disk(volume));
    Ok(shown(volume, attachments.of_volume(volume), (vault, obstacle)))
}

fn shown(
    volume: &Volume,
    attachment: Option<&Attachment>,
    (vault, obstacle): (Option<VaultView>, Option<(Refusal, String)>),
) -> Protectable {
    Protectable {
        id: volume.id.into(),
        kind: ResourceKind::Volume,
        name: volume.name.clone().unwrap_or_default(),
        size: volume.size,
        status: volume.status.as_str(),
        obstacle,
        vault,
        detail: volume_document(volume, attachment, &Place::default()),
        children: Vec::new(),
    }
}

/// The vault that has a resource, with nothing looked up that hangs on it.
async fn vault_of(tx: &mut Transaction<'_>, id: ResourceId) -> Result<Option<VaultView>> {
    let Some(bound) = tx.vaults().find_resource(id).await? else { return Ok(None) };
    let vault = tx.vaults().find_any(bound.vault_id).await?;
    Ok(vault.map(|vault| VaultView {
        vault,
        resources: Vec::new(),
        tags: Tags::new(),
        allocated_gib: 0,
        used_mib: 0,
    }))
}

fn taken(vault: Option<&VaultView>) -> Option<(Refusal, String)> {
    vault.map(|view| (Refusal::ResourceTaken, format!("it is in vault {}", view.id())))
}

fn obstacle_of_server(
    server: &Server,
    disks: &[(&Volume, &Attachment)],
) -> Option<(Refusal, String)> {
    if server.status == ServerStatus::Error {
        return Some((Refusal::ResourceState, format!("the server is {}", server.status.as_str())));
    }
    if disks.is_empty() {
        return Some((Refusal::ServerWithoutDisks, "the server has no disks".to_owned()));
    }
    let (volume, _) = disks.iter().find(|(volume, _)| obstacle_of_disk(volume).is_some())?;
    let (reason, message) = obstacle_of_disk(volume)?;
    Some((reason, format!("{message}: {}", volume.id)))
}

fn obstacle_of_disk(volume: &Volume) -> Option<(Refusal, String)> {
    use VolumeStatus::{Available, BackingUp, InUse, RestoringBackup};
    // A vault may take what is busy: its status comes back.
    match volume.status {
        Available | InUse | BackingUp | RestoringBackup => None,
        other => Some((Refusal::ResourceState, format!("the disk is {}", other.as_str()))),
    }
}
