//! Quotas hold whatever comes at once.

use strongroom_model::id::ProjectId;
use strongroom_model::identity::Role;
use strongroom_model::quota::Resource;
use strongroom_model::size::GiB;
use strongroom_service::volume::NewVolume;
use strongroom_service::{Caller, CallerScope, Error};

use super::world::{World, new_backup};

fn project(caller: &Caller) -> ProjectId {
    match &caller.scope {
        CallerScope::Project(id) => id.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn backups_are_refused_beyond_number_and_size() {
    let w = World::new().await;
    let member = w.project("alpha", Role::Member).await;
    let volume = w.volume(&member).await;
    let limits = [(Resource::Backups, 1)];
    w.service.set_quotas(&w.admin, &project(&member), &limits).await.unwrap();
    let backup = w.backup(&member, &volume).await;
    let refused = w.service.create_backup(&member, new_backup(&volume)).await;
    let Err(Error::QuotaExceeded { resource, limit: 1, in_use: 1, requested: 1 }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(resource, Resource::Backups);
    w.service.delete_backup(&member, &backup.id.to_string(), false).await.unwrap();
    w.work().await;
    w.backup(&member, &volume).await;
    let below = w.service.set_quotas(&w.admin, &project(&member), &[(Resource::Backups, 0)]).await;
    assert!(matches!(below, Err(Error::QuotaBelowUse { in_use: 1, .. })));
}

#[tokio::test]
async fn many_at_once_never_exceed_a_quota() {
    let w = World::new().await;
    let member = w.project("alpha", Role::Member).await;
    let limits = [(Resource::Volumes, 3)];
    w.service.set_quotas(&w.admin, &project(&member), &limits).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (service, member) = (w.service.clone(), member.clone());
        tasks.spawn(async move {
            let new = NewVolume { size: Some(GiB(1)), ..NewVolume::default() };
            service.create_volume(&member, new).await.is_ok()
        });
    }
    let made = tasks.join_all().await.into_iter().filter(|made| *made).count();
    assert_eq!(made, 3);
}

#[tokio::test]
async fn class_limits_hold_for_projects_without_their_own() {
    let w = World::new().await;
    let member = w.project("alpha", Role::Member).await;
    let class = [(Resource::Gigabytes, 1)];
    w.service.set_quota_class(&w.admin, "default", &class).await.unwrap();
    w.volume(&member).await;
    let new = NewVolume { size: Some(GiB(1)), ..NewVolume::default() };
    let refused = w.service.create_volume(&member, new.clone()).await;
    assert!(matches!(refused, Err(Error::QuotaExceeded { .. })));
    let own = [(Resource::Gigabytes, 2)];
    w.service.set_quotas(&w.admin, &project(&member), &own).await.unwrap();
    w.service.create_volume(&member, new).await.unwrap();
    w.service.clear_quotas(&w.admin, &project(&member)).await.unwrap();
    let quotas = w.service.quotas(&member, &project(&member)).await.unwrap();
    let gigabytes = quotas.iter().find(|quota| quota.resource == Resource::Gigabytes).unwrap();
    assert_eq!((gigabytes.limit, gigabytes.in_use), (1, 2));
}
