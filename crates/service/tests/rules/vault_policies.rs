//! Policies that are said in patterns and definitions, and the vaults that they are applied to.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use strongroom_model::id::{ReplicationId, VaultId};
use strongroom_model::identity::Role;
use strongroom_model::operation::Operation;
use strongroom_model::policy::{Days, PolicyOperation};
use strongroom_model::resource::ResourceKind;
use strongroom_model::size::GiB;
use strongroom_model::tag::Tags;
use strongroom_model::vault::{ObjectType, ProtectType, Vault, VaultTerms};
use strongroom_model::volume::Volume;
use strongroom_service::policy::{
    NewPatternedPolicy, PatternedChange, PatternedFilter, PatternedPolicy, PolicyChange,
};
use strongroom_service::replication::{
    CopyState, Offer, PartRequest, Peer, PeerError, PeerFuture, Peers, ReplicaSource,
};
use strongroom_service::vault::{NewResource, NewVault, VaultChange};
use strongroom_service::{Error, Refusal, Service, Settings};

use super::points::reason;
use super::policies::{UNKNOWN, daily, new_policy, times};
use super::world::World;

pub(crate) const NIGHTLY: &str = "FREQ=DAILY;INTERVAL=1;BYHOUR=03;BYMINUTE=00";

/// The members of an object.
pub(crate) fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// A policy for backups.
pub(crate) fn patterned(pattern: &str, definition: &Value) -> NewPatternedPolicy {
    NewPatternedPolicy {
        name: "nightly".to_owned(),
        operation: PolicyOperation::Backup,
        is_enabled: true,
        definition: map(definition),
        patterns: vec![pattern.to_owned()],
        start_window_minutes: None,
    }
}

/// A policy for copies.
pub(crate) fn copying(pattern: &str) -> NewPatternedPolicy {
    let definition = json!({"destination_region": "r2", "destination_project_id": "p2"});
    NewPatternedPolicy {
        operation: PolicyOperation::Replication,
        ..patterned(pattern, &definition)
    }
}

/// A region that takes copies, but cannot be reached now.
#[derive(Debug)]
struct Silent(&'static str);

impl Silent {
    fn answer<T: Send + 'static>(&self) -> PeerFuture<'_, T> {
        let region = self.0.to_owned();
        let reason = "nobody listens".to_owned();
        Box::pin(async move { Err(PeerError::Unreachable { region, reason }) })
    }
}

impl Peer for Silent {
    fn check(&self, _: Offer) -> PeerFuture<'_, ()> {
        self.answer()
    }

    fn offer(&self, _: Offer) -> PeerFuture<'_, CopyState> {
        self.answer()
    }

    fn state(&self, _: ReplicationId) -> PeerFuture<'_, CopyState> {
        self.answer()
    }

    fn part(&self, _: PartRequest) -> Arc<dyn ReplicaSource> {
        unreachable!("nothing is copied from a region that is never reached")
    }
}

/// Lets a service know of regions that it cannot reach.
pub(crate) fn connect(service: &Service, regions: &[&'static str]) {
    let peer =
        |region: &&'static str| ((*region).to_owned(), Arc::new(Silent(region)) as Arc<dyn Peer>);
    service.connect_peers(Peers::of(regions.iter().map(peer)));
}

/// A change of the definition.
pub(crate) fn defining(definition: &Value) -> PatternedChange {
    PatternedChange { definition: Some(map(definition)), ..PatternedChange::default() }
}

impl World {
    /// A nightly policy of the admin's project.
    pub(crate) async fn nightly(&self, definition: &Value) -> String {
        let new = patterned(NIGHTLY, definition);
        let made = self.service.create_patterned_policy(&self.admin, new).await.unwrap();
        made.policy.id.to_string()
    }

    /// A vault of the admin's project over these disks, with a policy.
    pub(crate) async fn safe(&self, disks: &[&Volume], policy: Option<&str>) -> Vault {
        let terms = VaultTerms::of(ObjectType::Disk, ProtectType::Backup);
        self.safe_of(terms, disks, policy).await
    }

    pub(crate) async fn safe_of(
        &self,
        terms: VaultTerms,
        disks: &[&Volume],
        policy: Option<&str>,
    ) -> Vault {
        let resource = |disk: &&Volume| NewResource {
            id: disk.id.into(),
            kind: ResourceKind::Volume,
            excluded_volumes: Vec::new(),
            included_volumes: None,
        };
        let new = NewVault {
            name: "safe".to_owned(),
            description: None,
            size: GiB(100),
            is_locked: false,
            terms,
            resources: disks.iter().map(resource).collect(),
            policy_id: policy.map(str::to_owned),
            tags: Tags::new(),
        };
        self.service.create_vault(&self.admin, new).await.unwrap().vault
    }

    pub(crate) async fn lock(&self, vault: &Vault) {
        let change = VaultChange { is_locked: Some(true), ..VaultChange::default() };
        self.service.update_vault(&self.admin, &vault.id.to_string(), change).await.unwrap();
    }

    pub(crate) async fn apply(
        &self,
        vault: &Vault,
        policy: &str,
        to: Option<VaultId>,
    ) -> Result<(), Error> {
        let (id, policies) = (vault.id.to_string(), [policy.to_owned()]);
        self.service.associate_policies(&self.admin, &id, (&policies, to)).await.map(drop)
    }

    async fn release_from(&self, vault: &Vault, policy: &str) -> Result<(), Error> {
        let id = vault.id.to_string();
        self.service.dissociate_policy(&self.admin, &id, policy).await.map(drop)
    }

    pub(crate) async fn change(
        &self,
        policy: &str,
        change: PatternedChange,
    ) -> Result<PatternedPolicy, Error> {
        self.service.update_patterned_policy(&self.admin, policy, change).await
    }

    async fn patterned(&self, policy: &str) -> PatternedPolicy {
        self.service.patterned_policy(&self.admin, policy).await.unwrap()
    }

    /// What was logged about a vault, oldest first.
    pub(crate) async fn operations_in(&self, vault: &Vault) -> Vec<Operation> {
        let (catalog, id) = (self.catalog().await, vault.id);
        let query = strongroom_catalog::OperationQuery {
            project: vault.project_id.clone(),
            filters: vec![strongroom_catalog::OperationFilter::Vaults(vec![id])],
            start: strongroom_model::page::Start::Offset(0),
            limit: 1000,
            with_total: false,
        };
        let query = &query;
        let page = catalog
            .read(|tx| Box::pin(async move { tx.operations().list(query.clone()).await }))
            .await;
        let mut all = page.unwrap().items;
        all.reverse();
        all
    }
}

#[tokio::test]
async fn what_is_said_of_a_policy_is_told_back() {
    let w = World::new().await;
    let definition = json!({"retention_duration_days": -1, "max_backups": 7, "week_backups": 0,
        "full_backup_interval": 3, "unknown": 1, "timezone": null});
    let pattern = "BYMINUTE=00; freq=daily;INTERVAL=2;BYHOUR=05";
    let new =
        NewPatternedPolicy { start_window_minutes: Some(60), ..patterned(pattern, &definition) };
    let made = w.service.create_patterned_policy(&w.admin, new).await.unwrap();
    let kept = json!({"retention_duration_days": -1, "max_backups": 7, "week_backups": 0,
        "full_backup_interval": 3});
    assert_eq!(Value::from(made.definition.clone()), kept);
    assert_eq!(made.patterns, [pattern]);
    assert_eq!(made.policy.full_interval(), Some(3));
    let id = made.policy.id.to_string();
    assert_eq!(w.patterned(&id).await, made);
    // Nothing but the name.
    w.at("2023-11-16T12:00:00Z");
    let named = PatternedChange { name: Some("n".to_owned()), ..PatternedChange::default() };
    let named = w.change(&id, named).await.unwrap();
    assert_eq!((&named.patterns, &named.definition), (&made.patterns, &made.definition));
    assert_eq!((named.policy.name.as_str(), &named.policy.trigger), ("n", &made.policy.trigger));
    assert_eq!(named.policy.next_run_at, made.policy.next_run_at);
    // The same patterns begin nothing anew; others are counted from now.
    let again = PatternedChange {
        patterns: Some(made.patterns.clone()),
        start_window_minutes: Some(None),
        ..PatternedChange::default()
    };
    let again = w.change(&id, again).await.unwrap();
    assert_eq!(again.policy.trigger, made.policy.trigger);
    assert_eq!(again.policy.terms.trigger_set_at, made.policy.terms.trigger_set_at);
    assert_eq!(again.policy.terms.start_window_minutes, None);
    let other = vec![format!("{pattern};")];
    let other = PatternedChange { patterns: Some(other), ..PatternedChange::default() };
    let other = w.change(&id, other).await.unwrap();
    let next = other.policy.next_run_at.unwrap().format_rfc3339();
    assert_eq!(next, "2023-11-18T05:00:00Z");
    assert_eq!(other.policy.terms.trigger_id, made.policy.terms.trigger_id);
    w.service.delete_patterned_policy(&w.admin, &id).await.unwrap();
    let gone = w.service.patterned_policy(&w.admin, &id).await;
    assert!(matches!(gone, Err(Error::PolicyNotFound(_))));
}

#[tokio::test]
async fn a_definition_is_replaced_but_for_its_destination() {
    let w = World::new().await;
    connect(&w.service, &["r2", "r3"]);
    let mut new = copying(NIGHTLY);
    new.definition.insert("max_backups".to_owned(), 3.into());
    let made = w.service.create_patterned_policy(&w.admin, new).await.unwrap();
    let id = made.policy.id.to_string();
    let changed = w.change(&id, defining(&json!({"retention_duration_days": 5}))).await.unwrap();
    let expected = json!({"retention_duration_days": 5, "destination_region": "r2",
        "destination_project_id": "p2"});
    assert_eq!(Value::from(changed.definition.clone()), expected);
    assert_eq!(changed.policy.retention.count, None);
    let moved = json!({"destination_region": "r3"});
    assert_eq!(
        w.change(&id, defining(&moved)).await.unwrap().definition["destination_region"],
        "r3"
    );
    for unknown in ["r4", &w.service.settings().region] {
        let refused = w.change(&id, defining(&json!({"destination_region": unknown}))).await;
        assert_eq!(reason(refused), Refusal::RegionUnknown);
    }
    let vault = w.safe(&[], None).await;
    w.apply(&vault, &id, Some(vault.id)).await.unwrap();
    let back = w.change(&id, defining(&json!({"destination_region": "r2"}))).await;
    assert_eq!(reason(back), Refusal::PolicyDestinationFixed);
    w.change(&id, defining(&json!({"destination_region": "r3", "max_backups": 1}))).await.unwrap();
    let homeless = NewPatternedPolicy { definition: Map::new(), ..copying(NIGHTLY) };
    let refused = w.service.create_patterned_policy(&w.admin, homeless).await;
    assert!(matches!(refused, Err(Error::Invalid { field: "destination_region", .. })));
}

#[tokio::test]
async fn nothing_is_copied_to_where_no_way_leads() {
    let w = World::new().await;
    let make = || w.service.create_patterned_policy(&w.admin, copying(NIGHTLY));
    assert_eq!(reason(make().await), Refusal::RegionUnknown);
    connect(&w.service, &["r3"]);
    assert_eq!(reason(make().await), Refusal::RegionUnknown);
    let all = PatternedFilter::default();
    assert!(w.service.patterned_policies(&w.admin, &all).await.unwrap().is_empty());
}

#[tokio::test]
async fn one_policy_is_seen_in_both_dialects() {
    let w = World::new().await;
    connect(&w.service, &["r2"]);
    let id = w.nightly(&json!({"max_backups": 7, "full_backup_interval": 2})).await;
    let seen = w.service.policy(&w.admin, &id).await.unwrap().policy;
    assert_eq!(seen.retention.count, Some(7));
    // What the volume door says is told here in other words, and what else was said stays.
    let change = PolicyChange {
        times: Some(times(&[4])),
        days: Some(Days::OfMonth { every: 1 }),
        limit: Some((None, Some(30))),
        ..PolicyChange::default()
    };
    w.service.update_policy(&w.admin, &id, change).await.unwrap();
    let told = w.patterned(&id).await;
    assert_eq!(told.patterns, ["FREQ=DAILY;INTERVAL=1;BYHOUR=04;BYMINUTE=00"]);
    let expected = json!({"full_backup_interval": 2, "retention_duration_days": 30});
    assert_eq!(Value::from(told.definition), expected);
    // One that the volume door made can be changed here; what it shows can be sent back.
    let made = w.service.create_policy(&w.admin, new_policy(daily(&[1, 2]))).await.unwrap();
    let told = w.patterned(&made.id.to_string()).await;
    assert_eq!(told.patterns, ["FREQ=DAILY;INTERVAL=1;BYHOUR=01,02;BYMINUTE=00"]);
    let change = PatternedChange {
        definition: Some(map(&json!({"max_backups": 4}))),
        patterns: Some(told.patterns.clone()),
        ..PatternedChange::default()
    };
    let changed = w.change(&made.id.to_string(), change).await.unwrap();
    assert_eq!(changed.policy.trigger, made.trigger);
    assert_eq!(changed.policy.retention.count, Some(4));
    // Copying is nothing that the volume door knows.
    let copies = w.service.create_patterned_policy(&w.admin, copying(NIGHTLY)).await.unwrap();
    assert_eq!(w.service.policies(&w.admin).await.unwrap().len(), 2);
    let hidden = w.service.policy(&w.admin, &copies.policy.id.to_string()).await;
    assert!(matches!(hidden, Err(Error::PolicyNotFound(_))));
}

#[tokio::test]
async fn each_operation_has_its_own_number_of_policies() {
    let settings = Settings { policies_max: 1, ..Settings::default() };
    let w = World::with(settings).await;
    connect(&w.service, &["r2"]);
    let member = w.project("alpha", Role::Member).await;
    let make = |new| w.service.create_patterned_policy(&member, new);
    let id = make(patterned(NIGHTLY, &json!({}))).await.unwrap().policy.id;
    make(copying(NIGHTLY)).await.unwrap();
    for new in [patterned(NIGHTLY, &json!({})), copying(NIGHTLY)] {
        assert!(matches!(make(new).await, Err(Error::TooManyPolicies(1))));
    }
    let all = PatternedFilter::default;
    let w = &w;
    let count = |filter: PatternedFilter| {
        let member = &member;
        async move { w.service.patterned_policies(member, &filter).await.unwrap().len() }
    };
    assert_eq!(count(all()).await, 2);
    let backup = Some(PolicyOperation::Backup);
    assert_eq!(count(PatternedFilter { operation: backup, ..all() }).await, 1);
    assert_eq!(count(PatternedFilter { name: Some("night".to_owned()), ..all() }).await, 2);
    assert_eq!(count(PatternedFilter { name: Some("x".to_owned()), ..all() }).await, 0);
    assert_eq!(count(PatternedFilter { is_enabled: Some(false), ..all() }).await, 0);
    // Nobody else sees them, and who only reads changes nothing.
    let id = id.to_string();
    assert!(w.service.patterned_policies(&w.admin, &all()).await.unwrap().is_empty());
    for id in [id.as_str(), UNKNOWN, "nonsense"] {
        let shown = w.service.patterned_policy(&w.admin, id).await;
        assert!(matches!(shown, Err(Error::PolicyNotFound(_))));
        let changed = w.change(id, PatternedChange::default()).await;
        assert!(matches!(changed, Err(Error::PolicyNotFound(_))));
        let removed = w.service.delete_patterned_policy(&w.admin, id).await;
        assert!(matches!(removed, Err(Error::PolicyNotFound(_))));
    }
}

#[tokio::test]
async fn runs_lie_an_hour_apart() {
    let w = World::new().await;
    let make = |patterns: &[&str]| {
        let patterns = patterns.iter().map(ToString::to_string).collect();
        let new = NewPatternedPolicy { patterns, ..patterned(NIGHTLY, &json!({})) };
        w.service.create_patterned_policy(&w.admin, new)
    };
    let hours: Vec<_> = (0..24).map(|hour| hour.to_string()).collect();
    let hourly = format!("FREQ=DAILY;BYHOUR={};BYMINUTE=59", hours.join(","));
    for good in [
        &[hourly.as_str(), hourly.as_str()][..],
        &["FREQ=WEEKLY;BYDAY=MO;BYHOUR=3;BYMINUTE=0", "FREQ=WEEKLY;BYDAY=TU;BYHOUR=3;BYMINUTE=30"],
        &[
            "FREQ=DAILY;INTERVAL=7;BYHOUR=3;BYMINUTE=0",
            "FREQ=DAILY;INTERVAL=14;BYHOUR=4;BYMINUTE=0",
        ],
    ] {
        assert!(make(good).await.is_ok(), "{good:?}");
    }
    for bad in [
        &["FREQ=DAILY;BYHOUR=3;BYMINUTE=0,59"][..],
        &["FREQ=DAILY;BYHOUR=0;BYMINUTE=0", "FREQ=DAILY;INTERVAL=30;BYHOUR=23;BYMINUTE=1"],
        &[
            "FREQ=WEEKLY;BYDAY=MO;BYHOUR=0;BYMINUTE=10",
            "FREQ=DAILY;INTERVAL=13;BYHOUR=23;BYMINUTE=30",
        ],
        &[
            "FREQ=DAILY;INTERVAL=29;BYHOUR=0;BYMINUTE=10",
            "FREQ=DAILY;INTERVAL=30;BYHOUR=23;BYMINUTE=30",
        ],
    ] {
        assert!(matches!(make(bad).await, Err(Error::Invalid { .. })), "{bad:?}");
    }
}

#[tokio::test]
async fn a_vault_has_one_policy_of_each_operation() {
    let w = World::new().await;
    connect(&w.service, &["r2"]);
    let (first, second) = (w.nightly(&json!({})).await, w.nightly(&json!({})).await);
    let vault = w.safe(&[], Some(&first)).await;
    let vaults = |id: String| {
        let w = &w;
        async move { w.patterned(&id).await.vaults.len() }
    };
    w.apply(&vault, &first, None).await.unwrap();
    assert_eq!((vaults(first.clone()).await, vaults(second.clone()).await), (1, 0));
    w.apply(&vault, &second, None).await.unwrap();
    assert_eq!((vaults(first.clone()).await, vaults(second.clone()).await), (0, 1));
    let copies = w.service.create_patterned_policy(&w.admin, copying(NIGHTLY)).await.unwrap();
    let copies = copies.policy.id.to_string();
    let nowhere = w.apply(&vault, &copies, None).await;
    assert!(matches!(nowhere, Err(Error::Invalid { field: "destination_vault_id", .. })));
    // Whether that region has the vault is asked when the policy runs.
    let there = VaultId::parse(UNKNOWN).unwrap();
    w.apply(&vault, &copies, Some(there)).await.unwrap();
    let bound = w.patterned(&copies).await.vaults;
    assert_eq!(bound[0].destination_vault_id, Some(there));
    let filter = PatternedFilter { vault_id: Some(vault.id), ..PatternedFilter::default() };
    assert_eq!(w.service.patterned_policies(&w.admin, &filter).await.unwrap().len(), 2);
    // What is not applied cannot be taken off; what does not exist is not found.
    assert_eq!(reason(w.release_from(&vault, &first).await), Refusal::PolicyNotBound);
    assert!(matches!(w.apply(&vault, UNKNOWN, None).await, Err(Error::PolicyNotFound(_))));
    w.release_from(&vault, &copies).await.unwrap();
    w.service.delete_patterned_policy(&w.admin, &second).await.unwrap();
    assert!(w.service.patterned_policies(&w.admin, &filter).await.unwrap().is_empty());
    // Into a vault for copies nothing is backed up, nor copied on from there.
    let copied = VaultTerms::of(ObjectType::Server, ProtectType::Replication);
    let copied = w.safe_of(copied, &[], None).await;
    assert_eq!(reason(w.apply(&copied, &first, None).await), Refusal::PolicyUnfit);
    assert_eq!(reason(w.apply(&copied, &copies, Some(there)).await), Refusal::PolicyUnfit);
}

#[tokio::test]
async fn a_locked_vault_keeps_its_policy() {
    let w = World::new().await;
    let (first, second) = (w.nightly(&json!({})).await, w.nightly(&json!({})).await);
    let vault = w.safe(&[], Some(&first)).await;
    w.lock(&vault).await;
    assert_eq!(reason(w.release_from(&vault, &first).await), Refusal::VaultNotUpdatable);
    assert_eq!(reason(w.apply(&vault, &second, None).await), Refusal::VaultNotUpdatable);
    let removed = w.service.delete_patterned_policy(&w.admin, &first).await;
    assert_eq!(reason(removed), Refusal::VaultNotUpdatable);
    let removed = w.service.delete_policy(&w.admin, &first).await;
    assert_eq!(reason(removed), Refusal::VaultNotUpdatable);
    w.apply(&vault, &first, None).await.unwrap();
    w.change(&first, defining(&json!({"max_backups": 1}))).await.unwrap();
    assert_eq!(w.patterned(&first).await.vaults.len(), 1);
}
