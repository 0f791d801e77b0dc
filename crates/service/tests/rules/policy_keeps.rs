//! What retentions remove, and what they never do.

use strongroom_model::backup::BackupStatus;
use strongroom_model::id::ProjectId;
use strongroom_model::identity::Role;
use strongroom_model::policy::{Policy, Retention};
use strongroom_model::volume::Volume;
use strongroom_service::policy::{NewPolicy, PolicyChange};
use strongroom_service::restore::RestoreRequest;
use strongroom_service::volume::{NewVolume, VolumeDeletion, VolumeOrigin};
use strongroom_service::{Caller, CallerScope};

use super::policies::{daily, new_policy};
use super::world::{World, new_backup};

impl World {
    /// Runs what is due at an instant to its end.
    pub(crate) async fn run_at(&self, instant: &str) {
        self.at(instant);
        self.run_due().await;
        self.work().await;
    }

    /// The days of the backups that there are.
    pub(crate) async fn days(&self, caller: &Caller) -> Vec<String> {
        let backups = self.backups(caller).await;
        backups.iter().map(|backup| backup.created_at.format_rfc3339()[5..10].to_owned()).collect()
    }

    pub(crate) async fn keeping(&self, retention: Retention, volumes: &[&Volume]) -> Policy {
        let new = NewPolicy { retention, ..new_policy(daily(&[3])) };
        self.policy(&self.admin, new, volumes).await
    }
}

pub(crate) fn newest(count: u32) -> Retention {
    Retention { count: Some(count), ..Retention::for_ever() }
}

pub(crate) fn project(caller: &Caller) -> ProjectId {
    match &caller.scope {
        CallerScope::Project(id) => id.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_oldest_beyond_the_count_goes_when_a_new_one_is_there() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let by_hand = w.backup(&w.admin, &volume).await;
    w.keeping(newest(2), &[&volume]).await;
    w.run_at("2023-11-15T03:00:00Z").await;
    w.run_at("2023-11-16T03:00:00Z").await;
    assert_eq!(w.days(&w.admin).await, ["11-14", "11-15", "11-16"]);
    w.at("2023-11-17T03:00:00Z");
    w.run_due().await;
    // Nothing goes before the new one is there.
    assert_eq!(w.service.expire_backups().await.unwrap(), 0);
    w.work().await;
    assert_eq!(w.days(&w.admin).await, ["11-14", "11-16", "11-17"]);
    assert_eq!(w.show(&w.admin, &by_hand).await.status, BackupStatus::Available);
}

#[tokio::test]
async fn days_are_reckoned_when_a_backup_is_made() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let days = Retention { days: Some(2), ..Retention::for_ever() };
    let policy = w.keeping(days, &[&volume]).await;
    w.run_at("2023-11-15T03:00:00Z").await;
    w.run_at("2023-11-16T03:00:00Z").await;
    let change = PolicyChange { limit: Some((None, Some(30))), ..PolicyChange::default() };
    w.service.update_policy(&w.admin, &policy.id.to_string(), change).await.unwrap();
    w.at("2023-11-17T02:59:59Z");
    assert_eq!(w.service.expire_backups().await.unwrap(), 0);
    w.at("2023-11-17T03:00:00Z");
    assert_eq!(w.service.expire_backups().await.unwrap(), 1);
    w.run_at("2023-11-17T03:00:01Z").await;
    assert_eq!(w.days(&w.admin).await, ["11-16", "11-17"]);
    w.run_at("2023-12-10T00:00:00Z").await;
    assert!(!w.days(&w.admin).await.contains(&"11-16".to_owned()));
    assert!(w.days(&w.admin).await.contains(&"11-17".to_owned()));
}

#[tokio::test]
async fn the_newest_is_never_removed() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let days = Retention { days: Some(1), ..Retention::for_ever() };
    let policy = w.keeping(days, &[&volume]).await;
    w.run_at("2023-11-15T03:00:00Z").await;
    // The disk goes, and so does every later backup: what is left is all that is left of it.
    w.service
        .delete_volume(&w.admin, &volume.id.to_string(), VolumeDeletion::default())
        .await
        .unwrap();
    w.run_at("2023-12-20T03:00:00Z").await;
    assert_eq!(w.service.expire_backups().await.unwrap(), 0);
    assert_eq!(w.days(&w.admin).await, ["11-15"]);
    assert_eq!(w.count_bound(&w.admin, &policy).await, 0);
}

#[tokio::test]
async fn what_is_shared_or_read_stays_as_long_as_it_is() {
    let w = World::new().await;
    let other = w.project("beta", Role::Member).await;
    let volume = w.written_volume(&w.admin, "x").await;
    let policy = w.keeping(newest(9), &[&volume]).await;
    for day in 15..20 {
        w.run_at(&format!("2023-11-{day}T03:00:00Z")).await;
    }
    let ids: Vec<_> = w.backups(&w.admin).await.iter().map(|b| b.id).collect();
    w.service.share_backup(&w.admin, &ids[0].to_string(), &[project(&other)]).await.unwrap();
    let request = RestoreRequest::default();
    w.service.restore_backup(&w.admin, &ids[1].to_string(), request).await.unwrap();
    let copy = NewVolume { origin: VolumeOrigin::Backup(ids[2]), ..NewVolume::default() };
    w.service.create_volume(&w.admin, copy).await.unwrap();
    let change = PolicyChange { limit: Some((Some(1), None)), ..PolicyChange::default() };
    w.service.update_policy(&w.admin, &policy.id.to_string(), change).await.unwrap();
    assert_eq!(w.service.expire_backups().await.unwrap(), 1);
    let status = |n: usize| {
        let (service, admin, id) = (w.service.clone(), w.admin.clone(), ids[n].to_string());
        async move { service.backup(&admin, &id).await.map(|backup| backup.status).ok() }
    };
    assert_eq!(status(0).await, Some(BackupStatus::Available));
    assert_eq!(status(1).await, Some(BackupStatus::Restoring));
    assert_eq!(status(2).await, Some(BackupStatus::Available));
    assert_eq!(status(3).await, Some(BackupStatus::Deleting));
    w.work().await;
    w.service.end_shares_of(&w.admin, &ids[0].to_string()).await.unwrap();
    assert_eq!(w.service.expire_backups().await.unwrap(), 3);
    w.work().await;
    assert_eq!(w.days(&w.admin).await, ["11-19"]);
}

#[tokio::test]
async fn a_count_removes_nothing_when_disabled_or_released() {
    let w = World::new().await;
    let (a, b) = (w.written_volume(&w.admin, "x").await, w.written_volume(&w.admin, "x").await);
    let policy = w.keeping(newest(9), &[&a, &b]).await;
    for day in 15..18 {
        w.run_at(&format!("2023-11-{day}T03:00:00Z")).await;
    }
    let id = policy.id.to_string();
    let off = PolicyChange {
        is_enabled: Some(false),
        limit: Some((Some(1), None)),
        ..PolicyChange::default()
    };
    w.service.update_policy(&w.admin, &id, off).await.unwrap();
    assert_eq!(w.service.expire_backups().await.unwrap(), 0);
    // A run by hand of a disabled policy makes one more and removes none.
    w.service.execute_policy(&w.admin, &id).await.unwrap();
    w.work().await;
    assert_eq!(w.backups(&w.admin).await.len(), 8);
    w.service.release_volumes(&w.admin, &id, &[a.id.to_string()]).await.unwrap();
    let on = PolicyChange { is_enabled: Some(true), ..PolicyChange::default() };
    w.service.update_policy(&w.admin, &id, on).await.unwrap();
    assert_eq!(w.service.expire_backups().await.unwrap(), 3);
    w.work().await;
    let left = w.backups(&w.admin).await;
    assert_eq!(left.iter().filter(|backup| backup.volume_id == a.id).count(), 4);
    assert_eq!(left.iter().filter(|backup| backup.volume_id == b.id).count(), 1);
    w.service.create_backup(&w.admin, new_backup(&a)).await.unwrap();
}

#[tokio::test]
async fn the_first_of_the_month_outlasts_the_count_until_the_month_ends() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let retention = Retention { keeps_first_of_month: true, ..newest(2) };
    w.keeping(retention, &[&volume]).await;
    w.at("2024-02-27T00:00:00Z");
    w.run_due().await;
    w.work().await;
    for day in 27..=29 {
        w.run_at(&format!("2024-02-{day}T03:00:00Z")).await;
    }
    assert_eq!(w.days(&w.admin).await, ["02-27", "02-28", "02-29"]);
    w.at("2024-03-01T00:00:00Z");
    w.service.expire_backups().await.unwrap();
    w.work().await;
    assert_eq!(w.days(&w.admin).await, ["02-28", "02-29"]);
    for day in 1..=4 {
        w.run_at(&format!("2024-03-0{day}T03:00:00Z")).await;
    }
    assert_eq!(w.days(&w.admin).await, ["03-01", "03-03", "03-04"]);
}
