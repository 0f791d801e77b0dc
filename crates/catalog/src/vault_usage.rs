//! What vaults hold: measured from the rows of their backups, never kept.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::any::AnyRow;
use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{ProjectId, VaultId};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::time::Timestamp;

use crate::error::{Error, Result};
use crate::page::Conditions;
use crate::sql::Value;
use crate::vault::Vaults;

const WHAT: &str = "use of a vault";

/// What [`Vaults::used_bytes`] reads.
const USED: &str = "SELECT CAST(COALESCE(SUM(stored_bytes), 0) AS BIGINT) AS bytes FROM backup \
                    WHERE vault_id = $1";

/// What [`Vaults::usage_of_resources`] reads of disks, before the vaults are named. `CROSS JOIN`
/// makes SQLite begin with the resources, of which there are fewer than backups.
const OF_DISKS: &str = "SELECT r.vault_id, r.resource_id, b.status, COUNT(*) AS many, \
     CAST(COALESCE(SUM(b.stored_bytes), 0) AS BIGINT) AS bytes, MAX(b.created_at) AS newest \
     FROM vault_resource r CROSS JOIN backup b WHERE b.vault_id = r.vault_id \
     AND b.server_backup_id IS NULL AND b.volume_id = r.resource_id";

/// What [`Vaults::usage_of_resources`] reads of servers, before the vaults are named.
const OF_SERVERS: &str = "SELECT r.vault_id, r.resource_id, b.status, COUNT(*) AS many, \
     CAST(COALESCE(SUM((SELECT SUM(c.stored_bytes) FROM backup c \
     WHERE c.server_backup_id = b.id)), 0) AS BIGINT) AS bytes, MAX(b.created_at) AS newest \
     FROM vault_resource r CROSS JOIN server_backup b WHERE b.vault_id = r.vault_id \
     AND b.server_id = r.resource_id";

/// What [`Vaults::stored_of_project`] reads of disks.
const DISKS_OF_PROJECT: &str = "SELECT volume_id AS resource_id, MAX(volume_name) AS name, \
     COUNT(*) AS many, CAST(COALESCE(SUM(stored_bytes), 0) AS BIGINT) AS bytes FROM backup \
     WHERE project_id = $1 AND server_backup_id IS NULL GROUP BY volume_id ORDER BY volume_id";

/// What [`Vaults::stored_of_project`] reads of servers.
const SERVERS_OF_PROJECT: &str = "SELECT server_id AS resource_id, MAX(server_name) AS name, \
     COUNT(*) AS many, CAST(COALESCE(SUM((SELECT SUM(c.stored_bytes) FROM backup c \
     WHERE c.server_backup_id = server_backup.id)), 0) AS BIGINT) AS bytes FROM server_backup \
     WHERE project_id = $1 GROUP BY server_id ORDER BY server_id";

/// What [`Vaults::statuses`] reads.
const STATUSES: &str = "SELECT status, COUNT(*) AS many FROM backup WHERE vault_id = $1 \
     AND server_backup_id IS NULL GROUP BY status UNION ALL \
     SELECT status, COUNT(*) AS many FROM server_backup WHERE vault_id = $1 GROUP BY status";

/// What the backups of one resource in one vault amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResourceUsage {
    /// How many there are.
    pub count: u64,
    /// Bytes that they added to the store.
    pub bytes: u64,
    /// Whether one is being made.
    pub is_being_made: bool,
    /// Whether one is being read back.
    pub is_being_read: bool,
    /// Whether the newest one failed.
    pub has_failed: bool,
    /// When the newest one was asked for.
    newest: Option<Timestamp>,
}

impl ResourceUsage {
    /// Adds the backups of one status, the newest of which is of `newest`.
    fn add(&mut self, status: BackupStatus, (count, bytes): (u64, u64), newest: Timestamp) {
        self.count += count;
        self.bytes += bytes;
        self.is_being_made |= status == BackupStatus::Creating;
        self.is_being_read |= status == BackupStatus::Restoring;
        if self.newest.is_none_or(|other| newest > other) {
            self.newest = Some(newest);
            self.has_failed = status == BackupStatus::Error;
        }
    }
}

/// What is stored of one resource, wherever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResource {
    /// The resource.
    pub id: ResourceId,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name when some backup of it was made.
    pub name: String,
    /// How many backups there are.
    pub count: u64,
    /// Bytes that they added to the store.
    pub bytes: u64,
}

/// A vault that is filled beyond its threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultWarning {
    /// The vault.
    pub vault_id: VaultId,
    /// Percent of its size that was in use then.
    pub percent: u64,
    /// Since when.
    pub warned_at: Timestamp,
}

impl Vaults<'_> {
    /// Bytes that the backups in a vault added to the store. Costs a walk over an index.
    pub async fn used_bytes(&mut self, id: VaultId) -> Result<u64> {
        let rows = self.0.rows(WHAT, USED, vec![Value::text(id)]).await?;
        rows.first().map_or(Ok(0), |row| number(row, "bytes"))
    }

    /// As [`Vaults::used_bytes`] for several vaults; one without backups is left out.
    pub async fn used_bytes_of(&mut self, ids: &[VaultId]) -> Result<BTreeMap<VaultId, u64>> {
        let mut conditions = Conditions::default();
        conditions.is_one_of("vault_id", ids.iter().map(Value::text));
        let sql = format!(
            "SELECT vault_id, CAST(COALESCE(SUM(stored_bytes), 0) AS BIGINT) AS bytes \
             FROM backup {} GROUP BY vault_id",
            conditions.where_clause()
        );
        let rows = self.0.rows(WHAT, sql, conditions.values()).await?;
        rows.iter().map(|row| Ok((vault_id(row)?, number(row, "bytes")?))).collect()
    }

    /// What the backups of the resources of some vaults amount to, by vault and resource. A resource
    /// without backups is left out.
    pub async fn usage_of_resources(
        &mut self,
        ids: &[VaultId],
    ) -> Result<BTreeMap<(VaultId, ResourceId), ResourceUsage>> {
        let mut usage = BTreeMap::<_, ResourceUsage>::new();
        for (kind, sql) in [(ResourceKind::Volume, OF_DISKS), (ResourceKind::Server, OF_SERVERS)] {
            let mut conditions = Conditions::default();
            conditions.is_one_of("r.vault_id", ids.iter().map(Value::text));
            conditions.equals("r.kind", Value::text(kind.as_str()));
            let clause = conditions.where_clause().replacen("WHERE", "AND", 1);
            let sql = format!("{sql} {clause} GROUP BY r.vault_id, r.resource_id, b.status");
            for row in &self.0.rows(WHAT, sql, conditions.values()).await? {
                let key = (vault_id(row)?, resource_id(row)?);
                let (many, bytes) = (number(row, "many")?, number(row, "bytes")?);
                let newest = instant(row, "newest")?;
                usage.entry(key).or_default().add(status(row)?, (many, bytes), newest);
            }
        }
        Ok(usage)
    }

    /// What is stored of every resource of a project: servers, then disks by themselves.
    pub async fn stored_of_project(
        &mut self,
        project_id: &ProjectId,
    ) -> Result<Vec<StoredResource>> {
        let mut stored = Vec::new();
        for (kind, sql) in
            [(ResourceKind::Server, SERVERS_OF_PROJECT), (ResourceKind::Volume, DISKS_OF_PROJECT)]
        {
            for row in &self.0.rows(WHAT, sql, vec![Value::text(project_id)]).await? {
                let name: Option<String> = row.try_get("name").map_err(Error::Database)?;
                stored.push(StoredResource {
                    id: resource_id(row)?,
                    kind,
                    name: name.unwrap_or_default(),
                    count: number(row, "many")?,
                    bytes: number(row, "bytes")?,
                });
            }
        }
        Ok(stored)
    }

    /// How many backups of disks and of servers a vault keeps, by status. The disks of a server's
    /// backup are not counted again.
    pub async fn statuses(&mut self, id: VaultId) -> Result<BTreeMap<&'static str, u64>> {
        let mut statuses = BTreeMap::new();
        for row in &self.0.rows(WHAT, STATUSES, vec![Value::text(id)]).await? {
            *statuses.entry(status(row)?.as_str()).or_default() += number(row, "many")?;
        }
        Ok(statuses)
    }

    /// Gives the backups in a vault a date, disks of servers with them, but not those that are being
    /// removed. `only_later`: those alone that have an earlier date. Returns how many that were,
    /// without the disks of servers.
    pub async fn set_expiry(
        &mut self,
        id: VaultId,
        date: Timestamp,
        (only_later, now): (bool, Timestamp),
    ) -> Result<u64> {
        let mut affected = 0;
        for (table, counted, also) in [
            ("backup", true, "AND server_backup_id IS NULL"),
            ("backup", false, "AND server_backup_id IS NOT NULL AND expires_at IS NOT NULL"),
            ("server_backup", true, ""),
        ] {
            let later = if only_later { "AND expires_at < $2" } else { "" };
            let sql = format!(
                "UPDATE {table} SET expires_at = $2, updated_at = $3 \
                 WHERE vault_id = $1 AND status <> 'deleting' {also} {later}"
            );
            let values = vec![Value::text(id), date.into(), now.into()];
            let rows = self.0.execute(WHAT, sql, values).await?;
            affected += if counted { rows } else { 0 };
        }
        Ok(affected)
    }

    /// Whether a vault keeps any backup, in whatever state.
    pub async fn has_backups(&mut self, id: VaultId) -> Result<bool> {
        for table in ["backup", "server_backup"] {
            let sql = format!("SELECT 1 AS one FROM {table} WHERE vault_id = $1 LIMIT 1");
            if !self.0.rows(WHAT, sql, vec![Value::text(id)]).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many vaults a project has.
    pub async fn count(&mut self, project_id: &ProjectId) -> Result<u64> {
        let sql = "SELECT COUNT(*) AS many FROM vault WHERE project_id = $1";
        let rows = self.0.rows(WHAT, sql, vec![Value::text(project_id)]).await?;
        rows.first().map_or(Ok(0), |row| number(row, "many"))
    }

    /// Notes that a vault is filled beyond its threshold; tells whether that was not noted before.
    pub async fn warn(&mut self, warning: &VaultWarning) -> Result<bool> {
        let sql = "INSERT INTO vault_warning (vault_id, percent, warned_at) VALUES ($1, $2, $3) \
                   ON CONFLICT (vault_id) DO NOTHING";
        let percent = i64::try_from(warning.percent).unwrap_or(i64::MAX);
        let values =
            vec![Value::text(warning.vault_id), Value::int(percent), warning.warned_at.into()];
        Ok(self.0.execute(WHAT, sql, values).await? > 0)
    }

    /// Takes the warning back; tells whether there was one.
    pub async fn unwarn(&mut self, id: VaultId) -> Result<bool> {
        let sql = "DELETE FROM vault_warning WHERE vault_id = $1";
        Ok(self.0.execute(WHAT, sql, vec![Value::text(id)]).await? > 0)
    }

    /// Every warning that stands, the oldest first.
    pub async fn warnings(&mut self) -> Result<Vec<VaultWarning>> {
        let sql =
            "SELECT vault_id, percent, warned_at FROM vault_warning ORDER BY warned_at, vault_id";
        let rows = self.0.rows(WHAT, sql, vec![]).await?;
        let warning = |row: &AnyRow| {
            Ok(VaultWarning {
                vault_id: vault_id(row)?,
                percent: number(row, "percent")?,
                warned_at: instant(row, "warned_at")?,
            })
        };
        rows.iter().map(warning).collect()
    }

    /// Remembers a vault that is removed, for as long as its garbage is to be collected.
    pub async fn insert_former(&mut self, id: VaultId, now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO former_vault (id, removed_at) VALUES ($1, $2) \
                   ON CONFLICT (id) DO UPDATE SET removed_at = excluded.removed_at";
        self.0.execute(WHAT, sql, vec![Value::text(id), now.into()]).await?;
        Ok(())
    }

    /// The vaults that were removed and whose garbage is still to be collected.
    pub async fn former(&mut self) -> Result<Vec<VaultId>> {
        let sql = "SELECT id AS vault_id FROM former_vault ORDER BY id";
        let rows = self.0.rows(WHAT, sql, vec![]).await?;
        rows.iter().map(vault_id).collect()
    }

    /// Forgets vaults that were removed before an instant; returns how many.
    pub async fn purge_former(&mut self, before: Timestamp) -> Result<u64> {
        let sql = "DELETE FROM former_vault WHERE removed_at < $1";
        self.0.execute(WHAT, sql, vec![before.into()]).await
    }
}

fn number(row: &AnyRow, column: &'static str) -> Result<u64> {
    let number: i64 = row.try_get(column).map_err(Error::Database)?;
    Ok(number.unsigned_abs())
}

fn instant(row: &AnyRow, column: &'static str) -> Result<Timestamp> {
    row.try_get(column).map(Timestamp::from_micros).map_err(Error::Database)
}

fn status(row: &AnyRow) -> Result<BackupStatus> {
    let word: String = row.try_get("status").map_err(Error::Database)?;
    BackupStatus::parse(&word).ok_or_else(|| Error::Unreadable {
        table: "backup",
        id: word.clone(),
        column: "status",
    })
}

fn resource_id(row: &AnyRow) -> Result<ResourceId> {
    let text: String = row.try_get("resource_id").map_err(Error::Database)?;
    ResourceId::parse(&text).map_err(|_| Error::Unreadable {
        table: "backup",
        id: text.clone(),
        column: "resource_id",
    })
}

fn vault_id(row: &AnyRow) -> Result<VaultId> {
    let text: String = row.try_get("vault_id").map_err(Error::Database)?;
    VaultId::parse(&text).map_err(|_| Error::Unreadable {
        table: "vault",
        id: text.clone(),
        column: "vault_id",
    })
}

/// The statements that must be read from an index, and the index.
#[cfg(test)]
pub(crate) fn indexed() -> Vec<(String, &'static str)> {
    let list = "SELECT id FROM vault WHERE project_id = $1 ORDER BY created_at DESC, id DESC";
    vec![
        (USED.to_owned(), "backup_usage"),
        (STATUSES.to_owned(), "server_backup_vault"),
        (list.to_owned(), "vault_order"),
    ]
}

/// The statements whose tables are joined, and the indexes that a planner uses which does not go by
/// how full the tables are.
#[cfg(test)]
pub(crate) fn joined() -> Vec<(String, &'static str)> {
    let of_resources = |sql| format!("{sql} AND r.vault_id IN ($1, $2) GROUP BY 1, 2, 3");
    vec![
        (of_resources(OF_DISKS), "COVERING INDEX backup_usage"),
        (of_resources(OF_DISKS), "INDEX vault_resource_vault"),
        (of_resources(OF_SERVERS), "INDEX backup_of_server"),
        (USED.to_owned(), "COVERING INDEX backup_usage"),
        (STATUSES.to_owned(), "COVERING INDEX backup_usage"),
    ]
}
