//! Policies of vaults, and what may be due for removal there.

use std::slice;

use strongroom_catalog::Error;
use strongroom_model::backup::{Backup, BackupStatus, Origin};
use strongroom_model::id::{BackupId, CheckpointId, PolicyId, VaultId};
use strongroom_model::policy::{Policy, PolicyOperation, Terms, VaultPolicy};

use crate::policies::{insert, policy};
use crate::support::{Outcome, World, at, on_both, project};

on_both!(
    a_vault_has_one_policy_of_each_operation,
    what_was_said_is_kept_byte_for_byte,
    what_may_have_expired_in_vaults_is_found,
);

async fn a_vault_has_one_policy_of_each_operation(world: &World) {
    let [vault, other] = [world.vault("p").await, world.vault("p").await];
    let [first, second, copies] = &[policy(world, "p"), policy(world, "p"), policy(world, "q")];
    insert(world, &[first, second, copies]).await;
    let bound = |vault_id, policy: &Policy, operation, n| VaultPolicy {
        vault_id,
        operation,
        policy_id: policy.id,
        destination_vault_id: (operation == PolicyOperation::Replication).then_some(other),
        created_at: at(n),
    };
    let (backup, replication) = (PolicyOperation::Backup, PolicyOperation::Replication);
    let before = &bound(vault, first, backup, 1);
    let now = &bound(vault, second, backup, 3);
    let apart = &bound(other, second, backup, 2);
    let there = &bound(vault, copies, replication, 4);
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let mut policies = tx.policies();
            for one in [before, apart, now, there] {
                policies.bind_vault(one).await?;
            }
            assert_eq!(policies.of_vault(vault).await?, [now.clone(), there.clone()]);
            assert!(policies.vaults(first.id).await?.is_empty());
            assert_eq!(policies.vaults(second.id).await?, [apart.clone(), now.clone()]);
            let all = policies.bound_in(&project("p")).await?;
            assert_eq!(all, [apart.clone(), now.clone()]);
            assert!(!policies.release_vault(first.id, vault).await?);
            assert!(policies.release_vault(copies.id, vault).await?);
            // A policy that is gone is applied to nothing, nor does anything hang on a vault that is.
            assert!(policies.delete(second.id).await?);
            assert!(policies.of_vault(vault).await?.is_empty());
            policies.bind_vault(before).await?;
            assert_eq!(policies.clear_vault(vault).await?, 1);
            policies.bind_vault(before).await?;
            assert!(tx.vaults().delete(vault).await?);
            assert!(tx.policies().vaults(first.id).await?.is_empty());
            Outcome::Ok(())
        })
    });
    work.await.unwrap();
    let nowhere = &VaultPolicy { vault_id: VaultId::random(&world.chance), ..before.clone() };
    let work = world
        .catalog
        .transact(|tx| Box::pin(async move { tx.policies().bind_vault(nowhere).await }));
    assert!(matches!(work.await, Err(Error::Reference { .. })));
}

async fn what_was_said_is_kept_byte_for_byte(world: &World) {
    let plain = policy(world, "p");
    let definition = serde_json::json!({"z": -1, "a": {"list": [1, "ü"]}});
    let terms = Terms {
        definition: definition.as_object().cloned(),
        patterns: Some(vec![" FREQ=daily; \"BYHOUR\"=00".to_owned()]),
        start_window_minutes: Some(480),
        trigger_id: PolicyId::random(&world.chance).0,
        trigger_set_at: at(7),
    };
    let said = Policy { terms, operation: PolicyOperation::Replication, ..plain };
    let stored = &said;
    insert(world, slice::from_ref(&stored)).await;
    let work = world
        .catalog
        .transact(|tx| Box::pin(async move { tx.policies().find_any(stored.id).await }));
    let found = work.await.unwrap().unwrap();
    assert_eq!(found, said);
    let texts = [&found, &said].map(|one| serde_json::to_string(&one.terms.definition).unwrap());
    assert_eq!(texts[0], texts[1]);
}

async fn what_may_have_expired_in_vaults_is_found(world: &World) {
    let vault = world.vault("p").await;
    let policy_id = Some(PolicyId::random(&world.chance));
    let run = Some(CheckpointId::alone(BackupId::random(&world.chance)));
    let of_run = Origin { checkpoint_id: run, is_automatic: true, ..Origin::default() };
    let one = || Backup { expires_at: None, policy_id: None, ..world.backup("p", vault) };
    let dated = Backup { expires_at: Some(at(10)), ..one() };
    let later = Backup { expires_at: Some(at(11)), origin: of_run.clone(), ..one() };
    let alone = Backup { expires_at: Some(at(9)), policy_id, ..one() };
    let past = Backup { expires_at: Some(at(9)), policy_id, origin: of_run.clone(), ..one() };
    let stuck =
        Backup { status: BackupStatus::ErrorDeleting, policy_id, origin: of_run.clone(), ..one() };
    let child = Backup {
        expires_at: Some(at(9)),
        origin: Origin { server_backup_id: Some(dated.id), ..of_run },
        ..one()
    };
    let all = [dated, later, alone, past, stuck, child];
    world.insert_backups(&all).await;
    let volumes = all.each_ref().map(|backup| backup.volume_id);
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let mut backups = tx.backups();
            let found = backups.to_expire_in_vaults(at(10)).await?;
            let automatic = backups.automatic_in(vault).await?;
            let alone = backups.of_disk_in(vault, volumes[2]).await?;
            assert_eq!(backups.of_disk_in(vault, volumes[3]).await?.len(), 1);
            assert!(backups.of_disk_in(vault, volumes[5]).await?.is_empty());
            assert!(alone.is_empty());
            Outcome::Ok((found, automatic))
        })
    });
    let (mut found, mut automatic) = work.await.unwrap();
    let mut expected = [0, 3, 4].map(|n| (vault, volumes[n]));
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    let mut expected = [1, 3, 4].map(|n| volumes[n]);
    expected.sort_unstable();
    automatic.sort_unstable();
    assert_eq!(automatic, expected);
}
