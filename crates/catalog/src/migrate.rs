//! Brings a database's schema up to date: forward only, one file per step.
//!
//! A step, once released, is never edited. Steps and their record are one transaction, and a second
//! node that starts at the same time waits for the first.

use sqlx::{Any, AssertSqlSafe, Pool, Row};

use crate::error::{Error, Result};
use crate::sql::Dialect;

/// The steps in order; a database of schema `n` has gone through the first `n`.
const STEPS: [&str; 4] = [
    include_str!("../migrations/0001_catalogue.sql"),
    include_str!("../migrations/0002_policies.sql"),
    include_str!("../migrations/0004_vaults.sql"),
    include_str!("../migrations/0005_agents.sql"),
];

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
        let step = step.replace("$TEXT", dialect.text_type());
        let step = step.replace("$STORED_BYTES", dialect.stored_bytes());
        execute(connection, step).await?;
        let sql = format!("INSERT INTO schema_version (version) VALUES ({number})");
        execute(connection, sql).await?;
        tracing::info!(schema.version = number, "migrated the catalogue");
    }
    Ok(())
}

async fn version(connection: &mut sqlx::AnyConnection) -> Result<i64> {
    let sql = "SELECT COALESCE(MAX(version), 0) AS version FROM schema_version";
    let row = sqlx::query(sql).fetch_one(connection).await;
    row.and_then(|row| row.try_get("version")).map_err(Error::Database)
}

/// Runs statements that take no values.
async fn execute(connection: &mut sqlx::AnyConnection, sql: String) -> Result<()> {
    // The text is this crate's own.
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    done.map(|_| ()).map_err(Error::Database)
}

#[cfg(test)]
mod tests {
    use strongroom_model::id::{BackupId, VolumeId};
    use strongroom_model::job::{JobKind, Subject};
    use strongroom_testkit::database::Database;

    use super::*;
    use crate::Catalog;

    /// An empty pool to run other steps on than the crate's own.
    async fn pools() -> Vec<(Database, Pool<Any>, Dialect)> {
        let mut pools = Vec::new();
        for database in [Database::sqlite(), Database::postgres()] {
            let dialect = Dialect::of(database.url()).unwrap();
            let pool = Catalog::open_writers(database.url(), dialect).await;
            pools.push((database, pool.unwrap(), dialect));
        }
        pools
    }

    async fn has_table(pool: &Pool<Any>, name: &'static str) -> bool {
        let sql = format!("SELECT COUNT(*) FROM {name}");
        sqlx::query(AssertSqlSafe(sql)).fetch_one(pool).await.is_ok()
    }

    #[tokio::test]
    async fn only_the_steps_that_lack_are_run() {
        let (first, second) = ("CREATE TABLE a (x $TEXT)", "CREATE TABLE b (x $TEXT)");
        for (_database, pool, dialect) in pools().await {
            run(&pool, dialect, &[first]).await.unwrap();
            assert!(!has_table(&pool, "b").await);
            run(&pool, dialect, &[first, second]).await.unwrap();
            assert!(has_table(&pool, "b").await);
            run(&pool, dialect, &[first, second]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_failed_step_leaves_nothing_behind() {
        let (good, bad) = ("CREATE TABLE a (x $TEXT)", "CREATE TABLE b (x $TEXT); GARBAGE");
        for (_database, pool, dialect) in pools().await {
            assert!(run(&pool, dialect, &[good, bad]).await.is_err());
            assert!(!has_table(&pool, "a").await, "{dialect:?}");
            run(&pool, dialect, &[good]).await.unwrap();
            assert!(has_table(&pool, "a").await);
        }
    }

    /// Rows as the first schema kept them.
    const ROWS_OF_THE_FIRST: &str = "
        INSERT INTO vault (id, project_id, name, created_at)
        VALUES ('11111111-1111-4111-8111-111111111111', 'p', 'default', 1);
        INSERT INTO backup (id, project_id, user_id, vault_id, data_id, volume_id, name_folded,
            status, size, is_incremental, is_bootable, metadata, volume_metadata, progress,
            created_at, data_timestamp)
        VALUES ('22222222-2222-4222-8222-222222222222', 'p', 'u',
            '11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222',
            '33333333-3333-4333-8333-333333333333', '', 'available', 1, 0, 0, '{}', '{}', 100, 5, 5);
        INSERT INTO job (id, kind, attempt, state, not_before, request_id, created_at, failures)
        VALUES ('44444444-4444-4444-8444-444444444444',
            '{\"kind\":\"create_volume\",\"volume_id\":\"33333333-3333-4333-8333-333333333333\"}',
            0, 'queued', 7, 'req-1', 7, 0)";

    #[tokio::test]
    async fn rows_of_the_first_schema_are_read_by_this_one() {
        for (database, pool, dialect) in pools().await {
            run(&pool, dialect, &STEPS[..1]).await.unwrap();
            sqlx::raw_sql(ROWS_OF_THE_FIRST).execute(&pool).await.unwrap();
            let catalog = Catalog::connect(database.url()).await.unwrap();
            let work = catalog.read(|tx| {
                Box::pin(async move {
                    let id = BackupId::parse("22222222-2222-4222-8222-222222222222");
                    let backup = tx.backups().find_any(id.unwrap()).await?;
                    Ok::<_, Error>((backup, tx.jobs().list_unfinished().await?))
                })
            });
            let (backup, jobs) = work.await.unwrap();
            let backup = backup.unwrap();
            assert_eq!(
                (backup.policy_id, backup.expires_at, backup.wants_full),
                (None, None, false)
            );
            let volume_id = VolumeId::parse("33333333-3333-4333-8333-333333333333").unwrap();
            assert_eq!(jobs[0].kind, JobKind::CreateVolume { volume_id, share_id: None });
            assert_eq!(jobs[0].subject, Subject::default());
        }
    }

    #[tokio::test]
    async fn a_newer_schema_is_refused() {
        for (database, pool, dialect) in pools().await {
            let from_the_future = ["SELECT 1"; STEPS.len() + 1];
            run(&pool, dialect, &from_the_future).await.unwrap();
            let refused = Catalog::connect(database.url()).await.map(|_| ());
            let error = refused.unwrap_err();
            assert!(matches!(error, Error::NewerSchema { .. }), "{error:?}");
            assert!(!has_table(&pool, "backup").await);
        }
    }
}
