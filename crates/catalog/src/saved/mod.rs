//! Saved points: one list over the backups of disks and those of servers.
//!
//! Each kind is read from its own index as far as the page reaches, whether it is a project's own or
//! came by a share; what was read is merged, and only then are whole rows fetched.

mod arm;

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::any::AnyRow;
use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{BackupId, CheckpointId, ProjectId, ShareId, VaultId};
use strongroom_model::page::{Direction, Page, SortBy, Start};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::saved::Saved;
use strongroom_model::share::{Share, ShareStatus};
use strongroom_model::time::Timestamp;

use crate::error::{Error, Result};
use crate::page::{Conditions, Order, SortColumn, order_clause};
use crate::sql::{Session, Value};
use crate::{backup, server_backup, share};
use arm::{Arm, Of};

/// What rows of the list are called in errors.
const WHAT: &str = "saved point";

/// A condition on saved points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SavedFilter {
    /// This run made it.
    Checkpoint(CheckpointId),
    /// It was asked for at this instant or later.
    CreatedFrom(Timestamp),
    /// It was asked for at this instant or earlier.
    CreatedTo(Timestamp),
    /// Whether it is a copy of another region's.
    IsReplica(bool),
    /// Its name has this in it, letter for letter.
    NamePart(String),
    /// The name of what was saved has this in it, letter for letter.
    ResourceNamePart(String),
    /// What was saved lay in this zone.
    AvailabilityZone(String),
    /// It is of this disk or server.
    Resource(ResourceId),
    /// It is of something of this kind.
    Kind(ResourceKind),
    /// It is in one of these vaults; if it came by a share, it was taken into one of them.
    Vaults(Vec<VaultId>),
    /// Its state is one of these.
    Statuses(Vec<BackupStatus>),
    /// Whether earlier backups stood ready to build on.
    IsIncremental(bool),
    /// A schedule made it, and it has no date of removal, or has one.
    IsKeptByCount(bool),
}

/// What saved points can be sorted by. What a key is missing of comes last either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SavedKey {
    /// When it was asked for.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// The name, by its bytes.
    Name,
    /// The state, in the words of those who protect servers.
    Status,
    /// The instant whose bytes it holds.
    ProtectedAt,
    /// The id, by its letters.
    Id,
}

impl SavedKey {
    /// The flag of what has none, and the column.
    const fn columns(self) -> (Option<SortColumn>, SortColumn) {
        match self {
            Self::CreatedAt => (None, SortColumn::Int("created_at")),
            Self::UpdatedAt => {
                (Some(SortColumn::Int("has_no_update")), SortColumn::Int("updated_at"))
            }
            Self::Name => (Some(SortColumn::Int("has_no_name")), SortColumn::Text("name")),
            Self::Status => (None, SortColumn::Text("status")),
            Self::ProtectedAt => {
                (Some(SortColumn::Int("has_no_point")), SortColumn::Int("protected_at"))
            }
            Self::Id => (None, SortColumn::Text("id")),
        }
    }
}

/// Whose saved points are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ownership {
    /// The project's own.
    #[default]
    Own,
    /// Those shared with the project, in one state or in any.
    Received(Option<ShareStatus>),
    /// Both; those shared in one state or in any.
    Both(Option<ShareStatus>),
}

/// Which saved points to list, and how.
#[derive(Debug, Clone)]
pub struct SavedQuery {
    /// The project that asks.
    pub project: ProjectId,
    /// Whose.
    pub ownership: Ownership,
    /// The backup of a server whose disks' backups are listed; what stands by itself if none.
    pub parent: Option<BackupId>,
    /// Conditions that all hold.
    pub filters: Vec<SavedFilter>,
    /// The order; time of creation and id follow in the direction of the first key, and by
    /// themselves in descending order if there is none.
    pub sort: Vec<SortBy<SavedKey>>,
    /// Where the page starts.
    pub start: Start<BackupId>,
    /// Items at most.
    pub limit: u32,
    /// Whether to count the whole list; costs a walk over it.
    pub with_total: bool,
}

impl SavedQuery {
    /// A project's own, newest first, with nothing left out.
    pub fn of(project: ProjectId, limit: u32) -> Self {
        Self {
            project,
            ownership: Ownership::Own,
            parent: None,
            filters: Vec::new(),
            sort: Vec::new(),
            start: Start::default(),
            limit,
            with_total: false,
        }
    }

    /// Whether a condition leaves but a handful of rows, which an index of its own finds.
    fn names_few(&self) -> bool {
        let names_few = |filter: &SavedFilter| matches!(filter, SavedFilter::Checkpoint(_));
        self.parent.is_some() || self.filters.iter().any(names_few)
    }

    /// What the list is put together from.
    fn arms(&self) -> Vec<Arm> {
        let tables: &[_] = match self.parent {
            Some(_) => &[Of::Disk],
            None => &[Of::Disk, Of::Server],
        };
        let mut arms = Vec::new();
        if matches!(self.ownership, Ownership::Own | Ownership::Both(_)) {
            arms.extend(tables.iter().map(|of| Arm { of: *of, received: None }));
        }
        if let Ownership::Received(status) | Ownership::Both(status) = self.ownership {
            arms.extend(tables.iter().map(|of| Arm { of: *of, received: Some(status) }));
        }
        arms
    }
}

/// Reads saved points of either kind.
#[derive(Debug)]
pub struct SavedPoints<'t>(pub(crate) &'t mut Session);

impl SavedPoints<'_> {
    /// One page of a list; each with the share by which the project has it, unless it is its own.
    /// [`Error::MarkerNotFound`] if it should start after one that is not there.
    pub async fn list(&mut self, query: &SavedQuery) -> Result<Page<(Saved, Option<Share>)>> {
        let order = order(&query.sort);
        let after = match &query.start {
            Start::Offset(_) => None,
            Start::After(id) => Some(self.key_values(query, &order, *id).await?),
        };
        let total = match query.with_total {
            true => Some(self.count(query).await?),
            false => None,
        };
        let (sql, values) = statement(query, &order, after);
        let rows = self.0.rows(WHAT, sql, values).await?;
        let found: Result<Vec<_>> = rows.iter().map(found).collect();
        Ok(Page { items: self.whole(found?).await?, total })
    }

    async fn count(&mut self, query: &SavedQuery) -> Result<u64> {
        let mut total = 0;
        for arm in query.arms() {
            let mut conditions = Conditions::default();
            arm.conditions(&mut conditions, query);
            total += conditions.count_from(self.0, WHAT, &arm.from(query)).await?;
        }
        Ok(total)
    }

    /// What the marker has in the columns of the order. It need not match the filters any more.
    async fn key_values(
        &mut self,
        query: &SavedQuery,
        order: &Order,
        marker: BackupId,
    ) -> Result<Vec<Value>> {
        for arm in query.arms() {
            let mut conditions = Conditions::default();
            arm.restrict(&mut conditions, query);
            conditions.equals(&format!("{}.id", arm.table()), Value::text(marker));
            let view = arm.view(query, &conditions.take_clause());
            let sql = format!("SELECT {} FROM ({view}) AS marker", columns(order));
            let rows = self.0.rows(WHAT, sql, conditions.values()).await?;
            if let Some(row) = rows.first() {
                let value = |by: &SortBy<SortColumn>| match by.key {
                    SortColumn::Text(name) => row.try_get(name).map(Value::Text),
                    SortColumn::Int(name) => row.try_get(name).map(Value::Int),
                };
                let values: std::result::Result<_, sqlx::Error> = order.iter().map(value).collect();
                return values.map_err(Error::Database);
            }
        }
        Err(Error::MarkerNotFound(marker.to_string()))
    }

    /// The whole rows, in the order in which they were found.
    async fn whole(&mut self, found: Vec<Found>) -> Result<Vec<(Saved, Option<Share>)>> {
        let ids = |of: Of| found.iter().filter(move |one| one.of == of).map(|one| one.id);
        let mut disks = match ids(Of::Disk).next() {
            Some(_) => backup::by_ids(self.0, ids(Of::Disk)).await?,
            None => BTreeMap::new(),
        };
        let mut servers = match ids(Of::Server).next() {
            Some(_) => server_backup::by_ids(self.0, ids(Of::Server)).await?,
            None => BTreeMap::new(),
        };
        let shared = || found.iter().filter_map(|one| one.share_id);
        let shares = match shared().next() {
            Some(_) => share::by_ids(self.0, shared()).await?,
            None => BTreeMap::new(),
        };
        let whole = found.iter().filter_map(|one| {
            let saved = match one.of {
                Of::Disk => Saved::Disk(disks.remove(&one.id)?),
                Of::Server => Saved::Server(servers.remove(&one.id)?),
            };
            Some((saved, one.share_id.and_then(|id| shares.get(&id).cloned())))
        });
        Ok(whole.collect())
    }
}

/// One item of a page, as it was found.
struct Found {
    of: Of,
    id: BackupId,
    share_id: Option<ShareId>,
}

fn found(row: &AnyRow) -> Result<Found> {
    let text: String = row.try_get("id").map_err(Error::Database)?;
    let kind: i64 = row.try_get("kind").map_err(Error::Database)?;
    let share: Option<String> = row.try_get("share_id").map_err(Error::Database)?;
    let of = if kind == 0 { Of::Disk } else { Of::Server };
    let unreadable = |column| Error::Unreadable { table: "backup", id: text.clone(), column };
    let share = share.map(|id| ShareId::parse(&id)).transpose();
    Ok(Found {
        of,
        id: BackupId::parse(&text).map_err(|_| unreadable("id"))?,
        share_id: share.map_err(|_| unreadable("share_id"))?,
    })
}

/// The query for a page, and its values.
fn statement(query: &SavedQuery, order: &Order, after: Option<Vec<Value>>) -> (String, Vec<Value>) {
    let offset = match query.start {
        Start::Offset(offset) => offset,
        Start::After(_) => 0,
    };
    // No arm gives the page more than all that lies up to its end.
    let reach = u64::from(offset) + u64::from(query.limit);
    let (columns, terms) = (columns(order), order_clause(order));
    let mut conditions = Conditions::default();
    let arms = query.arms().into_iter().enumerate().map(|(number, arm)| {
        arm.conditions(&mut conditions, query);
        let view = arm.view(query, &conditions.take_clause());
        if let Some(after) = &after {
            conditions.comes_after(order, after.clone());
        }
        let beyond = conditions.take_clause();
        format!(
            "SELECT * FROM (SELECT kind, share_id, {columns} FROM ({view}) AS arm {beyond} \
             ORDER BY {terms} LIMIT {reach}) AS arm_{number}"
        )
    });
    let arms: Vec<_> = arms.collect();
    let sql = format!(
        "SELECT id, kind, share_id FROM ({}) AS page ORDER BY {terms} LIMIT {} OFFSET {offset}",
        arms.join(" UNION ALL "),
        query.limit
    );
    (sql, conditions.values())
}

/// The columns of an order, with commas.
fn columns(order: &Order) -> String {
    order.iter().map(|by| by.key.sql()).collect::<Vec<_>>().join(", ")
}

/// A complete sort order: what a key is missing of last, ties by time of creation and id.
fn order(keys: &[SortBy<SavedKey>]) -> Order {
    let first = keys.first().map_or(Direction::Desc, |by| by.direction);
    let ties = [SavedKey::CreatedAt, SavedKey::Id].map(|key| SortBy { key, direction: first });
    let mut order = Order::new();
    let mut push = |key, direction| {
        if order.iter().all(|by: &SortBy<SortColumn>| by.key != key) {
            order.push(SortBy { key, direction });
        }
    };
    for by in keys.iter().copied().chain(ties) {
        let (flag, column) = by.key.columns();
        if let Some(flag) = flag {
            push(flag, Direction::Asc);
        }
        push(column, by.direction);
    }
    order
}

/// The statements that must be read from an index, and the index.
#[cfg(test)]
pub(crate) fn indexed() -> Vec<(String, &'static str)> {
    let project = ProjectId::parse("1").expect("an id");
    let any = || BackupId::parse("00000000000000000000000000000001").expect("an id");
    let own = SavedQuery::of(project, 10);
    let received = SavedQuery { ownership: Ownership::Received(None), ..own.clone() };
    let parent = Some(any());
    let children = SavedQuery { parent, ..own.clone() };
    let after = SavedQuery { start: Start::After(any()), ..own.clone() };
    let checkpoint = CheckpointId::alone(any());
    let filters = vec![SavedFilter::Checkpoint(checkpoint)];
    let run = SavedQuery { filters, ..own.clone() };
    let sql = |query: &SavedQuery| {
        let order = order(&query.sort);
        let marker = vec![Value::int(1), Value::text("1")];
        let after = matches!(query.start, Start::After(_)).then_some(marker);
        let (sql, values) = statement(query, &order, after);
        filled_in(sql, &values)
    };
    vec![
        (sql(&own), "backup_alone"),
        (sql(&own), "server_backup_order"),
        (sql(&after), "backup_alone"),
        (sql(&after), "server_backup_order"),
        (sql(&received), "share_to"),
        (sql(&children), "backup_of_server"),
        (sql(&run), "backup_checkpoint"),
        (sql(&run), "server_backup_checkpoint"),
    ]
}

/// A statement with something in the place of its values.
#[cfg(test)]
fn filled_in(sql: String, values: &[Value]) -> String {
    values.iter().enumerate().rev().fold(sql, |sql, (number, value)| {
        let literal = match value {
            Value::Text(_) => "'1'",
            Value::Int(_) => "1",
        };
        sql.replace(&format!("${}", number + 1), literal)
    })
}
