//! Vaults, and the resources that they protect.

use sqlx::Row;
use strongroom_model::id::{ProjectId, UserId, VaultId};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::size::GiB;
use strongroom_model::vault::{
    ObjectType, ProtectType, Vault, VaultResource, VaultStatus, VaultTerms,
};

use crate::error::{Error, Result};
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "vault",
    what: "vault",
    columns: &[
        "id",
        "project_id",
        "slot",
        "name",
        "user_id",
        "description",
        "size",
        "status",
        "is_locked",
        "object_type",
        "protect_type",
        "terms",
        "created_at",
    ],
};

const RESOURCES: Table = Table {
    name: "vault_resource",
    what: "resource of a vault",
    columns: &[
        "resource_id",
        "vault_id",
        "kind",
        "name",
        "size",
        "extra",
        "auto_protect",
        "is_removing",
        "created_at",
    ],
};

/// The slot of a project's default vault. That of any other is its id.
const DEFAULT_SLOT: &str = "default";

/// Reads and writes vaults and their resources.
#[derive(Debug)]
pub struct Vaults<'t>(pub(crate) &'t mut Session);

impl Vaults<'_> {
    /// Adds a vault; [`Error::Conflict`] if its id is taken, or if it is a second default one.
    pub async fn insert(&mut self, vault: &Vault) -> Result<()> {
        TABLE.insert(self.0, values(vault)).await
    }

    /// The vault of that id, whoever owns it.
    pub async fn find_any(&mut self, id: VaultId) -> Result<Option<Vault>> {
        let values = vec![Value::text(id)];
        TABLE.find(self.0, "WHERE id = $1", values, decode).await
    }

    /// The vault of that id, if it is the project's.
    pub async fn find(&mut self, project_id: &ProjectId, id: VaultId) -> Result<Option<Vault>> {
        let values = vec![Value::text(id), Value::text(project_id)];
        TABLE.find(self.0, "WHERE id = $1 AND project_id = $2", values, decode).await
    }

    /// A project's default vault.
    pub async fn find_default(&mut self, project_id: &ProjectId) -> Result<Option<Vault>> {
        let tail = "WHERE project_id = $1 AND slot = $2";
        let values = vec![Value::text(project_id), Value::text(DEFAULT_SLOT)];
        TABLE.find(self.0, tail, values, decode).await
    }

    /// A project's vaults, newest first.
    pub async fn list(&mut self, project_id: &ProjectId) -> Result<Vec<Vault>> {
        let tail = "WHERE project_id = $1 ORDER BY created_at DESC, id DESC";
        let values = vec![Value::text(project_id)];
        TABLE.list(self.0, tail, values, decode).await
    }

    /// Every vault by id.
    pub async fn list_all(&mut self) -> Result<Vec<Vault>> {
        TABLE.list(self.0, "ORDER BY id", vec![], decode).await
    }

    /// Writes the vault over the one of its id; tells whether there was one.
    pub async fn update(&mut self, vault: &Vault) -> Result<bool> {
        TABLE.update(self.0, values(vault)).await
    }

    /// Removes a vault with its resources and bindings; tells whether there was one.
    /// [`Error::Reference`] while it keeps backups.
    pub async fn delete(&mut self, id: VaultId) -> Result<bool> {
        TABLE.delete(self.0, Value::text(id)).await
    }

    /// Adds a resource to a vault; [`Error::Conflict`] if some vault has it.
    pub async fn insert_resource(&mut self, resource: &VaultResource) -> Result<()> {
        RESOURCES.insert(self.0, resource_values(resource)).await
    }

    /// The resource of that id, in whichever vault it is.
    pub async fn find_resource(&mut self, id: ResourceId) -> Result<Option<VaultResource>> {
        let values = vec![Value::text(id)];
        RESOURCES.find(self.0, "WHERE resource_id = $1", values, decode_resource).await
    }

    /// The resources of a vault, that bound for longest first.
    pub async fn resources(&mut self, id: VaultId) -> Result<Vec<VaultResource>> {
        let tail = "WHERE vault_id = $1 ORDER BY created_at, resource_id";
        RESOURCES.list(self.0, tail, vec![Value::text(id)], decode_resource).await
    }

    /// The resources of all vaults of a project, that bound for longest first.
    pub async fn resources_of_project(
        &mut self,
        project_id: &ProjectId,
    ) -> Result<Vec<VaultResource>> {
        let tail = "WHERE vault_id IN (SELECT id FROM vault WHERE project_id = $1) \
                    ORDER BY created_at, resource_id";
        RESOURCES.list(self.0, tail, vec![Value::text(project_id)], decode_resource).await
    }

    /// How many resources a vault has.
    pub async fn count_resources(&mut self, id: VaultId) -> Result<u64> {
        let sql = "SELECT COUNT(*) AS total FROM vault_resource WHERE vault_id = $1";
        let rows = self.0.rows(RESOURCES.what, sql, vec![Value::text(id)]).await?;
        let total = rows.first().map_or(Ok(0), |row| row.try_get::<i64, _>("total"));
        Ok(total.map_err(Error::Database)?.unsigned_abs())
    }

    /// Writes the resource over the one of its id; tells whether there was one.
    pub async fn update_resource(&mut self, resource: &VaultResource) -> Result<bool> {
        RESOURCES.update(self.0, resource_values(resource)).await
    }

    /// Takes a resource out of a vault; tells whether it was in it.
    pub async fn delete_resource(&mut self, vault: VaultId, id: ResourceId) -> Result<bool> {
        let sql = "DELETE FROM vault_resource WHERE resource_id = $1 AND vault_id = $2";
        let values = vec![Value::text(id), Value::text(vault)];
        Ok(self.0.execute(RESOURCES.what, sql, values).await? > 0)
    }
}

fn values(vault: &Vault) -> Vec<Value> {
    let slot = if vault.is_default { DEFAULT_SLOT.to_owned() } else { vault.id.to_string() };
    vec![
        Value::text(vault.id),
        Value::text(&vault.project_id),
        Value::text(slot),
        Value::text(&vault.name),
        Value::opt_text(vault.user_id.as_ref()),
        Value::opt_text(vault.description.as_ref()),
        Value::int(vault.size.0),
        Value::text(vault.status.as_str()),
        Value::int(vault.is_locked),
        Value::text(vault.terms.object_type.as_str()),
        Value::text(vault.terms.protect_type.as_str()),
        Value::json(&vault.terms),
        vault.created_at.into(),
    ]
}

fn decode(row: &Fields<'_>) -> Result<Vault> {
    let terms: Option<VaultTerms> = row.opt_json("terms")?;
    let object_type = row.parsed("object_type", ObjectType::parse)?;
    let protect_type = row.parsed("protect_type", ProtectType::parse)?;
    Ok(Vault {
        id: row.id("id", VaultId::parse)?,
        project_id: row.id("project_id", ProjectId::parse)?,
        user_id: row.opt_id("user_id", UserId::parse)?,
        name: row.text("name")?,
        description: row.opt_text("description")?,
        is_default: row.text("slot")? == DEFAULT_SLOT,
        size: GiB(row.narrow("size")?),
        status: row.parsed("status", VaultStatus::parse)?,
        is_locked: row.flag("is_locked")?,
        terms: terms.unwrap_or_else(|| VaultTerms::of(object_type, protect_type)),
        created_at: row.instant("created_at")?,
    })
}

fn resource_values(resource: &VaultResource) -> Vec<Value> {
    vec![
        Value::text(resource.id),
        Value::text(resource.vault_id),
        Value::text(resource.kind.as_str()),
        Value::text(&resource.name),
        Value::int(resource.size.0),
        Value::json(&resource.excluded_volumes),
        Value::int(resource.auto_protect),
        Value::int(resource.is_removing),
        resource.created_at.into(),
    ]
}

fn decode_resource(row: &Fields<'_>) -> Result<VaultResource> {
    Ok(VaultResource {
        vault_id: row.id("vault_id", VaultId::parse)?,
        id: row.id("resource_id", ResourceId::parse)?,
        kind: row.parsed("kind", ResourceKind::parse)?,
        name: row.text("name")?,
        size: GiB(row.narrow("size")?),
        excluded_volumes: row.json("extra")?,
        auto_protect: row.flag("auto_protect")?,
        is_removing: row.flag("is_removing")?,
        created_at: row.instant("created_at")?,
    })
}
