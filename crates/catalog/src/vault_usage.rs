//! What vaults hold: measured from the rows of their backups, never kept.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::any::AnyRow;
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

/// What [`Vaults::usage_of_disks`] reads.
const OF_DISKS: &str = "SELECT volume_id AS resource_id, COUNT(*) AS many, \
                        CAST(COALESCE(SUM(stored_bytes), 0) AS BIGINT) AS bytes FROM backup \
                        WHERE vault_id = $1 AND server_backup_id IS NULL GROUP BY volume_id";

/// What [`Vaults::usage_of_servers`] reads.
const OF_SERVERS: &str = "SELECT server_id AS resource_id, COUNT(*) AS many, \
     CAST(COALESCE(SUM((SELECT COALESCE(SUM(stored_bytes), 0) FROM backup \
     WHERE backup.server_backup_id = server_backup.id)), 0) AS BIGINT) AS bytes \
     FROM server_backup WHERE vault_id = $1 GROUP BY server_id";

/// What the backups of one resource in one vault amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResourceUsage {
    /// How many there are.
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

    /// What the backups in a vault amount to, by resource: disks by themselves, and servers.
    pub async fn usage_by_resource(
        &mut self,
        id: VaultId,
    ) -> Result<BTreeMap<(ResourceKind, ResourceId), ResourceUsage>> {
        let mut usage = BTreeMap::new();
        for (kind, sql) in [(ResourceKind::Volume, OF_DISKS), (ResourceKind::Server, OF_SERVERS)] {
            let rows = self.0.rows(WHAT, sql, vec![Value::text(id)]).await?;
            for row in &rows {
                let text: String = row.try_get("resource_id").map_err(Error::Database)?;
                let resource = ResourceId::parse(&text).map_err(|_| Error::Unreadable {
                    table: "backup",
                    id: text.clone(),
                    column: "resource_id",
                })?;
                let (count, bytes) = (number(row, "many")?, number(row, "bytes")?);
                usage.insert((kind, resource), ResourceUsage { count, bytes });
            }
        }
        Ok(usage)
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
    vec![
        (USED.to_owned(), "backup_usage"),
        (OF_DISKS.to_owned(), "backup_usage"),
        (OF_SERVERS.to_owned(), "server_backup_vault"),
    ]
}
