//! Volumes as callers see them: the folder source's disks.

use strongroom_catalog::{Transaction, VolumeQuery};
use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{BackupId, ProjectId, ShareId, SnapshotId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::job::JobKind;
use strongroom_model::page::{Page, SortBy, Start};
use strongroom_model::quota::Resource;
use strongroom_model::size::GiB;
use strongroom_model::snapshot::SnapshotStatus;
use strongroom_model::volume::{Metadata, Volume, VolumeStatus};

pub use strongroom_catalog::{VolumeFilter, VolumeKey};

use crate::error::{Error, Result};
use crate::metadata::MetadataChange;
use crate::{Caller, Service};

/// What a new volume's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VolumeOrigin {
    /// Zeros.
    #[default]
    Empty,
    /// A snapshot's.
    Snapshot(SnapshotId),
    /// Another volume's.
    Volume(VolumeId),
    /// A backup's.
    Backup(BackupId),
}

/// What a caller asks for when it creates a volume.
#[derive(Debug, Clone, Default)]
pub struct NewVolume {
    /// Its size; that of the origin if absent.
    pub size: Option<GiB>,
    /// Its name.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Its zone; the service's own if absent.
    pub availability_zone: Option<String>,
    /// The user's key-value pairs.
    pub metadata: Metadata,
    /// Where its bytes come from.
    pub origin: VolumeOrigin,
}

/// What to change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct VolumeChange {
    /// The new name; `Some(None)` removes it.
    pub name: Option<Option<String>>,
    /// The new description; `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// What happens to the key-value pairs.
    pub metadata: Option<MetadataChange>,
    /// Whether a server could start from it.
    pub is_bootable: Option<bool>,
}

/// Which volumes to list, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct VolumeListing {
    /// Those of every project; for admins only, ignored for others.
    pub all_projects: bool,
    /// Conditions that must all hold.
    pub filters: Vec<VolumeFilter>,
    /// The order; newest first if empty.
    pub sort: Vec<SortBy<VolumeKey>>,
    /// Where the page starts.
    pub start: Start<VolumeId>,
    /// The most items to return.
    pub limit: u32,
    /// Whether to count the whole list.
    pub with_total: bool,
}

impl VolumeListing {
    /// What the catalogue is asked: the caller's project, or all.
    fn into_query(self, project: Option<ProjectId>) -> VolumeQuery {
        let Self { filters, sort, start, limit, with_total, .. } = self;
        VolumeQuery { project, filters, sort, start, limit, with_total }
    }
}

impl Service {
    /// Accepts a volume: `creating` until its bytes are made.
    pub async fn create_volume(&self, caller: &Caller, new: NewVolume) -> Result<Volume> {
        let project = caller.project(Role::Member, "volume:create")?;
        let new = &new;
        let volume = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let origin = self.origin(tx, caller, project, new.origin).await?;
                    let share_id = origin.share_id;
                    let size = new.size.unwrap_or(origin.size);
                    if size < origin.size || size == GiB(0) {
                        return Err(Error::SizeTooSmall {
                            wanted: size,
                            needed: origin.size.max(GiB(1)),
                        });
                    }
                    let asked = [
                        (Resource::PerVolumeGigabytes, i64::from(size.0)),
                        (Resource::Volumes, 1),
                        (Resource::Gigabytes, i64::from(size.0)),
                    ];
                    self.check_quota(tx, project, &asked).await?;
                    let volume = self.new_volume_row(caller, project, new, (size, origin));
                    tx.volumes().insert(&volume).await?;
                    let kind = JobKind::CreateVolume { volume_id: volume.id, share_id };
                    self.enqueue(tx, caller, kind).await?;
                    Ok(volume)
                })
            })
            .await?;
        self.nudge();
        Ok(volume)
    }

    /// One volume of the caller's project.
    pub async fn volume(&self, caller: &Caller, id: &str) -> Result<Volume> {
        let project = caller.project(Role::Reader, "volume:get")?;
        self.catalog()
            .read(|tx| Box::pin(async move { self.find_volume(tx, caller, project, id).await }))
            .await
    }

    /// A page of volumes.
    pub async fn volumes(&self, caller: &Caller, listing: VolumeListing) -> Result<Page<Volume>> {
        let project = caller.project(Role::Reader, "volume:get_all")?;
        let everyone = listing.all_projects && caller.is_cloud_admin;
        let query = listing.into_query((!everyone).then(|| project.clone()));
        let query = &query;
        self.catalog().read(|tx| Box::pin(async move { Ok(tx.volumes().list(query).await?) })).await
    }

    /// Changes what a user may change.
    pub async fn update_volume(
        &self,
        caller: &Caller,
        id: &str,
        change: VolumeChange,
    ) -> Result<Volume> {
        let project = caller.project(Role::Member, "volume:update")?;
        let change = &change;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut volume = self.find_volume(tx, caller, project, id).await?;
                    if let Some(name) = &change.name {
                        volume.name.clone_from(name);
                    }
                    if let Some(description) = &change.description {
                        volume.description.clone_from(description);
                    }
                    if let Some(metadata) = &change.metadata {
                        metadata.apply(&mut volume.metadata)?;
                    }
                    volume.is_bootable = change.is_bootable.unwrap_or(volume.is_bootable);
                    self.write_volume(tx, &mut volume).await?;
                    Ok(volume)
                })
            })
            .await
    }

    /// Marks a volume `deleting` and enqueues its removal. With `cascade` its snapshots go too;
    /// forced (admin): whatever its status.
    pub async fn delete_volume(
        &self,
        caller: &Caller,
        id: &str,
        options: VolumeDeletion,
    ) -> Result<()> {
        let (role, rule) = if options.is_forced {
            (Role::Admin, "volume_extension:volume_admin_actions:force_delete")
        } else {
            (Role::Member, "volume:delete")
        };
        let project = caller.project(role, rule)?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut volume = self.find_volume(tx, caller, project, id).await?;
                    let is_at_rest = matches!(
                        volume.status,
                        VolumeStatus::Available
                            | VolumeStatus::Error
                            | VolumeStatus::ErrorRestoring
                            | VolumeStatus::ErrorDeleting
                    ) && !is_attached(&volume);
                    if !is_at_rest && !options.is_forced {
                        return Err(Error::VolumeBusy { id: volume.id, status: volume.status });
                    }
                    if !options.is_forced {
                        self.refuse_while_copied(tx, &volume).await?;
                    }
                    self.delete_snapshots_of(tx, caller, &volume, options).await?;
                    volume.status = VolumeStatus::Deleting;
                    self.write_volume(tx, &mut volume).await?;
                    self.enqueue(tx, caller, JobKind::DeleteVolume { volume_id: volume.id }).await
                })
            })
            .await?;
        self.nudge();
        Ok(())
    }

    /// Promises an available volume to a server (`attaching`), or takes the promise back.
    pub async fn reserve_volume(&self, caller: &Caller, id: &str, is_reserved: bool) -> Result<()> {
        let (from, to) = if is_reserved {
            (VolumeStatus::Available, VolumeStatus::Attaching)
        } else {
            (VolumeStatus::Attaching, VolumeStatus::Available)
        };
        self.hand_over_volume(caller, id, &[from], to).await
    }

    /// Notes that a server uses the volume (`in-use`) or no longer does (`available`). It may have
    /// been reserved before, and need not.
    pub async fn attach_volume(&self, caller: &Caller, id: &str, is_attached: bool) -> Result<()> {
        if is_attached {
            let from = [VolumeStatus::Available, VolumeStatus::Attaching];
            self.hand_over_volume(caller, id, &from, VolumeStatus::InUse).await
        } else {
            self.hand_over_volume(caller, id, &[VolumeStatus::InUse], VolumeStatus::Available).await
        }
    }

    async fn hand_over_volume(
        &self,
        caller: &Caller,
        id: &str,
        from: &[VolumeStatus],
        to: VolumeStatus,
    ) -> Result<()> {
        let project = caller.project(Role::Member, "volume_extension:volume_actions:attach")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut volume = self.find_volume(tx, caller, project, id).await?;
                    if !from.contains(&volume.status) {
                        return Err(Error::VolumeBusy { id: volume.id, status: volume.status });
                    }
                    if to != VolumeStatus::Available {
                        self.refuse_while_copied(tx, &volume).await?;
                    }
                    volume.status = to;
                    self.write_volume(tx, &mut volume).await
                })
            })
            .await
    }

    /// Sets the status by hand (admin).
    pub async fn reset_volume(
        &self,
        caller: &Caller,
        id: &str,
        status: VolumeStatus,
    ) -> Result<()> {
        let project =
            caller.project(Role::Admin, "volume_extension:volume_admin_actions:reset_status")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut volume = self.find_volume(tx, caller, project, id).await?;
                    volume.status = status;
                    volume.previous_status = None;
                    self.write_volume(tx, &mut volume).await
                })
            })
            .await
    }

    /// A volume that the caller may see: its project's own, or any for a cloud admin.
    pub(crate) async fn find_volume(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        project: &ProjectId,
        id: &str,
    ) -> Result<Volume> {
        let missing = || Error::VolumeNotFound(id.to_owned());
        let parsed = VolumeId::parse(id).map_err(|_| missing())?;
        let found = tx.volumes().find_any(parsed).await?;
        found
            .filter(|volume| volume.project_id == *project || caller.is_cloud_admin)
            .ok_or_else(missing)
    }

    /// Refuses what would change a volume's bytes while a snapshot or a copy is still to be made.
    pub(crate) async fn refuse_while_copied(
        &self,
        tx: &mut Transaction<'_>,
        volume: &Volume,
    ) -> Result<()> {
        let snapshots = tx.snapshots().of_volume(volume.id).await?;
        let is_frozen = snapshots.iter().any(|found| found.status == SnapshotStatus::Creating);
        if is_frozen || !tx.volumes().unmade_copies(&volume.id.to_string()).await?.is_empty() {
            return Err(Error::VolumeBusy { id: volume.id, status: volume.status });
        }
        Ok(())
    }

    /// Writes a changed row with the present instant.
    pub(crate) async fn write_volume(
        &self,
        tx: &mut Transaction<'_>,
        volume: &mut Volume,
    ) -> Result<()> {
        volume.updated_at = Some(self.now());
        tx.volumes().update(volume).await?;
        Ok(())
    }

    /// Checks where a new volume's bytes are to come from, and what comes with them.
    async fn origin(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        project: &ProjectId,
        origin: VolumeOrigin,
    ) -> Result<Inherited> {
        match origin {
            VolumeOrigin::Empty => Ok(Inherited::default()),
            VolumeOrigin::Snapshot(id) => {
                let snapshot = self.find_snapshot(tx, caller, project, &id.to_string()).await?;
                if snapshot.status != SnapshotStatus::Available {
                    return Err(Error::SnapshotNotAvailable(snapshot.status));
                }
                let source = tx.volumes().find_any(snapshot.volume_id).await?;
                let is_bootable = source.is_some_and(|volume| volume.is_bootable);
                Ok(Inherited { size: snapshot.size, is_bootable, ..Inherited::default() })
            }
            VolumeOrigin::Volume(id) => {
                let source = self.find_volume(tx, caller, project, &id.to_string()).await?;
                if source.status != VolumeStatus::Available {
                    return Err(Error::VolumeBusy { id, status: source.status });
                }
                let is_bootable = source.is_bootable;
                Ok(Inherited { size: source.size, is_bootable, ..Inherited::default() })
            }
            VolumeOrigin::Backup(id) => {
                let usable = self.find_usable_backup(tx, caller, project, &id.to_string()).await?;
                let backup = usable.backup;
                if backup.status != BackupStatus::Available {
                    return Err(Error::BackupNotRestorable(backup.status));
                }
                Ok(Inherited {
                    size: backup.size,
                    is_bootable: backup.is_bootable,
                    metadata: backup.volume_metadata,
                    share_id: usable.share_id,
                })
            }
        }
    }

    fn new_volume_row(
        &self,
        caller: &Caller,
        project: &ProjectId,
        new: &NewVolume,
        (size, inherited): (GiB, Inherited),
    ) -> Volume {
        let default_zone = || self.settings().availability_zone.clone();
        let mut metadata = inherited.metadata;
        metadata.extend(new.metadata.clone());
        Volume {
            id: VolumeId::random(self.chance()),
            project_id: project.clone(),
            user_id: caller.user_id.clone(),
            name: new.name.clone(),
            description: new.description.clone(),
            size,
            status: VolumeStatus::Creating,
            previous_status: None,
            is_bootable: inherited.is_bootable,
            availability_zone: new.availability_zone.clone().unwrap_or_else(default_zone),
            metadata,
            snapshot_id: match new.origin {
                VolumeOrigin::Snapshot(id) => Some(id),
                _ => None,
            },
            source_volume_id: match new.origin {
                VolumeOrigin::Volume(id) => Some(id),
                _ => None,
            },
            backup_id: match new.origin {
                VolumeOrigin::Backup(id) => Some(id),
                _ => None,
            },
            created_at: self.now(),
            updated_at: None,
        }
    }

    /// A volume goes without snapshots, or with all of them.
    async fn delete_snapshots_of(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        volume: &Volume,
        options: VolumeDeletion,
    ) -> Result<()> {
        let snapshots = tx.snapshots().of_volume(volume.id).await?;
        if !snapshots.is_empty() && !options.cascade {
            return Err(Error::VolumeHasSnapshots(volume.id));
        }
        for mut snapshot in snapshots {
            self.begin_deleting_snapshot(tx, caller, &mut snapshot, options.is_forced).await?;
        }
        Ok(())
    }
}

/// What a volume takes over from where its bytes come from.
#[derive(Debug, Default)]
struct Inherited {
    size: GiB,
    is_bootable: bool,
    metadata: Metadata,
    share_id: Option<ShareId>,
}

/// Whether a server has the disk, as far as was told here. One that a restore has spoilt is still
/// its.
pub(crate) fn is_attached(volume: &Volume) -> bool {
    match volume.status {
        VolumeStatus::InUse => true,
        VolumeStatus::ErrorRestoring => volume.previous_status == Some(VolumeStatus::InUse),
        _ => false,
    }
}

/// How to delete a volume.
#[derive(Debug, Clone, Copy, Default)]
pub struct VolumeDeletion {
    /// Delete its snapshots with it.
    pub cascade: bool,
    /// Whatever its status; admins only.
    pub is_forced: bool,
}
