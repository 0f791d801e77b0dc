//! Policies when the clock is wrong and put right, and when their project goes.

use strongroom_model::identity::Role;
use strongroom_model::time::Timestamp;
use strongroom_service::volume::VolumeDeletion;
use strongroom_service::{CallerScope, Error};

use super::policies::{daily, new_policy};
use super::world::World;

#[tokio::test]
async fn a_clock_that_was_ahead_does_not_keep_policies_waiting() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let policy = w.policy(&w.admin, new_policy(daily(&[3])), &[&volume]).await;
    let id = policy.id.to_string();
    let next = async || {
        let shown = w.service.policy(&w.admin, &id).await.unwrap();
        shown.policy.next_run_at.unwrap().format_rfc3339()
    };
    w.at("2024-11-20T12:00:00Z");
    assert_eq!(w.run_due().await, 1);
    w.work().await;
    assert_eq!(next().await, "2024-11-21T03:00:00Z");
    // Half an hour back repeats nothing.
    w.clock.set(Timestamp::parse("2024-11-20T11:30:00Z").unwrap());
    assert_eq!(w.service.reckon_runs().await.unwrap(), 0);
    // A year back: the policy goes on from where the clock is.
    w.clock.set(Timestamp::parse("2023-11-20T12:00:00Z").unwrap());
    assert_eq!(w.run_due().await, 0);
    assert_eq!(w.service.reckon_runs().await.unwrap(), 1);
    assert_eq!(next().await, "2023-11-21T03:00:00Z");
    assert_eq!(w.service.reckon_runs().await.unwrap(), 0);
    w.at("2023-11-21T03:00:00Z");
    assert_eq!(w.run_due().await, 1);
    w.work().await;
    assert_eq!(w.backups(&w.admin).await.len(), 2);
}

#[tokio::test]
async fn a_project_takes_its_policies_and_what_is_shared_with_it_along() {
    let w = World::new().await;
    let owner = w.project("alpha", Role::Member).await;
    let leaver = w.project("beta", Role::Member).await;
    let CallerScope::Project(leaving) = leaver.scope.clone() else { panic!("{leaver:?}") };
    let volume = w.volume(&owner).await;
    let backup = w.backup(&owner, &volume).await;
    let id = backup.id.to_string();
    let with = std::slice::from_ref(&leaving);
    let share = w.service.share_backup(&owner, &id, with).await.unwrap().remove(0);
    let disk = w.volume(&leaver).await;
    w.policy(&leaver, new_policy(daily(&[3])), &[&disk]).await;
    w.service
        .delete_volume(&leaver, &disk.id.to_string(), VolumeDeletion::default())
        .await
        .unwrap();
    w.work().await;
    w.service.delete_project(&w.admin, leaving.as_str()).await.unwrap();
    w.at("2023-11-20T12:00:00Z");
    assert_eq!(w.run_due().await, 0);
    let ended = w.service.share(&owner, &share.id.to_string()).await;
    assert!(matches!(ended, Err(Error::ShareNotFound(_))));
}
