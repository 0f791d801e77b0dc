//! Brings a database's schema up to date: forward only, one file per step.
//!
//! A step, once released, is never edited. Steps and their record are one transaction, and a second
//! node that starts at the same time waits for the first.

use sqlx::{Any, AssertSqlSafe, Pool, Row};

use crate::error::{Error, Result};
use crate::sql::Dialect;

/// The steps in order; a database of schema `n` has gone through the first `n`.
const STEPS: [&str; 5] = [
    include_str!("../migrations/0001_catalogue.sql"),
    include_str!("../migrations/0002_policies.sql"),
    include_str!("../migrations/0003_access_keys.sql"),
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
    use strongroom_model::id::{BackupId, CheckpointId, ProjectId, ShareId, VolumeId};
    use strongroom_model::job::{JobKind, Subject};
    use strongroom_model::policy::PolicyOperation;
    use strongroom_model::share::ShareStatus;
    use strongroom_model::time::Timestamp;
    use strongroom_model::vault::Vault;
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

    /// Rows as the second schema kept them: a default vault with backups, of which one is shared,
    /// a policy that made one, and an adopted vault.
    const ROWS_OF_THE_SECOND: &str = "
        INSERT INTO vault (id, project_id, name, created_at)
        VALUES ('11111111-1111-4111-8111-111111111111', 'p', 'default', 1),
            ('11111111-1111-4111-8111-111111111112', 'p', 'adopted-1', 2);
        INSERT INTO policy (id, project_id, user_id, name, is_enabled, schedule, retention, created_at)
        VALUES ('55555555-5555-4555-8555-555555555555', 'p', 'u', 'nightly', 1,
            '{\"zone\":\"UTC\",\"rules\":[]}',
            '{\"count\":3,\"days\":null,\"keeps_first_of_month\":false,\"picks\":{\"daily\":0,\"weekly\":0,\"monthly\":0,\"yearly\":0},\"zone\":\"UTC\"}', 3);
        INSERT INTO backup (id, project_id, user_id, vault_id, data_id, volume_id, name_folded,
            status, size, is_incremental, is_bootable, metadata, volume_metadata, progress,
            measured, object_count, created_at, data_timestamp, policy_id, expires_at)
        VALUES ('22222222-2222-4222-8222-222222222222', 'p', 'u',
            '11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222',
            '33333333-3333-4333-8333-333333333333', '', 'available', 1, 0, 0, '{}', '{}', 100,
            '{\"size_bytes\":10,\"read_bytes\":10,\"stored_bytes\":7,\"chain_stored_bytes\":7,\"duration_micros\":1,\"object_count\":2,\"is_incremental\":false,\"master_key_id\":\"k\"}',
            2, 5, 5, '55555555-5555-4555-8555-555555555555', 9),
            ('22222222-2222-4222-8222-222222222223', 'p', 'u',
            '11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222223',
            '33333333-3333-4333-8333-333333333333', '', 'error', 1, 0, 0, '{}', '{}', 0,
            NULL, NULL, 6, 6, NULL, NULL);
        INSERT INTO share (id, backup_id, from_project_id, to_project_id, status, created_at)
        VALUES ('66666666-6666-4666-8666-666666666666', '22222222-2222-4222-8222-222222222222',
            'p', 'q', 'accepted', 8)";

    #[tokio::test]
    async fn vaults_shares_and_use_of_the_second_schema_are_read_by_this_one() {
        for (database, pool, dialect) in pools().await {
            run(&pool, dialect, &STEPS[..2]).await.unwrap();
            sqlx::raw_sql(ROWS_OF_THE_SECOND).execute(&pool).await.unwrap();
            let catalog = Catalog::connect(database.url()).await.unwrap();
            let work = catalog.transact(|tx| {
                Box::pin(async move {
                    let project = ProjectId::parse("p").unwrap();
                    let vault = tx.vaults().find_default(&project).await?.unwrap();
                    let all = tx.vaults().list(&project).await?;
                    let used = tx.vaults().used_bytes(vault.id).await?;
                    let statuses = tx.vaults().statuses(vault.id).await?;
                    let mut backups = tx.backups().of_vault(vault.id).await?;
                    let id = ShareId::parse("66666666-6666-4666-8666-666666666666").unwrap();
                    let share = tx.shares().find(id).await?.unwrap();
                    // What was read is written as it is now.
                    assert!(tx.vaults().update(&vault).await?);
                    for backup in &mut backups {
                        backup.expires_at = None;
                        assert!(tx.backups().update(backup).await?);
                    }
                    let policies = tx.policies().list(&project).await?;
                    Ok::<_, Error>((vault, all, (used, statuses), (backups, share, policies)))
                })
            });
            let (vault, all, (used, statuses), (backups, share, policies)) = work.await.unwrap();
            let project = ProjectId::parse("p").unwrap();
            assert_eq!(vault, Vault::default_of(vault.id, project, Timestamp::from_micros(1)));
            let is_default: Vec<_> = all.iter().map(|vault| vault.is_default).collect();
            assert_eq!(is_default, [false, true]);
            assert_eq!(used, 7);
            assert_eq!(statuses, [("available", 1), ("error", 1)].into());
            let automatic: Vec<_> = backups.iter().map(|one| one.origin.is_automatic).collect();
            assert_eq!(automatic, [false, true]);
            assert_eq!(backups[1].checkpoint_id(), CheckpointId::alone(backups[1].id));
            assert_eq!((share.status, share.vault_id), (ShareStatus::Accepted, None));
            assert_eq!((share.backup_id, policies.len()), (backups[1].id, 1));
            assert_eq!(policies[0].operation, PolicyOperation::Backup);
        }
    }

    #[tokio::test]
    async fn a_newer_schema_is_refused() {
        for (database, pool, dialect) in pools().await {
            let from_the_future = ["SELECT 1"; STEPS.len() + 1];
            let (newer, newest) = (from_the_future.len() as i64, STEPS.len() as i64);
            run(&pool, dialect, &from_the_future).await.unwrap();
            let refused = Catalog::connect(database.url()).await.map(|_| ());
            let error = refused.unwrap_err();
            assert!(
                matches!(error, Error::NewerSchema { found, known } if (found, known) == (newer, newest)),
                "{error:?}"
            );
            assert!(!has_table(&pool, "backup").await);
        }
    }
}
