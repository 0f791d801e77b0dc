//! Policies, and which disks are bound to them.

use sqlx::Row;
use strongroom_model::id::{PolicyId, ProjectId, UserId, VolumeId};
use strongroom_model::policy::{Policy, PolicyKind, PolicyOperation, Terms};
use strongroom_model::time::Timestamp;

use crate::error::{Error, Result};
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "policy",
    what: "policy",
    columns: &[
        "id",
        "project_id",
        "user_id",
        "name",
        "is_enabled",
        "schedule",
        "retention",
        "next_run_at",
        "created_at",
        "updated_at",
        "operation",
        "kind",
        "terms",
    ],
};

/// What the binding of a disk is called in errors.
const BINDING: &str = "binding of a disk to a policy";

/// Reads and writes policies and the bindings of disks to them.
#[derive(Debug)]
pub struct Policies<'t>(pub(crate) &'t mut Session);

impl Policies<'_> {
    /// Adds a policy; [`Error::Conflict`] if its id is taken.
    pub async fn insert(&mut self, policy: &Policy) -> Result<()> {
        TABLE.insert(self.0, values(policy)).await
    }

    /// The policy of that id, if it is the project's.
    pub async fn find(&mut self, project: &ProjectId, id: PolicyId) -> Result<Option<Policy>> {
        let tail = "WHERE id = $1 AND project_id = $2";
        let values = vec![Value::text(id), Value::text(project)];
        TABLE.find(self.0, tail, values, decode).await
    }

    /// The policy of that id, whoever owns it.
    pub async fn find_any(&mut self, id: PolicyId) -> Result<Option<Policy>> {
        TABLE.find(self.0, "WHERE id = $1", vec![Value::text(id)], decode).await
    }

    /// Every policy of a project, oldest first.
    pub async fn list(&mut self, project: &ProjectId) -> Result<Vec<Policy>> {
        let tail = "WHERE project_id = $1 ORDER BY created_at, id";
        TABLE.list(self.0, tail, vec![Value::text(project)], decode).await
    }

    /// Every policy that is enabled, whoever owns it, oldest first.
    pub async fn list_enabled(&mut self) -> Result<Vec<Policy>> {
        TABLE.list(self.0, "WHERE is_enabled = 1 ORDER BY created_at, id", vec![], decode).await
    }

    /// The policies whose next run is at an instant or before it, the one due for longest first.
    pub async fn list_due(&mut self, now: Timestamp) -> Result<Vec<Policy>> {
        let tail = "WHERE next_run_at <= $1 ORDER BY next_run_at, id";
        TABLE.list(self.0, tail, vec![now.into()], decode).await
    }

    /// The earliest instant at which some policy runs.
    pub async fn next_run_at(&mut self) -> Result<Option<Timestamp>> {
        let tail = "WHERE next_run_at IS NOT NULL ORDER BY next_run_at LIMIT 1";
        let first = TABLE.find(self.0, tail, vec![], decode).await?;
        Ok(first.and_then(|policy| policy.next_run_at))
    }

    /// Writes the policy over the one of its id; tells whether there was one.
    pub async fn update(&mut self, policy: &Policy) -> Result<bool> {
        TABLE.update(self.0, values(policy)).await
    }

    /// Sets the next run of a policy whose next run is still `seen`; tells whether it was.
    pub async fn set_next_run(
        &mut self,
        id: PolicyId,
        seen: Timestamp,
        next: Option<Timestamp>,
    ) -> Result<bool> {
        let sql = "UPDATE policy SET next_run_at = $3 WHERE id = $1 AND next_run_at = $2";
        let values = vec![Value::text(id), seen.into(), next.into()];
        Ok(self.0.execute(TABLE.what, sql, values).await? > 0)
    }

    /// Removes a policy with its bindings; tells whether there was one.
    pub async fn delete(&mut self, id: PolicyId) -> Result<bool> {
        TABLE.delete(self.0, Value::text(id)).await
    }

    /// Binds a disk to a policy and to no other; [`Error::Reference`] if there is no such policy.
    pub async fn bind(&mut self, id: PolicyId, volume_id: VolumeId, now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO policy_volume (volume_id, policy_id, created_at) \
                   VALUES ($1, $2, $3) ON CONFLICT (volume_id) DO UPDATE SET \
                   policy_id = excluded.policy_id, created_at = excluded.created_at, gone_at = NULL";
        let values = vec![Value::text(volume_id), Value::text(id), now.into()];
        self.0.execute(BINDING, sql, values).await?;
        Ok(())
    }

    /// Ends the binding of a disk to a policy; tells whether there was one.
    pub async fn release(&mut self, id: PolicyId, volume_id: VolumeId) -> Result<bool> {
        let sql = "DELETE FROM policy_volume WHERE volume_id = $1 AND policy_id = $2";
        let values = vec![Value::text(volume_id), Value::text(id)];
        Ok(self.0.execute(BINDING, sql, values).await? > 0)
    }

    /// The disks that are bound to a policy and not known to be gone, that bound for longest first.
    pub async fn volumes(&mut self, id: PolicyId) -> Result<Vec<VolumeId>> {
        let sql = "SELECT volume_id FROM policy_volume WHERE policy_id = $1 AND gone_at IS NULL \
                   ORDER BY created_at, volume_id";
        self.bound(id, sql).await
    }

    /// As [`Policies::volumes`], with those that are known to be gone.
    pub async fn all_volumes(&mut self, id: PolicyId) -> Result<Vec<VolumeId>> {
        let sql = "SELECT volume_id FROM policy_volume WHERE policy_id = $1 \
                   ORDER BY created_at, volume_id";
        self.bound(id, sql).await
    }

    /// Notes that a disk that is bound to a policy is gone; its binding stays.
    pub async fn note_gone(
        &mut self,
        id: PolicyId,
        volume_id: VolumeId,
        now: Timestamp,
    ) -> Result<()> {
        let sql = "UPDATE policy_volume SET gone_at = $3 WHERE volume_id = $1 AND policy_id = $2";
        let values = vec![Value::text(volume_id), Value::text(id), now.into()];
        self.0.execute(BINDING, sql, values).await?;
        Ok(())
    }

    async fn bound(&mut self, id: PolicyId, sql: &'static str) -> Result<Vec<VolumeId>> {
        let rows = self.0.rows(BINDING, sql, vec![Value::text(id)]).await?;
        let volume = |row: &sqlx::any::AnyRow| {
            let text: String = row.try_get("volume_id").map_err(Error::Database)?;
            let (table, column) = ("policy_volume", "volume_id");
            let unreadable = |_| Error::Unreadable { table, id: id.to_string(), column };
            VolumeId::parse(&text).map_err(unreadable)
        };
        rows.iter().map(volume).collect()
    }

    /// How many of the disks that are bound to a policy exist.
    pub async fn count_volumes(&mut self, id: PolicyId) -> Result<u64> {
        let sql = "SELECT COUNT(*) AS total FROM policy_volume \
                   JOIN volume ON volume.id = policy_volume.volume_id WHERE policy_id = $1";
        let rows = self.0.rows(BINDING, sql, vec![Value::text(id)]).await?;
        let total = rows.first().map_or(Ok(0), |row| row.try_get::<i64, _>("total"));
        Ok(total.map_err(Error::Database)?.unsigned_abs())
    }

    /// Whether a disk is bound to a policy.
    pub async fn is_bound(&mut self, id: PolicyId, volume_id: VolumeId) -> Result<bool> {
        let sql = "SELECT volume_id FROM policy_volume WHERE volume_id = $1 AND policy_id = $2";
        let values = vec![Value::text(volume_id), Value::text(id)];
        Ok(!self.0.rows(BINDING, sql, values).await?.is_empty())
    }
}

fn values(policy: &Policy) -> Vec<Value> {
    vec![
        Value::text(policy.id),
        Value::text(&policy.project_id),
        Value::text(&policy.user_id),
        Value::text(&policy.name),
        Value::int(policy.is_enabled),
        Value::json(&policy.trigger),
        Value::json(&policy.retention),
        policy.next_run_at.into(),
        policy.created_at.into(),
        policy.updated_at.into(),
        Value::text(policy.operation.as_str()),
        Value::text(policy.kind.as_str()),
        Value::json(&policy.terms),
    ]
}

fn decode(row: &Fields<'_>) -> Result<Policy> {
    let id = row.id("id", PolicyId::parse)?;
    let created_at = row.instant("created_at")?;
    Ok(Policy {
        id,
        project_id: row.id("project_id", ProjectId::parse)?,
        user_id: row.id("user_id", UserId::parse)?,
        name: row.text("name")?,
        is_enabled: row.flag("is_enabled")?,
        trigger: row.json("schedule")?,
        retention: row.json("retention")?,
        next_run_at: row.opt_instant("next_run_at")?,
        created_at,
        updated_at: row.opt_instant("updated_at")?,
        operation: row.parsed("operation", PolicyOperation::parse)?,
        kind: row.parsed("kind", PolicyKind::parse)?,
        terms: row.opt_json("terms")?.unwrap_or_else(|| Terms::unsaid(id, created_at)),
    })
}
