//! Which policies are applied to which vaults.

use strongroom_model::id::{PolicyId, ProjectId, VaultId};
use strongroom_model::policy::{PolicyOperation, VaultPolicy};

use crate::error::Result;
use crate::policy::Policies;
use crate::record::{Fields, Table};
use crate::sql::Value;

/// The first column is not the whole key: rows are never updated nor removed by it alone.
const TABLE: Table = Table {
    name: "vault_policy",
    what: "policy of a vault",
    columns: &["vault_id", "operation", "policy_id", "destination_vault_id", "created_at"],
};

impl Policies<'_> {
    /// Applies a policy to a vault in place of the one of its operation;
    /// [`Error::Reference`](crate::Error::Reference) if there is no such vault or policy.
    pub async fn bind_vault(&mut self, bound: &VaultPolicy) -> Result<()> {
        let sql = "INSERT INTO vault_policy \
                   (vault_id, operation, policy_id, destination_vault_id, created_at) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (vault_id, operation) DO UPDATE SET \
                   policy_id = excluded.policy_id, created_at = excluded.created_at, \
                   destination_vault_id = excluded.destination_vault_id";
        let values = vec![
            Value::text(bound.vault_id),
            Value::text(bound.operation.as_str()),
            Value::text(bound.policy_id),
            Value::opt_text(bound.destination_vault_id),
            bound.created_at.into(),
        ];
        self.0.execute(TABLE.what, sql, values).await?;
        Ok(())
    }

    /// Takes a policy off a vault; tells whether it was applied to it.
    pub async fn release_vault(&mut self, id: PolicyId, vault_id: VaultId) -> Result<bool> {
        let sql = "DELETE FROM vault_policy WHERE vault_id = $1 AND policy_id = $2";
        let values = vec![Value::text(vault_id), Value::text(id)];
        Ok(self.0.execute(TABLE.what, sql, values).await? > 0)
    }

    /// Takes every policy off a vault; tells how many there were.
    pub async fn clear_vault(&mut self, vault_id: VaultId) -> Result<u64> {
        let sql = "DELETE FROM vault_policy WHERE vault_id = $1";
        self.0.execute(TABLE.what, sql, vec![Value::text(vault_id)]).await
    }

    /// The policies of a vault, that for backups first.
    pub async fn of_vault(&mut self, vault_id: VaultId) -> Result<Vec<VaultPolicy>> {
        let tail = "WHERE vault_id = $1 ORDER BY operation";
        TABLE.list(self.0, tail, vec![Value::text(vault_id)], decode).await
    }

    /// The vaults that a policy is applied to, that for longest first.
    pub async fn vaults(&mut self, id: PolicyId) -> Result<Vec<VaultPolicy>> {
        let tail = "WHERE policy_id = $1 ORDER BY created_at, vault_id";
        TABLE.list(self.0, tail, vec![Value::text(id)], decode).await
    }

    /// What is applied to the vaults of a project, that for longest first.
    pub async fn bound_in(&mut self, project: &ProjectId) -> Result<Vec<VaultPolicy>> {
        let tail = "WHERE policy_id IN (SELECT id FROM policy WHERE project_id = $1) \
                    ORDER BY created_at, vault_id";
        TABLE.list(self.0, tail, vec![Value::text(project)], decode).await
    }
}

fn decode(row: &Fields<'_>) -> Result<VaultPolicy> {
    Ok(VaultPolicy {
        vault_id: row.id("vault_id", VaultId::parse)?,
        operation: row.parsed("operation", PolicyOperation::parse)?,
        policy_id: row.id("policy_id", PolicyId::parse)?,
        destination_vault_id: row.opt_id("destination_vault_id", VaultId::parse)?,
        created_at: row.instant("created_at")?,
    })
}
