//! Hands on statuses, and requests that cross each other: nothing is lost and nothing hangs.

use strongroom_model::backup::BackupStatus;
use strongroom_model::id::BackupId;
use strongroom_model::identity::Role;
use strongroom_model::size::GiB;
use strongroom_model::volume::{Metadata, Volume, VolumeStatus};
use strongroom_service::record::ImportedRecord;
use strongroom_service::restore::RestoreRequest;
use strongroom_service::snapshot::NewSnapshot;
use strongroom_service::volume::{NewVolume, VolumeDeletion, VolumeOrigin};
use strongroom_service::{Caller, Error};

use super::world::{World, new_backup};

fn record(id: &str, data_id: BackupId, volume: &Volume) -> ImportedRecord {
    ImportedRecord {
        id: BackupId::parse(id).unwrap(),
        data_id,
        volume_id: volume.id,
        size: GiB(1),
        name: None,
        description: None,
        container: None,
        availability_zone: None,
        metadata: Metadata::new(),
    }
}

fn onto(volume: &Volume) -> RestoreRequest {
    RestoreRequest { volume_id: Some(volume.id), name: None }
}

async fn packs_after_collection(w: &World) -> usize {
    w.service.tend(&Default::default()).await.unwrap();
    // The first round condemns, the second one deletes.
    w.service.tend(&Default::default()).await.unwrap();
    let mut pending = vec![w.dir.path().join("store")];
    let mut count = 0;
    while let Some(dir) = pending.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.to_string_lossy().contains("/packs/") {
                count += 1;
            }
        }
    }
    count
}

async fn delete(w: &World, caller: &Caller, id: BackupId) {
    w.service.delete_backup(caller, &id.to_string(), false).await.unwrap();
    w.work().await;
}

#[tokio::test]
async fn a_backup_that_is_being_deleted_cannot_be_called_available_again() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let id = w.backup(&w.admin, &volume).await.id.to_string();
    w.service.delete_backup(&w.admin, &id, false).await.unwrap();
    let reset = |status| w.service.reset_backup(&w.admin, &id, status);
    assert!(matches!(reset(BackupStatus::Available).await, Err(Error::Invalid { .. })));
    reset(BackupStatus::Error).await.unwrap();
    assert!(matches!(reset(BackupStatus::Available).await, Err(Error::Invalid { .. })));
}

#[tokio::test]
async fn a_volume_taken_back_from_deletion_keeps_its_bytes() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let (id, digest) = (volume.id.to_string(), w.digest(&volume));
    w.service.delete_volume(&w.admin, &id, VolumeDeletion::default()).await.unwrap();
    w.service.reset_volume(&w.admin, &id, VolumeStatus::Available).await.unwrap();
    w.work().await;
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::Available);
    assert_eq!(w.digest(&volume), digest);
}

#[tokio::test]
async fn an_import_that_fails_frees_no_volume() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let other = w.project("beta", Role::Admin).await;
    let nothing = BackupId::parse("55555555-5555-4555-8555-555555555555").unwrap();
    let forged = record("66666666-6666-4666-8666-666666666666", nothing, &volume);
    w.service.import_backup(&other, forged).await.unwrap();
    w.clock.advance(std::time::Duration::from_secs(1));
    w.service.create_backup(&w.admin, new_backup(&volume)).await.unwrap();
    // The import was asked for first and its job runs first.
    let catalog = w.catalog().await;
    let claim = |worker: &'static str| {
        let (now, catalog) = (w.service.now(), catalog.clone());
        async move {
            let lease = now.plus(std::time::Duration::from_secs(60));
            let claim = catalog
                .transact(|tx| Box::pin(async move { tx.jobs().claim(worker, now, lease).await }));
            claim.await.unwrap().unwrap()
        }
    };
    let (import, backup) = (claim("a").await, claim("b").await);
    // Give the import back and let it fail while the other worker holds the backup's job.
    let now = w.service.now();
    let held = &import;
    let given_back =
        catalog.transact(|tx| Box::pin(async move { tx.jobs().postpone(held, now, 0).await }));
    assert!(given_back.await.unwrap());
    w.work().await;
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::BackingUp);
    let held = &backup;
    let given_back =
        catalog.transact(|tx| Box::pin(async move { tx.jobs().postpone(held, now, 0).await }));
    assert!(given_back.await.unwrap());
    w.work().await;
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::Available);
}

#[tokio::test]
async fn a_volume_that_is_to_be_copied_is_not_changed_before() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let backup = w.backup(&w.admin, &volume).await.id.to_string();
    let id = volume.id.to_string();
    let snapshot = NewSnapshot {
        volume_id: volume.id,
        name: None,
        description: None,
        is_forced: false,
        metadata: Metadata::new(),
    };
    w.service.create_snapshot(&w.admin, snapshot).await.unwrap();
    let busy = |error| matches!(error, Err(Error::VolumeBusy { .. }));
    assert!(busy(w.service.restore_backup(&w.admin, &backup, onto(&volume)).await.map(drop)));
    assert!(busy(w.service.attach_volume(&w.admin, &id, true).await));
    assert!(busy(w.service.extend_volume(&w.admin, &id, GiB(2)).await));
    w.work().await;
    let clone = NewVolume { origin: VolumeOrigin::Volume(volume.id), ..NewVolume::default() };
    w.service.create_volume(&w.admin, clone).await.unwrap();
    assert!(busy(w.service.restore_backup(&w.admin, &backup, onto(&volume)).await.map(drop)));
    w.work().await;
    w.service.restore_backup(&w.admin, &backup, onto(&volume)).await.unwrap();
    w.work().await;
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::Available);
}

#[tokio::test]
async fn the_last_of_several_records_takes_the_bytes_with_it() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let first = w.backup(&w.admin, &volume).await;
    let second = record("77777777-7777-4777-8777-777777777777", first.data_id, &volume);
    let second = w.service.import_backup(&w.admin, second).await.unwrap();
    w.work().await;
    // Both are marked before either job runs.
    for id in [first.id, second.id] {
        w.service.delete_backup(&w.admin, &id.to_string(), false).await.unwrap();
    }
    let third = record("88888888-8888-4888-8888-888888888888", first.data_id, &volume);
    let refused = w.service.import_backup(&w.admin, third).await;
    assert!(matches!(refused, Err(Error::BackupNotFound(_))));
    w.work().await;
    assert_eq!(packs_after_collection(&w).await, 0);
}

#[tokio::test]
async fn a_forged_record_does_not_keep_deleted_bytes() {
    let w = World::new().await;
    let (owner, other) =
        (w.project("alpha", Role::Member).await, w.project("beta", Role::Admin).await);
    let volume = w.written_volume(&owner, "secret").await;
    let backup = w.backup(&owner, &volume).await;
    let forged = record("99999999-9999-4999-8999-999999999999", backup.data_id, &volume);
    w.service.import_backup(&other, forged).await.unwrap();
    w.work().await;
    delete(&w, &owner, backup.id).await;
    assert_eq!(packs_after_collection(&w).await, 0);
}

#[tokio::test]
async fn a_second_restore_is_not_taken_for_the_first() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let (backup, digest) = (w.backup(&w.admin, &volume).await, w.digest(&volume));
    let (first, second) = (w.volume(&w.admin).await, w.volume(&w.admin).await);
    let id = backup.id.to_string();
    w.service.restore_backup(&w.admin, &id, onto(&first)).await.unwrap();
    w.service.reset_backup(&w.admin, &id, BackupStatus::Available).await.unwrap();
    w.service.restore_backup(&w.admin, &id, onto(&second)).await.unwrap();
    w.work().await;
    assert_eq!(w.show(&w.admin, &backup).await.status, BackupStatus::Available);
    assert_eq!(w.show_volume(&w.admin, &first).await.status, VolumeStatus::ErrorRestoring);
    assert_eq!(w.show_volume(&w.admin, &second).await.status, VolumeStatus::Available);
    assert_eq!(w.digest(&second), digest);
}

#[tokio::test]
async fn restarts_are_no_failures() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let backup = w.service.create_backup(&w.admin, new_backup(&volume)).await.unwrap();
    let catalog = w.catalog().await;
    let now = w.service.now();
    for _ in 0..5 {
        let claimed = catalog
            .transact(|tx| Box::pin(async move { tx.jobs().claim("stopped", now, now).await }));
        assert!(claimed.await.unwrap().is_some());
    }
    // The store is away for one attempt: after five restarts that is still the first failure.
    let (store, aside) = (w.dir.path().join("store"), w.dir.path().join("aside"));
    std::fs::rename(&store, &aside).unwrap();
    w.work().await;
    std::fs::rename(&aside, &store).unwrap();
    assert_eq!(w.show(&w.admin, &backup).await.status, BackupStatus::Creating);
    w.clock.advance(std::time::Duration::from_secs(60));
    w.work().await;
    assert_eq!(w.show(&w.admin, &backup).await.status, BackupStatus::Available);
}
