//! Snapshots as callers see them.

use strongroom_catalog::{SnapshotQuery, Transaction};
use strongroom_model::id::{ProjectId, SnapshotId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::job::JobKind;
use strongroom_model::page::{Page, SortBy, Start};
use strongroom_model::quota::Resource;
use strongroom_model::snapshot::{Snapshot, SnapshotStatus};
use strongroom_model::volume::{Metadata, VolumeStatus};

pub use strongroom_catalog::{SnapshotFilter, SnapshotKey};

use crate::error::{Error, Result};
use crate::metadata::MetadataChange;
use crate::{Caller, Service};

/// What a caller asks for when it takes a snapshot.
#[derive(Debug, Clone)]
pub struct NewSnapshot {
    /// The volume to freeze.
    pub volume_id: VolumeId,
    /// Its name.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Whether a volume in use may be frozen.
    pub is_forced: bool,
    /// The user's key-value pairs.
    pub metadata: Metadata,
}

/// What to change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct SnapshotChange {
    /// The new name; `Some(None)` removes it.
    pub name: Option<Option<String>>,
    /// The new description; `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// What happens to the key-value pairs.
    pub metadata: Option<MetadataChange>,
}

/// Which snapshots to list, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct SnapshotListing {
    /// Those of every project; for admins only, ignored for others.
    pub all_projects: bool,
    /// Conditions that must all hold.
    pub filters: Vec<SnapshotFilter>,
    /// The order; newest first if empty.
    pub sort: Vec<SortBy<SnapshotKey>>,
    /// Where the page starts.
    pub start: Start<SnapshotId>,
    /// The most items to return.
    pub limit: u32,
    /// Whether to count the whole list.
    pub with_total: bool,
}

impl SnapshotListing {
    /// What the catalogue is asked: the caller's project, or all.
    fn into_query(self, project: Option<ProjectId>) -> SnapshotQuery {
        let Self { filters, sort, start, limit, with_total, .. } = self;
        SnapshotQuery { project, filters, sort, start, limit, with_total }
    }
}

impl Service {
    /// Accepts a snapshot: `creating` until the bytes are frozen.
    pub async fn create_snapshot(&self, caller: &Caller, new: NewSnapshot) -> Result<Snapshot> {
        let project = caller.project(Role::Member, "volume:create_snapshot")?;
        let new = &new;
        let snapshot = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let id = new.volume_id.to_string();
                    let volume = self.find_volume(tx, caller, project, &id).await?;
                    let may = volume.status == VolumeStatus::Available
                        || volume.status == VolumeStatus::InUse && new.is_forced;
                    if !may {
                        return Err(Error::VolumeBusy { id: volume.id, status: volume.status });
                    }
                    let asked =
                        [(Resource::Snapshots, 1), (Resource::Gigabytes, i64::from(volume.size.0))];
                    self.check_quota(tx, project, &asked).await?;
                    let snapshot = Snapshot {
                        id: SnapshotId::random(self.chance()),
                        project_id: volume.project_id.clone(),
                        user_id: caller.user_id.clone(),
                        volume_id: volume.id,
                        name: new.name.clone(),
                        description: new.description.clone(),
                        size: volume.size,
                        status: SnapshotStatus::Creating,
                        metadata: new.metadata.clone(),
                        created_at: self.now(),
                        updated_at: None,
                    };
                    tx.snapshots().insert(&snapshot).await?;
                    let work = JobKind::CreateSnapshot { snapshot_id: snapshot.id };
                    self.enqueue(tx, caller, work).await?;
                    Ok(snapshot)
                })
            })
            .await?;
        self.nudge();
        Ok(snapshot)
    }

    /// One snapshot of the caller's project.
    pub async fn snapshot(&self, caller: &Caller, id: &str) -> Result<Snapshot> {
        let project = caller.project(Role::Reader, "volume:get_snapshot")?;
        self.catalog()
            .read(|tx| Box::pin(async move { self.find_snapshot(tx, caller, project, id).await }))
            .await
    }

    /// A page of snapshots.
    pub async fn snapshots(
        &self,
        caller: &Caller,
        listing: SnapshotListing,
    ) -> Result<Page<Snapshot>> {
        let project = caller.project(Role::Reader, "volume:get_all_snapshots")?;
        let everyone = listing.all_projects && caller.is_cloud_admin;
        let query = listing.into_query((!everyone).then(|| project.clone()));
        let query = &query;
        self.catalog()
            .read(|tx| Box::pin(async move { Ok(tx.snapshots().list(query).await?) }))
            .await
    }

    /// Changes what a user may change.
    pub async fn update_snapshot(
        &self,
        caller: &Caller,
        id: &str,
        change: SnapshotChange,
    ) -> Result<Snapshot> {
        let project = caller.project(Role::Member, "volume:update_snapshot")?;
        let change = &change;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut snapshot = self.find_snapshot(tx, caller, project, id).await?;
                    if let Some(name) = &change.name {
                        snapshot.name.clone_from(name);
                    }
                    if let Some(description) = &change.description {
                        snapshot.description.clone_from(description);
                    }
                    if let Some(metadata) = &change.metadata {
                        metadata.apply(&mut snapshot.metadata)?;
                    }
                    self.write_snapshot(tx, &mut snapshot).await?;
                    Ok(snapshot)
                })
            })
            .await
    }

    /// Marks a snapshot `deleting` and enqueues its removal. Forced (admin): whatever its status.
    pub async fn delete_snapshot(&self, caller: &Caller, id: &str, is_forced: bool) -> Result<()> {
        let (role, rule) = if is_forced {
            (Role::Admin, "volume_extension:snapshot_admin_actions:force_delete")
        } else {
            (Role::Member, "volume:delete_snapshot")
        };
        let project = caller.project(role, rule)?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut snapshot = self.find_snapshot(tx, caller, project, id).await?;
                    self.begin_deleting_snapshot(tx, caller, &mut snapshot, is_forced).await
                })
            })
            .await?;
        self.nudge();
        Ok(())
    }

    /// Sets the status by hand (admin).
    pub async fn reset_snapshot(
        &self,
        caller: &Caller,
        id: &str,
        status: SnapshotStatus,
    ) -> Result<()> {
        let project =
            caller.project(Role::Admin, "volume_extension:snapshot_admin_actions:reset_status")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut snapshot = self.find_snapshot(tx, caller, project, id).await?;
                    snapshot.status = status;
                    self.write_snapshot(tx, &mut snapshot).await
                })
            })
            .await
    }

    /// Marks one snapshot `deleting` and enqueues its removal.
    pub(crate) async fn begin_deleting_snapshot(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        snapshot: &mut Snapshot,
        is_forced: bool,
    ) -> Result<()> {
        let is_at_rest = matches!(
            snapshot.status,
            SnapshotStatus::Available | SnapshotStatus::Error | SnapshotStatus::ErrorDeleting
        );
        if !is_at_rest && !is_forced {
            return Err(Error::SnapshotBusy { id: snapshot.id, status: snapshot.status });
        }
        let id = snapshot.id.to_string();
        if !is_forced && !tx.volumes().unmade_copies(&id).await?.is_empty() {
            return Err(Error::SnapshotBusy { id: snapshot.id, status: snapshot.status });
        }
        snapshot.status = SnapshotStatus::Deleting;
        self.write_snapshot(tx, snapshot).await?;
        self.enqueue(tx, caller, JobKind::DeleteSnapshot { snapshot_id: snapshot.id }).await
    }

    /// A snapshot that the caller may see: its project's own, or any for a cloud admin.
    pub(crate) async fn find_snapshot(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        project: &ProjectId,
        id: &str,
    ) -> Result<Snapshot> {
        let missing = || Error::SnapshotNotFound(id.to_owned());
        let parsed = SnapshotId::parse(id).map_err(|_| missing())?;
        let found = tx.snapshots().find_any(parsed).await?;
        found
            .filter(|snapshot| snapshot.project_id == *project || caller.is_cloud_admin)
            .ok_or_else(missing)
    }

    /// Writes a changed row with the present instant.
    pub(crate) async fn write_snapshot(
        &self,
        tx: &mut Transaction<'_>,
        snapshot: &mut Snapshot,
    ) -> Result<()> {
        snapshot.updated_at = Some(self.now());
        tx.snapshots().update(snapshot).await?;
        Ok(())
    }
}
