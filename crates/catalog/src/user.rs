//! Users: who can ask for a token.

use strongroom_model::id::{DomainId, ProjectId, UserId};
use strongroom_model::identity::User;

use crate::error::Result;
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "person",
    what: "user",
    columns: &[
        "id",
        "domain_id",
        "name",
        "password_hash",
        "default_project_id",
        "is_enabled",
        "created_at",
        "tokens_valid_from",
    ],
};

/// Reads and writes users.
#[derive(Debug)]
pub struct Users<'t>(pub(crate) &'t mut Session);

impl Users<'_> {
    /// Adds a user; [`Error::Conflict`](crate::Error::Conflict) if its id, or its name in its
    /// domain, is taken.
    pub async fn insert(&mut self, user: &User) -> Result<()> {
        TABLE.insert(self.0, values(user)).await
    }

    /// The user of that id.
    pub async fn find(&mut self, id: &UserId) -> Result<Option<User>> {
        let values = vec![Value::text(id)];
        TABLE.find(self.0, "WHERE id = $1", values, decode).await
    }

    /// The user of that name in a domain.
    pub async fn find_by_name(&mut self, domain_id: &DomainId, name: &str) -> Result<Option<User>> {
        let tail = "WHERE domain_id = $1 AND name = $2";
        let values = vec![Value::text(domain_id), Value::text(name)];
        TABLE.find(self.0, tail, values, decode).await
    }

    /// Every user by name.
    pub async fn list(&mut self) -> Result<Vec<User>> {
        let tail = "ORDER BY name, id";
        TABLE.list(self.0, tail, vec![], decode).await
    }

    /// Writes the user over the one of its id; tells whether there was one.
    pub async fn update(&mut self, user: &User) -> Result<bool> {
        TABLE.update(self.0, values(user)).await
    }

    /// Removes a user and every role it holds; tells whether there was one.
    pub async fn delete(&mut self, id: &UserId) -> Result<bool> {
        TABLE.delete(self.0, Value::text(id)).await
    }
}

fn values(user: &User) -> Vec<Value> {
    vec![
        Value::text(&user.id),
        Value::text(&user.domain_id),
        Value::text(&user.name),
        Value::text(&user.password_hash),
        Value::opt_text(user.default_project_id.as_ref()),
        Value::int(user.is_enabled),
        user.created_at.into(),
        user.tokens_valid_from.into(),
    ]
}

fn decode(row: &Fields<'_>) -> Result<User> {
    Ok(User {
        id: row.id("id", UserId::parse)?,
        domain_id: row.id("domain_id", DomainId::parse)?,
        name: row.text("name")?,
        password_hash: row.text("password_hash")?,
        default_project_id: row.opt_id("default_project_id", ProjectId::parse)?,
        is_enabled: row.flag("is_enabled")?,
        created_at: row.instant("created_at")?,
        tokens_valid_from: row.instant("tokens_valid_from")?,
    })
}
