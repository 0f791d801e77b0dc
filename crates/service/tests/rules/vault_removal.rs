//! Vaults that go with their backups, and resources that go from vaults.

use std::time::Duration;

use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{OperationId, VaultId};
use strongroom_model::identity::Role;
use strongroom_model::operation::{Operation, OperationStatus};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::vault::{ObjectType, ProtectStatus, VaultStatus};
use strongroom_service::checkpoint::NewCheckpoint;
use strongroom_service::vault::{NewResource, NewVault};
use strongroom_service::{Error, Refusal};

use super::policies::{daily, new_policy};
use super::servers::{project_of, server};
use super::vaults::{disk, new_vault, reason};
use super::world::World;

async fn operation(w: &World, id: OperationId) -> Operation {
    let catalog = w.catalog().await;
    let work = catalog
        .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.operations().find_any(id).await?) }));
    work.await.unwrap().unwrap()
}

/// Works until nothing is left to wait for.
async fn settle(w: &World) {
    for _ in 0..4 {
        w.work().await;
        w.clock.advance(Duration::from_secs(1));
    }
}

async fn is_gone(w: &World, id: VaultId) -> bool {
    matches!(w.service.vault(&w.admin, &id.to_string()).await, Err(Error::VaultNotFound(_)))
}

#[tokio::test]
async fn an_empty_vault_is_gone_at_once() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let policy = w.service.create_policy(&w.admin, new_policy(daily(&[3]))).await.unwrap();
    let vault = w.vault(&w.admin, &[&volume]).await;
    let id = vault.id().to_string();
    let key = [policy.id.to_string()];
    w.service.associate_policies(&w.admin, &id, (&key, None)).await.unwrap();
    let done = operation(&w, w.service.delete_vault(&w.admin, &id).await.unwrap()).await;
    assert_eq!((done.status, done.detail.total), (OperationStatus::Success, Some(0)));
    assert!(is_gone(&w, vault.id()).await);
    w.vault(&w.admin, &[&volume]).await;
}

#[tokio::test]
async fn a_vault_goes_after_its_last_backup_even_over_a_restart() {
    let mut w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let vault = w.vault(&w.admin, &[&volume]).await;
    w.checkpoint(&w.admin, &vault).await;
    w.checkpoint(&w.admin, &vault).await;
    let id = vault.id().to_string();
    let log = w.service.delete_vault(&w.admin, &id).await.unwrap();
    assert_eq!(w.show_vault(&w.admin, &vault).await.vault.status, VaultStatus::Deleting);
    let again = w.service.delete_vault(&w.admin, &id).await;
    assert_eq!(reason(again), Refusal::BackupsRunning);
    assert_eq!(operation(&w, log).await.status, OperationStatus::Running);
    w = w.restart().await;
    settle(&w).await;
    assert!(is_gone(&w, vault.id()).await);
    let done = operation(&w, log).await;
    assert_eq!((done.status, done.detail.total), (OperationStatus::Success, Some(2)));
    assert_eq!(done.detail.failed, Some(0));
    w.service.tend(&Default::default()).await.unwrap();
}

#[tokio::test]
async fn a_vault_of_servers_goes_with_all_their_disks() {
    let w = World::new().await;
    let ann = w.project("ann", Role::Member).await;
    let (system, data) = (w.written_volume(&ann, "x").await, w.volume(&ann).await);
    let machine = w.service.keep_server(server(&ann, 1, &[&system, &data])).await.unwrap();
    let id = machine.id.into();
    let resource = NewResource {
        id,
        kind: ResourceKind::Server,
        excluded_volumes: Vec::new(),
        included_volumes: None,
    };
    let new = NewVault { resources: vec![resource], ..new_vault(ObjectType::Server) };
    let vault = w.service.create_vault(&ann, new).await.unwrap();
    w.checkpoint(&ann, &vault).await;
    settle(&w).await;
    let shown = w.show_vault(&ann, &vault).await;
    assert_eq!((shown.resources[0].backup_count, shown.used_mib > 0), (1, true));
    let log = w.service.delete_vault(&ann, &vault.id().to_string()).await.unwrap();
    settle(&w).await;
    let gone = w.service.vault(&ann, &vault.id().to_string()).await;
    assert!(matches!(gone, Err(Error::VaultNotFound(_))), "{gone:?}");
    assert_eq!(operation(&w, log).await.detail.total, Some(1));
    let usage = w.service.quotas(&w.admin, &project_of(&ann)).await.unwrap();
    assert!(usage.iter().all(|quota| quota.resource.name() != "backups" || quota.in_use == 0));
}

#[tokio::test]
async fn what_is_worked_on_keeps_its_vault() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let vault = w.vault(&w.admin, &[&volume]).await;
    let id = vault.id().to_string();
    w.service.create_checkpoint(&w.admin, NewCheckpoint::of(vault.id())).await.unwrap();
    assert_eq!(w.show_vault(&w.admin, &vault).await.resources[0].status, ProtectStatus::Protecting);
    assert_eq!(reason(w.service.delete_vault(&w.admin, &id).await), Refusal::BackupsRunning);
    let ids = [ResourceId::from(volume.id)];
    let refused = w.service.remove_resources(&w.admin, &id, &ids).await;
    assert_eq!(reason(refused), Refusal::VaultBusy);
    w.work().await;
    w.service.delete_vault(&w.admin, &id).await.unwrap();
}

#[tokio::test]
async fn the_default_vault_goes_only_when_it_is_empty() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let backup = w.backup(&w.admin, &volume).await;
    let id = backup.vault_id.to_string();
    assert_eq!(reason(w.service.delete_vault(&w.admin, &id).await), Refusal::VaultNotDeletable);
    w.service.delete_backup(&w.admin, &backup.id.to_string(), false).await.unwrap();
    w.work().await;
    w.service.delete_vault(&w.admin, &id).await.unwrap();
    assert!(is_gone(&w, backup.vault_id).await);
    assert_ne!(w.backup(&w.admin, &volume).await.vault_id, backup.vault_id, "it comes again");
}

#[tokio::test]
async fn a_backup_that_cannot_be_removed_fails_its_vault_and_a_second_try_helps() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let vault = w.vault(&w.admin, &[&volume]).await;
    w.checkpoint(&w.admin, &vault).await;
    let id = vault.id().to_string();
    let log = w.service.delete_vault(&w.admin, &id).await.unwrap();
    // Deleted writes of the store: it cannot be reached.
    let (store, away) = (w.dir.path().join("store"), w.dir.path().join("away"));
    std::fs::rename(&store, &away).unwrap();
    for _ in 0..12 {
        w.work().await;
        w.clock.advance(Duration::from_secs(60));
    }
    let shown = w.show_vault(&w.admin, &vault).await;
    assert_eq!(shown.vault.status, VaultStatus::Error);
    let failed = operation(&w, log).await;
    assert_eq!((failed.status, failed.detail.failed), (OperationStatus::Failed, Some(1)));
    if store.exists() {
        std::fs::remove_dir_all(&store).unwrap();
    }
    std::fs::rename(&away, &store).unwrap();
    w.service.delete_vault(&w.admin, &id).await.unwrap();
    settle(&w).await;
    assert!(is_gone(&w, vault.id()).await);
}

#[tokio::test]
async fn a_resource_goes_with_its_backups_in_that_vault() {
    let w = World::new().await;
    let (volume, other) = (w.written_volume(&w.admin, "x").await, w.volume(&w.admin).await);
    let vault = w.vault(&w.admin, &[&volume, &other]).await;
    let alone = w.backup(&w.admin, &volume).await;
    w.checkpoint(&w.admin, &vault).await;
    let id = vault.id().to_string();
    let ids = [ResourceId::from(volume.id)];
    let log = w.service.remove_resources(&w.admin, &id, &ids).await.unwrap();
    let removing: Vec<_> = w
        .show_vault(&w.admin, &vault)
        .await
        .resources
        .into_iter()
        .filter(|one| one.status == ProtectStatus::Removing)
        .map(|one| one.resource.id)
        .collect();
    assert_eq!(removing, ids);
    let twice = w.service.remove_resources(&w.admin, &id, &ids).await;
    assert_eq!(reason(twice), Refusal::ResourceRemoving);
    let anew = w.service.add_resources(&w.admin, &id, &[disk(&volume)]).await;
    assert_eq!(reason(anew), Refusal::ResourceRemoving);
    settle(&w).await;
    let done = operation(&w, log).await;
    assert_eq!((done.status, done.detail.resources.len()), (OperationStatus::Success, 1));
    let left = w.show_vault(&w.admin, &vault).await.resources;
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].resource.id, left[0].backup_count), (other.id.into(), 1));
    assert_eq!(w.show(&w.admin, &alone).await.status, BackupStatus::Available);
    let unknown = w.service.remove_resources(&w.admin, &id, &ids).await;
    assert_eq!(reason(unknown), Refusal::ResourceNotInVault);
    w.service.remove_resources(&w.admin, &id, &[other.id.into()]).await.unwrap();
    settle(&w).await;
    assert!(w.show_vault(&w.admin, &vault).await.resources.is_empty());
}

#[tokio::test]
async fn a_project_takes_its_empty_vaults_with_it() {
    let w = World::new().await;
    let ann = w.project("ann", Role::Member).await;
    let volume = w.volume(&ann).await;
    let vault = w.vault(&ann, &[]).await;
    let backup = w.backup(&ann, &volume).await;
    let project = project_of(&ann).to_string();
    assert!(w.service.delete_project(&w.admin, &project).await.is_err());
    w.service.delete_backup(&ann, &backup.id.to_string(), false).await.unwrap();
    w.service.delete_volume(&ann, &volume.id.to_string(), Default::default()).await.unwrap();
    w.work().await;
    w.service.delete_project(&w.admin, &project).await.unwrap();
    let id = vault.id();
    let catalog = w.catalog().await;
    let left =
        catalog.read(|tx| Box::pin(async move { Ok::<_, Error>(tx.vaults().find_any(id).await?) }));
    assert_eq!(left.await.unwrap(), None);
}
