//! Backups as callers see them: create, list, show, update, delete, reset, import.

use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, ProjectId, SnapshotId, VolumeId};
use strongroom_model::page::{Page, SortBy, Start};
use strongroom_model::size::GiB;
use strongroom_model::volume::Metadata;

use crate::{Caller, Service, error::Result};

/// What a caller asks for when it creates a backup.
#[derive(Debug, Clone)]
pub struct NewBackup {
    /// The volume to back up.
    pub volume_id: VolumeId,
    /// The snapshot to read instead of the live volume.
    pub snapshot_id: Option<SnapshotId>,
    /// Its name.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Stored and echoed.
    pub container: Option<String>,
    /// Whether an increment is asked for. The engine stores no unchanged data twice either way.
    pub is_incremental: bool,
    /// Whether a volume in use may be read.
    pub is_forced: bool,
    /// The user's key-value pairs.
    pub metadata: Metadata,
    /// The zone to note.
    pub availability_zone: Option<String>,
}

/// What to change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct BackupChange {
    /// The new name; `Some(None)` removes it.
    pub name: Option<Option<String>>,
    /// The new description; `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// The new key-value pairs, replacing all.
    pub metadata: Option<Metadata>,
}

/// A record of a backup that was exported, here or elsewhere over the same store.
#[derive(Debug, Clone)]
pub struct ImportedRecord {
    /// The id that the backup shall have.
    pub id: BackupId,
    /// The backup in the store that holds the bytes.
    pub data_id: BackupId,
    /// The volume it was made of; nil if unknown.
    pub volume_id: VolumeId,
    /// Size of that volume.
    pub size: GiB,
    /// Its name.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Echoed.
    pub container: Option<String>,
    /// Zone to note.
    pub availability_zone: Option<String>,
    /// The user's key-value pairs.
    pub metadata: Metadata,
}

/// A condition on listed backups; all given ones must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupFilter {
    /// The name is exactly this; the empty text also means no name.
    Name(String),
    /// The name contains this, in any case.
    NameLike(String),
    /// The status is exactly this word.
    Status(String),
    /// The status contains this.
    StatusLike(String),
    /// The source volume's id is exactly this text.
    VolumeId(String),
    /// The source volume's id contains this.
    VolumeIdLike(String),
    /// Made of this snapshot.
    SnapshotId(String),
    /// In this zone.
    AvailabilityZone(String),
    /// Owned by this project; only useful with [`BackupListing::all_projects`].
    Project(ProjectId),
    /// Nothing matches: the filter names an attribute that backups do not have.
    Never,
}

/// An attribute by which backups are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each variant is the attribute of `Backup` of that name"
)]
pub enum BackupKey {
    Id,
    Status,
    Size,
    CreatedAt,
    UpdatedAt,
    VolumeId,
    AvailabilityZone,
    Container,
    ObjectCount,
    DataTimestamp,
    SnapshotId,
    FailReason,
    Name,
    Description,
    /// The same for every backup: a no-op.
    Constant,
}

/// Which backups to list, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct BackupListing {
    /// Those of every project; for admins only, ignored for others.
    pub all_projects: bool,
    /// Conditions that must all hold.
    pub filters: Vec<BackupFilter>,
    /// The order; newest first if empty.
    pub sort: Vec<SortBy<BackupKey>>,
    /// Where the page starts.
    pub start: Start<BackupId>,
    /// The most items to return.
    pub limit: u32,
    /// Whether to count the whole list.
    pub with_total: bool,
}

impl Service {
    /// Accepts a backup: marks its source busy and enqueues the work, in one transaction.
    pub async fn create_backup(&self, caller: &Caller, new: NewBackup) -> Result<Backup> {
        unimplemented!("{caller:?} {new:?}")
    }

    /// One backup of the caller's project. `id` is text as it came; what is no UUID is not found.
    pub async fn backup(&self, caller: &Caller, id: &str) -> Result<Backup> {
        unimplemented!("{caller:?} {id}")
    }

    /// A page of backups.
    pub async fn backups(&self, caller: &Caller, listing: BackupListing) -> Result<Page<Backup>> {
        unimplemented!("{caller:?} {listing:?}")
    }

    /// Changes what a user may change.
    pub async fn update_backup(
        &self,
        caller: &Caller,
        id: &str,
        change: BackupChange,
    ) -> Result<Backup> {
        unimplemented!("{caller:?} {id} {change:?}")
    }

    /// Marks a backup `deleting` and enqueues its removal. Forced (admin): whatever its status.
    pub async fn delete_backup(&self, caller: &Caller, id: &str, is_forced: bool) -> Result<()> {
        unimplemented!("{caller:?} {id} {is_forced}")
    }

    /// Sets the status by hand (admin). A restore in progress is aborted by it.
    pub async fn reset_backup(
        &self,
        caller: &Caller,
        id: &str,
        status: BackupStatus,
    ) -> Result<()> {
        unimplemented!("{caller:?} {id} {status:?}")
    }

    /// The backup whose record is to be exported (admin); it must be available.
    pub async fn export_backup(&self, caller: &Caller, id: &str) -> Result<Backup> {
        unimplemented!("{caller:?} {id}")
    }

    /// Adopts a record (admin): `creating` until its bytes were found in the store.
    pub async fn import_backup(&self, caller: &Caller, record: ImportedRecord) -> Result<Backup> {
        unimplemented!("{caller:?} {record:?}")
    }
}
