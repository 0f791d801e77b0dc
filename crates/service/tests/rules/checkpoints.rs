//! Runs over vaults: what is backed up, what is left out and why, and what is left of a run.

use strongroom_model::backup::BackupStatus;
use strongroom_model::identity::Role;
use strongroom_model::operation::{OperationFault, OperationStatus};
use strongroom_model::time::Timestamp;
use strongroom_model::vault::{
    ObjectType, ProtectStatus, ProtectType, Vault, VaultStatus, VaultTerms,
};
use strongroom_model::volume::VolumeStatus;
use strongroom_service::checkpoint::{CheckpointStatus, NewCheckpoint};
use strongroom_service::volume::VolumeDeletion;
use strongroom_service::{Error, Refusal};

use super::points::{
    begin, bind_disk, bind_server, disks_of, machine, reason, run, running, servers_of, vault,
    vault_of, whole, write_vault,
};
use super::world::World;

#[tokio::test]
async fn a_run_backs_up_every_disk_of_its_vault_and_goes_with_the_last() {
    let w = World::new().await;
    let (one, two) = (w.written_volume(&w.admin, "one").await, w.volume(&w.admin).await);
    let terms = VaultTerms {
        backup_name_prefix: "nightly-".to_owned(),
        ..VaultTerms::of(ObjectType::Disk, ProtectType::Backup)
    };
    let vault = vault_of(&w, &w.admin, terms).await;
    bind_disk(&w, &vault, &one).await;
    bind_disk(&w, &vault, &two).await;
    let new = NewCheckpoint { description: "before".to_owned(), ..NewCheckpoint::of(vault.id) };
    let view = begin(&w, &w.admin, new).await;
    assert_eq!(view.status, CheckpointStatus::Protecting);
    assert!(view.checkpoint.name.starts_with("manualbk_"), "{}", view.checkpoint.name);
    assert_eq!(running(&w, &vault).await.len(), 2);
    w.work().await;
    let id = view.checkpoint.id.to_string();
    let view = w.service.checkpoint(&w.admin, &id).await.unwrap();
    assert_eq!(view.status, CheckpointStatus::Available);
    let backups = disks_of(&w, &view).await;
    assert_eq!(backups.len(), 2);
    for backup in &backups {
        assert_eq!(backup.name.as_deref(), Some(view.checkpoint.name.as_str()));
        assert_eq!(backup.description.as_deref(), Some("before"));
        assert_eq!((backup.vault_id, backup.origin.is_automatic), (vault.id, false));
    }
    let other = w.project("beta", Role::Admin).await;
    for unknown in [&id, "nonsense", "00000000-0000-4000-8000-000000000000"] {
        let hidden = w.service.checkpoint(&other, unknown).await.unwrap_err();
        assert!(matches!(hidden, Error::CheckpointNotFound(_)));
    }

    w.service.delete_saved(&w.admin, &backups[0].id.to_string()).await.unwrap();
    w.work().await;
    let view = w.service.checkpoint(&w.admin, &id).await.unwrap();
    assert_eq!((view.status, view.resources.len()), (CheckpointStatus::Available, 1));
    w.service.delete_saved(&w.admin, &backups[1].id.to_string()).await.unwrap();
    let view = w.service.checkpoint(&w.admin, &id).await.unwrap();
    assert_eq!(view.status, CheckpointStatus::Deleting);
    w.work().await;
    let gone = w.service.checkpoint(&w.admin, &id).await.unwrap_err();
    assert!(matches!(gone, Error::CheckpointNotFound(_)));
}

#[tokio::test]
async fn a_backup_made_by_itself_is_a_run_of_one() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let backup = w.backup(&w.admin, &volume).await;
    let view = w.service.checkpoint(&w.admin, &backup.checkpoint_id().to_string()).await.unwrap();
    assert_eq!((view.status, view.resources.len()), (CheckpointStatus::Available, 1));
    assert_eq!(view.resources[0].id, volume.id.into());
    let other = w.project("beta", Role::Admin).await;
    let hidden = w.service.checkpoint(&other, &backup.id.to_string()).await.unwrap_err();
    assert!(matches!(hidden, Error::CheckpointNotFound(_)));
}

#[tokio::test]
async fn what_cannot_be_backed_up_is_left_out_with_the_reason() {
    let w = World::new().await;
    let vault = vault(&w, &w.admin, ObjectType::Disk).await;
    let mut volumes = Vec::new();
    for _ in 0..4 {
        let volume = w.volume(&w.admin).await;
        bind_disk(&w, &vault, &volume).await;
        volumes.push(volume);
    }
    let [good, busy, broken, gone] = &volumes[..] else { unreachable!() };
    let id = broken.id.to_string();
    w.service.reset_volume(&w.admin, &id, VolumeStatus::Error).await.unwrap();
    let id = gone.id.to_string();
    w.service.delete_volume(&w.admin, &id, VolumeDeletion::default()).await.unwrap();
    w.work().await;
    w.service.create_backup(&w.admin, super::world::new_backup(busy)).await.unwrap();
    let view = begin(&w, &w.admin, NewCheckpoint::of(vault.id)).await;
    assert_eq!(view.resources.len(), 1);
    assert_eq!(view.resources[0].id, good.id.into());
    let fault_of = |volume: &strongroom_model::volume::Volume| {
        let all = &view.checkpoint.skipped;
        all.iter().find(|one| one.id == volume.id.into()).unwrap().fault
    };
    assert_eq!(fault_of(busy), OperationFault::Unfinished);
    assert_eq!(fault_of(broken), OperationFault::ResourceState);
    assert_eq!(fault_of(gone), OperationFault::ResourceGone);

    // While these are being made nothing at all is left, and nothing is changed.
    let before = running(&w, &vault).await.len();
    let refused = w.service.create_checkpoint(&w.admin, NewCheckpoint::of(vault.id)).await;
    assert_eq!(reason(refused), Refusal::NothingToBackUp);
    assert_eq!(running(&w, &vault).await.len(), before);
    w.work().await;
    let id = good.id.to_string();
    w.service.reset_volume(&w.admin, &id, VolumeStatus::RestoringBackup).await.unwrap();
    let view = begin(&w, &w.admin, NewCheckpoint::of(vault.id)).await;
    let restoring = view.checkpoint.skipped.iter().find(|one| one.id == good.id.into());
    assert_eq!(restoring.unwrap().fault, OperationFault::Restoring);
}

#[tokio::test]
async fn one_busy_disk_leaves_out_its_whole_server() {
    let w = World::new().await;
    let machine = machine(&w, &w.admin, 1, "x").await;
    let vault = vault(&w, &w.admin, ObjectType::Server).await;
    bind_server(&w, &vault, &machine.server).await;
    w.service.create_backup(&w.admin, super::world::new_backup(&machine.disks[1])).await.unwrap();
    let refused = w.service.create_checkpoint(&w.admin, NewCheckpoint::of(vault.id)).await;
    assert_eq!(reason(refused), Refusal::NothingToBackUp);
    let status = w.show_volume(&w.admin, &machine.disks[0]).await.status;
    assert_eq!(status, VolumeStatus::Available);
}

#[tokio::test]
async fn a_vault_that_takes_no_backups_says_why() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let mut vault = vault(&w, &w.admin, ObjectType::Disk).await;
    let create = |new| w.service.create_checkpoint(&w.admin, new);
    let empty = create(NewCheckpoint::of(vault.id)).await;
    assert_eq!(reason(empty), Refusal::NothingToBackUp);
    bind_disk(&w, &vault, &volume).await;
    let strange = NewCheckpoint {
        resources: Some(vec![w.volume(&w.admin).await.id.into()]),
        ..NewCheckpoint::of(vault.id)
    };
    assert_eq!(reason(create(strange).await), Refusal::ResourceNotInVault);
    for (is_automatic, days) in [(true, 7), (false, 0), (false, 36_501)] {
        let retention_days = Some(days);
        let new = NewCheckpoint { is_automatic, retention_days, ..NewCheckpoint::of(vault.id) };
        let refused = create(new).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid { field: "retention_days", .. }));
    }
    for status in [VaultStatus::Frozen, VaultStatus::Deleting, VaultStatus::Error] {
        write_vault(&w, &Vault { status, ..vault.clone() }).await;
        let refused = create(NewCheckpoint::of(vault.id)).await;
        assert_eq!(reason(refused), Refusal::VaultStateForBackup);
    }
    vault.terms.protect_type = ProtectType::Replication;
    write_vault(&w, &vault).await;
    let refused = create(NewCheckpoint::of(vault.id)).await;
    assert_eq!(reason(refused), Refusal::VaultUnfitForBackup);
    let other = w.project("beta", Role::Member).await;
    let hidden = w.service.create_checkpoint(&other, NewCheckpoint::of(vault.id)).await;
    assert!(matches!(hidden, Err(Error::VaultNotFound(_))));
    let reader = w.project("gamma", Role::Reader).await;
    let refused = w.service.create_checkpoint(&reader, NewCheckpoint::of(vault.id)).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn dates_increments_and_full_backups() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    // What is in another vault is no parent.
    w.backup(&w.admin, &volume).await;
    let vault = vault(&w, &w.admin, ObjectType::Disk).await;
    bind_disk(&w, &vault, &volume).await;
    let new = NewCheckpoint { retention_days: Some(2), ..NewCheckpoint::of(vault.id) };
    let expected = Timestamp::from_micros(w.service.now().as_micros() + 2 * 86_400_000_000);
    let first = begin(&w, &w.admin, new.clone()).await;
    w.work().await;
    let first = disks_of(&w, &first).await.remove(0);
    assert_eq!((first.is_incremental, first.expires_at), (false, Some(expected)));
    w.clock.advance(std::time::Duration::from_secs(1));
    let second = run(&w, &w.admin, &vault).await;
    let second = disks_of(&w, &second).await.remove(0);
    assert_eq!((second.is_incremental, second.expires_at), (true, None));
    w.clock.advance(std::time::Duration::from_secs(1));
    let full = NewCheckpoint { wants_full: true, ..NewCheckpoint::of(vault.id) };
    let third = begin(&w, &w.admin, full).await;
    w.work().await;
    let third = disks_of(&w, &third).await.remove(0);
    assert_eq!((third.is_incremental, third.status), (false, BackupStatus::Available));
    assert!(!third.measured.unwrap().is_incremental);
}

#[tokio::test]
async fn the_backup_of_a_server_goes_with_its_last_disk_whatever_happens() {
    for killed_at in 0..2 {
        let w = World::new().await;
        let machine = machine(&w, &w.admin, 1, "x").await;
        let vault = vault(&w, &w.admin, ObjectType::Server).await;
        bind_server(&w, &vault, &machine.server).await;
        let new = NewCheckpoint::of(vault.id);
        let view = begin(&w, &w.admin, new.clone()).await;
        let backup = servers_of(&w, &view).await.remove(0);
        let id = backup.id.to_string();
        let early = w.service.delete_saved(&w.admin, &id).await.unwrap_err();
        assert!(matches!(early, Error::BackupNotDeletable(BackupStatus::Creating)));
        w.work().await;
        w.service.delete_saved(&w.admin, &id).await.unwrap();
        let again = w.service.delete_saved(&w.admin, &id).await.unwrap_err();
        assert!(matches!(again, Error::BackupNotDeletable(BackupStatus::Deleting)));
        let log = running(&w, &vault).await.remove(0);
        for step in 0..2 {
            assert_eq!(whole(&w, backup.id).await.unwrap().status, BackupStatus::Deleting);
            if step == killed_at {
                super::points::claim_and_die(&w).await.unwrap();
                w.clock.advance(std::time::Duration::from_secs(60));
            }
            assert_eq!(w.step().await, 1);
        }
        assert_eq!(whole(&w, backup.id).await, None);
        let log = super::points::operation(&w, log.id).await;
        assert_eq!(log.status, OperationStatus::Success);
        let gone = w.service.checkpoint(&w.admin, &view.checkpoint.id.to_string()).await;
        assert!(matches!(gone, Err(Error::CheckpointNotFound(_))));
    }
}

#[tokio::test]
async fn one_failed_disk_marks_the_run() {
    let w = World::new().await;
    let (good, bad) = (w.volume(&w.admin).await, w.volume(&w.admin).await);
    let vault = vault(&w, &w.admin, ObjectType::Disk).await;
    bind_disk(&w, &vault, &good).await;
    bind_disk(&w, &vault, &bad).await;
    std::fs::remove_file(w.path(&bad)).unwrap();
    let view = run(&w, &w.admin, &vault).await;
    assert_eq!(view.status, CheckpointStatus::Error);
    let of = |id| view.resources.iter().find(|one| one.id == id).unwrap().status;
    assert_eq!(of(bad.id.into()), ProtectStatus::Error);
    assert_eq!(of(good.id.into()), ProtectStatus::Available);
}
