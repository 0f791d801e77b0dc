//! Quotas: the limits that were set, and what projects use, measured when asked.

use std::collections::BTreeMap;

use sqlx::Row;
use strongroom_model::id::ProjectId;
use strongroom_model::quota::Resource;

use crate::error::{Error, Result};
use crate::sql::{Session, Value};

const WHAT: &str = "quota limit";
const PROJECT: &str = "project";
const CLASS: &str = "class";

/// Reads and writes limits, and measures usage.
#[derive(Debug)]
pub struct Quotas<'t>(pub(crate) &'t mut Session);

impl Quotas<'_> {
    /// The limits set for a project; a resource without one is left out.
    pub async fn limits(&mut self, project_id: &ProjectId) -> Result<BTreeMap<Resource, i64>> {
        self.limits_of(PROJECT, project_id.as_str()).await
    }

    /// Sets a project's limit of one resource.
    pub async fn set_limit(
        &mut self,
        project_id: &ProjectId,
        resource: Resource,
        limit: i64,
    ) -> Result<()> {
        let scope = (PROJECT, project_id.as_str());
        self.set_limit_of(scope, resource, limit).await
    }

    /// Removes every limit set for a project; tells whether there was one.
    pub async fn clear(&mut self, project_id: &ProjectId) -> Result<bool> {
        let sql = "DELETE FROM quota_limit WHERE scope_kind = $1 AND scope_id = $2";
        let values = vec![Value::text(PROJECT), Value::text(project_id)];
        Ok(self.0.execute(WHAT, sql, values).await? > 0)
    }

    /// The limits set for a class, which hold for projects that have none of their own.
    pub async fn class_limits(&mut self, class: &str) -> Result<BTreeMap<Resource, i64>> {
        self.limits_of(CLASS, class).await
    }

    /// Sets a class's limit of one resource.
    pub async fn set_class_limit(
        &mut self,
        class: &str,
        resource: Resource,
        limit: i64,
    ) -> Result<()> {
        self.set_limit_of((CLASS, class), resource, limit).await
    }

    /// What a project has of every resource that is summed up: each row counts, whatever its
    /// status. Costs a walk over the project's rows; in [`transact`](crate::Catalog::transact) it
    /// holds until the commit, so a limit checked against it is not overrun by another request.
    pub async fn usage(&mut self, project_id: &ProjectId) -> Result<BTreeMap<Resource, i64>> {
        let mut usage = BTreeMap::new();
        let (volumes, volume_gib) = self.measure("volume", project_id).await?;
        let (snapshots, snapshot_gib) = self.measure("snapshot", project_id).await?;
        let (backups, backup_gib) = self.measure("backup", project_id).await?;
        usage.insert(Resource::Volumes, volumes);
        usage.insert(Resource::Snapshots, snapshots);
        usage.insert(Resource::Gigabytes, volume_gib + snapshot_gib);
        usage.insert(Resource::Backups, backups);
        usage.insert(Resource::BackupGigabytes, backup_gib);
        Ok(usage)
    }

    /// Rows of a project in a table, and the sum of their sizes in GiB.
    async fn measure(&mut self, table: &'static str, project_id: &ProjectId) -> Result<(i64, i64)> {
        let rows = self.0.rows(table, measuring(table), vec![Value::text(project_id)]).await?;
        let Some(row) = rows.first() else {
            return Ok((0, 0));
        };
        let many = row.try_get("many").map_err(Error::Database)?;
        let gib = row.try_get("gib").map_err(Error::Database)?;
        Ok((many, gib))
    }

    async fn limits_of(&mut self, kind: &str, id: &str) -> Result<BTreeMap<Resource, i64>> {
        let sql = "SELECT resource, limit_value FROM quota_limit \
                   WHERE scope_kind = $1 AND scope_id = $2";
        let values = vec![Value::text(kind), Value::text(id)];
        let rows = self.0.rows(WHAT, sql, values).await?;
        let mut limits = BTreeMap::new();
        for row in &rows {
            let name: String = row.try_get("resource").map_err(Error::Database)?;
            let limit = row.try_get("limit_value").map_err(Error::Database)?;
            let resource = Resource::parse(&name).ok_or_else(|| Error::Unreadable {
                table: "quota_limit",
                id: id.to_owned(),
                column: "resource",
            })?;
            limits.insert(resource, limit);
        }
        Ok(limits)
    }

    async fn set_limit_of(
        &mut self,
        (kind, id): (&str, &str),
        resource: Resource,
        limit: i64,
    ) -> Result<()> {
        let sql = "INSERT INTO quota_limit (scope_kind, scope_id, resource, limit_value) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (scope_kind, scope_id, resource) \
                   DO UPDATE SET limit_value = excluded.limit_value";
        let values = vec![
            Value::text(kind),
            Value::text(id),
            Value::text(resource.name()),
            Value::int(limit),
        ];
        self.0.execute(WHAT, sql, values).await?;
        Ok(())
    }
}

/// Counts a project's rows in a table and adds up their sizes.
fn measuring(table: &str) -> String {
    format!(
        "SELECT COUNT(*) AS many, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS gib \
         FROM {table} WHERE project_id = $1"
    )
}

/// The statements that must be read from an index, and the index.
#[cfg(test)]
pub(crate) fn indexed() -> Vec<(String, &'static str)> {
    vec![(measuring("backup"), "backup_size")]
}
