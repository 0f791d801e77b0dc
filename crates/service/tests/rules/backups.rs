//! Backups from request to the end, and what is refused on the way.

use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{BackupId, VolumeId};
use strongroom_model::snapshot::SnapshotStatus;
use strongroom_model::volume::{Metadata, VolumeStatus};
use strongroom_service::backup::{BackupChange, NewBackup};
use strongroom_service::metadata::MetadataChange;
use strongroom_service::record::ImportedRecord;
use strongroom_service::restore::RestoreRequest;
use strongroom_service::snapshot::NewSnapshot;
use strongroom_service::volume::{NewVolume, VolumeChange, VolumeOrigin};
use strongroom_service::{Error, Settings};

use super::world::{World, new_backup};

#[tokio::test]
async fn a_backup_holds_the_bytes_and_the_volume_gets_its_status_back() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "first").await;
    let asked = w.service.create_backup(&w.admin, new_backup(&volume)).await.unwrap();
    assert_eq!(asked.status, BackupStatus::Creating);
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::BackingUp);
    w.work().await;
    let backup = w.show(&w.admin, &asked).await;
    assert_eq!((backup.status, backup.progress), (BackupStatus::Available, 100));
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::Available);
    let measured = backup.measured.unwrap();
    assert_eq!(measured.size_bytes, 1 << 30);
    assert!(measured.read_bytes > 0 && measured.read_bytes < 4 << 20, "{measured:?}");
    assert!(measured.stored_bytes > 0 && !measured.is_incremental, "{measured:?}");
}

#[tokio::test]
async fn restores_bring_back_each_backup_as_it_was_in_any_order_of_deletion() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "first").await;
    let (first, before) = (w.backup(&w.admin, &volume).await, w.digest(&volume));
    w.write(&volume, "second");
    let (second, after) = (w.backup(&w.admin, &volume).await, w.digest(&volume));
    assert!(second.measured.as_ref().unwrap().is_incremental);
    assert_ne!(before, after);

    let id = first.id.to_string();
    let restore = w.service.restore_backup(&w.admin, &id, RestoreRequest::default()).await.unwrap();
    assert_eq!(restore.volume_name, format!("restore_backup_{id}"));
    assert_eq!(w.show(&w.admin, &first).await.status, BackupStatus::Restoring);
    w.work().await;
    let restored = w.service.volume(&w.admin, &restore.volume_id.to_string()).await.unwrap();
    assert_eq!(restored.status, VolumeStatus::Available);
    assert_eq!(restored.metadata["src_backup_id"], id);
    assert_eq!(w.digest(&restored), before);

    w.service.delete_backup(&w.admin, &id, false).await.unwrap();
    w.work().await;
    w.service.tend(&Default::default()).await.unwrap();
    assert!(matches!(w.service.backup(&w.admin, &id).await, Err(Error::BackupNotFound(_))));
    // Onto the existing, now wrong, volume: every difference is undone.
    let target = RestoreRequest { volume_id: Some(restored.id), name: None };
    w.service.restore_backup(&w.admin, &second.id.to_string(), target).await.unwrap();
    assert_eq!(w.show_volume(&w.admin, &restored).await.status, VolumeStatus::RestoringBackup);
    w.work().await;
    assert_eq!(w.digest(&restored), after);
}

#[tokio::test]
async fn a_volume_made_from_a_backup_takes_over_what_the_source_had() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "bytes").await;
    let metadata = Metadata::from([("owner".to_owned(), "olga".to_owned())]);
    let change = VolumeChange {
        metadata: Some(MetadataChange::Replace(metadata)),
        is_bootable: Some(true),
        ..VolumeChange::default()
    };
    w.service.update_volume(&w.admin, &volume.id.to_string(), change).await.unwrap();
    let backup = w.backup(&w.admin, &volume).await;
    let new = NewVolume { origin: VolumeOrigin::Backup(backup.id), ..NewVolume::default() };
    let made = w.service.create_volume(&w.admin, new).await.unwrap();
    w.work().await;
    let made = w.show_volume(&w.admin, &made).await;
    assert_eq!(made.status, VolumeStatus::Available);
    assert!(made.is_bootable);
    assert_eq!(made.metadata["owner"], "olga");
    assert_eq!(w.digest(&made), w.digest(&volume));
}

#[tokio::test]
async fn a_volume_in_use_is_frozen_when_forced_and_refused_otherwise() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "frozen").await;
    let id = volume.id.to_string();
    w.service.attach_volume(&w.admin, &id, true).await.unwrap();
    let refused = w.service.create_backup(&w.admin, new_backup(&volume)).await;
    assert!(matches!(refused, Err(Error::VolumeInUse)));
    let forced = NewBackup { is_forced: true, ..new_backup(&volume) };
    let backup = w.service.create_backup(&w.admin, forced).await.unwrap();
    w.work().await;
    assert_eq!(w.show(&w.admin, &backup).await.status, BackupStatus::Available);
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::InUse);
    assert!(!w.service.folder().frozen(backup.id).exists());
}

#[tokio::test]
async fn a_snapshot_is_backed_up_as_it_was_and_the_volume_stays_free() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "then").await;
    let then = w.digest(&volume);
    let new = NewSnapshot {
        volume_id: volume.id,
        name: None,
        description: None,
        is_forced: false,
        metadata: Metadata::new(),
    };
    let snapshot = w.service.create_snapshot(&w.admin, new).await.unwrap();
    w.work().await;
    w.write(&volume, "now");
    let asked = NewBackup { snapshot_id: Some(snapshot.id), ..new_backup(&volume) };
    let backup = w.service.create_backup(&w.admin, asked).await.unwrap();
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::Available);
    assert_eq!(backup.data_timestamp, snapshot.created_at);
    w.work().await;
    let sid = snapshot.id.to_string();
    assert_eq!(w.service.snapshot(&w.admin, &sid).await.unwrap().status, SnapshotStatus::Available);
    let target = RestoreRequest { volume_id: Some(volume.id), name: None };
    w.service.restore_backup(&w.admin, &backup.id.to_string(), target).await.unwrap();
    w.work().await;
    assert_eq!(w.digest(&volume), then);
}

#[tokio::test]
async fn wrong_states_are_refused_with_the_reason() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let backup = w.service.create_backup(&w.admin, new_backup(&volume)).await.unwrap();
    let id = backup.id.to_string();
    let again = w.service.create_backup(&w.admin, new_backup(&volume)).await;
    assert!(matches!(again, Err(Error::VolumeNotBackupable(VolumeStatus::BackingUp))));
    let restore = w.service.restore_backup(&w.admin, &id, RestoreRequest::default()).await;
    assert!(matches!(restore, Err(Error::BackupNotRestorable(BackupStatus::Creating))));
    let delete = w.service.delete_backup(&w.admin, &id, false).await;
    assert!(matches!(delete, Err(Error::BackupNotDeletable(BackupStatus::Creating))));
    let export = w.service.export_backup(&w.admin, &id).await;
    assert!(matches!(export, Err(Error::BackupNotExportable(BackupStatus::Creating))));
    w.work().await;
    let small = w.volume(&w.admin).await;
    let large = NewVolume { size: Some(strongroom_model::size::GiB(2)), ..NewVolume::default() };
    let large = w.service.create_volume(&w.admin, large).await.unwrap();
    w.work().await;
    let of_large = w.backup(&w.admin, &large).await;
    let target = RestoreRequest { volume_id: Some(small.id), name: None };
    let refused = w.service.restore_backup(&w.admin, &of_large.id.to_string(), target).await;
    assert!(matches!(refused, Err(Error::TargetTooSmall { .. })));
}

#[tokio::test]
async fn an_increment_without_a_parent_is_a_full_backup_unless_strict() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let asked = NewBackup { is_incremental: true, ..new_backup(&volume) };
    let first = w.service.create_backup(&w.admin, asked.clone()).await.unwrap();
    assert!(!first.is_incremental);
    w.work().await;
    let second = w.service.create_backup(&w.admin, asked.clone()).await.unwrap();
    assert!(second.is_incremental);

    let strict = World::with(Settings { strict_cinder: true, ..Settings::default() }).await;
    let volume = strict.volume(&strict.admin).await;
    let asked = NewBackup { volume_id: volume.id, ..asked };
    let refused = strict.service.create_backup(&strict.admin, asked).await;
    assert!(matches!(refused, Err(Error::NoParent)));
}

#[tokio::test]
async fn two_records_of_the_same_bytes_do_not_harm_each_other() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "shared").await;
    let (backup, digest) = (w.backup(&w.admin, &volume).await, w.digest(&volume));
    let record = ImportedRecord {
        id: BackupId::parse("11111111-1111-4111-8111-111111111111").unwrap(),
        data_id: backup.data_id,
        volume_id: volume.id,
        size: backup.size,
        name: None,
        description: None,
        container: None,
        availability_zone: None,
        metadata: Metadata::new(),
    };
    let imported = w.service.import_backup(&w.admin, record.clone()).await.unwrap();
    w.work().await;
    assert_eq!(w.show(&w.admin, &imported).await.status, BackupStatus::Available);
    let twice = w.service.import_backup(&w.admin, record).await;
    assert!(matches!(twice, Err(Error::BackupExists(_))));

    w.service.delete_backup(&w.admin, &backup.id.to_string(), false).await.unwrap();
    w.work().await;
    w.service.tend(&Default::default()).await.unwrap();
    let target = RestoreRequest { volume_id: Some(volume.id), name: None };
    w.write(&volume, "gone!!");
    w.service.restore_backup(&w.admin, &imported.id.to_string(), target).await.unwrap();
    w.work().await;
    assert_eq!(w.digest(&volume), digest);
}

#[tokio::test]
async fn a_record_without_bytes_ends_in_error_and_says_why() {
    let w = World::new().await;
    let id = BackupId::parse("22222222-2222-4222-8222-222222222222").unwrap();
    let record = ImportedRecord {
        id,
        data_id: id,
        volume_id: VolumeId::parse("00000000-0000-0000-0000-000000000000").unwrap(),
        size: strongroom_model::size::GiB(1),
        name: None,
        description: None,
        container: None,
        availability_zone: None,
        metadata: Metadata::new(),
    };
    let imported = w.service.import_backup(&w.admin, record).await.unwrap();
    w.work().await;
    let backup = w.show(&w.admin, &imported).await;
    assert_eq!(backup.status, BackupStatus::Error);
    assert!(backup.fail_reason.unwrap().contains(&id.to_string()));
}

#[tokio::test]
async fn a_backup_that_holds_nothing_cannot_be_called_available() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let backup = w.service.create_backup(&w.admin, new_backup(&volume)).await.unwrap();
    let id = backup.id.to_string();
    let refused = w.service.reset_backup(&w.admin, &id, BackupStatus::Available).await;
    assert!(matches!(refused, Err(Error::Invalid { field: "status", .. })));
}

#[tokio::test]
async fn a_missing_source_file_fails_the_backup_truthfully() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    std::fs::remove_file(w.path(&volume)).unwrap();
    let backup = w.backup(&w.admin, &volume).await;
    assert_eq!(backup.status, BackupStatus::Error);
    assert!(backup.fail_reason.is_some() && backup.measured.is_none());
    assert_eq!(w.show_volume(&w.admin, &volume).await.status, VolumeStatus::Available);
}

#[tokio::test]
async fn changes_are_kept_and_only_given_fields_change() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let backup = w.backup(&w.admin, &volume).await;
    let id = backup.id.to_string();
    let change =
        BackupChange { description: Some(Some("d".to_owned())), ..BackupChange::default() };
    w.service.update_backup(&w.admin, &id, change).await.unwrap();
    let change = BackupChange { name: Some(None), ..BackupChange::default() };
    w.service.update_backup(&w.admin, &id, change).await.unwrap();
    let backup = w.show(&w.admin, &backup).await;
    assert_eq!((backup.name, backup.description.as_deref()), (None, Some("d")));
    assert!(backup.updated_at.is_some());
}

#[tokio::test]
async fn a_file_that_outgrew_its_volume_is_not_silently_cut() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let file = std::fs::OpenOptions::new().write(true).open(w.path(&volume)).unwrap();
    file.set_len((1 << 30) + 1).unwrap();
    let backup = w.backup(&w.admin, &volume).await;
    assert_eq!(backup.status, BackupStatus::Error);
    assert!(backup.fail_reason.unwrap().contains("larger than the volume"));
}
