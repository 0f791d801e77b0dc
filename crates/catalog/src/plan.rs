//! What databases make of the statements that are run for every disk or every backup.

use sqlx::Row;
use strongroom_testkit::database::Database;

use crate::sql::Dialect;
use crate::{Catalog, Error, backup, expiry, job, operation, quota, saved, vault_usage, volume};

/// Jobs and backups for PostgreSQL, to which any index is as good as another while a table is empty.
const ROWS: [&str; 5] = [
    "INSERT INTO job (id, kind, attempt, state, not_before, request_id, created_at, failures) \
     SELECT CAST(n AS TEXT), CAST(n AS TEXT), 0, 'queued', 0, '', 0, 0 \
     FROM generate_series(1, 2000) AS n ON CONFLICT DO NOTHING",
    "ANALYZE job",
    "INSERT INTO vault (id, project_id, slot, created_at) VALUES ('v', 'p', 'v', 0) \
     ON CONFLICT DO NOTHING",
    "INSERT INTO backup (id, project_id, user_id, vault_id, data_id, volume_id, name_folded, \
     status, size, is_incremental, is_bootable, metadata, volume_metadata, progress, created_at, \
     data_timestamp, policy_id) SELECT CAST(n AS TEXT), 'p', 'u', 'v', CAST(n AS TEXT), CAST(n AS TEXT), '', \
     'available', 1, 0, 0, '{}', '{}', 100, n, n, 'x' FROM generate_series(1, 2000) AS n \
     ON CONFLICT DO NOTHING",
    "ANALYZE backup",
];

/// The plan of a statement; its placeholders are filled in with something.
async fn plan(catalog: &Catalog, dialect: Dialect, sql: &str) -> String {
    let sql = &sql.replace("$1", "'1'").replace("$2", "'2'");
    let work = catalog.transact(|tx| {
        Box::pin(async move {
            let (explain, column) = match dialect {
                Dialect::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
                Dialect::Postgres => ("EXPLAIN", "QUERY PLAN"),
            };
            if dialect == Dialect::Postgres {
                for statement in ROWS {
                    tx.session.execute("plan", statement, vec![]).await?;
                }
                // It walks over what is small, index or not.
                tx.session.execute("plan", "SET LOCAL enable_seqscan = off", vec![]).await?;
            }
            let rows = tx.session.rows("plan", format!("{explain} {sql}"), vec![]).await?;
            let lines = rows.iter().map(|row| row.get::<String, _>(column));
            Ok::<_, Error>(lines.collect::<Vec<_>>().join("; "))
        })
    });
    work.await.unwrap()
}

#[tokio::test]
async fn what_is_asked_often_is_read_from_an_index() {
    let statements = [
        backup::indexed(),
        expiry::indexed(),
        job::indexed(),
        quota::indexed(),
        vault_usage::indexed(),
        volume::indexed(),
    ];
    assert_indexed(&statements).await;
}

/// Asserts that both databases read each statement from its index.
async fn assert_indexed(statements: &[Vec<(String, &'static str)>]) {
    for database in [Database::sqlite(), Database::postgres()] {
        let dialect = Dialect::of(database.url()).unwrap();
        let catalog = Catalog::connect(database.url()).await.unwrap();
        for (sql, index) in statements.iter().flatten() {
            let plan = plan(&catalog, dialect, sql).await;
            assert!(plan.contains(index), "{dialect:?}: {sql}: {plan}");
        }
    }
}

#[tokio::test]
async fn lists_of_what_was_saved_and_done_are_read_from_indexes() {
    assert_indexed(&[operation::indexed(), saved::indexed()]).await;
}

#[tokio::test]
async fn what_is_in_use_is_measured_without_reading_rows() {
    let database = Database::sqlite();
    let catalog = Catalog::connect(database.url()).await.unwrap();
    for (sql, index) in quota::indexed() {
        let plan = plan(&catalog, Dialect::Sqlite, &sql).await;
        assert!(plan.contains(&format!("COVERING INDEX {index}")), "{plan}");
    }
}

#[tokio::test]
async fn what_vaults_hold_is_measured_from_indexes() {
    let database = Database::sqlite();
    let catalog = Catalog::connect(database.url()).await.unwrap();
    for (sql, index) in vault_usage::joined() {
        let plan = plan(&catalog, Dialect::Sqlite, &sql).await;
        assert!(plan.contains(index), "{sql}: {plan}");
    }
}
