//! Snapshots: frozen states of volumes.

use strongroom_model::id::{ProjectId, SnapshotId, UserId, VolumeId};
use strongroom_model::page::{Page, SortBy, Start};
use strongroom_model::size::GiB;
use strongroom_model::snapshot::{Snapshot, SnapshotStatus};

use crate::error::Result;
use crate::page::{Conditions, Listing, SortColumn, fold, order};
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "snapshot",
    what: "snapshot",
    columns: &[
        "id",
        "project_id",
        "user_id",
        "volume_id",
        "name",
        "name_folded",
        "description",
        "size",
        "status",
        "metadata",
        "created_at",
        "updated_at",
    ],
};

/// A condition on snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotFilter {
    /// The name is this; the empty one also stands for none.
    Name(String),
    /// The name contains this, in any case.
    NameLike(String),
    /// The status is this word; an unknown word matches nothing.
    Status(String),
    /// The volume's id is this text.
    VolumeId(String),
    /// The metadata has this key with this value.
    Metadata(String, String),
    /// It belongs to this project.
    Project(ProjectId),
    /// It is one of these, of which there may be some thousands.
    Ids(Vec<SnapshotId>),
}

/// What snapshots can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SnapshotKey {
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
    /// The volume's id.
    VolumeId,
    /// The same for all: no key at all, except that it may give the direction.
    Constant,
}

impl SnapshotKey {
    /// Every key.
    pub const ALL: [Self; 8] = [
        Self::Name,
        Self::Status,
        Self::Size,
        Self::CreatedAt,
        Self::Id,
        Self::UpdatedAt,
        Self::VolumeId,
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
            Self::VolumeId => SortColumn::Text("volume_id"),
            Self::Constant => return None,
        })
    }
}

/// Which snapshots to list, and how; see [`BackupQuery`](crate::BackupQuery) for the rules.
#[derive(Debug, Clone, Default)]
pub struct SnapshotQuery {
    /// The project; all if none.
    pub project: Option<ProjectId>,
    /// Conditions that all hold.
    pub filters: Vec<SnapshotFilter>,
    /// The order.
    pub sort: Vec<SortBy<SnapshotKey>>,
    /// Where the page starts.
    pub start: Start<SnapshotId>,
    /// Items at most.
    pub limit: u32,
    /// Whether to count the whole list; costs a walk over it.
    pub with_total: bool,
}

/// Reads and writes snapshots.
#[derive(Debug)]
pub struct Snapshots<'t>(pub(crate) &'t mut Session);

impl Snapshots<'_> {
    /// Adds a snapshot; [`Error::Conflict`](crate::Error::Conflict) if its id is taken.
    pub async fn insert(&mut self, snapshot: &Snapshot) -> Result<()> {
        TABLE.insert(self.0, values(snapshot)).await
    }

    /// The snapshot of that id, if it is the project's.
    pub async fn find(&mut self, project: &ProjectId, id: SnapshotId) -> Result<Option<Snapshot>> {
        let tail = "WHERE id = $1 AND project_id = $2";
        let values = vec![Value::text(id), Value::text(project)];
        TABLE.find(self.0, tail, values, decode).await
    }

    /// The snapshot of that id, whoever owns it.
    pub async fn find_any(&mut self, id: SnapshotId) -> Result<Option<Snapshot>> {
        let values = vec![Value::text(id)];
        TABLE.find(self.0, "WHERE id = $1", values, decode).await
    }

    /// Writes the snapshot over the one of its id; tells whether there was one.
    pub async fn update(&mut self, snapshot: &Snapshot) -> Result<bool> {
        TABLE.update(self.0, values(snapshot)).await
    }

    /// Removes a snapshot's record; tells whether there was one.
    pub async fn delete(&mut self, id: SnapshotId) -> Result<bool> {
        TABLE.delete(self.0, Value::text(id)).await
    }

    /// One page of a list; [`Error::MarkerNotFound`](crate::Error::MarkerNotFound) if it should
    /// start after a snapshot that does not exist or is another project's.
    pub async fn list(&mut self, query: &SnapshotQuery) -> Result<Page<Snapshot>> {
        let mut conditions = Conditions::default();
        for filter in &query.filters {
            apply(&mut conditions, filter);
        }
        let listing = Listing {
            table: TABLE,
            project: query.project.clone(),
            conditions,
            order: order(&query.sort, SnapshotKey::column),
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

fn apply(conditions: &mut Conditions, filter: &SnapshotFilter) {
    match filter {
        SnapshotFilter::Name(name) => conditions.equals("COALESCE(name, '')", Value::text(name)),
        SnapshotFilter::NameLike(part) => conditions.contains("name_folded", part),
        SnapshotFilter::Status(word) => conditions.equals("status", Value::text(word)),
        SnapshotFilter::VolumeId(id) => conditions.equals("volume_id", Value::text(id)),
        SnapshotFilter::Metadata(key, value) => conditions.has_pair("metadata", key, value),
        SnapshotFilter::Project(id) => conditions.equals("project_id", Value::text(id)),
        SnapshotFilter::Ids(ids) => conditions.is_one_of("id", ids.iter().map(Value::text)),
    }
}

fn values(snapshot: &Snapshot) -> Vec<Value> {
    let name = snapshot.name.as_deref();
    vec![
        Value::text(snapshot.id),
        Value::text(&snapshot.project_id),
        Value::text(&snapshot.user_id),
        Value::text(snapshot.volume_id),
        Value::opt_text(name),
        Value::text(fold(name.unwrap_or_default())),
        Value::opt_text(snapshot.description.as_ref()),
        Value::int(snapshot.size.0),
        Value::text(snapshot.status.as_str()),
        Value::json(&snapshot.metadata),
        snapshot.created_at.into(),
        snapshot.updated_at.into(),
    ]
}

fn decode(row: &Fields<'_>) -> Result<Snapshot> {
    Ok(Snapshot {
        id: row.id("id", SnapshotId::parse)?,
        project_id: row.id("project_id", ProjectId::parse)?,
        user_id: row.id("user_id", UserId::parse)?,
        volume_id: row.id("volume_id", VolumeId::parse)?,
        name: row.opt_text("name")?,
        description: row.opt_text("description")?,
        size: GiB(row.narrow("size")?),
        status: row.parsed("status", SnapshotStatus::parse)?,
        metadata: row.json("metadata")?,
        created_at: row.instant("created_at")?,
        updated_at: row.opt_instant("updated_at")?,
    })
}
