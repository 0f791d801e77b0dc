//! Backups of servers. What belongs to one names it in its own row.

use std::collections::BTreeMap;

use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{
    BackupId, CheckpointId, PolicyId, ProjectId, ServerId, UserId, VaultId,
};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::size::GiB;

use crate::error::Result;
use crate::page::Conditions;
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

pub(crate) const TABLE: Table = Table {
    name: "server_backup",
    what: "backup of a server",
    columns: &[
        "id",
        "project_id",
        "user_id",
        "vault_id",
        "checkpoint_id",
        "server_id",
        "server_name",
        "name",
        "description",
        "status",
        "fail_reason",
        "size",
        "availability_zone",
        "architecture",
        "has_system_disk",
        "is_incremental",
        "is_automatic",
        "is_replica",
        "wants_full",
        "policy_id",
        "expires_at",
        "documents",
        "restore_server_id",
        "created_at",
        "updated_at",
        "protected_at",
    ],
};

/// Reads and writes backups of servers.
#[derive(Debug)]
pub struct ServerBackups<'t>(pub(crate) &'t mut Session);

impl ServerBackups<'_> {
    /// Adds one; [`Error::Conflict`](crate::Error::Conflict) if its id is taken,
    /// [`Error::Reference`](crate::Error::Reference) if its vault does not exist.
    pub async fn insert(&mut self, backup: &ServerBackup) -> Result<()> {
        TABLE.insert(self.0, values(backup)).await
    }

    /// The one of that id, if it is the project's.
    pub async fn find(
        &mut self,
        project: &ProjectId,
        id: BackupId,
    ) -> Result<Option<ServerBackup>> {
        let values = vec![Value::text(id), Value::text(project)];
        TABLE.find(self.0, "WHERE id = $1 AND project_id = $2", values, decode).await
    }

    /// The one of that id, whoever owns it.
    pub async fn find_any(&mut self, id: BackupId) -> Result<Option<ServerBackup>> {
        TABLE.find(self.0, "WHERE id = $1", vec![Value::text(id)], decode).await
    }

    /// Writes it over the one of its id; tells whether there was one.
    pub async fn update(&mut self, backup: &ServerBackup) -> Result<bool> {
        TABLE.update(self.0, values(backup)).await
    }

    /// Removes its record; tells whether there was one.
    pub async fn delete(&mut self, id: BackupId) -> Result<bool> {
        TABLE.delete(self.0, Value::text(id)).await
    }

    /// Those of a vault, newest first.
    pub async fn of_vault(&mut self, vault_id: VaultId) -> Result<Vec<ServerBackup>> {
        let tail = "WHERE vault_id = $1 ORDER BY created_at DESC, id DESC";
        TABLE.list(self.0, tail, vec![Value::text(vault_id)], decode).await
    }

    /// Those of a checkpoint, oldest first.
    pub async fn of_checkpoint(&mut self, id: CheckpointId) -> Result<Vec<ServerBackup>> {
        let tail = "WHERE checkpoint_id = $1 ORDER BY created_at, id";
        TABLE.list(self.0, tail, vec![Value::text(id)], decode).await
    }

    /// Those of a server in a vault, oldest first.
    pub async fn of_server(
        &mut self,
        vault_id: VaultId,
        server_id: ServerId,
    ) -> Result<Vec<ServerBackup>> {
        let tail = "WHERE server_id = $1 AND vault_id = $2 ORDER BY created_at, id";
        let values = vec![Value::text(server_id), Value::text(vault_id)];
        TABLE.list(self.0, tail, values, decode).await
    }

    /// Some of a vault that are not being removed yet, `limit` at most; of one server if it is
    /// named.
    pub async fn to_remove_from(
        &mut self,
        vault_id: VaultId,
        server_id: Option<ServerId>,
        limit: u32,
    ) -> Result<Vec<ServerBackup>> {
        let mut values = vec![Value::text(vault_id), Value::text(BackupStatus::Deleting.as_str())];
        let of_server = match server_id {
            Some(id) => {
                values.push(Value::text(id));
                "AND server_id = $3"
            }
            None => "",
        };
        let tail = format!(
            "WHERE vault_id = $1 AND status <> $2 {of_server} ORDER BY created_at, id LIMIT {limit}"
        );
        TABLE.list(self.0, &tail, values, decode).await
    }
}

/// Backups of servers by id; those that do not exist are left out.
pub(crate) async fn by_ids(
    session: &mut Session,
    ids: impl Iterator<Item = BackupId>,
) -> Result<BTreeMap<BackupId, ServerBackup>> {
    let mut conditions = Conditions::default();
    conditions.is_one_of("id", ids.map(Value::text));
    let tail = conditions.where_clause();
    let found = TABLE.list(session, &tail, conditions.values(), decode).await?;
    Ok(found.into_iter().map(|backup| (backup.id, backup)).collect())
}

fn values(backup: &ServerBackup) -> Vec<Value> {
    vec![
        Value::text(backup.id),
        Value::text(&backup.project_id),
        Value::text(&backup.user_id),
        Value::text(backup.vault_id),
        Value::text(backup.checkpoint_id),
        Value::text(backup.server_id),
        Value::text(&backup.server_name),
        Value::text(&backup.name),
        Value::opt_text(backup.description.as_ref()),
        Value::text(backup.status.as_str()),
        Value::opt_text(backup.fail_reason.as_ref()),
        Value::int(backup.size.0),
        Value::opt_text(backup.availability_zone.as_ref()),
        Value::opt_text(backup.architecture.as_ref()),
        Value::int(backup.has_system_disk),
        Value::int(backup.is_incremental),
        Value::int(backup.is_automatic),
        Value::int(backup.is_replica),
        Value::int(backup.wants_full),
        Value::opt_text(backup.policy_id),
        backup.expires_at.into(),
        Value::opt_text(backup.documents.as_ref()),
        Value::opt_text(backup.restore_server_id),
        backup.created_at.into(),
        backup.updated_at.into(),
        backup.protected_at.into(),
    ]
}

fn decode(row: &Fields<'_>) -> Result<ServerBackup> {
    Ok(ServerBackup {
        id: row.id("id", BackupId::parse)?,
        project_id: row.id("project_id", ProjectId::parse)?,
        user_id: row.id("user_id", UserId::parse)?,
        vault_id: row.id("vault_id", VaultId::parse)?,
        checkpoint_id: row.id("checkpoint_id", CheckpointId::parse)?,
        server_id: row.id("server_id", ServerId::parse)?,
        server_name: row.text("server_name")?,
        name: row.text("name")?,
        description: row.opt_text("description")?,
        status: row.parsed("status", BackupStatus::parse)?,
        fail_reason: row.opt_text("fail_reason")?,
        size: GiB(row.narrow("size")?),
        availability_zone: row.opt_text("availability_zone")?,
        architecture: row.opt_text("architecture")?,
        has_system_disk: row.flag("has_system_disk")?,
        is_incremental: row.flag("is_incremental")?,
        is_automatic: row.flag("is_automatic")?,
        is_replica: row.flag("is_replica")?,
        wants_full: row.flag("wants_full")?,
        policy_id: row.opt_id("policy_id", PolicyId::parse)?,
        expires_at: row.opt_instant("expires_at")?,
        documents: row.opt_text("documents")?,
        restore_server_id: row.opt_id("restore_server_id", ServerId::parse)?,
        created_at: row.instant("created_at")?,
        updated_at: row.opt_instant("updated_at")?,
        protected_at: row.opt_instant("protected_at")?,
    })
}
