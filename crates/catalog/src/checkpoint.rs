//! Checkpoints: runs over vaults.

use strongroom_model::checkpoint::Checkpoint;
use strongroom_model::id::{CheckpointId, PolicyId, ProjectId, UserId, VaultId};

use crate::error::{Error, Result};
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "checkpoint",
    what: "checkpoint",
    columns: &[
        "id",
        "project_id",
        "user_id",
        "vault_id",
        "policy_id",
        "name",
        "description",
        "is_automatic",
        "retention_days",
        "skipped",
        "created_at",
    ],
};

/// Reads and writes checkpoints.
#[derive(Debug)]
pub struct Checkpoints<'t>(pub(crate) &'t mut Session);

impl Checkpoints<'_> {
    /// Adds a checkpoint; [`Error::Conflict`] if its id is taken.
    pub async fn insert(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        TABLE.insert(self.0, values(checkpoint)).await
    }

    /// The checkpoint of that id, whoever owns it.
    pub async fn find_any(&mut self, id: CheckpointId) -> Result<Option<Checkpoint>> {
        TABLE.find(self.0, "WHERE id = $1", vec![Value::text(id)], decode).await
    }

    /// Removes the record of a checkpoint; tells whether there was one.
    pub async fn delete(&mut self, id: CheckpointId) -> Result<bool> {
        TABLE.delete(self.0, Value::text(id)).await
    }
}

fn values(checkpoint: &Checkpoint) -> Vec<Value> {
    vec![
        Value::text(checkpoint.id),
        Value::text(&checkpoint.project_id),
        Value::text(&checkpoint.user_id),
        Value::text(checkpoint.vault_id),
        Value::opt_text(checkpoint.policy_id),
        Value::text(&checkpoint.name),
        Value::text(&checkpoint.description),
        Value::int(checkpoint.is_automatic),
        Value::Int(checkpoint.retention_days.map(i64::from)),
        Value::json(&checkpoint.skipped),
        checkpoint.created_at.into(),
    ]
}

fn decode(row: &Fields<'_>) -> Result<Checkpoint> {
    let days = row.opt_int("retention_days")?.map(u32::try_from).transpose();
    Ok(Checkpoint {
        id: row.id("id", CheckpointId::parse)?,
        project_id: row.id("project_id", ProjectId::parse)?,
        user_id: row.id("user_id", UserId::parse)?,
        vault_id: row.id("vault_id", VaultId::parse)?,
        policy_id: row.opt_id("policy_id", PolicyId::parse)?,
        name: row.text("name")?,
        description: row.text("description")?,
        is_automatic: row.flag("is_automatic")?,
        retention_days: days.map_err(|_| Error::TooLarge { what: "number of days" })?,
        skipped: row.json("skipped")?,
        created_at: row.instant("created_at")?,
    })
}
