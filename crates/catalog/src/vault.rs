//! Vaults: where backups are kept.

use strongroom_model::id::{ProjectId, VaultId};
use strongroom_model::vault::Vault;

use crate::error::Result;
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table =
    Table { name: "vault", what: "vault", columns: &["id", "project_id", "name", "created_at"] };

/// Reads and writes vaults.
#[derive(Debug)]
pub struct Vaults<'t>(pub(crate) &'t mut Session);

impl Vaults<'_> {
    /// Adds a vault; [`Error::Conflict`](crate::Error::Conflict) if its id, or its name in its
    /// project, is taken.
    pub async fn insert(&mut self, vault: &Vault) -> Result<()> {
        let values = vec![
            Value::text(vault.id),
            Value::text(&vault.project_id),
            Value::text(&vault.name),
            vault.created_at.into(),
        ];
        TABLE.insert(self.0, values).await
    }

    /// The vault of that id.
    pub async fn find(&mut self, id: VaultId) -> Result<Option<Vault>> {
        let values = vec![Value::text(id)];
        TABLE.find(self.0, "WHERE id = $1", values, decode).await
    }

    /// The vault of that name in a project.
    pub async fn find_by_name(
        &mut self,
        project_id: &ProjectId,
        name: &str,
    ) -> Result<Option<Vault>> {
        let tail = "WHERE project_id = $1 AND name = $2";
        let values = vec![Value::text(project_id), Value::text(name)];
        TABLE.find(self.0, tail, values, decode).await
    }

    /// A project's vaults by name.
    pub async fn list(&mut self, project_id: &ProjectId) -> Result<Vec<Vault>> {
        let tail = "WHERE project_id = $1 ORDER BY name";
        let values = vec![Value::text(project_id)];
        TABLE.list(self.0, tail, values, decode).await
    }

    /// Every vault by id.
    pub async fn list_all(&mut self) -> Result<Vec<Vault>> {
        TABLE.list(self.0, "ORDER BY id", vec![], decode).await
    }

    /// Removes a vault; tells whether there was one.
    /// [`Error::Reference`](crate::Error::Reference) while it keeps backups.
    pub async fn delete(&mut self, id: VaultId) -> Result<bool> {
        TABLE.delete(self.0, Value::text(id)).await
    }
}

fn decode(row: &Fields<'_>) -> Result<Vault> {
    Ok(Vault {
        id: row.id("id", VaultId::parse)?,
        project_id: row.id("project_id", ProjectId::parse)?,
        name: row.text("name")?,
        created_at: row.instant("created_at")?,
    })
}
