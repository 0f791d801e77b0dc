//! Replications: copies of backups in other regions, and of other regions' backups here.

use strongroom_model::id::{BackupId, CheckpointId, ProjectId, ReplicationId, VaultId};
use strongroom_model::replication::{Replication, ReplicationSide, ReplicationStatus};

use crate::error::Result;
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "replication",
    what: "replication",
    columns: &[
        "id",
        "side",
        "project_id",
        "vault_id",
        "backup_id",
        "status",
        "source_region",
        "source_project_id",
        "source_vault_id",
        "source_backup_id",
        "source_checkpoint_id",
        "destination_region",
        "destination_project_id",
        "destination_vault_id",
        "destination_backup_id",
        "destination_checkpoint_id",
        "is_automatic",
        "progress",
        "message",
        "detail",
        "created_at",
        "updated_at",
    ],
};

/// Reads and writes replications.
#[derive(Debug)]
pub struct Replications<'t>(pub(crate) &'t mut Session);

impl Replications<'_> {
    /// Adds one; [`Error::Conflict`](crate::Error::Conflict) if its id is taken, or if the backup has
    /// a copy in that region or one that is being made.
    pub async fn insert(&mut self, replication: &Replication) -> Result<()> {
        TABLE.insert(self.0, values(replication)).await
    }

    /// The one of that id.
    pub async fn find(&mut self, id: ReplicationId) -> Result<Option<Replication>> {
        TABLE.find(self.0, "WHERE id = $1", vec![Value::text(id)], decode).await
    }

    /// Writes it over the one of its id; tells whether there was one.
    pub async fn update(&mut self, replication: &Replication) -> Result<bool> {
        TABLE.update(self.0, values(replication)).await
    }

    /// Those of a backup at this end, oldest first.
    pub async fn of_backup(&mut self, id: BackupId) -> Result<Vec<Replication>> {
        let tail = "WHERE backup_id = $1 ORDER BY created_at, id";
        TABLE.list(self.0, tail, vec![Value::text(id)], decode).await
    }

    /// Whether a backup at this end is being copied, or is a copy that is being made.
    pub async fn is_any_unfinished(&mut self, id: BackupId) -> Result<bool> {
        let tail =
            "WHERE backup_id = $1 AND status IN ('waiting_replicate', 'replicating') LIMIT 1";
        let found = TABLE.find(self.0, tail, vec![Value::text(id)], decode).await?;
        Ok(found.is_some())
    }

    /// The one that made a copy, or is making it, if it has begun.
    pub async fn of_copy(&mut self, id: BackupId) -> Result<Option<Replication>> {
        let tail = "WHERE backup_id = $1 AND side = 'destination' LIMIT 1";
        TABLE.find(self.0, tail, vec![Value::text(id)], decode).await
    }

    /// The one at this end, the destination, of a backup in another region that has not failed.
    pub async fn of_source(&mut self, region: &str, id: BackupId) -> Result<Option<Replication>> {
        let tail = "WHERE side = 'destination' AND source_backup_id = $1 AND source_region = $2 \
                    AND status <> 'fail' LIMIT 1";
        TABLE.find(self.0, tail, vec![Value::text(id), Value::text(region)], decode).await
    }

    /// Removes one; tells whether there was one.
    pub async fn delete(&mut self, id: ReplicationId) -> Result<bool> {
        TABLE.delete(self.0, Value::text(id)).await
    }

    /// Some copy in a vault of a backup of that checkpoint.
    pub async fn of_checkpoint(
        &mut self,
        vault_id: VaultId,
        source: CheckpointId,
    ) -> Result<Option<Replication>> {
        let tail = "WHERE vault_id = $1 AND source_checkpoint_id = $2 AND side = 'destination' \
                    AND destination_checkpoint_id IS NOT NULL LIMIT 1";
        TABLE.find(self.0, tail, vec![Value::text(vault_id), Value::text(source)], decode).await
    }

    /// Forgets those of a backup at this end; returns how many.
    pub async fn delete_of(&mut self, id: BackupId) -> Result<u64> {
        let sql = "DELETE FROM replication WHERE backup_id = $1";
        self.0.execute(TABLE.what, sql, vec![Value::text(id)]).await
    }
}

fn values(replication: &Replication) -> Vec<Value> {
    vec![
        Value::text(replication.id),
        Value::text(replication.side.as_str()),
        Value::text(&replication.project_id),
        Value::text(replication.vault_id),
        Value::text(replication.backup_id),
        Value::text(replication.status.as_str()),
        Value::text(&replication.source_region),
        Value::text(&replication.source_project_id),
        Value::text(replication.source_vault_id),
        Value::text(replication.source_backup_id),
        Value::text(replication.source_checkpoint_id),
        Value::text(&replication.destination_region),
        Value::text(&replication.destination_project_id),
        Value::text(replication.destination_vault_id),
        Value::opt_text(replication.destination_backup_id),
        Value::opt_text(replication.destination_checkpoint_id),
        Value::int(replication.is_automatic),
        Value::int(replication.progress),
        Value::opt_text(replication.message.as_ref()),
        Value::json(&replication.detail),
        replication.created_at.into(),
        replication.updated_at.into(),
    ]
}

fn decode(row: &Fields<'_>) -> Result<Replication> {
    Ok(Replication {
        id: row.id("id", ReplicationId::parse)?,
        side: row.parsed("side", ReplicationSide::parse)?,
        project_id: row.id("project_id", ProjectId::parse)?,
        vault_id: row.id("vault_id", VaultId::parse)?,
        backup_id: row.id("backup_id", BackupId::parse)?,
        status: row.parsed("status", ReplicationStatus::parse)?,
        source_region: row.text("source_region")?,
        source_project_id: row.text("source_project_id")?,
        source_vault_id: row.id("source_vault_id", VaultId::parse)?,
        source_backup_id: row.id("source_backup_id", BackupId::parse)?,
        source_checkpoint_id: row.id("source_checkpoint_id", CheckpointId::parse)?,
        destination_region: row.text("destination_region")?,
        destination_project_id: row.text("destination_project_id")?,
        destination_vault_id: row.id("destination_vault_id", VaultId::parse)?,
        destination_backup_id: row.opt_id("destination_backup_id", BackupId::parse)?,
        destination_checkpoint_id: row.opt_id("destination_checkpoint_id", CheckpointId::parse)?,
        is_automatic: row.flag("is_automatic")?,
        progress: row.narrow("progress")?,
        message: row.opt_text("message")?,
        detail: row.json("detail")?,
        created_at: row.instant("created_at")?,
        updated_at: row.opt_instant("updated_at")?,
    })
}
