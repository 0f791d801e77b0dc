//! Volumes as callers see them: the folder source's disks.

use strongroom_model::id::{BackupId, SnapshotId, VolumeId};
use strongroom_model::page::{Page, SortBy, Start};
use strongroom_model::size::GiB;
use strongroom_model::volume::{Metadata, Volume, VolumeStatus};

use crate::{Caller, Service, error::Result};

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
    /// The new key-value pairs, replacing all.
    pub metadata: Option<Metadata>,
    /// Whether a server could start from it.
    pub is_bootable: Option<bool>,
}

/// A condition on listed volumes; all given ones must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeFilter {
    /// The name is exactly this.
    Name(String),
    /// The name contains this, in any case.
    NameLike(String),
    /// The status is exactly this word.
    Status(String),
    /// A server could start from it, or not.
    Bootable(bool),
    /// In this zone.
    AvailabilityZone(String),
    /// Has this key with this value.
    Metadata(String, String),
    /// Nothing matches.
    Never,
}

/// An attribute by which volumes are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each variant is the attribute of `Volume` of that name"
)]
pub enum VolumeKey {
    Id,
    Name,
    Status,
    Size,
    CreatedAt,
    UpdatedAt,
    AvailabilityZone,
    Bootable,
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

impl Service {
    /// Accepts a volume: `creating` until its bytes are made.
    pub async fn create_volume(&self, caller: &Caller, new: NewVolume) -> Result<Volume> {
        unimplemented!("{caller:?} {new:?}")
    }

    /// One volume of the caller's project.
    pub async fn volume(&self, caller: &Caller, id: &str) -> Result<Volume> {
        unimplemented!("{caller:?} {id}")
    }

    /// A page of volumes.
    pub async fn volumes(&self, caller: &Caller, listing: VolumeListing) -> Result<Page<Volume>> {
        unimplemented!("{caller:?} {listing:?}")
    }

    /// Changes what a user may change.
    pub async fn update_volume(
        &self,
        caller: &Caller,
        id: &str,
        change: VolumeChange,
    ) -> Result<Volume> {
        unimplemented!("{caller:?} {id} {change:?}")
    }

    /// Marks a volume `deleting` and enqueues its removal. With `cascade` its snapshots go too;
    /// forced (admin): whatever its status.
    pub async fn delete_volume(
        &self,
        caller: &Caller,
        id: &str,
        options: VolumeDeletion,
    ) -> Result<()> {
        unimplemented!("{caller:?} {id} {options:?}")
    }

    /// Makes an available volume larger; its new end reads as zeros.
    pub async fn extend_volume(&self, caller: &Caller, id: &str, size: GiB) -> Result<()> {
        unimplemented!("{caller:?} {id} {size:?}")
    }

    /// Notes that a server uses the volume (`in-use`) or no longer does (`available`).
    pub async fn attach_volume(&self, caller: &Caller, id: &str, is_attached: bool) -> Result<()> {
        unimplemented!("{caller:?} {id} {is_attached}")
    }

    /// Sets the status by hand (admin).
    pub async fn reset_volume(
        &self,
        caller: &Caller,
        id: &str,
        status: VolumeStatus,
    ) -> Result<()> {
        unimplemented!("{caller:?} {id} {status:?}")
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
