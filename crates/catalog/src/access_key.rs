//! Access keys: what requests are signed with.

use strongroom_model::id::UserId;
use strongroom_model::identity::{AccessKey, KeyBounds, Scope};
use strongroom_model::time::Timestamp;

use crate::assignment::{scope_of, words};
use crate::error::Result;
use crate::record::{Fields, Table};
use crate::sql::{Session, Value};

const TABLE: Table = Table {
    name: "access_key",
    what: "access key",
    columns: &[
        "access",
        "user_id",
        "secret",
        "description",
        "is_enabled",
        "created_at",
        "expires_at",
        "scope_kind",
        "scope_id",
        "parent",
        "token_id",
    ],
};

/// Reads and writes access keys.
#[derive(Debug)]
pub struct AccessKeys<'t>(pub(crate) &'t mut Session);

impl AccessKeys<'_> {
    /// Adds a key; [`Error::Conflict`](crate::Error::Conflict) if its public half is taken, and
    /// [`Error::Reference`](crate::Error::Reference) if there is no such user or parent.
    pub async fn insert(&mut self, key: &AccessKey) -> Result<()> {
        TABLE.insert(self.0, values(key)).await
    }

    /// The key of that public half, temporary or not.
    pub async fn find(&mut self, access: &str) -> Result<Option<AccessKey>> {
        TABLE.find(self.0, "WHERE access = $1", vec![Value::text(access)], decode).await
    }

    /// The permanent keys of a user, oldest first.
    pub async fn list_permanent(&mut self, user_id: &UserId) -> Result<Vec<AccessKey>> {
        let tail = "WHERE user_id = $1 AND expires_at IS NULL ORDER BY created_at, access";
        TABLE.list(self.0, tail, vec![Value::text(user_id)], decode).await
    }

    /// How many temporary keys of a user are kept, ended ones included.
    pub async fn count_temporary(&mut self, user_id: &UserId) -> Result<u64> {
        let sql = "SELECT COUNT(*) AS count FROM access_key \
                   WHERE user_id = $1 AND expires_at IS NOT NULL";
        let rows = self.0.rows(TABLE.what, sql, vec![Value::text(user_id)]).await?;
        rows.first().map_or(Ok(0), |row| TABLE.fields(row).narrow("count"))
    }

    /// Writes the key over the one of its public half; tells whether there was one.
    pub async fn update(&mut self, key: &AccessKey) -> Result<bool> {
        TABLE.update(self.0, values(key)).await
    }

    /// Removes a key and the temporary ones that were asked for by it; tells whether there was one.
    pub async fn delete(&mut self, access: &str) -> Result<bool> {
        TABLE.delete(self.0, Value::text(access)).await
    }

    /// Forgets temporary keys that ended before an instant; returns how many.
    pub async fn purge(&mut self, before: Timestamp) -> Result<u64> {
        let sql = "DELETE FROM access_key WHERE expires_at < $1";
        self.0.execute(TABLE.what, sql, vec![before.into()]).await
    }
}

fn values(key: &AccessKey) -> Vec<Value> {
    let bounds = key.bounds.as_ref();
    let scope = bounds.and_then(|bounds| bounds.scope.as_ref()).map(words);
    vec![
        Value::text(&key.access),
        Value::text(&key.user_id),
        Value::text(&key.sealed_secret),
        Value::text(&key.description),
        Value::int(key.is_enabled),
        key.created_at.into(),
        bounds.map(|bounds| bounds.expires_at).into(),
        Value::opt_text(scope.map(|(kind, _)| kind)),
        Value::opt_text(scope.map(|(_, id)| id)),
        Value::opt_text(bounds.and_then(|bounds| bounds.parent.as_ref())),
        Value::opt_text(bounds.and_then(|bounds| bounds.token_id.as_ref())),
    ]
}

fn decode(row: &Fields<'_>) -> Result<AccessKey> {
    Ok(AccessKey {
        access: row.text("access")?,
        user_id: row.id("user_id", UserId::parse)?,
        sealed_secret: row.text("secret")?,
        description: row.text("description")?,
        is_enabled: row.flag("is_enabled")?,
        created_at: row.instant("created_at")?,
        bounds: bounds(row)?,
    })
}

fn bounds(row: &Fields<'_>) -> Result<Option<KeyBounds>> {
    let Some(expires_at) = row.opt_instant("expires_at")? else {
        return Ok(None);
    };
    Ok(Some(KeyBounds {
        expires_at,
        scope: scope(row)?,
        parent: row.opt_text("parent")?,
        token_id: row.opt_text("token_id")?,
    }))
}

fn scope(row: &Fields<'_>) -> Result<Option<Scope>> {
    let Some(kind) = row.opt_text("scope_kind")? else {
        return Ok(None);
    };
    row.parsed("scope_id", |id| scope_of(&kind, id)).map(Some)
}
