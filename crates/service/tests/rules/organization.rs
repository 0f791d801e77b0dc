//! Policies of a whole domain: one in each project, as long as they stand behind it and after.

use serde_json::json;
use strongroom_model::identity::Role;
use strongroom_model::organization_policy::Deployment;
use strongroom_model::policy::{PolicyKind, PolicyOperation};
use strongroom_service::policy::organization::{NewOrganizationPolicy, OrganizationPolicyChange};
use strongroom_service::policy::{PatternedChange, PatternedFilter, PatternedPolicy};
use strongroom_service::{Caller, Error};

use super::vault_policies::{NIGHTLY, defining, patterned};
use super::world::World;

fn everywhere() -> NewOrganizationPolicy {
    NewOrganizationPolicy {
        name: "all of us".to_owned(),
        description: String::new(),
        effective_scope: String::new(),
        policy: patterned(NIGHTLY, &json!({"max_backups": 1})),
    }
}

async fn only(w: &World, caller: &Caller) -> PatternedPolicy {
    let all = w.service.patterned_policies(caller, &PatternedFilter::default()).await.unwrap();
    let [one] = all.try_into().unwrap();
    one
}

#[tokio::test]
async fn a_policy_of_a_domain_is_one_in_each_project() {
    let w = World::new().await;
    let member = w.project("alpha", Role::Member).await;
    let made = w.service.create_organization_policy(&w.admin, everywhere()).await.unwrap();
    let id = made.id.to_string();
    for caller in [&member, &w.admin] {
        let own = only(&w, caller).await;
        assert_eq!(
            (own.policy.name.as_str(), own.policy.kind),
            ("nightly", PolicyKind::Organization)
        );
        assert_eq!((own.policy.retention.count, own.patterns), (Some(1), vec![NIGHTLY.to_owned()]));
    }
    let (_, deployed) = w.service.organization_deployments(&w.admin, &id).await.unwrap();
    for caller in [&member, &w.admin] {
        let own = only(&w, caller).await.policy;
        let is_own = |one: &&Deployment| one.policy_id == own.id;
        let found = deployed.iter().find(is_own).map(|one| &one.project_id);
        assert_eq!(found, Some(&own.project_id));
    }
    let own = only(&w, &w.admin).await.policy.id.to_string();
    let volume = w.volume(&w.admin).await;
    w.safe(&[&volume], Some(&own)).await;
    w.run_at("2023-11-15T03:00:00Z").await;
    assert_eq!(w.days(&w.admin).await, ["11-15"]);
    // While the domain has it no project takes its own away.
    let theirs = only(&w, &member).await.policy.id.to_string();
    let kept = w.service.delete_patterned_policy(&member, &theirs).await;
    assert!(matches!(kept, Err(Error::Invalid { field: "policy_id", .. })), "{kept:?}");
    let change = OrganizationPolicyChange {
        policy: PatternedChange {
            name: Some("weekly".to_owned()),
            is_enabled: Some(false),
            ..defining(&json!({"max_backups": 5}))
        },
        ..OrganizationPolicyChange::default()
    };
    w.service.update_organization_policy(&w.admin, &id, &change).await.unwrap();
    let own = only(&w, &w.admin).await.policy;
    assert_eq!((own.name.as_str(), own.is_enabled, own.next_run_at), ("weekly", false, None));
    assert_eq!(own.retention.count, Some(5));
    w.service.delete_organization_policy(&w.admin, &id).await.unwrap();
    let left = only(&w, &w.admin).await;
    assert_eq!((left.policy.kind, left.vaults.len()), (PolicyKind::OrganizationRemoved, 1));
    // It does not count among what the project may have.
    for _ in 0..32 {
        w.nightly(&json!({})).await;
    }
    let one_more = patterned(NIGHTLY, &json!({}));
    let one_more = w.service.create_patterned_policy(&w.admin, one_more).await;
    assert!(matches!(one_more, Err(Error::TooManyPolicies(32))));
}

#[tokio::test]
async fn what_makes_no_sense_is_nowhere() {
    let w = World::new().await;
    let policy = patterned("now and then", &json!({}));
    let odd = NewOrganizationPolicy { policy, ..everywhere() };
    let refused = w.service.create_organization_policy(&w.admin, odd).await;
    assert!(matches!(refused, Err(Error::Invalid { field: "pattern", .. })));
    let listed = w.service.organization_policies(&w.admin, PolicyOperation::Backup).await;
    assert!(listed.unwrap().is_empty());
    let filter = PatternedFilter::default();
    assert!(w.service.patterned_policies(&w.admin, &filter).await.unwrap().is_empty());
}
