//! What happens to backups that a retention has already decided over: dates that were set.

use strongroom_model::backup::BackupStatus;
use strongroom_model::identity::Role;
use strongroom_model::policy::{Policy, Retention};
use strongroom_model::volume::Volume;
use strongroom_service::policy::PolicyChange;

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
