//! Snapshots as callers see them.

use strongroom_model::id::{SnapshotId, VolumeId};
use strongroom_model::page::{Page, SortBy, Start};
use strongroom_model::snapshot::Snapshot;
use strongroom_model::volume::Metadata;

use crate::{Caller, Service, error::Result};

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
    /// The new key-value pairs, replacing all.
    pub metadata: Option<Metadata>,
}

/// A condition on listed snapshots; all given ones must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotFilter {
    /// The name is exactly this.
    Name(String),
    /// The name contains this, in any case.
    NameLike(String),
    /// The status is exactly this word.
    Status(String),
    /// Of this volume.
    VolumeId(String),
    /// Nothing matches.
    Never,
}

/// An attribute by which snapshots are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each variant is the attribute of `Snapshot` of that name"
)]
pub enum SnapshotKey {
    Id,
    Name,
    Status,
    Size,
    CreatedAt,
    UpdatedAt,
    VolumeId,
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

impl Service {
    /// Accepts a snapshot: `creating` until the bytes are frozen.
    pub async fn create_snapshot(&self, caller: &Caller, new: NewSnapshot) -> Result<Snapshot> {
        unimplemented!("{caller:?} {new:?}")
    }

    /// One snapshot of the caller's project.
    pub async fn snapshot(&self, caller: &Caller, id: &str) -> Result<Snapshot> {
        unimplemented!("{caller:?} {id}")
    }

    /// A page of snapshots.
    pub async fn snapshots(
        &self,
        caller: &Caller,
        listing: SnapshotListing,
    ) -> Result<Page<Snapshot>> {
        unimplemented!("{caller:?} {listing:?}")
    }

    /// Changes what a user may change.
    pub async fn update_snapshot(
        &self,
        caller: &Caller,
        id: &str,
        change: SnapshotChange,
    ) -> Result<Snapshot> {
        unimplemented!("{caller:?} {id} {change:?}")
    }

    /// Marks a snapshot `deleting` and enqueues its removal. Forced (admin): whatever its status.
    pub async fn delete_snapshot(&self, caller: &Caller, id: &str, is_forced: bool) -> Result<()> {
        unimplemented!("{caller:?} {id} {is_forced}")
    }
}
