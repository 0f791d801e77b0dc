//! Domains, the containers of projects and users.

use strongroom_model::id::DomainId;
use strongroom_model::identity::Domain;

use crate::assignment::{DOMAIN_SCOPE, revoke_scope};
use crate::error::Result;
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table =
    Table { name: "domain", what: "domain", columns: &["id", "name", "description", "is_enabled"] };

/// Reads and writes domains.
#[derive(Debug)]
pub struct Domains<'t>(pub(crate) &'t mut Session);

impl Domains<'_> {
    /// Adds a domain; [`Error::Conflict`](crate::Error::Conflict) if its id or name is taken.
    pub async fn insert(&mut self, domain: &Domain) -> Result<()> {
        TABLE.insert(self.0, values(domain)).await
    }

    /// The domain of that id.
    pub async fn find(&mut self, id: &DomainId) -> Result<Option<Domain>> {
        let values = vec![Value::text(id)];
        TABLE.find(self.0, "WHERE id = $1", values, decode).await
    }

    /// The domain of that name.
    pub async fn find_by_name(&mut self, name: &str) -> Result<Option<Domain>> {
        let values = vec![Value::text(name)];
        TABLE.find(self.0, "WHERE name = $1", values, decode).await
    }

    /// Every domain by name.
    pub async fn list(&mut self) -> Result<Vec<Domain>> {
        TABLE.list(self.0, "ORDER BY name", vec![], decode).await
    }

    /// Writes the domain over the one of its id; tells whether there was one.
    pub async fn update(&mut self, domain: &Domain) -> Result<bool> {
        TABLE.update(self.0, values(domain)).await
    }

    /// Removes a domain and the roles held in it; tells whether there was one.
    /// [`Error::Reference`](crate::Error::Reference) while it has projects or users.
    pub async fn delete(&mut self, id: &DomainId) -> Result<bool> {
        revoke_scope(self.0, DOMAIN_SCOPE, id.as_str()).await?;
        TABLE.delete(self.0, Value::text(id)).await
    }
}

fn values(domain: &Domain) -> Vec<Value> {
    vec![
        Value::text(&domain.id),
        Value::text(&domain.name),
        Value::text(&domain.description),
        Value::int(domain.is_enabled),
    ]
}

fn decode(row: &Fields<'_>) -> Result<Domain> {
    Ok(Domain {
        id: row.id("id", DomainId::parse)?,
        name: row.text("name")?,
        description: row.text("description")?,
        is_enabled: row.flag("is_enabled")?,
    })
}
