//! Vaults, volumes, snapshots and backups, written and read back.

use strongroom_catalog::Error;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::BackupId;

use crate::support::{Outcome, World, at, on_both, project};

on_both!(
    vaults_are_kept_whole,
    volumes_are_kept_whole,
    snapshots_are_kept_whole,
    backups_are_kept_whole,
    absent_values_stay_absent,
    a_backup_needs_its_vault,
    the_newest_available_backup_is_found,
    progress_is_fenced_by_a_claim,
);

async fn vaults_are_kept_whole(world: &World) {
    let id = world.vault("p").await;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let vault = tx.vaults().find_any(id).await?.unwrap();
            let (p, q) = (project("p"), project("q"));
            assert_eq!(tx.vaults().find(&p, id).await?.as_ref(), Some(&vault));
            assert_eq!(tx.vaults().find(&q, id).await?, None);
            assert_eq!(tx.vaults().find_default(&p).await?, None);
            assert_eq!(tx.vaults().list(&q).await?, []);
            let listed = tx.vaults().list(&p).await?;
            assert_eq!(listed, std::slice::from_ref(&vault));
            assert_eq!(tx.vaults().list_all().await?, [vault]);
            assert!(tx.vaults().delete(id).await?);
            tx.vaults().find_any(id).await
        })
    });
    assert_eq!(work.await.unwrap(), None);
}

async fn volumes_are_kept_whole(world: &World) {
    let stored = &world.volume("p");
    let changed = &strongroom_model::volume::Volume { id: stored.id, ..world.volume("p") };
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let id = stored.id;
            tx.volumes().insert(stored).await?;
            let found = tx.volumes().find(&project("p"), id).await?;
            assert_eq!(found.as_ref(), Some(stored));
            assert_eq!(tx.volumes().find(&project("q"), id).await?, None);
            assert!(tx.volumes().update(changed).await?);
            assert_eq!(tx.volumes().find_any(id).await?.as_ref(), Some(changed));
            assert!(tx.volumes().delete(id).await?);
            tx.volumes().update(changed).await
        })
    });
    assert!(!work.await.unwrap());
}

async fn snapshots_are_kept_whole(world: &World) {
    let stored = &world.snapshot("p");
    let changed = &strongroom_model::snapshot::Snapshot {
        name: Some("s".to_owned()),
        updated_at: Some(at(9)),
        ..stored.clone()
    };
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let id = stored.id;
            tx.snapshots().insert(stored).await?;
            let found = tx.snapshots().find(&project("p"), id).await?;
            assert_eq!(found.as_ref(), Some(stored));
            assert_eq!(tx.snapshots().find(&project("q"), id).await?, None);
            assert!(tx.snapshots().update(changed).await?);
            let found = tx.snapshots().find_any(id).await?;
            assert_eq!(found.as_ref(), Some(changed));
            assert!(tx.snapshots().delete(id).await?);
            tx.snapshots().delete(id).await
        })
    });
    assert!(!work.await.unwrap());
}

async fn backups_are_kept_whole(world: &World) {
    let vault = world.vault("p").await;
    let stored = &world.backup("p", vault);
    let changed = &Backup { id: stored.id, ..world.backup("p", vault) };
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let id = stored.id;
            tx.backups().insert(stored).await?;
            let found = tx.backups().find(&project("p"), id).await?;
            assert_eq!(found.as_ref(), Some(stored));
            assert_eq!(tx.backups().find(&project("q"), id).await?, None);
            assert!(tx.backups().update(changed).await?);
            let found = tx.backups().find_any(id).await?;
            assert_eq!(found.as_ref(), Some(changed));
            let other = &Backup { id: BackupId::random(&world.chance), ..changed.clone() };
            assert_eq!(tx.backups().count_other_users(changed.data_id, id).await?, 0);
            let other = &Backup { status: BackupStatus::Creating, ..other.clone() };
            tx.backups().insert(other).await?;
            assert_eq!(tx.backups().count_other_users(changed.data_id, id).await?, 1);
            assert!(!tx.backups().is_being_deleted(changed.data_id).await?);
            let other = &Backup { status: BackupStatus::Deleting, ..other.clone() };
            tx.backups().update(other).await?;
            assert_eq!(tx.backups().count_other_users(changed.data_id, id).await?, 0);
            assert!(tx.backups().is_being_deleted(changed.data_id).await?);
            assert!(tx.backups().delete(id).await?);
            tx.backups().find_any(id).await
        })
    });
    assert_eq!(work.await.unwrap(), None);
}

async fn absent_values_stay_absent(world: &World) {
    let vault = world.vault("p").await;
    let bare = Backup {
        snapshot_id: None,
        name: None,
        description: None,
        fail_reason: None,
        container: None,
        availability_zone: None,
        measured: None,
        restore_volume_id: None,
        updated_at: None,
        ..world.backup("p", vault)
    };
    world.insert_backups(std::slice::from_ref(&bare)).await;
    let work =
        world.catalog.read(|tx| Box::pin(async move { tx.backups().find_any(bare.id).await }));
    assert_eq!(Outcome::unwrap(work.await), Some(bare.clone()));
}

async fn a_backup_needs_its_vault(world: &World) {
    let vault = world.vault("p").await;
    let backup = &world.backup("p", vault);
    world.insert_backups(std::slice::from_ref(backup)).await;
    let work =
        world.catalog.transact(|tx| Box::pin(async move { tx.vaults().delete(vault).await }));
    let error = work.await.unwrap_err();
    assert!(matches!(error, Error::Reference { what: "vault" }));
    let again =
        world.catalog.transact(|tx| Box::pin(async move { tx.backups().insert(backup).await }));
    let error = again.await.unwrap_err();
    assert!(matches!(error, Error::Conflict { what: "backup" }));
    assert!(!error.is_transient());
}

async fn the_newest_available_backup_is_found(world: &World) {
    let vault = world.vault("p").await;
    let first = world.backup("p", vault);
    let of_volume = |created_at, status| Backup {
        volume_id: first.volume_id,
        created_at: at(created_at),
        status,
        ..world.backup("p", vault)
    };
    let backups = [
        of_volume(1, BackupStatus::Available),
        of_volume(3, BackupStatus::Available),
        of_volume(5, BackupStatus::Error),
        Backup { created_at: at(9), status: BackupStatus::Available, ..world.backup("p", vault) },
    ];
    world.insert_backups(&backups).await;
    let volume_id = first.volume_id;
    let newest = |vault| {
        world.catalog.read(move |tx| {
            Box::pin(async move {
                let found = tx.backups().newest_available(vault, volume_id).await?;
                Outcome::Ok(found.map(|backup| backup.id))
            })
        })
    };
    assert_eq!(newest(vault).await.unwrap(), Some(backups[1].id));
    let elsewhere = world.vault("q").await;
    assert_eq!(newest(elsewhere).await.unwrap(), None);
}

async fn progress_is_fenced_by_a_claim(world: &World) {
    let vault = world.vault("p").await;
    let backup = &world.backup("p", vault);
    world.insert_backups(std::slice::from_ref(backup)).await;
    world.enqueue(&[world.job(0)]).await;
    let unknown = BackupId::random(&world.chance);
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let old = tx.jobs().claim("w1", at(1), at(2)).await?.unwrap();
            let set = tx.backups().set_progress(backup.id, 50, Some(&old)).await?;
            assert!(set);
            let new = tx.jobs().claim("w2", at(2), at(9)).await?.unwrap();
            let set = tx.backups().set_progress(backup.id, 51, Some(&old)).await?;
            assert!(!set);
            let set = tx.backups().set_progress(backup.id, 52, Some(&new)).await?;
            assert!(set);
            assert!(!tx.backups().set_progress(unknown, 1, None).await?);
            assert!(tx.backups().set_progress(backup.id, 53, None).await?);
            tx.backups().find_any(backup.id).await
        })
    });
    assert_eq!(work.await.unwrap().unwrap().progress, 53);
}
