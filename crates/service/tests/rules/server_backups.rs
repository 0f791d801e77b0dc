//! Backups of servers: all disks at one point or none, whatever happens in between.

use std::time::Duration;

use strongroom_model::backup::BackupStatus;
use strongroom_model::id::BackupId;
use strongroom_model::operation::OperationStatus;
use strongroom_model::vault::{ObjectType, ProtectStatus};
use strongroom_model::volume::VolumeStatus;
use strongroom_service::Refusal;
use strongroom_service::checkpoint::{CheckpointStatus, NewCheckpoint};
use strongroom_service::servers::ServerDocuments;

use super::points::{
    Machine, begin, bind_server, children, claim_and_die, digest_of, disks_of, machine, operation,
    reason, run, running, servers_of, vault, whole,
};
use super::world::World;

/// A world with a vault that protects one server, whose disks are in use.
async fn world() -> (World, strongroom_model::vault::Vault, Machine) {
    let w = World::new().await;
    let machine = machine(&w, &w.admin, 1, "one").await;
    let vault = vault(&w, &w.admin, ObjectType::Server).await;
    bind_server(&w, &vault, &machine.server).await;
    (w, vault, machine)
}

/// No frozen copy is left, and no disk is held.
async fn assert_at_rest(w: &World, machine: &Machine) {
    assert_eq!(w.service.folder().frozen_backups().unwrap(), []);
    for disk in &machine.disks {
        let status = w.show_volume(&w.admin, disk).await.status;
        assert_eq!(status, VolumeStatus::Available);
    }
}

#[tokio::test]
async fn two_servers_become_two_backups_with_a_disk_each_way() {
    let (w, vault, first) = world().await;
    let second = machine(&w, &w.admin, 2, "two").await;
    bind_server(&w, &vault, &second.server).await;
    let view = begin(&w, &w.admin, NewCheckpoint::of(vault.id)).await;
    assert_eq!(view.status, CheckpointStatus::Protecting);
    assert_eq!(view.resources.len(), 2);
    assert!(view.resources.iter().all(|one| one.status == ProtectStatus::Protecting));
    let logs = running(&w, &vault).await;
    assert_eq!(logs.len(), 2);
    w.work().await;

    let id = view.checkpoint.id.to_string();
    let view = w.service.checkpoint(&w.admin, &id).await.unwrap();
    assert_eq!(view.status, CheckpointStatus::Available);
    assert!(view.resources.iter().all(|one| one.backup_count == 1 && one.backup_mib > 0));
    let backups = servers_of(&w, &view).await;
    assert_eq!(backups.len(), 2);
    for backup in &backups {
        assert_eq!((backup.status, backup.fail_reason.clone()), (BackupStatus::Available, None));
        assert_eq!((backup.size.0, backup.has_system_disk), (2, true));
        assert!(backup.name.starts_with("manualbk_") && backup.protected_at.is_some());
        let documents: ServerDocuments =
            serde_json::from_str(backup.documents.as_deref().unwrap()).unwrap();
        assert_eq!(documents.volumes.len(), 2);
        let children = children(&w, backup.id).await;
        assert_eq!(children.len(), 2);
        assert_eq!(children.iter().filter(|child| child.is_bootable).count(), 1);
        for child in children {
            assert_eq!(child.status, BackupStatus::Available);
            assert_eq!(Some(child.data_timestamp), backup.protected_at);
            let name = format!("{}_{}", backup.name, child.volume_id);
            assert_eq!(child.name, Some(name));
            assert_eq!((child.policy_id, child.expires_at), (None, None));
        }
    }
    for log in logs {
        let log = operation(&w, log.id).await;
        assert_eq!((log.status, log.progress), (OperationStatus::Success, 100));
    }
    assert_at_rest(&w, &first).await;
    assert_at_rest(&w, &second).await;
}

#[tokio::test]
async fn a_worker_killed_at_any_boundary_changes_nothing_in_the_end() {
    // The freezing, the first disk and the second one: at each a worker claims and is gone.
    for killed_at in 0..3 {
        let (w, vault, machine) = world().await;
        let view = begin(&w, &w.admin, NewCheckpoint::of(vault.id)).await;
        for step in 0..3 {
            if step == killed_at {
                claim_and_die(&w).await.unwrap();
                w.clock.advance(Duration::from_secs(60));
            }
            assert_eq!(w.step().await, 1, "step {step}");
        }
        assert_eq!(w.work().await, 0);
        let backup = &servers_of(&w, &view).await[0];
        assert_eq!(backup.status, BackupStatus::Available);
        assert_at_rest(&w, &machine).await;
    }
}

#[tokio::test]
async fn a_restart_between_freezing_and_storing_keeps_the_point() {
    let (w, vault, machine) = world().await;
    let before = machine.digests(&w);
    let view = begin(&w, &w.admin, NewCheckpoint::of(vault.id)).await;
    assert_eq!(w.step().await, 1);
    // What is written after the freezing is not in the backup.
    machine.write(&w, "later");
    assert_ne!(machine.digests(&w), before);
    let w = w.restart().await;
    w.service.release_claims().await.unwrap();
    w.work().await;
    let backup = &servers_of(&w, &view).await[0];
    assert_eq!((backup.status, backup.fail_reason.clone()), (BackupStatus::Available, None));
    for (disk, digest) in machine.disks.iter().zip(before) {
        let children = children(&w, backup.id).await;
        let child = children.iter().find(|child| child.volume_id == disk.id).unwrap();
        assert_eq!(digest_of(&w, &w.admin, child).await, digest);
    }
}

#[tokio::test]
async fn a_frozen_copy_that_is_gone_fails_the_whole() {
    let (w, vault, machine) = world().await;
    let view = begin(&w, &w.admin, NewCheckpoint::of(vault.id)).await;
    assert_eq!(w.step().await, 1);
    let lost = &disks_of(&w, &view).await[1];
    std::fs::remove_file(w.service.folder().frozen(lost.id)).unwrap();
    w.work().await;
    let backup = &servers_of(&w, &view).await[0];
    assert_eq!(backup.status, BackupStatus::Error);
    let reason = backup.fail_reason.clone().unwrap();
    assert!(reason.contains(&lost.volume_id.to_string()), "{reason}");
    assert!(reason.contains("frozen copy"), "{reason}");
    let id = view.checkpoint.id.to_string();
    let view = w.service.checkpoint(&w.admin, &id).await.unwrap();
    assert_eq!(view.status, CheckpointStatus::Error);
    assert_eq!(view.resources[0].status, ProtectStatus::Error);
    assert_at_rest(&w, &machine).await;
    assert!(running(&w, &vault).await.is_empty());
}

#[tokio::test]
async fn a_disk_that_cannot_be_frozen_fails_all_and_gives_them_back() {
    let (w, vault, machine) = world().await;
    std::fs::remove_file(w.path(&machine.disks[1])).unwrap();
    let view = begin(&w, &w.admin, NewCheckpoint::of(vault.id)).await;
    let log = running(&w, &vault).await.remove(0);
    w.work().await;
    let backup = &servers_of(&w, &view).await[0];
    assert_eq!(backup.status, BackupStatus::Error);
    for child in children(&w, backup.id).await {
        assert_eq!(child.status, BackupStatus::Error);
    }
    let log = operation(&w, log.id).await;
    assert_eq!(log.status, OperationStatus::Failed);
    assert!(log.message.unwrap().contains("freeze"));
    assert_at_rest(&w, &machine).await;
}

#[tokio::test]
async fn a_server_that_is_gone_before_the_freezing_fails_and_one_after_does_not_matter() {
    let (w, vault, machine) = world().await;
    let project = machine.server.project_id.clone();
    let view = begin(&w, &w.admin, NewCheckpoint::of(vault.id)).await;
    assert_eq!(w.step().await, 1);
    w.service.forget_server(&project, machine.server.id).await.unwrap();
    w.work().await;
    assert_eq!(servers_of(&w, &view).await[0].status, BackupStatus::Available);

    w.service.keep_server(machine.server.clone()).await.unwrap();
    let view = begin(&w, &w.admin, NewCheckpoint::of(vault.id)).await;
    w.service.forget_server(&project, machine.server.id).await.unwrap();
    w.work().await;
    assert_eq!(servers_of(&w, &view).await[0].status, BackupStatus::Error);
    assert_at_rest(&w, &machine).await;
    let refused = w.service.create_checkpoint(&w.admin, NewCheckpoint::of(vault.id)).await;
    assert_eq!(reason(refused), Refusal::NothingToBackUp);
}

#[tokio::test]
async fn a_server_that_is_off_is_frozen_without_a_copy() {
    let (w, vault, machine) = world().await;
    let mut server = machine.server.clone();
    server.status = strongroom_model::server::ServerStatus::Shutoff;
    w.service.keep_server(server).await.unwrap();
    let view = begin(&w, &w.admin, NewCheckpoint::of(vault.id)).await;
    assert_eq!(w.step().await, 1);
    let folder = w.service.folder();
    let names = disks_of(&w, &view).await;
    let names = names.iter().map(|child| folder.names_of(&folder.frozen(child.id)).unwrap());
    assert_eq!(names.collect::<Vec<_>>(), [2, 2]);
    // One disk is taken from the backup by hand: what it holds by then is of another time.
    let disk = machine.disks[1].id.to_string();
    w.service.reset_volume(&w.admin, &disk, VolumeStatus::Available).await.unwrap();
    w.work().await;
    let backup = &servers_of(&w, &view).await[0];
    assert_eq!(backup.status, BackupStatus::Error);
    assert_at_rest(&w, &machine).await;
    let view = run(&w, &w.admin, &vault).await;
    assert_eq!(view.status, CheckpointStatus::Available);
    assert_at_rest(&w, &machine).await;
}

#[tokio::test]
async fn a_disk_of_a_servers_backup_does_not_stand_by_itself() {
    let (w, vault, _) = world().await;
    let view = run(&w, &w.admin, &vault).await;
    let backup = servers_of(&w, &view).await.remove(0);
    let child = children(&w, backup.id).await.remove(0).id.to_string();
    for is_forced in [false, true] {
        let refused = w.service.delete_backup(&w.admin, &child, is_forced).await;
        assert_eq!(reason(refused), Refusal::BackupNotDeletable);
    }
    let refused = w.service.reset_backup(&w.admin, &child, BackupStatus::Error).await;
    assert_eq!(reason(refused), Refusal::BackupInUse);
    let other = super::servers::project_of(
        &w.project("beta", strongroom_model::identity::Role::Member).await,
    );
    let refused = w.service.share_backup(&w.admin, &child, &[other]).await;
    assert_eq!(reason(refused), Refusal::NotShareable);
    assert_eq!(whole(&w, backup.id).await.unwrap().status, BackupStatus::Available);
}

#[tokio::test]
async fn frozen_copies_that_nobody_needs_are_removed_and_others_spared() {
    let (w, vault, machine) = world().await;
    let view = begin(&w, &w.admin, NewCheckpoint::of(vault.id)).await;
    assert_eq!(w.step().await, 1);
    let folder = w.service.folder();
    let abandoned = BackupId::parse("00000000-0000-4000-8000-000000000007").unwrap();
    std::fs::write(folder.frozen(abandoned), "left by a crash").unwrap();
    w.service.tend(&Default::default()).await.unwrap();
    let mut left = folder.frozen_backups().unwrap();
    left.sort_unstable();
    let mut needed: Vec<_> = disks_of(&w, &view).await.iter().map(|child| child.id).collect();
    needed.sort_unstable();
    assert_eq!(left, needed);
    w.work().await;
    assert_eq!(servers_of(&w, &view).await[0].status, BackupStatus::Available);
    assert_at_rest(&w, &machine).await;
}
