//! Servers as callers and jobs see them: an inventory that operators keep as files.
//!
//! A server is its project's alone. Whatever a file says, a volume counts as a server's disk only
//! if both are of the same project.

mod attachments;
mod derived;
pub mod documents;
pub mod folder;

use std::collections::BTreeMap;

use strongroom_catalog::{VolumeFilter, VolumeQuery};
use strongroom_model::id::{ProjectId, ServerId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::page::{Page, Start};
use strongroom_model::server::{Flavor, Server, ServerStatus};
use strongroom_model::volume::{Volume, VolumeStatus};

pub use attachments::{Attachment, Attachments};
pub use derived::derived_id;
pub use documents::{DocumentStrings, Place, ServerDocuments};
pub use folder::{Inventory, InventoryError, ServerFolder};

use crate::error::{Error, Result};
use crate::{Caller, Service};

/// The most ids that one question to the catalogue names.
const IDS_AT_ONCE: usize = 500;

/// What a listed server must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerFilter {
    /// Its name contains the text, in any case; at its beginning or end where that is demanded.
    Name {
        /// The text.
        text: String,
        /// Nothing stands before it.
        at_start: bool,
        /// Nothing stands after it.
        at_end: bool,
    },
    /// It has that status.
    Status(ServerStatus),
    /// It is one of these.
    Ids(Vec<ServerId>),
    /// It runs in that zone.
    AvailabilityZone(String),
    /// It is of that flavor.
    Flavor(String),
    /// It is of that project.
    Project(ProjectId),
    /// That volume is one of its disks.
    Disk(VolumeId),
}

impl ServerFilter {
    /// Whether a server is like that.
    pub fn admits(&self, server: &Server) -> bool {
        match self {
            Self::Name { text, at_start, at_end } => {
                let (name, text) = (server.name.to_lowercase(), text.to_lowercase());
                match (at_start, at_end) {
                    (true, true) => name == text,
                    (true, false) => name.starts_with(&text),
                    (false, true) => name.ends_with(&text),
                    (false, false) => name.contains(&text),
                }
            }
            Self::Status(status) => server.status == *status,
            Self::Ids(ids) => ids.contains(&server.id),
            Self::AvailabilityZone(zone) => server.availability_zone == *zone,
            Self::Flavor(id) => server.flavor.id == *id,
            Self::Project(id) => server.project_id == *id,
            Self::Disk(id) => server.disk(*id).is_some(),
        }
    }
}

/// Which servers to list, newest first, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct ServerListing {
    /// Those of every project; for admins only, ignored for others.
    pub all_projects: bool,
    /// Conditions that must all hold.
    pub filters: Vec<ServerFilter>,
    /// Where the page starts.
    pub start: Start<ServerId>,
    /// The most items to return.
    pub limit: u32,
    /// Whether to count the whole list.
    pub with_total: bool,
}

impl ServerListing {
    /// The page of a list that was read whole.
    fn page_of(&self, mut servers: Vec<Server>) -> Result<Page<Server>> {
        // A marker may be one that the conditions leave out, but not one of another project.
        let is_after = match &self.start {
            Start::Offset(_) => None,
            Start::After(id) => {
                let marker = servers.iter().find(|server| server.id == *id);
                let missing = || Error::MarkerNotFound(id.to_string());
                let marker = marker.ok_or_else(missing)?;
                Some((marker.created_at, marker.id))
            }
        };
        servers.retain(|server| self.filters.iter().all(|filter| filter.admits(server)));
        let total = self.with_total.then_some(servers.len() as u64);
        match (&self.start, is_after) {
            (Start::Offset(count), _) => {
                let count = usize::try_from(*count).unwrap_or(usize::MAX).min(servers.len());
                servers.drain(..count);
            }
            (Start::After(_), place) => {
                servers.retain(|server| place.is_none_or(|at| (server.created_at, server.id) < at));
            }
        }
        servers.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        Ok(Page { items: servers, total })
    }
}

impl Service {
    /// A page of servers.
    pub async fn servers(&self, caller: &Caller, listing: ServerListing) -> Result<Page<Server>> {
        let project = caller.project(Role::Reader, "os_compute_api:servers:index")?;
        let everyone = listing.all_projects && caller.is_cloud_admin;
        let project = (!everyone).then(|| project.clone());
        let servers = self.on_servers(move |folder| folder.list(project.as_ref())).await?;
        listing.page_of(servers)
    }

    /// One server of the caller's project.
    pub async fn server(&self, caller: &Caller, id: &str) -> Result<Server> {
        let project = caller.project(Role::Reader, "os_compute_api:servers:show")?;
        let missing = || Error::ServerNotFound(id.to_owned());
        let parsed = ServerId::parse(id).map_err(|_| missing())?;
        let found = self.find_server(parsed).await?;
        found
            .filter(|server| server.project_id == *project || caller.is_cloud_admin)
            .ok_or_else(missing)
    }

    /// The flavors of the servers of the caller's project, by id. Where servers disagree about a
    /// flavor, the newest has it right.
    pub async fn flavors(&self, caller: &Caller) -> Result<Vec<Flavor>> {
        let project = caller.project(Role::Reader, "os_compute_api:flavors:index")?;
        let servers = self.project_servers(project).await?;
        let oldest_first = servers.into_iter().rev();
        let by_id: BTreeMap<String, Flavor> =
            oldest_first.map(|server| (server.flavor.id.clone(), server.flavor)).collect();
        Ok(by_id.into_values().collect())
    }

    /// Every server of a project, newest first; for jobs.
    pub async fn project_servers(&self, project: &ProjectId) -> Result<Vec<Server>> {
        let project = project.clone();
        self.on_servers(move |folder| folder.list(Some(&project))).await
    }

    /// One server of a project; for jobs.
    pub async fn project_server(&self, project: &ProjectId, id: ServerId) -> Result<Server> {
        let found = self.find_server(id).await?.filter(|server| server.project_id == *project);
        found.ok_or_else(|| Error::ServerNotFound(id.to_string()))
    }

    /// The volumes that are the server's disks, in the disks' order. A disk whose volume is gone,
    /// or of another project, has none.
    pub async fn server_volumes(&self, server: &Server) -> Result<Vec<Volume>> {
        let mut volumes = self.volumes_of_servers(std::slice::from_ref(server)).await?;
        let in_order = server.disks.iter().filter_map(|disk| volumes.remove(&disk.volume_id));
        Ok(in_order.collect())
    }

    /// The volumes that are disks of any of these servers, by id; of each server only those of its
    /// own project.
    pub async fn volumes_of_servers(
        &self,
        servers: &[Server],
    ) -> Result<BTreeMap<VolumeId, Volume>> {
        let mut found = BTreeMap::new();
        for (project, ids) in &disks_by_project(servers) {
            for ids in ids.chunks(IDS_AT_ONCE) {
                let query = VolumeQuery {
                    project: Some(project.clone()),
                    filters: vec![VolumeFilter::Ids(ids.to_vec())],
                    sort: Vec::new(),
                    start: Start::default(),
                    limit: u32::try_from(ids.len()).unwrap_or(u32::MAX),
                    with_total: false,
                };
                let query = &query;
                let page: Page<Volume> = self
                    .catalog()
                    .read(|tx| {
                        Box::pin(async move { Ok::<_, Error>(tx.volumes().list(query).await?) })
                    })
                    .await?;
                found.extend(page.items.into_iter().map(|volume| (volume.id, volume)));
            }
        }
        Ok(found)
    }

    /// Which volumes are disks of which servers, in the caller's project or, for a cloud admin, in
    /// all.
    pub async fn attachments(&self, caller: &Caller) -> Result<Attachments> {
        let project =
            caller.project(Role::Reader, "os_compute_api:os-volumes-attachments:index")?;
        let project = (!caller.is_cloud_admin).then(|| project.clone());
        let servers = self.on_servers(move |folder| folder.list(project.as_ref())).await?;
        Ok(Attachments::of(&servers))
    }

    /// Keeps a server in the inventory, in place of what was kept of it. A disk that it did not
    /// have before must be a volume of its project that is there to stay, and nobody's disk.
    pub async fn keep_server(&self, mut server: Server) -> Result<Server> {
        let before = self.find_server(server.id).await?;
        if before.as_ref().is_some_and(|before| before.project_id != server.project_id) {
            return Err(Error::ServerNotFound(server.id.to_string()));
        }
        let volumes = self.server_volumes(&server).await?;
        for disk in &server.disks {
            let had = before.as_ref().is_some_and(|before| before.disk(disk.volume_id).is_some());
            let volume = volumes.iter().find(|volume| volume.id == disk.volume_id);
            match volume {
                _ if had => {}
                None => return Err(Error::VolumeNotFound(disk.volume_id.to_string())),
                Some(volume) if volume.status == VolumeStatus::Deleting => {
                    return Err(Error::VolumeBusy { id: volume.id, status: volume.status });
                }
                Some(_) => {}
            }
        }
        server.updated_at = before.map(|_| self.now());
        let kept = server.clone();
        self.on_servers(move |folder| folder.put(&kept)).await?;
        Ok(server)
    }

    /// Notes what a restore onto a server asked for: to be switched on afterwards, or not.
    pub async fn note_power_wish(
        &self,
        project: &ProjectId,
        id: ServerId,
        wants_power_on: bool,
    ) -> Result<Server> {
        self.project_server(project, id).await?;
        let now = self.now();
        let changed = self
            .on_servers(move |folder| {
                folder.change(id, |server| {
                    server.wants_power_on = Some(wants_power_on);
                    server.updated_at = Some(now);
                    Ok::<(), InventoryError>(())
                })
            })
            .await?;
        changed.ok_or_else(|| Error::ServerNotFound(id.to_string()))
    }

    /// Takes a server out of its project's inventory; its disks stay.
    pub async fn forget_server(&self, project: &ProjectId, id: ServerId) -> Result<()> {
        self.project_server(project, id).await?;
        self.on_servers(move |folder| folder.remove(id)).await?;
        Ok(())
    }

    /// A server of any project. One whose file is broken is as good as missing, and the log has
    /// said why.
    async fn find_server(&self, id: ServerId) -> Result<Option<Server>> {
        self.on_servers(move |folder| match folder.find(id) {
            Err(error @ InventoryError::Broken { .. }) => {
                tracing::warn!("{error}");
                Ok(None)
            }
            found => found,
        })
        .await
    }

    /// Does blocking work on the inventory on a thread that may block.
    async fn on_servers<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ServerFolder) -> std::result::Result<T, InventoryError> + Send + 'static,
    ) -> Result<T> {
        let folder = self.server_folder().clone();
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        Ok(done.map_err(Error::internal)??)
    }
}

impl From<InventoryError> for Error {
    fn from(error: InventoryError) -> Self {
        match error {
            InventoryError::Invalid(invalid) => {
                Self::Invalid { field: invalid.field, message: invalid.message }
            }
            InventoryError::DiskTaken { .. } => {
                Self::Invalid { field: "disks", message: error.to_string() }
            }
            InventoryError::Exists(_) => Self::Invalid { field: "id", message: error.to_string() },
            InventoryError::Broken { .. } | InventoryError::Io(_) => {
                Self::Unavailable { what: "the inventory of servers", source: Box::new(error) }
            }
        }
    }
}

fn disks_by_project(servers: &[Server]) -> BTreeMap<ProjectId, Vec<VolumeId>> {
    let mut disks: BTreeMap<ProjectId, Vec<VolumeId>> = BTreeMap::new();
    for server in servers {
        let ids = server.disks.iter().map(|disk| disk.volume_id);
        disks.entry(server.project_id.clone()).or_default().extend(ids);
    }
    for ids in disks.values_mut() {
        ids.sort_unstable();
        ids.dedup();
    }
    disks
}
