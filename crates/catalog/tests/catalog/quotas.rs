//! Limits that were set and usage that is measured.

use std::collections::BTreeMap;

use strongroom_model::quota::Resource;
use strongroom_model::size::GiB;

use crate::support::{World, on_both, project};

on_both!(limits_are_set_and_cleared, usage_is_measured_per_project);

async fn limits_are_set_and_cleared(world: &World) {
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let (p, mut quotas) = (project("p"), tx.quotas());
            quotas.set_limit(&p, Resource::Backups, 3).await?;
            quotas.set_limit(&p, Resource::Backups, -1).await?;
            quotas.set_limit(&p, Resource::Gigabytes, 7).await?;
            quotas.set_class_limit("p", Resource::Volumes, 9).await?;
            let limits = BTreeMap::from([(Resource::Backups, -1), (Resource::Gigabytes, 7)]);
            assert_eq!(quotas.limits(&p).await?, limits);
            assert_eq!(quotas.limits(&project("q")).await?, BTreeMap::new());
            assert!(quotas.clear(&p).await?);
            assert!(!quotas.clear(&p).await?);
            assert_eq!(quotas.limits(&p).await?, BTreeMap::new());
            quotas.class_limits("p").await
        })
    });
    let limits = work.await.unwrap();
    assert_eq!(limits, BTreeMap::from([(Resource::Volumes, 9)]));
}

async fn usage_is_measured_per_project(world: &World) {
    let vault = world.vault("p").await;
    let backups = [world.backup("p", vault), world.backup("p", vault)];
    world.insert_backups(&backups).await;
    let volumes = [world.volume("p"), world.volume("q")];
    world.insert_volumes(&volumes).await;
    let snapshot = &world.snapshot("p");
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            tx.snapshots().insert(snapshot).await?;
            let unused = tx.quotas().usage(&project("none")).await?;
            assert!(unused.values().all(|used| *used == 0));
            tx.quotas().usage(&project("p")).await
        })
    });
    let GiB(largest) = backups[0].size;
    let expected = BTreeMap::from([
        (Resource::Volumes, 1),
        (Resource::Snapshots, 1),
        (Resource::Gigabytes, 3 + 2),
        (Resource::Backups, 2),
        // More than 32 bits hold.
        (Resource::BackupGigabytes, 2 * i64::from(largest)),
    ]);
    assert_eq!(work.await.unwrap(), expected);
}
