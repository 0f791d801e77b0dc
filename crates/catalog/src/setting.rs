//! Settings that all nodes share and that no file of configuration holds, as texts by name.

use sqlx::Row;

use crate::error::{Error, Result};
use crate::sql::{Session, Value};

const WHAT: &str = "setting";

/// Reads and writes settings.
#[derive(Debug)]
pub struct Settings<'t>(pub(crate) &'t mut Session);

impl Settings<'_> {
    /// The value of that name.
    pub async fn get(&mut self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT value FROM setting WHERE name = $1";
        let rows = self.0.rows(WHAT, sql, vec![Value::text(name)]).await?;
        let value = rows.first().map(|row| row.try_get("value"));
        value.transpose().map_err(Error::Database)
    }

    /// Stores a value unless there is one; tells whether it did.
    pub async fn put_if_absent(&mut self, name: &str, value: &str) -> Result<bool> {
        let sql = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let values = vec![Value::text(name), Value::text(value)];
        Ok(self.0.execute(WHAT, sql, values).await? > 0)
    }

    /// Stores a value over any other.
    pub async fn put(&mut self, name: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO setting (name, value) VALUES ($1, $2) \
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let values = vec![Value::text(name), Value::text(value)];
        self.0.execute(WHAT, sql, values).await?;
        Ok(())
    }
}
