//! Locked vaults: every way out is tried, and none is open before the date.

use std::time::Duration;

use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::BackupId;
use strongroom_model::identity::Role;
use strongroom_model::policy::{Policy, Retention};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::time::Timestamp;
use strongroom_model::vault::{ObjectType, VaultStatus};
use strongroom_model::volume::{Metadata, Volume};
use strongroom_service::checkpoint::NewCheckpoint;
use strongroom_service::policy::PolicyChange;
use strongroom_service::record::ImportedRecord;
use strongroom_service::vault::{ExpiryChange, NewResource, NewVault, VaultChange, VaultView};
use strongroom_service::{Caller, Error, Refusal};

use super::policies::{daily, new_policy};
use super::policy_keeps::newest;
use super::servers::{project_of, server};
use super::vaults::{disk, new_vault, reason};
use super::world::World;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A locked vault with one disk, two days of backups by hand, and a policy that keeps one.
struct Safe {
    w: World,
    ann: Caller,
    volume: Volume,
    vault: VaultView,
    policy: Policy,
}

impl Safe {
    /// `days`: how long the backups are kept; for ever without.
    async fn new(days: Option<u32>) -> Self {
        let w = World::new().await;
        let ann = w.project("ann", Role::Admin).await;
        let volume = w.written_volume(&ann, "x").await;
        let new = new_policy(daily(&[3]));
        let new = strongroom_service::policy::NewPolicy { retention: newest(1), ..new };
        let policy = w.service.create_policy(&ann, new).await.unwrap();
        let new = NewVault {
            is_locked: true,
            resources: vec![disk(&volume)],
            policy_id: Some(policy.id.to_string()),
            ..new_vault(ObjectType::Disk)
        };
        let vault = w.service.create_vault(&ann, new).await.unwrap();
        for is_automatic in [false, true] {
            let mut new = NewCheckpoint::of(vault.id());
            new.retention_days = days.filter(|_| !is_automatic);
            new.is_automatic = is_automatic;
            w.service.create_checkpoint(&ann, new).await.unwrap();
            w.work().await;
        }
        let safe = Self { w, ann, volume, vault, policy };
        if let Some(days) = days {
            safe.date_all(days).await;
        }
        safe
    }

    async fn date_all(&self, days: u32) {
        let date = self.w.service.now().plus(DAY * days);
        let id = self.vault.id();
        let catalog = self.w.catalog().await;
        let work = catalog.transact(|tx| {
            Box::pin(async move {
                for mut backup in tx.backups().of_vault(id).await? {
                    backup.expires_at = Some(date);
                    tx.backups().update(&backup).await?;
                }
                Ok::<_, Error>(())
            })
        });
        work.await.unwrap();
    }

    async fn backups(&self) -> Vec<Backup> {
        let id = self.vault.id();
        let catalog = self.w.catalog().await;
        let work = catalog
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.backups().of_vault(id).await?) }));
        work.await.unwrap()
    }

    /// Everything that is there stays there, and can be read.
    async fn assert_whole(&self) {
        self.w.work().await;
        self.w.clock.advance(Duration::from_secs(1));
        self.w.work().await;
        let backups = self.backups().await;
        assert_eq!(backups.len(), 2);
        for backup in backups {
            assert_eq!(backup.status, BackupStatus::Available);
            assert!(backup.measured.is_some());
        }
    }

    fn id(&self) -> String {
        self.vault.id().to_string()
    }
}

/// Tries every way out and holds that nothing has left.
async fn assert_no_way_out(safe: &Safe) {
    let (s, ann) = (&safe.w.service, &safe.ann);
    let (id, ids) = (safe.id(), [ResourceId::from(safe.volume.id)]);
    for backup in safe.backups().await {
        let key = backup.id.to_string();
        assert_eq!(reason(s.delete_backup(ann, &key, false).await), Refusal::Locked);
        assert_eq!(reason(s.delete_backup(ann, &key, true).await), Refusal::Locked);
        for status in [BackupStatus::Deleting, BackupStatus::ErrorDeleting] {
            assert_eq!(reason(s.reset_backup(ann, &key, status).await), Refusal::Locked);
        }
        // Statuses that lose nothing may be set, and do not open a way.
        for status in [BackupStatus::Error, BackupStatus::Restoring, BackupStatus::Creating] {
            s.reset_backup(ann, &key, status).await.unwrap();
            assert_eq!(reason(s.delete_backup(ann, &key, true).await), Refusal::Locked);
        }
        s.reset_backup(ann, &key, BackupStatus::Available).await.unwrap();
    }
    assert_eq!(reason(s.delete_vault(ann, &id).await), Refusal::VaultNotDeletable);
    assert_eq!(reason(s.remove_resources(ann, &id, &ids).await), Refusal::Locked);
    let other = safe.w.vault(ann, &[]).await;
    let moved = s.move_resources(ann, &id, (other.id(), &ids)).await;
    assert_eq!(reason(moved), Refusal::VaultNotUpdatable);
    let unlock = VaultChange { is_locked: Some(false), ..VaultChange::default() };
    assert_eq!(reason(s.update_vault(ann, &id, unlock).await), Refusal::VaultNotUpdatable);
    let key = safe.policy.id.to_string();
    assert_eq!(reason(s.dissociate_policy(ann, &id, &key).await), Refusal::VaultNotUpdatable);
    let another = s.create_policy(ann, new_policy(daily(&[5]))).await.unwrap();
    let replaced = [another.id.to_string()];
    let replaced = s.associate_policies(ann, &id, (&replaced, None)).await;
    assert_eq!(reason(replaced), Refusal::VaultNotUpdatable);
    // Whether a policy may change or go is its own rule; no backup may go with it.
    let tighter = Retention { days: Some(1), ..Retention::for_ever() };
    let change = PolicyChange { retention: Some(tighter), ..PolicyChange::default() };
    s.update_policy(ann, &key, change).await.ok();
    s.expire_backups().await.unwrap();
    s.delete_policy(ann, &key).await.ok();
    s.expire_backups().await.unwrap();
    let project = project_of(ann).to_string();
    assert!(s.delete_project(&safe.w.admin, &project).await.is_err());
    safe.assert_whole().await;
}

#[tokio::test]
async fn backups_without_a_date_never_leave_a_locked_vault() {
    let safe = Safe::new(None).await;
    assert_no_way_out(&safe).await;
    safe.w.clock.advance(DAY * 40_000);
    let s = &safe.w.service;
    s.expire_backups().await.unwrap();
    // The administrator of everything is no exception.
    let key = safe.backups().await[0].id.to_string();
    assert_eq!(reason(s.delete_backup(&safe.w.admin, &key, true).await), Refusal::Locked);
    safe.assert_whole().await;
}

#[tokio::test]
async fn backups_with_a_date_leave_when_it_has_passed() {
    let safe = Safe::new(Some(10)).await;
    assert_no_way_out(&safe).await;
    let before = safe.w.service.now();
    safe.w.clock.advance(DAY * 11);
    // A clock that is set back closes the door again.
    safe.w.clock.set(before);
    assert_eq!(
        reason(safe.w.service.delete_vault(&safe.ann, &safe.id()).await),
        Refusal::VaultNotDeletable
    );
    safe.w.clock.advance(DAY * 11);
    let (s, ann) = (&safe.w.service, &safe.ann);
    let key = safe.backups().await[0].id.to_string();
    s.delete_backup(ann, &key, false).await.unwrap();
    safe.w.work().await;
    assert_eq!(safe.backups().await.len(), 1);
    s.remove_resources(ann, &safe.id(), &[safe.volume.id.into()]).await.unwrap();
    for _ in 0..3 {
        safe.w.work().await;
        safe.w.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(safe.backups().await.len(), 0);
    s.delete_vault(ann, &safe.id()).await.unwrap();
}

#[tokio::test]
async fn a_locked_vault_goes_after_the_dates_of_its_backups() {
    let safe = Safe::new(Some(10)).await;
    safe.w.clock.advance(DAY * 11);
    let s = &safe.w.service;
    s.delete_vault(&safe.ann, &safe.id()).await.unwrap();
    for _ in 0..3 {
        safe.w.work().await;
        safe.w.clock.advance(Duration::from_secs(1));
    }
    let gone = s.vault(&safe.ann, &safe.id()).await;
    assert!(matches!(gone, Err(Error::VaultNotFound(_))), "{gone:?}");
}

#[tokio::test]
async fn dates_in_a_locked_vault_only_move_away() {
    let safe = Safe::new(Some(10)).await;
    let s = &safe.w.service;
    let set = |days: u32| {
        let date = s.now().plus(DAY * days);
        let change = ExpiryChange { day: "2030-01-01".to_owned(), date };
        let safe = &safe;
        async move {
            let done = safe.w.service.set_vault_expiry(&safe.ann, &safe.id(), &change).await;
            (done.unwrap().affected, date)
        }
    };
    assert_eq!(set(5).await.0, 0);
    let (affected, date) = set(20).await;
    assert_eq!(affected, 2);
    assert!(safe.backups().await.iter().all(|backup| backup.expires_at == Some(date)));
    let past = ExpiryChange { day: "2000-01-01".to_owned(), date: Timestamp::from_micros(0) };
    let refused = s.set_vault_expiry(&safe.ann, &safe.id(), &past).await;
    assert!(matches!(refused, Err(Error::Invalid { .. })));
    let undated = Safe::new(None).await;
    let change =
        ExpiryChange { day: "2030-01-01".to_owned(), date: undated.w.service.now().plus(DAY) };
    let done = undated.w.service.set_vault_expiry(&undated.ann, &undated.id(), &change).await;
    assert_eq!(done.unwrap().affected, 0, "for ever is later than any date");
}

#[tokio::test]
async fn another_record_of_the_same_bytes_opens_no_way() {
    let safe = Safe::new(None).await;
    let (s, ann) = (&safe.w.service, &safe.ann);
    let data_id = safe.backups().await[0].data_id;
    let record = ImportedRecord {
        id: BackupId::parse("99999999-9999-4999-8999-999999999999").unwrap(),
        data_id,
        volume_id: safe.volume.id,
        size: safe.volume.size,
        name: None,
        description: None,
        container: None,
        availability_zone: None,
        metadata: Metadata::new(),
    };
    let taken = ImportedRecord { id: safe.backups().await[0].id, ..record.clone() };
    assert!(matches!(s.import_backup(ann, taken).await, Err(Error::BackupExists(_))));
    let other = s.import_backup(ann, record).await.unwrap();
    safe.w.work().await;
    let other = safe.w.show(ann, &other).await;
    assert_eq!((other.status, other.vault_id), (BackupStatus::Available, safe.vault.id()));
    let refused = s.delete_backup(ann, &other.id.to_string(), true).await;
    assert_eq!(reason(refused), Refusal::Locked, "it is in the locked vault, too");
    assert_eq!(safe.backups().await.len(), 3);
}

#[tokio::test]
async fn a_lock_holds_what_is_being_made_and_lets_go_what_failed() {
    let safe = Safe::new(None).await;
    let (s, ann) = (&safe.w.service, &safe.ann);
    s.create_checkpoint(ann, NewCheckpoint::of(safe.vault.id())).await.unwrap();
    let made = safe.backups().await.into_iter().find(|one| one.measured.is_none()).unwrap();
    let key = made.id.to_string();
    assert_eq!(reason(s.delete_backup(ann, &key, true).await), Refusal::Locked);
    assert_eq!(reason(s.reset_backup(ann, &key, BackupStatus::Error).await), Refusal::Locked);
    std::fs::remove_file(safe.w.path(&safe.volume)).unwrap();
    for _ in 0..6 {
        safe.w.work().await;
        safe.w.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(safe.w.show(ann, &made).await.status, BackupStatus::Error);
    s.delete_backup(ann, &key, false).await.unwrap();
    safe.assert_whole().await;
}

#[tokio::test]
async fn a_lock_that_comes_later_keeps_what_is_there() {
    let w = World::new().await;
    let ann = w.project("ann", Role::Admin).await;
    let volume = w.written_volume(&ann, "x").await;
    let backup = w.backup(&ann, &volume).await;
    let key = backup.id.to_string();
    w.service.reset_backup(&ann, &key, BackupStatus::ErrorDeleting).await.unwrap();
    let lock = VaultChange { is_locked: Some(true), ..VaultChange::default() };
    let id = backup.vault_id.to_string();
    w.service.update_vault(&ann, &id, lock).await.unwrap();
    // A status that was set by hand before must not make it lose its bytes now.
    let reset = w.service.reset_backup(&ann, &key, BackupStatus::Error).await;
    assert_eq!(reason(reset), Refusal::Locked);
    assert_eq!(reason(w.service.delete_backup(&ann, &key, true).await), Refusal::Locked);
    assert!(w.show(&ann, &backup).await.measured.is_some());
    assert_eq!(reason(w.service.delete_vault(&ann, &id).await), Refusal::VaultNotDeletable);
}

#[tokio::test]
async fn the_disks_of_a_servers_backup_are_kept_by_its_date() {
    let w = World::new().await;
    let ann = w.project("ann", Role::Admin).await;
    let (system, data) = (w.written_volume(&ann, "x").await, w.volume(&ann).await);
    let machine = w.service.keep_server(server(&ann, 1, &[&system, &data])).await.unwrap();
    let id = machine.id.into();
    let resource = NewResource {
        id,
        kind: ResourceKind::Server,
        excluded_volumes: Vec::new(),
        included_volumes: None,
    };
    let new =
        NewVault { is_locked: true, resources: vec![resource], ..new_vault(ObjectType::Server) };
    let vault = w.service.create_vault(&ann, new).await.unwrap();
    let mut run = NewCheckpoint::of(vault.id());
    run.retention_days = Some(10);
    w.service.create_checkpoint(&ann, run).await.unwrap();
    for _ in 0..3 {
        w.work().await;
        w.clock.advance(Duration::from_secs(1));
    }
    let vault_id = vault.id();
    let catalog = w.catalog().await;
    let disks = catalog
        .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.backups().of_vault(vault_id).await?) }));
    let disks = disks.await.unwrap();
    assert_eq!(disks.len(), 2);
    for disk in &disks {
        let refused = w.service.delete_backup(&ann, &disk.id.to_string(), true).await;
        assert!(refused.is_err(), "{refused:?}");
    }
    let key = vault.id().to_string();
    assert_eq!(reason(w.service.delete_vault(&ann, &key).await), Refusal::VaultNotDeletable);
    let removed = w.service.remove_resources(&ann, &key, &[machine.id.into()]).await;
    assert_eq!(reason(removed), Refusal::Locked);
    w.clock.advance(DAY * 11);
    w.service.delete_vault(&ann, &key).await.unwrap();
    assert_eq!(w.show_vault(&ann, &vault).await.vault.status, VaultStatus::Deleting);
    for _ in 0..4 {
        w.work().await;
        w.clock.advance(Duration::from_secs(1));
    }
    assert!(w.service.vault(&ann, &key).await.is_err());
}
