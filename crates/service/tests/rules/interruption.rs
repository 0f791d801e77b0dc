//! Work that is cut short: by a crash, a lost lease, a lost store, or a hand on the status.

use std::time::Duration;

use strongroom_model::backup::BackupStatus;
use strongroom_model::volume::VolumeStatus;
use strongroom_service::Settings;
use strongroom_service::restore::RestoreRequest;

use super::world::{World, new_backup};

#[tokio::test]
async fn a_job_enqueued_before_a_crash_is_done_after_it() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let backup = w.service.create_backup(&w.admin, new_backup(&volume)).await.unwrap();
    let w = w.restart().await;
    w.service.release_claims().await.unwrap();
    w.work().await;
    assert_eq!(w.show(&w.admin, &backup).await.status, BackupStatus::Available);
}

#[tokio::test]
async fn a_store_that_vanishes_fails_the_backup_and_one_that_returns_serves_again() {
    let settings = Settings { attempts_max: 2, retry_delay: Duration::ZERO, ..Settings::default() };
    let w = World::with(settings).await;
    let volume = w.written_volume(&w.admin, "x").await;
    let good = w.backup(&w.admin, &volume).await;
    let (store, aside) = (w.dir.path().join("store"), w.dir.path().join("aside"));
    std::fs::rename(&store, &aside).unwrap();
    w.write(&volume, "y");
    let failed = w.backup(&w.admin, &volume).await;
    assert_eq!(failed.status, BackupStatus::Error);
    assert!(failed.fail_reason.is_some());
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::Available);
    std::fs::remove_dir_all(&store).ok();
    std::fs::rename(&aside, &store).unwrap();
    assert_eq!(w.backup(&w.admin, &volume).await.status, BackupStatus::Available);
    let target = RestoreRequest { volume_id: Some(volume.id), name: None };
    w.service.restore_backup(&w.admin, &good.id.to_string(), target).await.unwrap();
    w.work().await;
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::Available);
}

#[tokio::test]
async fn a_status_set_by_hand_aborts_a_restore() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let backup = w.backup(&w.admin, &volume).await;
    let id = backup.id.to_string();
    let target = RestoreRequest { volume_id: Some(volume.id), name: None };
    w.service.restore_backup(&w.admin, &id, target).await.unwrap();
    w.service.reset_backup(&w.admin, &id, BackupStatus::Available).await.unwrap();
    w.work().await;
    assert_eq!(w.show(&w.admin, &backup).await.status, BackupStatus::Available);
    let status = w.show_volume(&w.admin, &volume).await.status;
    assert_eq!(status, VolumeStatus::ErrorRestoring);
}

#[tokio::test]
async fn a_backup_deleted_by_force_while_it_is_made_leaves_nothing_behind() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let backup = w.service.create_backup(&w.admin, new_backup(&volume)).await.unwrap();
    w.service.delete_backup(&w.admin, &backup.id.to_string(), true).await.unwrap();
    w.work().await;
    // The removal waits for the making to end.
    w.clock.advance(Duration::from_secs(2));
    w.work().await;
    assert!(w.service.backup(&w.admin, &backup.id.to_string()).await.is_err());
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::Available);
}

#[tokio::test]
async fn damaged_bytes_fail_the_restore_and_say_where() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let backup = w.backup(&w.admin, &volume).await;
    let mut packs = Vec::new();
    collect(&w.dir.path().join("store"), &mut packs);
    for pack in packs.iter().filter(|path| path.to_string_lossy().contains("/packs/")) {
        let mut bytes = std::fs::read(pack).unwrap();
        bytes[200] ^= 1;
        std::fs::write(pack, bytes).unwrap();
    }
    let w = w.restart().await;
    let restore = RestoreRequest::default();
    let id = backup.id.to_string();
    let started = w.service.restore_backup(&w.admin, &id, restore).await.unwrap();
    w.work().await;
    let made = w.service.volume(&w.admin, &started.volume_id.to_string()).await.unwrap();
    assert_eq!(made.status, VolumeStatus::Error);
    let backup = w.show(&w.admin, &backup).await;
    assert_eq!(backup.status, BackupStatus::Error);
    let reason = backup.fail_reason.unwrap();
    assert!(reason.contains("pack"), "{reason}");
}

#[tokio::test]
async fn a_restore_from_a_store_that_is_away_leaves_the_backup_available() {
    let settings = Settings { attempts_max: 1, ..Settings::default() };
    let w = World::with(settings).await;
    let volume = w.written_volume(&w.admin, "x").await;
    let backup = w.backup(&w.admin, &volume).await;
    let (store, aside) = (w.dir.path().join("store"), w.dir.path().join("aside"));
    std::fs::rename(&store, &aside).unwrap();
    let id = backup.id.to_string();
    let request = RestoreRequest::default();
    w.service.restore_backup(&w.admin, &id, request).await.unwrap();
    w.work().await;
    let backup = w.show(&w.admin, &backup).await;
    assert_eq!(backup.status, BackupStatus::Available);
    assert!(backup.fail_reason.is_some());
}

#[tokio::test]
async fn an_unmounted_store_is_not_mistaken_for_an_empty_one() {
    let settings = Settings { attempts_max: 1, ..Settings::default() };
    let w = World::with(settings).await;
    let volume = w.written_volume(&w.admin, "x").await;
    w.backup(&w.admin, &volume).await;
    let (store, aside) = (w.dir.path().join("store"), w.dir.path().join("aside"));
    std::fs::rename(&store, &aside).unwrap();
    std::fs::create_dir(&store).unwrap();
    let failed = w.backup(&w.admin, &volume).await;
    assert_eq!(failed.status, BackupStatus::Error);
    assert!(failed.fail_reason.unwrap().contains("vault"));
}

#[tokio::test]
async fn nor_is_one_that_was_unmounted_before_the_start() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    w.backup(&w.admin, &volume).await;
    let store = w.dir.path().join("store");
    std::fs::rename(&store, w.dir.path().join("aside")).unwrap();
    let w = w.restart().await;
    let asked = w.service.create_backup(&w.admin, new_backup(&volume)).await.unwrap();
    for _ in 0..3 {
        w.work().await;
        w.clock.advance(Duration::from_secs(60));
    }
    let failed = w.show(&w.admin, &asked).await;
    assert_eq!(failed.status, BackupStatus::Error);
    assert!(failed.fail_reason.unwrap().contains("store is unavailable"));
    let empty = std::fs::read_dir(&store)
        .unwrap()
        .all(|entry| entry.unwrap().file_name().to_string_lossy().starts_with('.'));
    assert!(empty, "nothing was written where the store is not");
}

#[tokio::test]
async fn a_job_that_is_always_cut_short_ends_in_error() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let backup = w.service.create_backup(&w.admin, new_backup(&volume)).await.unwrap();
    let catalog = w.catalog().await;
    let now = w.service.now();
    // Claims that nobody finishes, as crashes leave them.
    for _ in 0..30 {
        let claimed = catalog
            .transact(|tx| Box::pin(async move { tx.jobs().claim("crashed", now, now).await }));
        assert!(claimed.await.unwrap().is_some());
    }
    w.work().await;
    let backup = w.show(&w.admin, &backup).await;
    assert_eq!(backup.status, BackupStatus::Error);
    assert!(backup.fail_reason.unwrap().contains("30 attempts"));
    let volume = w.show_volume(&w.admin, &volume).await;
    assert_eq!(volume.status, VolumeStatus::Available);
}

#[tokio::test]
async fn garbage_is_not_collected_while_an_available_backup_is_missing() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    w.backup(&w.admin, &volume).await;
    let mut files = Vec::new();
    collect(&w.dir.path().join("store"), &mut files);
    let packs = |files: &[std::path::PathBuf]| {
        files.iter().filter(|path| path.to_string_lossy().contains("/packs/")).count()
    };
    assert_eq!(packs(&files), 1);
    let end = files.iter().find(|path| path.ends_with("end")).unwrap();
    std::fs::remove_file(end).unwrap();
    w.clock.advance(Duration::from_secs(7 * 24 * 3600));
    w.service.tend().await.unwrap();
    let mut files = Vec::new();
    collect(&w.dir.path().join("store"), &mut files);
    assert_eq!(packs(&files), 1);
}

fn collect(dir: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
