//! Brings a database's schema up to date: forward only, one file per step.
//!
//! A step, once released, is never edited. Steps and their record are one transaction, and a second
//! node that starts at the same time waits for the first.

use sqlx::{Any, AssertSqlSafe, Pool, Row};

use crate::error::{Error, Result};
use crate::sql::Dialect;

/// The steps in order; a database of schema `n` has gone through the first `n`.
const STEPS: [&str; 1] = [include_str!("../migrations/0001_catalogue.sql")];

/// Runs the steps that the database lacks.
///
/// # Errors
/// [`Error::NewerSchema`] if it has gone through steps that are not known here; it is left as it is.
pub(crate) async fn migrate(pool: &Pool<Any>, dialect: Dialect) -> Result<()> {
    run(pool, dialect, &STEPS).await
}

async fn run(pool: &Pool<Any>, dialect: Dialect, steps: &[&str]) -> Result<()> {
    let begun = pool.begin_with(dialect.begin_migration()).await;
    let mut transaction = begun.map_err(Error::Database)?;
    let done = apply(&mut transaction, dialect, steps).await;
    match done {
        Ok(()) => transaction.commit().await.map_err(Error::Database),
        Err(error) => {
            transaction.rollback().await.map_err(Error::Database)?;
            Err(error)
        }
    }
}

async fn apply(
    connection: &mut sqlx::AnyConnection,
    dialect: Dialect,
    steps: &[&str],
) -> Result<()> {
    if let Some(lock) = dialect.lock_migration() {
        let locked = sqlx::query(lock).fetch_one(&mut *connection).await;
        locked.map_err(Error::Database)?;
    }
    execute(
        connection,
        "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)"
            .to_owned(),
    )
    .await?;
    let found = version(connection).await?;
    let known = i64::try_from(steps.len()).map_err(|_| Error::TooLarge { what: "schema" })?;
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    for (number, step) in (1_i64..).zip(steps).filter(|(number, _)| *number > found) {
        execute(connection, step.replace("$TEXT", dialect.text_type())).await?;
        let sql = format!("INSERT INTO schema_version (version) VALUES ({number})");
        execute(connection, sql).await?;
        tracing::info!(schema.version = number, "migrated the catalogue");
    }
    Ok(())
}

async fn version(connection: &mut sqlx::AnyConnection) -> Result<i64> {
    let sql = "SELECT COALESCE(MAX(version), 0) AS version FROM schema_version";
    let row = sqlx::query(sql).fetch_one(connection).await;
    row.and_then(|row| row.try_get("version"))
        .map_err(Error::Database)
}

/// Runs statements that take no values.
async fn execute(connection: &mut sqlx::AnyConnection, sql: String) -> Result<()> {
    // The text is this crate's own.
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    done.map(|_| ()).map_err(Error::Database)
}
