//! Shares: backups that other projects may use.

use std::collections::BTreeMap;

use strongroom_model::backup::Backup;
use strongroom_model::id::{BackupId, ProjectId, ShareId, VaultId};
use strongroom_model::page::{Direction, Page, SortBy, Start};
use strongroom_model::share::{Share, ShareStatus};

use crate::backup;
use crate::error::Result;
use crate::page::{Conditions, Listing, Order, SortColumn, order_clause, order_with};
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "share",
    what: "share",
    columns: &[
        "id",
        "backup_id",
        "from_project_id",
        "to_project_id",
        "status",
        "vault_id",
        "created_at",
        "updated_at",
    ],
};

/// What lists are read from: the shares of volumes' backups. Those of servers' have none here.
const JOINED: &str = "share JOIN backup ON backup.id = share.backup_id";

/// By which shares are told apart when every other key is equal.
const TIE_BREAKERS: [SortColumn; 2] =
    [SortColumn::Int("share.created_at"), SortColumn::Text("share.id")];

/// A condition on shares and the backups that are shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShareFilter {
    /// The backup's id is this text.
    BackupId(String),
    /// The share is by the project of this id.
    From(String),
    /// The share is with the project of this id.
    To(String),
    /// The backup is of the volume of this id.
    VolumeId(String),
    /// The backup's name contains this, in any case.
    NameLike(String),
    /// The backup's status is this word.
    Status(String),
    /// The share stands there.
    Taken(ShareStatus),
    /// The backup lies in this zone.
    AvailabilityZone(String),
}

/// What shares can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShareKey {
    /// The share's id.
    Id,
    /// When the share was made.
    CreatedAt,
    /// When the share last changed.
    UpdatedAt,
    /// The backup's id.
    BackupId,
    /// The project that shares.
    From,
    /// The project that receives.
    To,
    /// The backup's name.
    Name,
    /// The backup's status.
    Status,
    /// The backup's size.
    Size,
    /// The volume that the backup is of.
    VolumeId,
    /// The backup's zone.
    AvailabilityZone,
    /// The backup's container.
    Container,
    /// Objects that the backup added to the store.
    ObjectCount,
    /// The instant whose bytes the backup holds.
    DataTimestamp,
    /// The snapshot that the backup is of.
    SnapshotId,
    /// Why the backup failed.
    FailReason,
    /// The backup's description.
    Description,
    /// The same for all.
    Constant,
}

impl ShareKey {
    const fn column(self) -> Option<SortColumn> {
        Some(match self {
            Self::Id => SortColumn::Text("share.id"),
            Self::CreatedAt => SortColumn::Int("share.created_at"),
            Self::UpdatedAt => SortColumn::Int("COALESCE(share.updated_at, 0)"),
            Self::BackupId => SortColumn::Text("share.backup_id"),
            Self::From => SortColumn::Text("share.from_project_id"),
            Self::To => SortColumn::Text("share.to_project_id"),
            Self::Name => SortColumn::Text("COALESCE(backup.name, '')"),
            Self::Status => SortColumn::Text("backup.status"),
            Self::Size => SortColumn::Int("backup.size"),
            Self::VolumeId => SortColumn::Text("backup.volume_id"),
            Self::AvailabilityZone => SortColumn::Text("COALESCE(backup.availability_zone, '')"),
            Self::Container => SortColumn::Text("COALESCE(backup.container, '')"),
            Self::ObjectCount => SortColumn::Int("COALESCE(backup.object_count, 0)"),
            Self::DataTimestamp => SortColumn::Int("backup.data_timestamp"),
            Self::SnapshotId => SortColumn::Text("COALESCE(backup.snapshot_id, '')"),
            Self::FailReason => SortColumn::Text("COALESCE(backup.fail_reason, '')"),
            Self::Description => SortColumn::Text("COALESCE(backup.description, '')"),
            Self::Constant => return None,
        })
    }
}

/// Which shares to list, and how.
#[derive(Debug, Clone, Default)]
pub struct ShareQuery {
    /// Conditions that all hold.
    pub filters: Vec<ShareFilter>,
    /// The order; time of creation and id of the share follow in the direction of the first key,
    /// and by themselves in descending order if there is none.
    pub sort: Vec<SortBy<ShareKey>>,
    /// Items to leave out.
    pub offset: u32,
    /// Items at most.
    pub limit: u32,
    /// Whether to count the whole list.
    pub with_total: bool,
}

/// A condition on the shares of one backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberFilter {
    /// It is with the project of this id.
    To(ProjectId),
    /// It stands there.
    Status(ShareStatus),
    /// It was taken into this vault.
    Vault(VaultId),
}

/// What the shares of one backup can be sorted by. Those that never changed come last either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberKey {
    /// When it was made.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// Where it stands, by the word.
    Status,
    /// The share's id.
    Id,
    /// The project that receives.
    To,
}

impl MemberKey {
    const fn column(self) -> SortColumn {
        match self {
            Self::CreatedAt => SortColumn::Int("created_at"),
            Self::UpdatedAt => SortColumn::Int("COALESCE(updated_at, 0)"),
            Self::Status => SortColumn::Text("status"),
            Self::Id => SortColumn::Text("id"),
            Self::To => SortColumn::Text("to_project_id"),
        }
    }
}

/// Which shares of one backup to list, and how.
#[derive(Debug, Clone)]
pub struct MemberQuery {
    /// The backup.
    pub backup_id: BackupId,
    /// Conditions that all hold.
    pub filters: Vec<MemberFilter>,
    /// The order; time of creation and id of the share follow in the direction of the first key,
    /// and by themselves in descending order if there is none.
    pub sort: Vec<SortBy<MemberKey>>,
    /// Where the page starts.
    pub start: Start<ShareId>,
    /// Items at most.
    pub limit: u32,
}

impl MemberQuery {
    fn into_listing(self) -> Listing {
        let mut conditions = Conditions::default();
        conditions.equals("backup_id", Value::text(self.backup_id));
        for filter in &self.filters {
            match filter {
                MemberFilter::To(id) => conditions.equals("to_project_id", Value::text(id)),
                MemberFilter::Status(status) => {
                    conditions.equals("status", Value::text(status.as_str()));
                }
                MemberFilter::Vault(id) => conditions.equals("vault_id", Value::text(id)),
            }
        }
        let start = match self.start {
            Start::Offset(offset) => Start::Offset(offset),
            Start::After(id) => Start::After(id.to_string()),
        };
        let order = member_order(&self.sort);
        let (limit, with_total) = (self.limit, true);
        Listing { table: TABLE, project: None, conditions, order, start, limit, with_total }
    }
}

/// The order of the shares of one backup, with those that never changed last.
fn member_order(keys: &[SortBy<MemberKey>]) -> Order {
    let mut sort = Vec::with_capacity(keys.len() + 1);
    let mut first = None;
    for by in keys {
        first = first.or(Some(by.direction));
        if by.key == MemberKey::UpdatedAt {
            let key = SortColumn::Int("CASE WHEN updated_at IS NULL THEN 1 ELSE 0 END");
            sort.push(SortBy { key, direction: Direction::Asc });
        }
        sort.push(SortBy { key: by.key.column(), direction: by.direction });
    }
    let direction = first.unwrap_or(Direction::Desc);
    for key in [SortColumn::Int("created_at"), SortColumn::Text("id")] {
        if sort.iter().all(|by| by.key != key) {
            sort.push(SortBy { key, direction });
        }
    }
    sort
}

/// Reads and writes shares.
#[derive(Debug)]
pub struct Shares<'t>(pub(crate) &'t mut Session);

impl Shares<'_> {
    /// Adds a share; [`Error::Conflict`](crate::Error::Conflict) if its id is taken or the backup is
    /// shared with that project.
    pub async fn insert(&mut self, share: &Share) -> Result<()> {
        TABLE.insert(self.0, values(share)).await
    }

    /// The share of that id, whosever it is.
    pub async fn find(&mut self, id: ShareId) -> Result<Option<Share>> {
        TABLE.find(self.0, "WHERE id = $1", vec![Value::text(id)], decode).await
    }

    /// The share of a backup with a project.
    pub async fn find_with(
        &mut self,
        backup_id: BackupId,
        to: &ProjectId,
    ) -> Result<Option<Share>> {
        let tail = "WHERE backup_id = $1 AND to_project_id = $2";
        let values = vec![Value::text(backup_id), Value::text(to)];
        TABLE.find(self.0, tail, values, decode).await
    }

    /// One page of a list; each share with its backup, which is one of a volume.
    pub async fn list(&mut self, query: &ShareQuery) -> Result<Page<(Share, Backup)>> {
        let mut conditions = Conditions::default();
        for filter in &query.filters {
            apply(&mut conditions, filter);
        }
        let total = match query.with_total {
            true => Some(conditions.count_from(self.0, TABLE.what, JOINED).await?),
            false => None,
        };
        let order = order_with(&query.sort, ShareKey::column, TIE_BREAKERS);
        let sql = format!(
            "SELECT {} FROM {JOINED} {} ORDER BY {} LIMIT {} OFFSET {}",
            columns(),
            conditions.where_clause(),
            order_clause(&order),
            query.limit,
            query.offset
        );
        let rows = self.0.rows(TABLE.what, sql, conditions.values()).await?;
        let shares: Result<Vec<_>> = rows.iter().map(|row| decode(&TABLE.fields(row))).collect();
        let items = self.with_backups(shares?).await?;
        Ok(Page { items, total })
    }

    /// Pairs shares with their backups.
    async fn with_backups(&mut self, shares: Vec<Share>) -> Result<Vec<(Share, Backup)>> {
        let ids = shares.iter().map(|share| share.backup_id);
        let found = backup::by_ids(self.0, ids).await?;
        let paired = shares.into_iter().filter_map(|share| {
            let backup = found.get(&share.backup_id)?.clone();
            Some((share, backup))
        });
        Ok(paired.collect())
    }

    /// One page of the shares of a backup, with how many there are.
    /// [`Error::MarkerNotFound`](crate::Error::MarkerNotFound) if it should start after one that is
    /// not there.
    pub async fn members(&mut self, query: MemberQuery) -> Result<Page<Share>> {
        query.into_listing().load(self.0, decode).await
    }

    /// Every share of a backup, oldest first.
    pub async fn of_backup(&mut self, backup_id: BackupId) -> Result<Vec<Share>> {
        let tail = "WHERE backup_id = $1 ORDER BY created_at, id";
        TABLE.list(self.0, tail, vec![Value::text(backup_id)], decode).await
    }

    /// Writes the share over the one of its id; tells whether there was one.
    pub async fn update(&mut self, share: &Share) -> Result<bool> {
        TABLE.update(self.0, values(share)).await
    }

    /// Removes a share; tells whether there was one.
    pub async fn delete(&mut self, id: ShareId) -> Result<bool> {
        TABLE.delete(self.0, Value::text(id)).await
    }

    /// Removes every share of a backup; returns how many there were.
    pub async fn delete_of(&mut self, backup_id: BackupId) -> Result<u64> {
        let sql = "DELETE FROM share WHERE backup_id = $1";
        self.0.execute(TABLE.what, sql, vec![Value::text(backup_id)]).await
    }

    /// Removes every share with a project; returns how many there were.
    pub async fn delete_with(&mut self, to: &ProjectId) -> Result<u64> {
        let sql = "DELETE FROM share WHERE to_project_id = $1";
        self.0.execute(TABLE.what, sql, vec![Value::text(to)]).await
    }

    /// Whether there is a share between two projects, either way.
    pub async fn exist_between(&mut self, one: &ProjectId, other: &ProjectId) -> Result<bool> {
        let tail = "WHERE from_project_id = $1 AND to_project_id = $2 \
             OR from_project_id = $2 AND to_project_id = $1 LIMIT 1";
        let values = vec![Value::text(one), Value::text(other)];
        Ok(TABLE.find(self.0, tail, values, decode).await?.is_some())
    }

    /// Whether a backup is shared with anybody who has not declined.
    pub async fn exist_of(&mut self, backup_id: BackupId) -> Result<bool> {
        let tail = "WHERE backup_id = $1 AND status <> 'rejected' LIMIT 1";
        let found = TABLE.find(self.0, tail, vec![Value::text(backup_id)], decode).await?;
        Ok(found.is_some())
    }
}

/// Shares by id; those that do not exist are left out.
pub(crate) async fn by_ids(
    session: &mut Session,
    ids: impl Iterator<Item = ShareId>,
) -> Result<BTreeMap<ShareId, Share>> {
    let mut conditions = Conditions::default();
    conditions.is_one_of("id", ids.map(Value::text));
    let tail = conditions.where_clause();
    let found = TABLE.list(session, &tail, conditions.values(), decode).await?;
    Ok(found.into_iter().map(|share| (share.id, share)).collect())
}

fn apply(conditions: &mut Conditions, filter: &ShareFilter) {
    match filter {
        ShareFilter::BackupId(id) => conditions.equals("share.backup_id", Value::text(id)),
        ShareFilter::From(id) => conditions.equals("share.from_project_id", Value::text(id)),
        ShareFilter::To(id) => conditions.equals("share.to_project_id", Value::text(id)),
        ShareFilter::VolumeId(id) => conditions.equals("backup.volume_id", Value::text(id)),
        ShareFilter::NameLike(part) => conditions.contains("backup.name_folded", part),
        ShareFilter::Status(word) => conditions.equals("backup.status", Value::text(word)),
        ShareFilter::Taken(status) => {
            conditions.equals("share.status", Value::text(status.as_str()));
        }
        ShareFilter::AvailabilityZone(zone) => {
            conditions.equals("COALESCE(backup.availability_zone, '')", Value::text(zone));
        }
    }
}

/// The table's columns as a query over both tables names them.
fn columns() -> String {
    let all = TABLE.columns.iter().map(|column| format!("share.{column} AS {column}"));
    all.collect::<Vec<_>>().join(", ")
}

fn values(share: &Share) -> Vec<Value> {
    vec![
        Value::text(share.id),
        Value::text(share.backup_id),
        Value::text(&share.from_project_id),
        Value::text(&share.to_project_id),
        Value::text(share.status.as_str()),
        Value::opt_text(share.vault_id),
        share.created_at.into(),
        share.updated_at.into(),
    ]
}

fn decode(row: &Fields<'_>) -> Result<Share> {
    Ok(Share {
        id: row.id("id", ShareId::parse)?,
        backup_id: row.id("backup_id", BackupId::parse)?,
        from_project_id: row.id("from_project_id", ProjectId::parse)?,
        to_project_id: row.id("to_project_id", ProjectId::parse)?,
        status: row.parsed("status", ShareStatus::parse)?,
        vault_id: row.opt_id("vault_id", VaultId::parse)?,
        created_at: row.instant("created_at")?,
        updated_at: row.opt_instant("updated_at")?,
    })
}
