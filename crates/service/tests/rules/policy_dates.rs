//! What happens to backups that a retention has already decided over: dates that were set, removals
//! that failed, and rules that changed meanwhile.

use std::sync::Arc;

use strongroom_engine::Store;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::identity::Role;
use strongroom_model::policy::{Policy, Retention};
use strongroom_model::volume::Volume;
use strongroom_service::Settings;
use strongroom_service::policy::PolicyChange;
use strongroom_service::restore::RestoreRequest;
use strongroom_testkit::store::{Fault, FaultyStore};

use super::policies::{daily, new_policy};
use super::policy_keeps::{newest, project};
use super::world::World;

fn for_days(days: u32) -> Retention {
    Retention { days: Some(days), ..Retention::for_ever() }
}

impl World {
    /// Runs a policy daily at three, from one day of November to another.
    async fn run_days(&self, from: u8, to: u8) {
        for day in from..=to {
            self.run_at(&format!("2023-11-{day}T03:00:00Z")).await;
        }
    }

    /// Changes the count and the days of a policy, one of which is none.
    async fn change_limit(&self, policy: &Policy, count: Option<u32>, days: Option<u32>) {
        let change = PolicyChange { limit: Some((count, days)), ..PolicyChange::default() };
        self.service.update_policy(&self.admin, &policy.id.to_string(), change).await.unwrap();
    }

    async fn enable(&self, policy: &Policy, is_enabled: bool) {
        let change = PolicyChange { is_enabled: Some(is_enabled), ..PolicyChange::default() };
        self.service.update_policy(&self.admin, &policy.id.to_string(), change).await.unwrap();
    }

    /// Removes at an instant what has expired by then; returns the days of what is left.
    async fn left_at(&self, instant: &str) -> Vec<String> {
        self.at(instant);
        self.service.expire_backups().await.unwrap();
        self.work().await;
        self.days(&self.admin).await
    }

    /// A policy that keeps backups for three days, with one of each of three days.
    async fn with_dates(&self) -> (Policy, Volume) {
        let volume = self.written_volume(&self.admin, "x").await;
        let policy = self.keeping(for_days(3), &[&volume]).await;
        self.run_days(15, 17).await;
        assert_eq!(self.days(&self.admin).await, ["11-15", "11-16", "11-17"]);
        (policy, volume)
    }
}

#[tokio::test]
async fn a_date_holds_when_the_disk_is_released() {
    let w = World::new().await;
    let (policy, volume) = w.with_dates().await;
    let ids = [volume.id.to_string()];
    w.service.release_volumes(&w.admin, &policy.id.to_string(), &ids).await.unwrap();
    assert_eq!(w.left_at("2023-11-18T03:30:00Z").await, ["11-16", "11-17"]);
    // The newest stays, whatever its date says.
    assert_eq!(w.left_at("2023-12-17T03:30:00Z").await, ["11-17"]);
}

#[tokio::test]
async fn a_date_holds_when_the_disk_has_moved() {
    let w = World::new().await;
    let (_, volume) = w.with_dates().await;
    let other = w.policy(&w.admin, new_policy(daily(&[4])), &[&volume]).await;
    w.run_at("2023-11-17T04:00:00Z").await;
    assert_eq!(w.tasks(&w.admin, &other).await.len(), 1);
    assert_eq!(w.left_at("2023-11-18T03:30:00Z").await, ["11-16", "11-17", "11-17"]);
    // What another policy made is no reason to remove the last one that this one made.
    assert_eq!(w.left_at("2023-11-21T00:00:00Z").await, ["11-17", "11-17"]);
}

#[tokio::test]
async fn a_date_holds_when_the_policy_is_gone() {
    let w = World::new().await;
    let other = w.project("beta", Role::Member).await;
    let (policy, _) = w.with_dates().await;
    w.service.delete_policy(&w.admin, &policy.id.to_string()).await.unwrap();
    let first = w.backups(&w.admin).await.remove(0).id.to_string();
    w.service.share_backup(&w.admin, &first, &[project(&other)]).await.unwrap();
    // Others may use the first.
    assert_eq!(w.left_at("2023-11-21T00:00:00Z").await, ["11-15", "11-17"]);
    w.service.end_shares_of(&w.admin, &first).await.unwrap();
    assert_eq!(w.left_at("2023-11-21T00:00:00Z").await, ["11-17"]);
}

#[tokio::test]
async fn a_date_waits_while_the_policy_is_disabled() {
    let w = World::new().await;
    let (policy, volume) = w.with_dates().await;
    w.enable(&policy, false).await;
    assert_eq!(w.left_at("2023-11-21T00:00:00Z").await.len(), 3);
    let ids = [volume.id.to_string()];
    w.service.release_volumes(&w.admin, &policy.id.to_string(), &ids).await.unwrap();
    assert_eq!(w.left_at("2023-11-21T00:00:00Z").await.len(), 3);
    w.enable(&policy, true).await;
    assert_eq!(w.left_at("2023-11-21T00:00:00Z").await, ["11-17"]);
}

#[tokio::test]
async fn a_failed_backup_of_a_released_disk_goes_by_its_date_only() {
    let w = World::new().await;
    let (policy, volume) = w.with_dates().await;
    let undated = w.keeping(newest(9), &[&volume]).await;
    w.run_days(18, 19).await;
    let error = BackupStatus::Error;
    for backup in w.backups(&w.admin).await {
        w.service.reset_backup(&w.admin, &backup.id.to_string(), error).await.unwrap();
    }
    let ids = [volume.id.to_string()];
    w.service.release_volumes(&w.admin, &undated.id.to_string(), &ids).await.unwrap();
    w.service.delete_policy(&w.admin, &policy.id.to_string()).await.unwrap();
    assert_eq!(w.left_at("2024-02-01T00:00:00Z").await, ["11-18", "11-19"]);
}

async fn statuses(w: &World) -> Vec<BackupStatus> {
    w.backups(&w.admin).await.iter().map(|backup: &Backup| backup.status).collect()
}

/// A world whose store fails at will; one failure is enough for a job to be given up.
async fn fragile() -> (World, Arc<FaultyStore>) {
    let store = FaultyStore::in_memory();
    let objects = Store::objects(Arc::<FaultyStore>::clone(&store)).unwrap();
    let settings = Settings { attempts_max: 1, ..Settings::default() };
    (World::over(objects, tempfile::tempdir().unwrap(), settings).await, store)
}

#[tokio::test]
async fn a_removal_that_failed_is_begun_again() {
    let (w, store) = fragile().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let policy = w.keeping(newest(9), &[&volume]).await;
    w.run_days(15, 17).await;
    w.change_limit(&policy, Some(2), None).await;
    assert_eq!(w.service.expire_backups().await.unwrap(), 1);
    store.break_at(1, Fault::StopBefore);
    w.work().await;
    let [failed, kept] = [BackupStatus::ErrorDeleting, BackupStatus::Available];
    assert_eq!(statuses(&w).await, [failed, kept, kept]);
    // The outage goes on, and the policy rests.
    assert_eq!(w.left_at("2023-11-17T04:00:00Z").await.len(), 3);
    assert_eq!(statuses(&w).await, [failed, kept, kept]);
    store.heal();
    w.enable(&policy, false).await;
    assert_eq!(w.left_at("2023-11-17T05:00:00Z").await.len(), 3);
    w.enable(&policy, true).await;
    assert_eq!(w.left_at("2023-11-17T06:00:00Z").await, ["11-16", "11-17"]);
    assert_eq!(w.service.expire_backups().await.unwrap(), 0);
}

#[tokio::test]
async fn a_removal_that_failed_is_begun_again_when_the_policy_is_gone() {
    let (w, store) = fragile().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let policy = w.keeping(newest(1), &[&volume]).await;
    w.run_days(15, 15).await;
    w.at("2023-11-16T03:00:00Z");
    w.run_due().await;
    let first = w.backups(&w.admin).await.remove(0).id.to_string();
    w.service.delete_backup(&w.admin, &first, false).await.unwrap();
    store.break_at(1, Fault::StopBefore);
    w.work().await;
    store.heal();
    let [failed, lost] = [BackupStatus::ErrorDeleting, BackupStatus::Error];
    assert_eq!(statuses(&w).await, [failed, lost]);
    w.service.delete_policy(&w.admin, &policy.id.to_string()).await.unwrap();
    assert_eq!(w.left_at("2023-11-17T04:00:00Z").await, ["11-16"]);
}

#[tokio::test]
async fn a_word_set_by_hand_removes_nothing() {
    let (w, store) = fragile().await;
    w.with_dates().await;
    let word = BackupStatus::ErrorDeleting;
    let ids: Vec<_> = w.backups(&w.admin).await.iter().map(|b| b.id.to_string()).collect();
    // Not even if something else had failed before.
    w.service.restore_backup(&w.admin, &ids[2], RestoreRequest::default()).await.unwrap();
    store.break_at(1, Fault::StopBefore);
    w.work().await;
    store.heal();
    let unread = w.service.backup(&w.admin, &ids[2]).await.unwrap();
    assert_eq!((unread.status, unread.fail_reason.is_some()), (BackupStatus::Available, true));
    for id in &ids[1..] {
        w.service.reset_backup(&w.admin, id, word).await.unwrap();
    }
    w.left_at("2023-11-17T03:00:00Z").await;
    assert_eq!(statuses(&w).await, [BackupStatus::Available, word, word]);
}

// The rule changes: what CBR's guide says of each case.

#[tokio::test]
async fn count_to_days_leaves_what_has_no_date() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let policy = w.keeping(newest(2), &[&volume]).await;
    w.run_days(15, 16).await;
    w.change_limit(&policy, None, Some(1)).await;
    w.run_days(17, 20).await;
    assert_eq!(w.left_at("2023-11-25T00:00:00Z").await, ["11-15", "11-16", "11-20"]);
}

#[tokio::test]
async fn days_to_days_moves_no_date() {
    let w = World::new().await;
    let (policy, _) = w.with_dates().await;
    w.change_limit(&policy, None, Some(1)).await;
    assert_eq!(w.left_at("2023-11-18T02:59:59Z").await.len(), 3);
    w.change_limit(&policy, None, Some(30)).await;
    assert_eq!(w.left_at("2023-11-19T00:00:00Z").await, ["11-16", "11-17"]);
    w.run_days(19, 19).await;
    assert_eq!(w.left_at("2023-11-30T00:00:00Z").await, ["11-19"]);
}

#[tokio::test]
async fn days_to_count_keeps_the_dates_and_counts_besides() {
    let w = World::new().await;
    let volume = w.written_volume(&w.admin, "x").await;
    let policy = w.keeping(for_days(4), &[&volume]).await;
    w.run_days(15, 17).await;
    w.change_limit(&policy, Some(2), None).await;
    // The count goes before the date,
    assert_eq!(w.left_at("2023-11-17T04:00:00Z").await, ["11-16", "11-17"]);
    w.change_limit(&policy, Some(9), None).await;
    w.run_days(18, 19).await;
    // and the date before the count.
    assert_eq!(w.left_at("2023-11-22T00:00:00Z").await, ["11-18", "11-19"]);
}

#[tokio::test]
async fn any_to_for_ever_keeps_the_dates_and_sets_none() {
    let w = World::new().await;
    let (policy, _) = w.with_dates().await;
    w.change_limit(&policy, None, None).await;
    w.run_days(18, 19).await;
    assert_eq!(w.left_at("2023-12-22T00:00:00Z").await, ["11-18", "11-19"]);
}
