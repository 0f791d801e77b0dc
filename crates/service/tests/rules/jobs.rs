//! Jobs as callers see them: whose they are, and that they tell the truth about their end.

use strongroom_model::backup::BackupStatus;
use strongroom_model::id::JobId;
use strongroom_model::identity::Role;
use strongroom_model::volume::VolumeStatus;
use strongroom_service::jobs::{JobStatus, JobView};
use strongroom_service::restore::RestoreRequest;
use strongroom_service::volume::VolumeDeletion;
use strongroom_service::{Caller, Error};

use super::world::{World, new_backup};

async fn job(w: &World, caller: &Caller, id: JobId) -> JobView {
    w.service.job(caller, &id.to_string()).await.unwrap()
}

#[tokio::test]
async fn a_job_waits_and_succeeds_when_its_backup_is_available() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let asked_at = w.service.now();
    let (backup, id) = w.service.create_backup_job(&w.admin, new_backup(&volume)).await.unwrap();
    let waiting = job(&w, &w.admin, id).await;
    assert_eq!((waiting.status, waiting.ended_at), (JobStatus::Waiting, None));
    assert_eq!((waiting.begun_at, waiting.subject.backup_id), (asked_at, Some(backup.id)));
    w.clock.advance(std::time::Duration::from_secs(5));
    w.work().await;
    let done = job(&w, &w.admin, id).await;
    assert_eq!((done.status, done.fail_reason), (JobStatus::Succeeded, None));
    assert_eq!(done.ended_at, Some(w.service.now()));
    let simple = id.to_string().replace('-', "").to_uppercase();
    assert_eq!(w.service.job(&w.admin, &simple).await.unwrap().id, id);
}

#[tokio::test]
async fn a_job_that_was_cut_short_is_still_running() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let (_, id) = w.service.create_backup_job(&w.admin, new_backup(&volume)).await.unwrap();
    let (catalog, now) = (w.catalog().await, w.service.now());
    let claim = catalog
        .transact(|tx| Box::pin(async move { tx.jobs().claim("w", now, now).await }))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(job(&w, &w.admin, id).await.status, JobStatus::Running);
    let claim = &claim;
    let put_off = catalog
        .transact(|tx| Box::pin(async move { tx.jobs().postpone(claim, now, 1).await }))
        .await;
    assert!(put_off.unwrap());
    assert_eq!(job(&w, &w.admin, id).await.status, JobStatus::Running);
}

#[tokio::test]
async fn only_the_project_and_the_cloud_admin_see_a_job() {
    let w = World::new().await;
    let owner = w.project("alpha", Role::Member).await;
    let volume = w.volume(&owner).await;
    let (_, id) = w.service.create_backup_job(&owner, new_backup(&volume)).await.unwrap();
    let id = id.to_string();
    assert!(w.service.job(&w.admin, &id).await.is_ok());
    for role in [Role::Member, Role::Admin] {
        let other = w.project(&format!("beta-{role:?}"), role).await;
        assert!(matches!(w.service.job(&other, &id).await, Err(Error::JobNotFound(_))));
    }
    for unknown in ["", "x", "00000000-0000-4000-8000-000000000000"] {
        assert!(matches!(w.service.job(&owner, unknown).await, Err(Error::JobNotFound(_))));
    }
}

#[tokio::test]
async fn a_job_that_is_nobodys_is_not_found() {
    let w = World::new().await;
    w.volume(&w.admin).await;
    let new = strongroom_service::volume::NewVolume {
        size: Some(strongroom_model::size::GiB(1)),
        ..Default::default()
    };
    w.service.create_volume(&w.admin, new).await.unwrap();
    let catalog = w.catalog().await;
    let waiting = catalog.read(|tx| Box::pin(async move { tx.jobs().list_unfinished().await }));
    let id = waiting.await.unwrap()[0].id.to_string();
    assert!(matches!(w.service.job(&w.admin, &id).await, Err(Error::JobNotFound(_))));
}

#[tokio::test]
async fn a_backup_that_was_not_made_is_no_success() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let (reset, made) = w.service.create_backup_job(&w.admin, new_backup(&volume)).await.unwrap();
    let id = reset.id.to_string();
    w.service.reset_backup(&w.admin, &id, BackupStatus::Error).await.unwrap();
    w.work().await;
    assert_eq!(w.show(&w.admin, &reset).await.status, BackupStatus::Error);
    assert_failed(&job(&w, &w.admin, made).await);
    let (deleted, made) = w.service.create_backup_job(&w.admin, new_backup(&volume)).await.unwrap();
    let removed = w.service.delete_backup(&w.admin, &deleted.id.to_string(), true).await.unwrap();
    w.work().await;
    w.clock.advance(std::time::Duration::from_secs(5));
    w.work().await;
    assert_failed(&job(&w, &w.admin, made).await);
    assert_eq!(job(&w, &w.admin, removed).await.status, JobStatus::Succeeded);
}

#[tokio::test]
async fn a_backup_that_could_not_be_made_tells_why() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    std::fs::remove_file(w.path(&volume)).unwrap();
    let (backup, id) = w.service.create_backup_job(&w.admin, new_backup(&volume)).await.unwrap();
    w.work().await;
    let failed = job(&w, &w.admin, id).await;
    assert_failed(&failed);
    assert_eq!(failed.fail_reason, w.show(&w.admin, &backup).await.fail_reason);
}

#[tokio::test]
async fn a_backup_that_was_not_removed_is_no_success() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let backup = w.backup(&w.admin, &volume).await;
    let id = backup.id.to_string();
    let removed = w.service.delete_backup(&w.admin, &id, false).await.unwrap();
    w.service.reset_backup(&w.admin, &id, BackupStatus::Error).await.unwrap();
    w.work().await;
    assert_eq!(w.show(&w.admin, &backup).await.status, BackupStatus::Error);
    assert_failed(&job(&w, &w.admin, removed).await);
}

#[tokio::test]
async fn a_volume_that_was_not_restored_is_no_success() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let backup = w.backup(&w.admin, &volume).await.id.to_string();
    let onto = || RestoreRequest { volume_id: Some(volume.id), name: None };
    let (id, restore) =
        (volume.id.to_string(), w.service.restore_backup(&w.admin, &backup, onto()));
    let aborted = restore.await.unwrap().job_id;
    w.service.reset_backup(&w.admin, &backup, BackupStatus::Available).await.unwrap();
    w.work().await;
    assert_failed(&job(&w, &w.admin, aborted).await);
    w.service.reset_volume(&w.admin, &id, VolumeStatus::Available).await.unwrap();
    let by_hand = w.service.restore_backup(&w.admin, &backup, onto()).await.unwrap().job_id;
    w.service.reset_volume(&w.admin, &id, VolumeStatus::Available).await.unwrap();
    w.work().await;
    assert_failed(&job(&w, &w.admin, by_hand).await);
    let gone = w.service.restore_backup(&w.admin, &backup, onto()).await.unwrap().job_id;
    let forced = VolumeDeletion { is_forced: true, ..VolumeDeletion::default() };
    w.service.delete_volume(&w.admin, &id, forced).await.unwrap();
    w.work().await;
    assert_failed(&job(&w, &w.admin, gone).await);
}

#[track_caller]
fn assert_failed(job: &JobView) {
    assert_eq!(job.status, JobStatus::Failed);
    assert!(job.fail_reason.as_ref().is_some_and(|reason| !reason.is_empty()));
    assert!(job.ended_at.is_some());
}
