//! Runs of policies over vaults: what is begun, what is left out, what is told instead.

use serde_json::json;
use strongroom_model::operation::{Operation, OperationFault, OperationKind, OperationStatus};
use strongroom_model::task::{TaskFault, TaskStatus};
use strongroom_model::vault::{ObjectType, ProtectType, Vault, VaultStatus, VaultTerms};
use strongroom_model::volume::Volume;
use strongroom_service::checkpoint::NewCheckpoint;
use strongroom_service::policy::PatternedChange;
use strongroom_service::vault::AutoProtection;

use super::points::write_vault;
use super::policies::{daily, new_policy};
use super::vault_policies::{NIGHTLY, connect, copying, patterned};
use super::world::World;

impl World {
    /// Lets a disk of a vault take no part in automatic backups.
    async fn leave_out(&self, vault: &Vault, disk: &Volume) {
        let (id, disks) = (vault.id.to_string(), [disk.id.into()]);
        let left_out = (&disks[..], AutoProtection::Unsuspend);
        self.service.set_resources(&self.admin, &id, left_out).await.unwrap();
    }
}

fn told(operation: &Operation) -> (OperationKind, OperationStatus, Option<OperationFault>) {
    (operation.kind, operation.status, operation.fault)
}

const BACKED_UP: (OperationKind, OperationStatus, Option<OperationFault>) =
    (OperationKind::Backup, OperationStatus::Success, None);

#[tokio::test]
async fn a_run_backs_up_what_its_vaults_protect() {
    let w = World::new().await;
    let (a, b, c) = (w.volume(&w.admin).await, w.volume(&w.admin).await, w.volume(&w.admin).await);
    let policy = w.nightly(&json!({"retention_duration_days": 5})).await;
    let terms = VaultTerms {
        backup_name_prefix: "our-".to_owned(),
        ..VaultTerms::of(ObjectType::Disk, ProtectType::Backup)
    };
    let first = w.safe_of(terms, &[&a, &b], Some(&policy)).await;
    let second = w.safe(&[&c], Some(&policy)).await;
    w.leave_out(&first, &b).await;
    w.run_at("2023-11-15T02:59:00Z").await;
    assert!(w.backups(&w.admin).await.is_empty());
    w.run_at("2023-11-15T03:00:00Z").await;
    let mut made = w.backups(&w.admin).await;
    made.sort_by_key(|backup| backup.volume_id != a.id);
    let places: Vec<_> = made.iter().map(|backup| (backup.volume_id, backup.vault_id)).collect();
    assert_eq!(places, [(a.id, first.id), (c.id, second.id)]);
    for backup in &made {
        assert!(backup.origin.is_automatic && backup.origin.checkpoint_id.is_some());
        assert_eq!(backup.policy_id.unwrap().to_string(), policy);
        assert_eq!(backup.expires_at.unwrap().format_rfc3339(), "2023-11-20T03:00:00Z");
    }
    assert!(made[0].name.as_ref().unwrap().starts_with("our-autobk_"));
    let log = w.operations_in(&first).await;
    assert_eq!(log.iter().map(told).collect::<Vec<_>>(), [BACKED_UP]);
    w.run_at("2023-11-16T03:00:00Z").await;
    assert_eq!(w.backups(&w.admin).await.len(), 4);
    let off = PatternedChange { is_enabled: Some(false), ..PatternedChange::default() };
    w.change(&policy, off).await.unwrap();
    w.run_at("2023-11-17T03:00:00Z").await;
    assert_eq!(w.backups(&w.admin).await.len(), 4);
    // By hand, as the volume door can, it runs all the same.
    w.service.execute_policy(&w.admin, &policy).await.unwrap();
    w.work().await;
    assert_eq!(w.backups(&w.admin).await.len(), 6);
}

#[tokio::test]
async fn an_automatic_run_by_hand_keeps_as_the_bound_policy_says() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let policy = w.nightly(&json!({"retention_duration_days": 5})).await;
    let terms = VaultTerms {
        backup_name_prefix: "our-".to_owned(),
        ..VaultTerms::of(ObjectType::Disk, ProtectType::Backup)
    };
    let vault = w.safe_of(terms, &[&volume], Some(&policy)).await;
    for (is_automatic, word, days) in [(true, "our-autobk_", Some(5)), (false, "manualbk_", None)] {
        let new = NewCheckpoint { is_automatic, ..NewCheckpoint::of(vault.id) };
        let begun_at = w.service.now();
        let view = w.service.create_checkpoint(&w.admin, new).await.unwrap();
        w.work().await;
        assert!(view.checkpoint.name.starts_with(word), "{}", view.checkpoint.name);
        let made = w.backups(&w.admin).await;
        let own = made.iter().find(|one| one.name.as_deref() == Some(&view.checkpoint.name));
        let own = own.unwrap();
        let after = |days: u64| begun_at.plus(std::time::Duration::from_secs(days * 24 * 3600));
        assert_eq!(own.expires_at, days.map(after));
        assert_eq!((own.origin.is_automatic, own.policy_id), (is_automatic, None));
        w.clock.advance(std::time::Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_vault_binds_what_fits_before_it_runs() {
    let w = World::new().await;
    let policy = w.nightly(&json!({})).await;
    let terms =
        VaultTerms { auto_bind: true, ..VaultTerms::of(ObjectType::Disk, ProtectType::Backup) };
    w.safe_of(terms, &[], Some(&policy)).await;
    let volume = w.volume(&w.admin).await;
    w.run_at("2023-11-15T03:00:00Z").await;
    let made = w.backups(&w.admin).await;
    assert_eq!(made.iter().map(|backup| backup.volume_id).collect::<Vec<_>>(), [volume.id]);
}

#[tokio::test]
async fn a_run_that_goes_on_hides_the_next_and_missed_ones_are_told() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let policy = w.nightly(&json!({})).await;
    let vault = w.safe(&[&volume], Some(&policy)).await;
    w.at("2023-11-15T03:00:00Z");
    assert_eq!(w.run_due().await, 1);
    w.at("2023-11-16T03:00:00Z");
    assert_eq!(w.run_due().await, 1);
    w.work().await;
    w.run_at("2023-11-19T12:00:00Z").await;
    let log = w.operations_in(&vault).await;
    let skipped = |fault| (OperationKind::Backup, OperationStatus::Skipped, Some(fault));
    let mut all: Vec<_> = log.iter().map(told).collect();
    all.sort_by_key(|(_, _, fault)| fault.map(OperationFault::as_str));
    let expected = [
        BACKED_UP,
        BACKED_UP,
        skipped(OperationFault::Missed),
        skipped(OperationFault::Missed),
        skipped(OperationFault::Unfinished),
    ];
    assert_eq!(all, expected);
    let by_policy = |one: &&Operation| one.policy_id.is_some_and(|id| id.to_string() == policy);
    assert_eq!(log.iter().filter(by_policy).count(), 5);
    let without_end = |one: &&Operation| one.ended_at.is_none() || one.message.is_none();
    let plain = log.iter().filter(|one| one.fault.is_some()).filter(without_end);
    assert_eq!(plain.count(), 0);
}

#[tokio::test]
async fn what_hinders_one_vault_hinders_no_other() {
    let w = World::new().await;
    let (a, b, c) = (w.volume(&w.admin).await, w.volume(&w.admin).await, w.volume(&w.admin).await);
    let policy = w.nightly(&json!({})).await;
    let first = w.safe(&[&a], Some(&policy)).await;
    let second = w.safe(&[&b], Some(&policy)).await;
    let third = w.safe(&[&c], Some(&policy)).await;
    let frozen = Vault { status: VaultStatus::Frozen, ..second.clone() };
    write_vault(&w, &frozen).await;
    w.run_at("2023-11-15T03:00:00Z").await;
    let failed = Some(OperationFault::BackupFailed);
    for (vault, expected) in [
        (&first, BACKED_UP),
        (&second, (OperationKind::Backup, OperationStatus::Failed, failed)),
        (&third, BACKED_UP),
    ] {
        let log = w.operations_in(vault).await;
        assert_eq!(log.iter().map(told).collect::<Vec<_>>(), [expected]);
    }
    assert_eq!(w.backups(&w.admin).await.len(), 2);
    w.run_at("2023-11-16T03:00:00Z").await;
    assert_eq!(w.backups(&w.admin).await.len(), 4);
}

// A disk that a policy has by itself is backed up into the default vault.
#[tokio::test]
async fn a_default_vault_that_takes_nothing_stops_its_own_disks_alone() {
    let w = World::new().await;
    let (alone, held) = (w.volume(&w.admin).await, w.volume(&w.admin).await);
    let default = w.backup(&w.admin, &alone).await.vault_id;
    let policy = w.policy(&w.admin, new_policy(daily(&[3])), &[&alone]).await;
    w.safe(&[&held], Some(&policy.id.to_string())).await;
    let catalog = w.catalog().await;
    let open = catalog.read(|tx| Box::pin(async move { tx.vaults().find_any(default).await }));
    let open = open.await.unwrap().unwrap();
    write_vault(&w, &Vault { status: VaultStatus::Frozen, ..open.clone() }).await;
    w.run_at("2023-11-15T03:00:00Z").await;
    let of = |disk: &Volume| {
        let (w, id) = (&w, disk.id);
        async move {
            let all = w.backups(&w.admin).await;
            all.iter().filter(|backup| backup.volume_id == id).count()
        }
    };
    assert_eq!((of(&alone).await, of(&held).await), (1, 1));
    let tasks = w.tasks(&w.admin, &policy).await;
    let task = tasks.iter().find(|task| task.volume_id == alone.id).unwrap();
    assert_eq!((task.status, task.fault), (TaskStatus::Failed, Some(TaskFault::BackupFailed)));
    assert!(task.message.as_ref().unwrap().contains("frozen"));
    // The run is not begun once more; the next one finds the vault well.
    write_vault(&w, &open).await;
    w.run_at("2023-11-15T04:00:00Z").await;
    assert_eq!(of(&alone).await, 1);
    w.run_at("2023-11-16T03:00:00Z").await;
    assert_eq!((of(&alone).await, of(&held).await), (2, 2));
}

#[tokio::test]
async fn copies_to_a_region_that_is_not_there_fail_in_the_log() {
    let w = World::new().await;
    // It was there when the policy was made.
    let before = w.twin().await;
    connect(&before, &["r2"]);
    let made = before.create_patterned_policy(&w.admin, copying(NIGHTLY)).await.unwrap();
    let vault = w.safe(&[], None).await;
    w.apply(&vault, &made.policy.id.to_string(), Some(vault.id)).await.unwrap();
    w.run_at("2023-11-15T03:00:00Z").await;
    let log = w.operations_in(&vault).await;
    let failed = Some(OperationFault::ReplicationFailed);
    let expected = (OperationKind::Replication, OperationStatus::Failed, failed);
    assert_eq!(log.iter().map(told).collect::<Vec<_>>(), [expected]);
}

#[tokio::test]
async fn some_days_are_kept_for_longer() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let definition = json!({"retention_duration_days": 2, "timezone": "UTC+08:00",
        "advanced_retention_rules": {"weekly_retention_rules":
            {"days_of_week": ["TH"], "retention_duration_periods": 3}}});
    let new = patterned("FREQ=DAILY;BYHOUR=17;BYMINUTE=00", &definition);
    let made = w.service.create_patterned_policy(&w.admin, new).await.unwrap();
    w.safe(&[&volume], Some(&made.policy.id.to_string())).await;
    // At five in the afternoon of UTC the next day has begun there.
    w.run_at("2023-11-15T17:00:00Z").await;
    w.run_at("2023-11-16T17:00:00Z").await;
    let dates = w.backups(&w.admin).await;
    let dates: Vec<_> =
        dates.iter().map(|backup| backup.expires_at.unwrap().format_rfc3339()).collect();
    assert_eq!(dates, ["2023-12-06T17:00:00Z", "2023-11-18T17:00:00Z"]);
}
