//! Opening databases that are empty, used, or from the future.

use strongroom_catalog::{Catalog, Error};
use strongroom_testkit::database::Database;
use tokio::task::JoinSet;

use crate::support::{World, on_both};

on_both!(what_was_stored_is_there_after_reopening);

async fn what_was_stored_is_there_after_reopening(world: &World) {
    let work =
        world.catalog.transact(|tx| Box::pin(async move { tx.settings().put("a", "1").await }));
    work.await.unwrap();
    world.catalog.close().await;
    let again = Catalog::connect(world.database.url()).await.unwrap();
    let work = again.read(|tx| Box::pin(async move { tx.settings().get("a").await }));
    assert_eq!(work.await.unwrap().as_deref(), Some("1"));
}

async fn open_at_once(database: Database) {
    let mut nodes = JoinSet::new();
    for _ in 0..4 {
        let url = database.url().to_owned();
        nodes.spawn(async move { Catalog::connect(&url).await.map(|_| ()) });
    }
    for opened in nodes.join_all().await {
        opened.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_may_migrate_sqlite_at_once() {
    open_at_once(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_may_migrate_postgres_at_once() {
    open_at_once(Database::postgres()).await;
}

#[tokio::test]
async fn other_addresses_are_refused_without_showing_a_password() {
    let error = Catalog::connect("mysql://root:secret@db/x").await.unwrap_err();
    assert!(matches!(&error, Error::UnknownScheme { scheme } if scheme == "mysql"));
    assert!(!error.to_string().contains("secret"));
}
