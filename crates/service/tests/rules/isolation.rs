//! What belongs to one project does not exist for another.

use strongroom_model::backup::BackupStatus;
use strongroom_model::identity::Role;
use strongroom_model::page::Start;
use strongroom_model::size::GiB;
use strongroom_service::backup::{BackupChange, BackupListing};
use strongroom_service::restore::RestoreRequest;
use strongroom_service::volume::{NewVolume, VolumeDeletion, VolumeListing, VolumeOrigin};
use strongroom_service::{Caller, Error, Kind};

use super::world::{World, new_backup};

/// The error of something that must not work.
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> Kind {
    result.unwrap_err().kind()
}

async fn check_wall(w: &World, owner: &Caller, other: &Caller) {
    let volume = w.written_volume(owner, "secret").await;
    let backup = w.backup(owner, &volume).await;
    let (id, vid, s) = (backup.id.to_string(), volume.id.to_string(), &w.service);
    assert_eq!(refused(s.backup(other, &id).await), Kind::NotFound);
    assert_eq!(refused(s.update_backup(other, &id, BackupChange::default()).await), Kind::NotFound);
    assert_eq!(refused(s.delete_backup(other, &id, false).await), Kind::NotFound);
    let to_new = RestoreRequest::default();
    assert_eq!(refused(s.restore_backup(other, &id, to_new).await), Kind::NotFound);
    assert_eq!(refused(s.create_backup(other, new_backup(&volume)).await), Kind::NotFound);
    assert_eq!(refused(s.volume(other, &vid).await), Kind::NotFound);
    let deletion = VolumeDeletion::default();
    assert_eq!(refused(s.delete_volume(other, &vid, deletion).await), Kind::NotFound);
    assert_eq!(refused(s.extend_volume(other, &vid, GiB(9)).await), Kind::NotFound);
    let copy = |origin| NewVolume { origin, ..NewVolume::default() };
    let from_backup = copy(VolumeOrigin::Backup(backup.id));
    assert_eq!(refused(s.create_volume(other, from_backup).await), Kind::NotFound);
    let from_volume = copy(VolumeOrigin::Volume(volume.id));
    assert_eq!(refused(s.create_volume(other, from_volume).await), Kind::NotFound);
    // Even asking for all projects shows nothing to one who does not administer the cloud.
    let listing = BackupListing { all_projects: true, limit: 100, ..BackupListing::default() };
    assert!(s.backups(other, listing).await.unwrap().items.is_empty());
    let marker = BackupListing { start: Start::After(backup.id), limit: 1, ..Default::default() };
    assert_eq!(refused(s.backups(other, marker).await), Kind::NotFound);
    let listing = VolumeListing { all_projects: true, limit: 100, ..VolumeListing::default() };
    assert!(s.volumes(other, listing).await.unwrap().items.is_empty());
    // A restore of one's own backup onto a foreign volume.
    let own = w.written_volume(other, "own").await;
    let own_backup = w.backup(other, &own).await;
    let onto = RestoreRequest { volume_id: Some(volume.id), name: None };
    let result = s.restore_backup(other, &own_backup.id.to_string(), onto).await;
    assert_eq!(refused(result), Kind::NotFound);
    assert_eq!(w.show(owner, &backup).await.status, BackupStatus::Available);
}

#[tokio::test]
async fn a_member_cannot_touch_another_project() {
    let w = World::new().await;
    let owner = w.project("alpha", Role::Member).await;
    let other = w.project("beta", Role::Member).await;
    check_wall(&w, &owner, &other).await;
}

#[tokio::test]
async fn nor_can_the_admin_of_another_project() {
    let w = World::new().await;
    let owner = w.project("alpha", Role::Member).await;
    let other = w.project("beta", Role::Admin).await;
    check_wall(&w, &owner, &other).await;
    let volume = w.written_volume(&owner, "more").await;
    let id = w.backup(&owner, &volume).await.id.to_string();
    let s = &w.service;
    assert_eq!(refused(s.delete_backup(&other, &id, true).await), Kind::NotFound);
    assert_eq!(refused(s.export_backup(&other, &id).await), Kind::NotFound);
    let reset = s.reset_backup(&other, &id, BackupStatus::Error).await;
    assert_eq!(refused(reset), Kind::NotFound);
}

#[tokio::test]
async fn a_reader_reads_and_does_nothing_else() {
    let w = World::new().await;
    let reader = w.project("alpha", Role::Reader).await;
    let listing = BackupListing { limit: 10, ..BackupListing::default() };
    assert!(w.service.backups(&reader, listing).await.is_ok());
    let new = NewVolume { size: Some(GiB(1)), ..NewVolume::default() };
    assert_eq!(refused(w.service.create_volume(&reader, new).await), Kind::Forbidden);
    let anything = "33333333-3333-4333-8333-333333333333";
    let delete = w.service.delete_backup(&reader, anything, false).await;
    assert_eq!(refused(delete), Kind::Forbidden);
}

#[tokio::test]
async fn a_forged_record_opens_nobody_elses_bytes() {
    let w = World::new().await;
    let owner = w.project("alpha", Role::Member).await;
    let thief = w.project("beta", Role::Admin).await;
    let volume = w.written_volume(&owner, "secret").await;
    let backup = w.backup(&owner, &volume).await;
    let record = strongroom_service::record::ImportedRecord {
        id: strongroom_model::id::BackupId::parse("44444444-4444-4444-8444-444444444444").unwrap(),
        data_id: backup.data_id,
        volume_id: volume.id,
        size: GiB(1),
        name: None,
        description: None,
        container: None,
        availability_zone: None,
        metadata: strongroom_model::volume::Metadata::new(),
    };
    let imported = w.service.import_backup(&thief, record).await.unwrap();
    w.work().await;
    assert_eq!(w.show(&thief, &imported).await.status, BackupStatus::Error);
    // Removing the failed record must not remove the owner's bytes either.
    w.service.delete_backup(&thief, &imported.id.to_string(), false).await.unwrap();
    w.work().await;
    w.service.tend(&Default::default()).await.unwrap();
    let target = RestoreRequest { volume_id: Some(volume.id), name: None };
    let digest = w.digest(&volume);
    w.service.restore_backup(&owner, &backup.id.to_string(), target).await.unwrap();
    w.work().await;
    assert_eq!(w.digest(&volume), digest);
    assert_eq!(w.show(&owner, &backup).await.status, BackupStatus::Available);
}
