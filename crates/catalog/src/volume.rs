//! Volumes: the disks that are protected.

use strongroom_model::id::{BackupId, ProjectId, SnapshotId, UserId, VolumeId};
use strongroom_model::page::{Page, SortBy, Start};
use strongroom_model::size::GiB;
use strongroom_model::volume::{Volume, VolumeStatus};

use crate::error::Result;
use crate::page::{Conditions, Listing, SortColumn, fold, order};
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "volume",
    what: "volume",
    columns: &[
        "id",
        "project_id",
        "user_id",
        "name",
        "name_folded",
        "description",
        "size",
        "status",
        "previous_status",
        "is_bootable",
        "availability_zone",
        "metadata",
        "snapshot_id",
        "source_volume_id",
        "backup_id",
        "created_at",
        "updated_at",
    ],
};

/// What [`Volumes::is_any_to_be_made_from`] reads.
const TO_BE_MADE: &str = "WHERE backup_id = $1 AND status = $2 LIMIT 1";

/// A condition on volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeFilter {
    /// The name is this; the empty one also stands for none.
    Name(String),
    /// The name contains this, in any case.
    NameLike(String),
    /// The status is this word; an unknown word matches nothing.
    Status(String),
    /// Whether a server could start from it.
    Bootable(bool),
    /// It lies in this zone.
    AvailabilityZone(String),
    /// The metadata has this key with this value.
    Metadata(String, String),
    /// It belongs to this project.
    Project(ProjectId),
    /// It is one of these, of which there may be some thousands.
    Ids(Vec<VolumeId>),
}

/// What volumes can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VolumeKey {
    /// The name, by its bytes.
    Name,
    /// The status word.
    Status,
    /// The size.
    Size,
    /// When it was asked for.
    CreatedAt,
    /// The id, by its letters.
    Id,
    /// When it last changed.
    UpdatedAt,
    /// The zone.
    AvailabilityZone,
    /// Whether it is bootable.
    Bootable,
    /// The same for all: no key at all, except that it may give the direction.
    Constant,
}

impl VolumeKey {
    /// Every key.
    pub const ALL: [Self; 9] = [
        Self::Name,
        Self::Status,
        Self::Size,
        Self::CreatedAt,
        Self::Id,
        Self::UpdatedAt,
        Self::AvailabilityZone,
        Self::Bootable,
        Self::Constant,
    ];

    const fn column(self) -> Option<SortColumn> {
        Some(match self {
            Self::Name => SortColumn::Text("COALESCE(name, '')"),
            Self::Status => SortColumn::Text("status"),
            Self::Size => SortColumn::Int("size"),
            Self::CreatedAt => SortColumn::Int("created_at"),
            Self::Id => SortColumn::Text("id"),
            Self::UpdatedAt => SortColumn::Int("COALESCE(updated_at, 0)"),
            Self::AvailabilityZone => SortColumn::Text("availability_zone"),
            Self::Bootable => SortColumn::Int("is_bootable"),
            Self::Constant => return None,
        })
    }
}

/// Which volumes to list, and how; see [`BackupQuery`](crate::BackupQuery) for the rules.
#[derive(Debug, Clone, Default)]
pub struct VolumeQuery {
    /// The project; all if none.
    pub project: Option<ProjectId>,
    /// Conditions that all hold.
    pub filters: Vec<VolumeFilter>,
    /// The order.
    pub sort: Vec<SortBy<VolumeKey>>,
    /// Where the page starts.
    pub start: Start<VolumeId>,
    /// Items at most.
    pub limit: u32,
    /// Whether to count the whole list; costs a walk over it.
    pub with_total: bool,
}

/// Reads and writes volumes.
#[derive(Debug)]
pub struct Volumes<'t>(pub(crate) &'t mut Session);

impl Volumes<'_> {
    /// Adds a volume; [`Error::Conflict`](crate::Error::Conflict) if its id is taken.
    pub async fn insert(&mut self, volume: &Volume) -> Result<()> {
        TABLE.insert(self.0, values(volume)).await
    }

    /// The volume of that id, if it is the project's.
    pub async fn find(&mut self, project: &ProjectId, id: VolumeId) -> Result<Option<Volume>> {
        let tail = "WHERE id = $1 AND project_id = $2";
        let values = vec![Value::text(id), Value::text(project)];
        TABLE.find(self.0, tail, values, decode).await
    }

    /// The volume of that id, whoever owns it.
    pub async fn find_any(&mut self, id: VolumeId) -> Result<Option<Volume>> {
        let values = vec![Value::text(id)];
        TABLE.find(self.0, "WHERE id = $1", values, decode).await
    }

    /// The volumes whose bytes are still to be copied from a volume or a snapshot, by its id.
    pub async fn unmade_copies(&mut self, origin: &str) -> Result<Vec<Volume>> {
        let tail = "WHERE (source_volume_id = $1 OR snapshot_id = $1) AND status = $2 \
                    ORDER BY created_at, id";
        let creating = Value::text(VolumeStatus::Creating.as_str());
        TABLE.list(self.0, tail, vec![Value::text(origin), creating], decode).await
    }

    /// Whether a volume is still to be made from a backup.
    pub async fn is_any_to_be_made_from(&mut self, backup_id: BackupId) -> Result<bool> {
        let creating = Value::text(VolumeStatus::Creating.as_str());
        let values = vec![Value::text(backup_id), creating];
        Ok(TABLE.find(self.0, TO_BE_MADE, values, decode).await?.is_some())
    }

    /// Writes the volume over the one of its id; tells whether there was one.
    pub async fn update(&mut self, volume: &Volume) -> Result<bool> {
        TABLE.update(self.0, values(volume)).await
    }

    /// Removes a volume's record; tells whether there was one.
    pub async fn delete(&mut self, id: VolumeId) -> Result<bool> {
        TABLE.delete(self.0, Value::text(id)).await
    }

    /// One page of a list; [`Error::MarkerNotFound`](crate::Error::MarkerNotFound) if it should
    /// start after a volume that does not exist or is another project's.
    pub async fn list(&mut self, query: &VolumeQuery) -> Result<Page<Volume>> {
        let mut conditions = Conditions::default();
        for filter in &query.filters {
            apply(&mut conditions, filter);
        }
        let listing = Listing {
            table: TABLE,
            project: query.project.clone(),
            conditions,
            order: order(&query.sort, VolumeKey::column),
            start: match query.start {
                Start::Offset(offset) => Start::Offset(offset),
                Start::After(id) => Start::After(id.to_string()),
            },
            limit: query.limit,
            with_total: query.with_total,
        };
        listing.load(self.0, decode).await
    }
}

/// The statements that must be read from an index, and the index.
#[cfg(test)]
pub(crate) fn indexed() -> Vec<(String, &'static str)> {
    vec![(TABLE.select(TO_BE_MADE), "volume_backup")]
}

fn apply(conditions: &mut Conditions, filter: &VolumeFilter) {
    match filter {
        VolumeFilter::Name(name) => conditions.equals("COALESCE(name, '')", Value::text(name)),
        VolumeFilter::NameLike(part) => conditions.contains("name_folded", part),
        VolumeFilter::Status(word) => conditions.equals("status", Value::text(word)),
        VolumeFilter::Bootable(flag) => conditions.equals("is_bootable", Value::int(*flag)),
        VolumeFilter::AvailabilityZone(zone) => {
            conditions.equals("availability_zone", Value::text(zone));
        }
        VolumeFilter::Metadata(key, value) => conditions.has_pair("metadata", key, value),
        VolumeFilter::Project(id) => conditions.equals("project_id", Value::text(id)),
        VolumeFilter::Ids(ids) => conditions.is_one_of("id", ids.iter().map(Value::text)),
    }
}

fn values(volume: &Volume) -> Vec<Value> {
    let name = volume.name.as_deref();
    vec![
        Value::text(volume.id),
        Value::text(&volume.project_id),
        Value::text(&volume.user_id),
        Value::opt_text(name),
        Value::text(fold(name.unwrap_or_default())),
        Value::opt_text(volume.description.as_ref()),
        Value::int(volume.size.0),
        Value::text(volume.status.as_str()),
        Value::opt_text(volume.previous_status.map(VolumeStatus::as_str)),
        Value::int(volume.is_bootable),
        Value::text(&volume.availability_zone),
        Value::json(&volume.metadata),
        Value::opt_text(volume.snapshot_id),
        Value::opt_text(volume.source_volume_id),
        Value::opt_text(volume.backup_id),
        volume.created_at.into(),
        volume.updated_at.into(),
    ]
}

fn decode(row: &Fields<'_>) -> Result<Volume> {
    Ok(Volume {
        id: row.id("id", VolumeId::parse)?,
        project_id: row.id("project_id", ProjectId::parse)?,
        user_id: row.id("user_id", UserId::parse)?,
        name: row.opt_text("name")?,
        description: row.opt_text("description")?,
        size: GiB(row.narrow("size")?),
        status: row.parsed("status", VolumeStatus::parse)?,
        previous_status: row.opt_parsed("previous_status", VolumeStatus::parse)?,
        is_bootable: row.flag("is_bootable")?,
        availability_zone: row.text("availability_zone")?,
        metadata: row.json("metadata")?,
        snapshot_id: row.opt_id("snapshot_id", SnapshotId::parse)?,
        source_volume_id: row.opt_id("source_volume_id", VolumeId::parse)?,
        backup_id: row.opt_id("backup_id", BackupId::parse)?,
        created_at: row.instant("created_at")?,
        updated_at: row.opt_instant("updated_at")?,
    })
}
