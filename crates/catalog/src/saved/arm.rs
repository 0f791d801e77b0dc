//! One of the queries that a list of saved points is put together from: one table, a project's own
//! rows or those that came by a share.

use strongroom_model::id::CheckpointId;
use strongroom_model::resource::ResourceKind;
use strongroom_model::share::ShareStatus;

use super::{SavedFilter, SavedQuery};
use crate::page::Conditions;
use crate::sql::Value;

/// What an arm of the list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Disk,
    Server,
}

/// One of the queries that the list is put together from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arm {
    pub(super) of: Of,
    /// It is read by way of the shares with the project, in one state or in any.
    pub(super) received: Option<Option<ShareStatus>>,
}

impl Arm {
    pub(super) const fn table(self) -> &'static str {
        match self.of {
            Of::Disk => "backup",
            Of::Server => "server_backup",
        }
    }

    /// What stands after `FROM`.
    pub(super) fn from(self, query: &SavedQuery) -> String {
        let table = self.table();
        match (self.received, query.parent) {
            (None, _) => table.to_owned(),
            (Some(_), None) => format!("share JOIN {table} ON {table}.id = share.backup_id"),
            (Some(_), Some(_)) => {
                format!("share JOIN {table} ON {table}.server_backup_id = share.backup_id")
            }
        }
    }

    /// The columns that a list is sorted by, and those by which a row is found again.
    pub(super) fn view(self, query: &SavedQuery, clause: &str) -> String {
        let table = self.table();
        let (kind, point) = match self.of {
            Of::Disk => {
                (0, "CASE WHEN backup.measured IS NULL THEN NULL ELSE backup.data_timestamp END")
            }
            Of::Server => (1, "server_backup.protected_at"),
        };
        let share_id = if self.received.is_some() { "share.id" } else { "CAST(NULL AS TEXT)" };
        format!(
            "SELECT {table}.id AS id, {kind} AS kind, {share_id} AS share_id, \
             {table}.created_at AS created_at, COALESCE({table}.updated_at, 0) AS updated_at, \
             CASE WHEN {table}.updated_at IS NULL THEN 1 ELSE 0 END AS has_no_update, \
             COALESCE({table}.name, '') AS name, \
             CASE WHEN {table}.name IS NULL THEN 1 ELSE 0 END AS has_no_name, \
             CASE {table}.status WHEN 'creating' THEN 'protecting' \
             WHEN 'error_deleting' THEN 'error' ELSE {table}.status END AS status, \
             COALESCE({point}, 0) AS protected_at, \
             CASE WHEN {point} IS NULL THEN 1 ELSE 0 END AS has_no_point \
             FROM {} {clause}",
            self.from(query)
        )
    }

    /// Whose it is, and that it stands where it is looked for.
    pub(super) fn restrict(self, conditions: &mut Conditions, query: &SavedQuery) {
        let table = self.table();
        match self.received {
            None => {
                let project = Value::text(&query.project);
                let column = if query.names_few() {
                    // So that no index over the whole project looks better than the one of the few.
                    format!("COALESCE({table}.project_id, '')")
                } else {
                    format!("{table}.project_id")
                };
                conditions.equals(&column, project);
            }
            Some(status) => {
                conditions.equals("share.to_project_id", Value::text(&query.project));
                if let Some(status) = status {
                    conditions.equals("share.status", Value::text(status.as_str()));
                }
            }
        }
        match (self.of, query.parent) {
            (Of::Disk, None) => conditions.push("backup.server_backup_id IS NULL".to_owned()),
            (Of::Disk, Some(id)) => conditions.equals("backup.server_backup_id", Value::text(id)),
            (Of::Server, _) => {}
        }
    }

    /// All that must hold.
    pub(super) fn conditions(self, conditions: &mut Conditions, query: &SavedQuery) {
        self.restrict(conditions, query);
        for filter in &query.filters {
            self.apply(conditions, filter);
        }
    }

    fn apply(self, conditions: &mut Conditions, filter: &SavedFilter) {
        let table = self.table();
        let column = |name: &str| format!("{table}.{name}");
        let (resource_id, resource_name, kind) = match self.of {
            Of::Disk => ("volume_id", "COALESCE(backup.volume_name, '')", ResourceKind::Volume),
            Of::Server => ("server_id", "server_backup.server_name", ResourceKind::Server),
        };
        match filter {
            SavedFilter::Checkpoint(id) => self.of_checkpoint(conditions, *id),
            SavedFilter::CreatedFrom(at) => {
                let place = conditions.bind((*at).into());
                conditions.push(format!("{table}.created_at >= {place}"));
            }
            SavedFilter::CreatedTo(at) => {
                let place = conditions.bind((*at).into());
                conditions.push(format!("{table}.created_at <= {place}"));
            }
            SavedFilter::IsReplica(flag) => {
                conditions.equals(&column("is_replica"), Value::int(*flag));
            }
            SavedFilter::NamePart(part) => {
                conditions.has_part(&format!("COALESCE({table}.name, '')"), part);
            }
            SavedFilter::ResourceNamePart(part) => conditions.has_part(resource_name, part),
            SavedFilter::AvailabilityZone(zone) => {
                conditions.equals(&column("availability_zone"), Value::text(zone));
            }
            SavedFilter::Resource(id) => conditions.equals(&column(resource_id), Value::text(id)),
            SavedFilter::Kind(wanted) => {
                if *wanted != kind {
                    conditions.push("1 = 0".to_owned());
                }
            }
            SavedFilter::Vaults(ids) => {
                let vault =
                    if self.received.is_some() { "share.vault_id" } else { &column("vault_id") };
                conditions.is_one_of(vault, ids.iter().map(Value::text));
            }
            SavedFilter::Statuses(statuses) => {
                let words = statuses.iter().map(|status| Value::text(status.as_str()));
                conditions.is_one_of(&column("status"), words);
            }
            SavedFilter::IsIncremental(flag) => {
                conditions.equals(&column("is_incremental"), Value::int(*flag));
            }
            SavedFilter::IsKeptByCount(flag) => {
                let date = if *flag { "IS NULL" } else { "IS NOT NULL" };
                conditions.push(format!("{table}.is_automatic = 1 AND {table}.expires_at {date}"));
            }
        }
    }

    fn of_checkpoint(self, conditions: &mut Conditions, id: CheckpointId) {
        let place = conditions.bind(Value::text(id));
        conditions.push(match self.of {
            // A backup that was made by itself is a run of its own.
            Of::Disk => format!(
                "(backup.checkpoint_id = {place} \
                 OR (backup.id = {place} AND backup.checkpoint_id IS NULL))"
            ),
            Of::Server => format!("server_backup.checkpoint_id = {place}"),
        });
    }
}
