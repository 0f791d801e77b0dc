//! Restores of what vaults keep: onto the same disks, others, and what stands in the way.

use std::time::Duration;

use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{OperationId, ServerId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::operation::OperationStatus;
use strongroom_model::server::{Server, ServerStatus};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::size::GiB;
use strongroom_model::vault::{ObjectType, Vault, VaultStatus};
use strongroom_model::volume::VolumeStatus;
use strongroom_service::recovery::{DiskMapping, RecoveryRequest};
use strongroom_service::volume::{NewVolume, VolumeDeletion};
use strongroom_service::{Error, Refusal};

use super::points::{
    Machine, bind_disk, bind_server, children, claim_and_die, digest, disks_of, machine, operation,
    reason, run, servers_of, vault, whole, write_vault,
};
use super::world::World;

/// The id of nothing.
const NOBODY: &str = "00000000-0000-4000-8000-000000000007";

/// A server that was backed up and has other bytes since, with the digests that it had.
struct Lost {
    w: World,
    vault: Vault,
    machine: Machine,
    backup: ServerBackup,
    digests: [blake3::Hash; 2],
}

impl Lost {
    async fn new() -> Self {
        let w = World::new().await;
        let machine = machine(&w, &w.admin, 1, "one").await;
        let vault = vault(&w, &w.admin, ObjectType::Server).await;
        bind_server(&w, &vault, &machine.server).await;
        let view = run(&w, &w.admin, &vault).await;
        let backup = servers_of(&w, &view).await.remove(0);
        let digests = machine.digests(&w);
        machine.write(&w, "later");
        assert_ne!(machine.digests(&w), digests);
        Self { w, vault, machine, backup, digests }
    }

    async fn recover(&self, request: RecoveryRequest) -> Result<OperationId, Error> {
        self.w.service.recover(&self.w.admin, &self.backup.id.to_string(), request).await
    }

    /// Onto the server itself.
    fn onto_itself(&self) -> RecoveryRequest {
        RecoveryRequest {
            server_id: Some(self.machine.server.id),
            power_on: true,
            ..RecoveryRequest::default()
        }
    }

    async fn child_of(&self, volume: VolumeId) -> Backup {
        let children = children(&self.w, self.backup.id).await;
        children.into_iter().find(|child| child.volume_id == volume).unwrap()
    }

    async fn server_status(&self) -> (ServerStatus, Option<bool>) {
        let id = self.machine.server.id.to_string();
        let server = self.w.service.server(&self.w.admin, &id).await.unwrap();
        (server.status, server.wants_power_on)
    }
}

#[tokio::test]
async fn a_server_gets_all_of_its_bytes_back_in_one_operation() {
    let lost = Lost::new().await;
    let id = lost.recover(lost.onto_itself()).await.unwrap();
    let begun = operation(&lost.w, id).await;
    assert_eq!(begun.status, OperationStatus::Running);
    assert_eq!(begun.detail.target, Some((lost.machine.server.id.into(), "Server 1".to_owned())));
    assert_eq!(whole(&lost.w, lost.backup.id).await.unwrap().status, BackupStatus::Restoring);
    let again = lost.recover(lost.onto_itself()).await.unwrap_err();
    assert!(matches!(again, Error::BackupNotRestorable(BackupStatus::Restoring)));
    assert_eq!(lost.w.step().await, 1);
    let half = operation(&lost.w, id).await;
    assert_eq!((half.status, half.progress), (OperationStatus::Running, 50));
    assert_eq!(lost.server_status().await, (ServerStatus::Active, Some(true)));
    lost.w.work().await;
    let ended = operation(&lost.w, id).await;
    assert_eq!((ended.status, ended.progress), (OperationStatus::Success, 100));
    assert_eq!(lost.server_status().await, (ServerStatus::Active, Some(true)));
    let backup = whole(&lost.w, lost.backup.id).await.unwrap();
    assert_eq!((backup.status, backup.restore_server_id), (BackupStatus::Available, None));
    assert_eq!(lost.machine.digests(&lost.w), lost.digests);
}

#[tokio::test]
async fn whether_a_server_is_on_is_left_to_its_owner_and_the_wish_is_noted() {
    let lost = Lost::new().await;
    let off = Server { status: ServerStatus::Shutoff, ..lost.machine.server.clone() };
    lost.w.service.keep_server(off).await.unwrap();
    lost.recover(lost.onto_itself()).await.unwrap();
    lost.w.work().await;
    assert_eq!(lost.server_status().await, (ServerStatus::Shutoff, Some(true)));
    let request = RecoveryRequest { power_on: false, ..lost.onto_itself() };
    lost.recover(request).await.unwrap();
    lost.w.work().await;
    assert_eq!(lost.server_status().await, (ServerStatus::Shutoff, Some(false)));
    assert_eq!(lost.machine.digests(&lost.w), lost.digests);
}

#[tokio::test]
async fn a_worker_killed_during_a_restore_changes_nothing_in_the_end() {
    for killed_at in 0..2 {
        let lost = Lost::new().await;
        let id = lost.recover(lost.onto_itself()).await.unwrap();
        for step in 0..2 {
            if step == killed_at {
                claim_and_die(&lost.w).await.unwrap();
                lost.w.clock.advance(Duration::from_secs(60));
            }
            assert_eq!(lost.w.step().await, 1);
        }
        assert_eq!(operation(&lost.w, id).await.status, OperationStatus::Success);
        assert_eq!(lost.machine.digests(&lost.w), lost.digests);
    }
}

#[tokio::test]
async fn another_server_gets_the_bytes_where_that_is_said() {
    let lost = Lost::new().await;
    let other = machine(&lost.w, &lost.w.admin, 2, "other").await;
    let onto = |mappings| RecoveryRequest {
        resource_id: Some(other.server.id.into()),
        mappings,
        ..RecoveryRequest::default()
    };
    let refused = lost.recover(onto(Vec::new())).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid { field: "mappings", .. }));
    let [root, data] = &lost.machine.disks;
    let of = |child: &Backup, volume_id| DiskMapping { backup_id: child.id, volume_id };
    let (root, data) = (lost.child_of(root.id).await, lost.child_of(data.id).await);
    let mappings = vec![of(&root, other.disks[0].id), of(&data, other.disks[1].id)];
    lost.recover(onto(mappings)).await.unwrap();
    lost.w.work().await;
    assert_eq!(other.digests(&lost.w), lost.digests);

    let swapped = vec![of(&data, other.disks[0].id)];
    assert_eq!(reason(lost.recover(onto(swapped)).await), Refusal::TargetSystemDisk);
    let foreign = vec![of(&data, lost.machine.disks[1].id)];
    assert_eq!(reason(lost.recover(onto(foreign)).await), Refusal::TargetForeign);
    let nowhere = VolumeId::parse(NOBODY).unwrap();
    let missing = lost.recover(onto(vec![of(&data, nowhere)])).await.unwrap_err();
    assert!(matches!(missing, Error::VolumeNotFound(_)));
    for twice in [
        vec![of(&root, other.disks[0].id), of(&data, other.disks[0].id)],
        vec![of(&data, other.disks[0].id), of(&data, other.disks[1].id)],
        vec![DiskMapping { backup_id: lost.backup.id, volume_id: other.disks[1].id }],
    ] {
        let refused = lost.recover(onto(twice)).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid { field: "mappings", .. }));
    }
    // What was refused has marked nothing.
    for disk in &other.disks {
        let status = lost.w.show_volume(&lost.w.admin, disk).await.status;
        assert_eq!(status, VolumeStatus::Available);
    }
}

#[tokio::test]
async fn a_server_that_does_not_fit_is_refused() {
    let lost = Lost::new().await;
    let (w, server) = (&lost.w, &lost.machine.server);
    let mut other = server.clone();
    other.status = ServerStatus::Error;
    w.service.keep_server(other.clone()).await.unwrap();
    assert_eq!(reason(lost.recover(lost.onto_itself()).await), Refusal::TargetServerState);
    other.status = ServerStatus::Active;
    other.architecture = "aarch64".to_owned();
    w.service.keep_server(other.clone()).await.unwrap();
    assert_eq!(reason(lost.recover(lost.onto_itself()).await), Refusal::TargetArchitecture);
    other.architecture.clone_from(&server.architecture);
    other.disks.pop();
    w.service.keep_server(other).await.unwrap();
    assert_eq!(reason(lost.recover(lost.onto_itself()).await), Refusal::TargetDisks);
    w.service.forget_server(&server.project_id, server.id).await.unwrap();
    assert_eq!(reason(lost.recover(lost.onto_itself()).await), Refusal::TargetGone);
    let nobody = RecoveryRequest {
        server_id: Some(ServerId::parse(NOBODY).unwrap()),
        ..RecoveryRequest::default()
    };
    assert!(matches!(lost.recover(nobody).await, Err(Error::ServerNotFound(_))));
    let nothing = lost.recover(RecoveryRequest::default()).await;
    assert!(matches!(nothing, Err(Error::Invalid { field: "server_id", .. })));
}

#[tokio::test]
async fn a_disk_that_fails_is_named_and_the_others_are_restored() {
    let lost = Lost::new().await;
    // A directory stands where the disk's file was.
    let path = lost.w.path(&lost.machine.disks[1]);
    let attached = lost.machine.disks[1].id.to_string();
    lost.w.service.attach_volume(&lost.w.admin, &attached, true).await.unwrap();
    let id = lost.recover(lost.onto_itself()).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    lost.w.work().await;
    let ended = operation(&lost.w, id).await;
    assert_eq!((ended.status, ended.detail.failed), (OperationStatus::Failed, Some(1)));
    let (good, bad) = (lost.machine.disks[0].id, lost.machine.disks[1].id);
    let message = ended.message.unwrap();
    assert!(message.contains(&bad.to_string()) && !message.contains(&good.to_string()));
    let backup = whole(&lost.w, lost.backup.id).await.unwrap();
    assert_eq!(backup.status, BackupStatus::Available);
    assert!(backup.fail_reason.unwrap().contains(&bad.to_string()));
    assert_eq!(digest(&lost.w.path(&lost.machine.disks[0])), lost.digests[0]);
    let status = lost.w.show_volume(&lost.w.admin, &lost.machine.disks[1]).await.status;
    assert_eq!(status, VolumeStatus::ErrorRestoring);

    // Its server still has it.
    let deletion =
        lost.w.service.delete_volume(&lost.w.admin, &attached, VolumeDeletion::default());
    assert!(matches!(deletion.await, Err(Error::VolumeBusy { .. })));

    // The next attempt may write over what the first one has spoilt.
    std::fs::remove_dir(&path).unwrap();
    let id = lost.recover(lost.onto_itself()).await.unwrap();
    lost.w.work().await;
    assert_eq!(operation(&lost.w, id).await.status, OperationStatus::Success);
    let status = lost.w.show_volume(&lost.w.admin, &lost.machine.disks[1]).await.status;
    assert_eq!(status, VolumeStatus::InUse);
    assert_eq!(lost.machine.digests(&lost.w), lost.digests);
}

#[tokio::test]
async fn a_disk_comes_back_onto_itself_and_onto_a_larger_one_and_nothing_less() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let vault = vault(&w, &w.admin, ObjectType::Disk).await;
    bind_disk(&w, &vault, &volume).await;
    let view = run(&w, &w.admin, &vault).await;
    let backup = disks_of(&w, &view).await.remove(0);
    let (id, before) = (backup.id.to_string(), digest(&w.path(&volume)));
    let onto = |volume_id| RecoveryRequest { volume_id, ..RecoveryRequest::default() };
    w.write(&volume, "y");
    let log = w.service.recover(&w.admin, &id, onto(Some(volume.id))).await.unwrap();
    let again = w.service.recover(&w.admin, &id, onto(Some(volume.id))).await.unwrap_err();
    assert!(matches!(again, Error::BackupNotRestorable(BackupStatus::Restoring)));
    w.work().await;
    assert_eq!(digest(&w.path(&volume)), before);
    assert_eq!(operation(&w, log).await.status, OperationStatus::Success);

    let new = NewVolume { size: Some(GiB(2)), ..NewVolume::default() };
    let larger = w.service.create_volume(&w.admin, new).await.unwrap();
    w.work().await;
    let by_resource =
        RecoveryRequest { resource_id: Some(larger.id.into()), ..RecoveryRequest::default() };
    w.service.recover(&w.admin, &id, by_resource.clone()).await.unwrap();
    w.work().await;
    assert_eq!(w.show_volume(&w.admin, &larger).await.status, VolumeStatus::Available);

    let two = RecoveryRequest { volume_id: Some(volume.id), ..by_resource };
    assert!(matches!(w.service.recover(&w.admin, &id, two).await, Err(Error::Invalid { .. })));
    let nowhere = w.service.recover(&w.admin, &id, onto(None)).await;
    assert!(matches!(nowhere, Err(Error::Invalid { field: "volume_id", .. })));
    let foreign = w.project("beta", Role::Member).await;
    let theirs = w.volume(&foreign).await;
    let missing = w.service.recover(&w.admin, &id, onto(Some(theirs.id))).await;
    assert!(matches!(missing, Err(Error::VolumeNotFound(_))));
    let hidden = w.service.recover(&foreign, &id, onto(Some(theirs.id))).await;
    assert!(matches!(hidden, Err(Error::BackupNotFound(_))));

    w.service.attach_volume(&w.admin, &volume.id.to_string(), true).await.unwrap();
    let attached = w.service.recover(&w.admin, &id, onto(Some(volume.id))).await;
    assert_eq!(reason(attached), Refusal::TargetDiskState);
    w.service.delete_backup(&w.admin, &id, false).await.unwrap();
    let gone = w.service.recover(&w.admin, &id, onto(Some(larger.id))).await.unwrap_err();
    assert!(matches!(gone, Error::BackupNotRestorable(BackupStatus::Deleting)));
}

#[tokio::test]
async fn what_is_busy_or_frozen_is_told_apart() {
    let lost = Lost::new().await;
    let (w, admin) = (&lost.w, &lost.w.admin);
    let frozen = Vault { status: VaultStatus::Frozen, ..lost.vault.clone() };
    write_vault(w, &frozen).await;
    assert_eq!(reason(lost.recover(lost.onto_itself()).await), Refusal::VaultStateForRestore);
    write_vault(w, &lost.vault).await;

    let child = lost.child_of(lost.machine.disks[0].id).await;
    let alone =
        RecoveryRequest { volume_id: Some(lost.machine.disks[0].id), ..RecoveryRequest::default() };
    let refused = w.service.recover(admin, &child.id.to_string(), alone).await;
    assert_eq!(reason(refused), Refusal::TargetForeign);

    let busy = strongroom_service::backup::NewBackup::of(lost.machine.disks[0].id);
    w.service.create_backup(admin, busy).await.unwrap();
    assert_eq!(reason(lost.recover(lost.onto_itself()).await), Refusal::TargetBeingBackedUp);
    w.work().await;

    // A disk of it can be read through the volume door; then the whole cannot.
    let id = child.id.to_string();
    w.service.restore_backup(admin, &id, Default::default()).await.unwrap();
    let refused = lost.recover(lost.onto_itself()).await.unwrap_err();
    assert!(matches!(refused, Error::BackupNotRestorable(BackupStatus::Restoring)));
    let refused = w.service.delete_saved(admin, &lost.backup.id.to_string()).await;
    assert_eq!(reason(refused), Refusal::BackupInUse);
    w.work().await;
    lost.recover(lost.onto_itself()).await.unwrap();
    let refused = w.service.restore_backup(admin, &id, Default::default()).await.unwrap_err();
    assert!(matches!(refused, Error::BackupNotRestorable(BackupStatus::Restoring)));
    w.work().await;
    assert_eq!(lost.machine.digests(w), lost.digests);
}
