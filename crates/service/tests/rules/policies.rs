//! Policies as callers see them: what is refused, what is shown, which disks belong to which.

use strongroom_model::identity::Role;
use strongroom_model::policy::{Days, Policy, Retention, Rule, TimeOfDay, Trigger, Weekday};
use strongroom_model::tag::{Tagged, Tags};
use strongroom_model::volume::{Volume, VolumeStatus};
use strongroom_model::zone::Zone;
use strongroom_service::policy::{BindingFault, NewPolicy, PolicyChange};
use strongroom_service::volume::VolumeDeletion;
use strongroom_service::{Caller, Error, Kind, Settings};

use super::policy_runs::listing;
use super::world::{World, log_in};

pub(crate) const UNKNOWN: &str = "55555555-5555-4555-8555-555555555555";

pub(crate) fn times(hours: &[u8]) -> Vec<TimeOfDay> {
    hours.iter().map(|hour| TimeOfDay { hour: *hour, minute: 0 }).collect()
}

pub(crate) fn daily(hours: &[u8]) -> Trigger {
    let rules = vec![Rule { times: times(hours), days: Days::OfMonth { every: 1 } }];
    Trigger { zone: Zone::utc(), rules }
}

pub(crate) fn new_policy(trigger: Trigger) -> NewPolicy {
    NewPolicy {
        name: "nightly".to_owned(),
        is_enabled: true,
        trigger,
        retention: Retention::for_ever(),
        tags: Tags::new(),
    }
}

impl World {
    /// A policy that runs daily at these hours, bound to these disks.
    pub(crate) async fn policy(
        &self,
        caller: &Caller,
        new: NewPolicy,
        volumes: &[&Volume],
    ) -> Policy {
        let policy = self.service.create_policy(caller, new).await.unwrap();
        assert_eq!(self.bind(caller, &policy, volumes).await, vec![None; volumes.len()]);
        policy
    }

    pub(crate) async fn bind(
        &self,
        caller: &Caller,
        policy: &Policy,
        volumes: &[&Volume],
    ) -> Vec<Option<BindingFault>> {
        let ids: Vec<_> = volumes.iter().map(|volume| volume.id.to_string()).collect();
        let bound = self.service.bind_volumes(caller, &policy.id.to_string(), &ids).await.unwrap();
        bound.into_iter().map(|binding| binding.fault).collect()
    }

    pub(crate) async fn count_bound(&self, caller: &Caller, policy: &Policy) -> u64 {
        self.service.policy(caller, &policy.id.to_string()).await.unwrap().volume_count
    }
}

#[tokio::test]
async fn a_policy_is_kept_shown_changed_and_removed() {
    let w = World::new().await;
    let tags = Tags::from([("tier".to_owned(), "gold".to_owned())]);
    let new = NewPolicy { tags: tags.clone(), ..new_policy(daily(&[3])) };
    let policy = w.service.create_policy(&w.admin, new).await.unwrap();
    let id = policy.id.to_string();
    assert_eq!(policy.next_run_at.unwrap().format_rfc3339(), "2023-11-15T03:00:00Z");
    let shown = w.service.policy(&w.admin, &id).await.unwrap();
    assert_eq!((&shown.policy, &shown.tags, shown.volume_count), (&policy, &tags, 0));
    assert_eq!(w.service.policies(&w.admin).await.unwrap(), [shown]);

    let change = PolicyChange {
        name: Some("weekly".to_owned()),
        days: Some(Days::Weekdays(vec![Weekday::Monday])),
        times: Some(times(&[20])),
        zone: Some(Zone::parse("UTC+08:00").unwrap()),
        limit: Some((Some(5), None)),
        keeps_first_of_month: Some(true),
        ..PolicyChange::default()
    };
    let changed = w.service.update_policy(&w.admin, &id, change).await.unwrap();
    // 20:00 UTC on Sunday is Monday there.
    assert_eq!(changed.next_run_at.unwrap().format_rfc3339(), "2023-11-19T20:00:00Z");
    assert_eq!(changed.name, "weekly");
    assert_eq!((changed.retention.count, changed.retention.days), (Some(5), None));
    assert!(changed.retention.keeps_first_of_month);
    assert_eq!(changed.retention.zone.name(), "UTC+08:00");
    assert_eq!(w.service.policy(&w.admin, &id).await.unwrap().policy, changed);

    let off = PolicyChange { is_enabled: Some(false), ..PolicyChange::default() };
    let off = w.service.update_policy(&w.admin, &id, off).await.unwrap();
    assert_eq!(off.next_run_at, None);
    w.service.delete_policy(&w.admin, &id).await.unwrap();
    let gone = w.service.policy(&w.admin, &id).await;
    assert!(matches!(gone, Err(Error::PolicyNotFound(found)) if found == id));
    assert!(w.service.all_tags(&w.admin, Tagged::Policy).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let w = World::new().await;
    let rule = |times: &[u8], days| Rule { times: self::times(times), days };
    let every = |every| Days::OfMonth { every };
    let from = "2024-01-01".parse().unwrap();
    let mut odd_minute = rule(&[1], every(1));
    odd_minute.times[0].minute = 60;
    let half_past = |mut rule: Rule| {
        rule.times[0].minute = 30;
        rule
    };
    let all: Vec<u8> = (0..24).collect();
    let bad = [
        vec![],
        vec![rule(&[], every(1))],
        vec![rule(&[3], every(1)), rule(&[], every(1))],
        vec![rule(&[24], every(1))],
        vec![odd_minute],
        vec![rule(&[3], every(0))],
        vec![rule(&[3], Days::Interval { every: 0, from })],
        vec![rule(&[3], Days::Weekdays(vec![]))],
        vec![rule(&all, every(1)), half_past(rule(&[1], every(1)))],
    ];
    let policy = w.service.create_policy(&w.admin, new_policy(daily(&all))).await.unwrap();
    let id = policy.id.to_string();
    for rules in bad {
        let trigger = Trigger { zone: Zone::utc(), rules };
        let refused = w.service.create_policy(&w.admin, new_policy(trigger.clone())).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{trigger:?}");
        let change = PolicyChange { trigger: Some(trigger.clone()), ..PolicyChange::default() };
        let refused = w.service.update_policy(&w.admin, &id, change).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{trigger:?}");
    }
    for limit in [(Some(0), None), (None, Some(0))] {
        let change = PolicyChange { limit: Some(limit), ..PolicyChange::default() };
        let refused = w.service.update_policy(&w.admin, &id, change).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })));
    }
    assert_eq!(w.service.policy(&w.admin, &id).await.unwrap().policy, policy);
    assert_eq!(w.service.policies(&w.admin).await.unwrap().len(), 1);
}

#[tokio::test]
async fn only_a_single_rule_is_changed_in_part() {
    let w = World::new().await;
    let mut two = daily(&[3]);
    two.rules.push(two.rules[0].clone());
    let policy = w.service.create_policy(&w.admin, new_policy(two)).await.unwrap();
    let change = PolicyChange { times: Some(times(&[4])), ..PolicyChange::default() };
    let refused = w.service.update_policy(&w.admin, &policy.id.to_string(), change).await;
    assert!(matches!(refused, Err(Error::Invalid { .. })));
}

#[tokio::test]
async fn a_project_has_so_many_policies_and_a_policy_so_many_disks() {
    let settings = Settings { policies_max: 2, policy_volumes_max: 1, ..Settings::default() };
    let w = World::with(settings).await;
    let member = w.project("alpha", Role::Member).await;
    let policy = w.service.create_policy(&member, new_policy(daily(&[3]))).await.unwrap();
    w.service.create_policy(&member, new_policy(daily(&[3]))).await.unwrap();
    let refused = w.service.create_policy(&member, new_policy(daily(&[3]))).await;
    assert!(matches!(refused, Err(Error::TooManyPolicies(2))));
    w.service.create_policy(&w.admin, new_policy(daily(&[3]))).await.unwrap();
    let (a, b) = (w.volume(&member).await, w.volume(&member).await);
    let bound = w.bind(&member, &policy, &[&a, &b, &a]).await;
    assert_eq!(bound, [None, Some(BindingFault::TooMany), None]);
    assert_eq!(w.count_bound(&member, &policy).await, 1);
    // A disk that is gone gives its place to another.
    let deletion = VolumeDeletion::default();
    w.service.delete_volume(&member, &a.id.to_string(), deletion).await.unwrap();
    w.work().await;
    assert_eq!(w.bind(&member, &policy, &[&b]).await, [None]);
    assert_eq!(w.count_bound(&member, &policy).await, 1);
}

#[tokio::test]
async fn a_disk_moves_from_one_policy_to_another() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let first = w.policy(&w.admin, new_policy(daily(&[3])), &[&volume]).await;
    let second = w.policy(&w.admin, new_policy(daily(&[3])), &[&volume, &volume]).await;
    let counts = (w.count_bound(&w.admin, &first).await, w.count_bound(&w.admin, &second).await);
    assert_eq!(counts, (0, 1));
    let ids = [volume.id.to_string(), UNKNOWN.to_owned(), "disk".to_owned()];
    let release = |policy: &Policy| {
        let (service, admin, ids, id) =
            (w.service.clone(), w.admin.clone(), ids.clone(), policy.id.to_string());
        async move {
            let released = service.release_volumes(&admin, &id, &ids).await.unwrap();
            released.into_iter().map(|one| one.fault).collect::<Vec<_>>()
        }
    };
    let missing = Some(BindingFault::Missing);
    assert_eq!(release(&first).await, [Some(BindingFault::NotBound), missing, missing]);
    assert_eq!(release(&second).await, [None, missing, missing]);
    assert_eq!(w.count_bound(&w.admin, &second).await, 0);
}

#[tokio::test]
async fn a_broken_disk_is_not_bound_and_a_lost_one_can_be_released() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let policy = w.policy(&w.admin, new_policy(daily(&[3])), &[]).await;
    let vid = volume.id.to_string();
    for status in VolumeStatus::ALL {
        if w.service.reset_volume(&w.admin, &vid, status).await.is_err() {
            continue;
        }
        use VolumeStatus::{Deleting, Error, ErrorDeleting, ErrorRestoring};
        let is_bad = [Deleting, Error, ErrorDeleting, ErrorRestoring].contains(&status);
        let fault = is_bad.then_some(BindingFault::State);
        assert_eq!(w.bind(&w.admin, &policy, &[&volume]).await, [fault], "{status:?}");
        let ids = std::slice::from_ref(&vid);
        w.service.release_volumes(&w.admin, &policy.id.to_string(), ids).await.unwrap();
    }
    w.service.reset_volume(&w.admin, &vid, VolumeStatus::Available).await.unwrap();
    w.bind(&w.admin, &policy, &[&volume]).await;
    assert_eq!(w.count_bound(&w.admin, &policy).await, 1);
    w.service.delete_volume(&w.admin, &vid, VolumeDeletion::default()).await.unwrap();
    w.work().await;
    assert_eq!(w.count_bound(&w.admin, &policy).await, 0);
    let released = w.service.release_volumes(&w.admin, &policy.id.to_string(), &[vid]).await;
    assert_eq!(released.unwrap()[0].fault, None);
}

#[tokio::test]
async fn a_foreign_policy_or_disk_does_not_exist() {
    let w = World::new().await;
    let owner = w.project("alpha", Role::Member).await;
    let other = w.project("beta", Role::Member).await;
    let (own, foreign) = (w.volume(&other).await, w.volume(&owner).await);
    let policy = w.policy(&owner, new_policy(daily(&[3])), &[&foreign]).await;
    let id = policy.id.to_string();
    // Not even for the admin of another project of the cloud.
    for caller in [&other, &w.admin] {
        let s = &w.service;
        assert!(s.policies(caller).await.unwrap().is_empty());
        let kinds = [
            s.policy(caller, &id).await.unwrap_err().kind(),
            s.update_policy(caller, &id, PolicyChange::default()).await.unwrap_err().kind(),
            s.execute_policy(caller, &id).await.unwrap_err().kind(),
            s.bind_volumes(caller, &id, &[own.id.to_string()]).await.unwrap_err().kind(),
            s.release_volumes(caller, &id, &[foreign.id.to_string()]).await.unwrap_err().kind(),
            s.policy_tasks(caller, &id, listing()).await.unwrap_err().kind(),
            s.delete_policy(caller, &id).await.unwrap_err().kind(),
        ];
        assert_eq!(kinds, [Kind::NotFound; 7]);
    }
    let theirs = w.policy(&other, new_policy(daily(&[3])), &[&own]).await;
    assert_eq!(w.bind(&other, &theirs, &[&foreign]).await, [Some(BindingFault::Missing)]);
    assert_eq!(w.count_bound(&owner, &policy).await, 1);
    for nonsense in ["", "nightly", UNKNOWN] {
        let shown = w.service.policy(&owner, nonsense).await;
        assert!(matches!(shown, Err(Error::PolicyNotFound(_))));
    }
}

#[tokio::test]
async fn a_reader_looks_and_a_member_changes() {
    let w = World::new().await;
    let member = w.project("alpha", Role::Member).await;
    let policy = w.policy(&member, new_policy(daily(&[3])), &[]).await;
    let id = policy.id.to_string();
    w.user("reader", &policy.project_id, Role::Reader).await;
    let reader = log_in(&w.service, "reader", "password", "alpha").await;
    assert_eq!(w.service.policies(&reader).await.unwrap().len(), 1);
    assert_eq!(w.service.policy(&reader, &id).await.unwrap().policy, policy);
    w.service.policy_tasks(&reader, &id, listing()).await.unwrap();
    let s = &w.service;
    let kinds = [
        s.create_policy(&reader, new_policy(daily(&[3]))).await.unwrap_err().kind(),
        s.update_policy(&reader, &id, PolicyChange::default()).await.unwrap_err().kind(),
        s.execute_policy(&reader, &id).await.unwrap_err().kind(),
        s.bind_volumes(&reader, &id, &[]).await.unwrap_err().kind(),
        s.release_volumes(&reader, &id, &[]).await.unwrap_err().kind(),
        s.delete_policy(&reader, &id).await.unwrap_err().kind(),
    ];
    assert_eq!(kinds, [Kind::Forbidden; 6]);
}
