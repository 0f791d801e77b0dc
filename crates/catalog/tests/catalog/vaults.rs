//! Vaults: what they protect, what they hold, and what is remembered of them.

use strongroom_catalog::{Error, VaultWarning};
use strongroom_model::backup::{Backup, BackupStatus, Measured, Origin};
use strongroom_model::id::{BackupId, CheckpointId, ServerId, UserId, VaultId};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::size::GiB;
use strongroom_model::vault::VaultResource;

use crate::support::{Outcome, World, at, on_both, project};

on_both!(
    a_resource_is_in_one_vault_at_most,
    use_is_added_up_by_vault_and_resource,
    dates_are_set_for_all_or_for_the_later_ones,
    what_is_to_be_removed_is_what_is_not_going,
    a_warning_is_given_once_and_goes_with_its_vault,
    former_vaults_are_remembered_for_a_time,
);

fn resource(vault_id: VaultId, id: ResourceId, kind: ResourceKind) -> VaultResource {
    VaultResource {
        vault_id,
        id,
        kind,
        name: "one".to_owned(),
        size: GiB(3),
        excluded_volumes: vec![id],
        auto_protect: true,
        is_removing: false,
        created_at: at(1),
    }
}

fn stored(world: &World, vault: VaultId, bytes: u64) -> Backup {
    let measured = Measured { stored_bytes: bytes, ..Measured::default() };
    let status = BackupStatus::Available;
    Backup { measured: Some(measured), status, ..world.backup("p", vault) }
}

fn of_server(world: &World, vault_id: VaultId, server_id: ServerId) -> ServerBackup {
    let id = BackupId::random(&world.chance);
    ServerBackup {
        id,
        project_id: project("p"),
        user_id: UserId::parse("ann").unwrap(),
        vault_id,
        checkpoint_id: CheckpointId::alone(id),
        server_id,
        server_name: "web".to_owned(),
        name: "b".to_owned(),
        description: None,
        status: BackupStatus::Available,
        fail_reason: None,
        size: GiB(2),
        availability_zone: None,
        architecture: None,
        has_system_disk: true,
        is_incremental: false,
        is_automatic: false,
        is_replica: false,
        wants_full: false,
        policy_id: None,
        expires_at: None,
        documents: None,
        restore_server_id: None,
        created_at: at(1),
        updated_at: None,
        protected_at: None,
    }
}

async fn a_resource_is_in_one_vault_at_most(world: &World) {
    let (one, other) = (world.vault("p").await, world.vault("p").await);
    let row = resource(one, world.volume("p").id.into(), ResourceKind::Volume);
    let kept = &row;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            tx.vaults().insert_resource(kept).await?;
            assert_eq!(tx.vaults().find_resource(kept.id).await?.as_ref(), Some(kept));
            assert_eq!(tx.vaults().resources(one).await?, std::slice::from_ref(kept));
            assert_eq!(tx.vaults().count_resources(other).await?, 0);
            let moved = VaultResource { vault_id: other, ..kept.clone() };
            assert!(tx.vaults().update_resource(&moved).await?);
            assert!(!tx.vaults().delete_resource(one, kept.id).await?);
            let of_project = tx.vaults().resources_of_project(&project("p")).await?;
            assert_eq!(of_project, [moved]);
            assert!(tx.vaults().delete(other).await?, "its resources go with a vault");
            tx.vaults().find_resource(kept.id).await
        })
    });
    assert_eq!(work.await.unwrap(), None);
    let twice = world.catalog.transact(|tx| {
        Box::pin(async move {
            tx.vaults().insert_resource(kept).await?;
            tx.vaults().insert_resource(kept).await
        })
    });
    assert!(matches!(twice.await, Err(Error::Conflict { .. })));
}

async fn use_is_added_up_by_vault_and_resource(world: &World) {
    let (vault, empty) = (world.vault("p").await, world.vault("p").await);
    let first = stored(world, vault, 5);
    let disk: ResourceId = first.volume_id.into();
    let failed = Backup {
        volume_id: first.volume_id,
        status: BackupStatus::Error,
        measured: None,
        created_at: at(9_000_000),
        ..world.backup("p", vault)
    };
    let server_id = ServerId::random(&world.chance);
    let whole = of_server(world, vault, server_id);
    let part = |bytes| {
        let origin = Origin { server_backup_id: Some(whole.id), ..Origin::default() };
        Backup { origin, ..stored(world, vault, bytes) }
    };
    let backups = &[first, failed, part(20), part(30)];
    let whole = &whole;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            tx.server_backups().insert(whole).await?;
            for backup in backups {
                tx.backups().insert(backup).await?;
            }
            tx.vaults().insert_resource(&resource(vault, disk, ResourceKind::Volume)).await?;
            let server = resource(vault, server_id.into(), ResourceKind::Server);
            tx.vaults().insert_resource(&server).await?;
            assert_eq!(tx.vaults().used_bytes(vault).await?, 55);
            assert_eq!(tx.vaults().used_bytes(empty).await?, 0);
            let of = tx.vaults().used_bytes_of(&[vault, empty]).await?;
            assert_eq!(of, [(vault, 55)].into());
            let usage = tx.vaults().usage_of_resources(&[vault, empty]).await?;
            let of_disk = usage[&(vault, disk)];
            assert_eq!((of_disk.count, of_disk.bytes, of_disk.has_failed), (2, 5, true));
            let of_server = usage[&(vault, server_id.into())];
            assert_eq!((of_server.count, of_server.bytes), (1, 50));
            assert_eq!((of_server.has_failed, of_server.is_being_made), (false, false));
            let statuses = tx.vaults().statuses(vault).await?;
            assert_eq!(statuses, [("available", 2), ("error", 1)].into());
            assert!(tx.vaults().has_backups(vault).await?);
            assert!(!tx.vaults().has_backups(empty).await?);
            tx.vaults().stored_of_project(&project("p")).await
        })
    });
    let all = work.await.unwrap();
    let seen: Vec<_> = all.iter().map(|one| (one.id, one.kind, one.count, one.bytes)).collect();
    assert_eq!(
        seen,
        [(server_id.into(), ResourceKind::Server, 1, 50), (disk, ResourceKind::Volume, 2, 5)]
    );
}

async fn dates_are_set_for_all_or_for_the_later_ones(world: &World) {
    let vault = world.vault("p").await;
    let dated = |at| Backup { expires_at: at, ..stored(world, vault, 1) };
    let going = Backup { status: BackupStatus::Deleting, ..dated(None) };
    let backups = &[dated(Some(at(5))), dated(Some(at(50))), dated(None), going];
    let dates = async |only_later: bool| -> Outcome<(u64, Vec<Option<i64>>)> {
        let work = world.catalog.transact(|tx| {
            Box::pin(async move {
                let done = tx.vaults().set_expiry(vault, at(20), (only_later, at(7))).await?;
                let mut dates = Vec::new();
                for backup in backups {
                    let found = tx.backups().find_any(backup.id).await?.unwrap();
                    dates.push(found.expires_at.map(|date| date.as_micros()));
                }
                Ok::<_, Error>((done, dates))
            })
        });
        work.await
    };
    let insert = world.catalog.transact(|tx| {
        Box::pin(async move {
            for backup in backups {
                tx.backups().insert(backup).await?;
            }
            Ok::<_, Error>(())
        })
    });
    insert.await.unwrap();
    assert_eq!(dates(true).await.unwrap(), (1, vec![Some(20), Some(50), None, None]));
    assert_eq!(dates(false).await.unwrap(), (3, vec![Some(20), Some(20), Some(20), None]));
}

async fn what_is_to_be_removed_is_what_is_not_going(world: &World) {
    let vault = world.vault("p").await;
    let stays = stored(world, vault, 1);
    let going = Backup { status: BackupStatus::Deleting, ..stored(world, vault, 1) };
    let server_id = ServerId::random(&world.chance);
    let whole = of_server(world, vault, server_id);
    let origin = Origin { server_backup_id: Some(whole.id), ..Origin::default() };
    let part = Backup { origin, ..stored(world, vault, 1) };
    let (rows, whole) = (&[stays.clone(), going, part], &whole);
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            tx.server_backups().insert(whole).await?;
            for backup in rows {
                tx.backups().insert(backup).await?;
            }
            let all = tx.backups().to_remove_from(vault, None, 9).await?;
            assert_eq!(all.iter().map(|one| one.id).collect::<Vec<_>>(), [rows[0].id]);
            assert_eq!(tx.backups().to_remove_from(vault, None, 0).await?, []);
            let of_other = Some(rows[1].volume_id);
            assert_eq!(tx.backups().to_remove_from(vault, of_other, 9).await?, []);
            assert!(tx.backups().is_any_in(vault, rows[1].volume_id).await?);
            let parts = Some(rows[2].volume_id);
            assert_eq!(tx.backups().to_remove_from(vault, parts, 9).await?, []);
            let servers = tx.server_backups().to_remove_from(vault, Some(server_id), 9).await?;
            assert_eq!(servers, std::slice::from_ref(whole));
            let other = Some(ServerId(whole.id.0));
            tx.server_backups().to_remove_from(vault, other, 9).await
        })
    });
    assert_eq!(work.await.unwrap(), []);
}

async fn a_warning_is_given_once_and_goes_with_its_vault(world: &World) {
    let vault = world.vault("p").await;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let warning = VaultWarning { vault_id: vault, percent: 81, warned_at: at(4) };
            assert!(tx.vaults().warn(&warning).await?);
            let later = VaultWarning { percent: 99, ..warning.clone() };
            assert!(!tx.vaults().warn(&later).await?);
            assert_eq!(tx.vaults().warnings().await?, std::slice::from_ref(&warning));
            assert!(tx.vaults().unwarn(vault).await?);
            assert!(!tx.vaults().unwarn(vault).await?);
            assert!(tx.vaults().warn(&warning).await?);
            tx.vaults().delete(vault).await?;
            tx.vaults().warnings().await
        })
    });
    assert_eq!(work.await.unwrap(), []);
}

async fn former_vaults_are_remembered_for_a_time(world: &World) {
    let ids = [world.vault("p").await, world.vault("p").await];
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            tx.vaults().insert_former(ids[0], at(1)).await?;
            tx.vaults().insert_former(ids[1], at(1)).await?;
            tx.vaults().insert_former(ids[1], at(5)).await?;
            assert_eq!(tx.vaults().former().await?.len(), 2);
            assert_eq!(tx.vaults().purge_former(at(5)).await?, 1);
            tx.vaults().former().await
        })
    });
    assert_eq!(work.await.unwrap(), [ids[1]]);
}
