//! What is kept in a vault, resource by resource, and what is not.

use serde_json::json;
use strongroom_model::operation::OperationKind;
use strongroom_model::time::Timestamp;
use strongroom_model::vault::{ObjectType, ProtectType, Vault, VaultTerms};
use strongroom_service::checkpoint::NewCheckpoint;
use strongroom_service::policy::PatternedChange;
use strongroom_service::vault::ExpiryChange;

use super::points::{bind_server, machine};
use super::vault_policies::defining;
use super::world::World;

impl World {
    /// Runs what is due in these nights of November, and their work.
    async fn nights(&self, nights: std::ops::RangeInclusive<u8>) {
        for night in nights {
            self.run_at(&format!("2023-11-{night:02}T03:00:00Z")).await;
        }
    }

    /// Looks through everything at an hour at which nothing runs.
    async fn sweep_at(&self, day: &str) {
        self.at(&format!("2023-{day}T02:00:00Z"));
        self.service.expire_backups().await.unwrap();
        self.work().await;
    }
}

async fn one_vault(w: &World, definition: serde_json::Value) -> (Vault, String) {
    let volume = w.written_volume(&w.admin, "x").await;
    let policy = w.nightly(&definition).await;
    let vault = w.safe(&[&volume], Some(&policy)).await;
    (vault, policy)
}

#[tokio::test]
async fn c38_a_count_is_of_each_resource_and_of_automatic_ones() {
    let w = World::new().await;
    let (a, b) = (w.volume(&w.admin).await, w.volume(&w.admin).await);
    let policy = w.nightly(&json!({"max_backups": 2})).await;
    let vault = w.safe(&[&a, &b], Some(&policy)).await;
    let by_hand = NewCheckpoint::of(vault.id);
    w.service.create_checkpoint(&w.admin, by_hand).await.unwrap();
    w.work().await;
    w.nights(15..=18).await;
    let expected = ["11-14", "11-14", "11-17", "11-17", "11-18", "11-18"];
    assert_eq!(w.days(&w.admin).await, expected);
    // Another policy counts those of the one before too.
    let other = w.nightly(&json!({"max_backups": 1})).await;
    w.apply(&vault, &other, None).await.unwrap();
    w.nights(19..=19).await;
    assert_eq!(w.days(&w.admin).await, ["11-14", "11-14", "11-19", "11-19"]);
}

#[tokio::test]
async fn count_to_days_leaves_what_has_no_date() {
    let w = World::new().await;
    let (_, policy) = one_vault(&w, json!({"max_backups": 5})).await;
    w.nights(15..=16).await;
    w.change(&policy, defining(&json!({"retention_duration_days": 2}))).await.unwrap();
    w.nights(17..=18).await;
    w.sweep_at("11-29").await;
    assert_eq!(w.days(&w.admin).await, ["11-15", "11-16", "11-18"]);
}

#[tokio::test]
async fn days_to_days_moves_no_date() {
    let w = World::new().await;
    let (_, policy) = one_vault(&w, json!({"retention_duration_days": 2})).await;
    w.nights(15..=15).await;
    w.change(&policy, defining(&json!({"retention_duration_days": 30}))).await.unwrap();
    w.nights(16..=17).await;
    assert_eq!(w.days(&w.admin).await, ["11-16", "11-17"]);
    w.sweep_at("12-15").await;
    assert_eq!(w.days(&w.admin).await, ["11-16", "11-17"]);
}

#[tokio::test]
async fn days_to_count_does_both() {
    let w = World::new().await;
    let (_, policy) = one_vault(&w, json!({"retention_duration_days": 3})).await;
    w.nights(15..=16).await;
    w.change(&policy, defining(&json!({"max_backups": 3}))).await.unwrap();
    w.nights(17..=18).await;
    assert_eq!(w.days(&w.admin).await, ["11-16", "11-17", "11-18"]);
    w.sweep_at("11-20").await;
    assert_eq!(w.days(&w.admin).await, ["11-17", "11-18"]);
}

#[tokio::test]
async fn any_to_for_ever_keeps_the_dates_and_sets_none() {
    let w = World::new().await;
    let (_, policy) = one_vault(&w, json!({"retention_duration_days": 2})).await;
    w.nights(15..=16).await;
    w.change(&policy, defining(&json!({}))).await.unwrap();
    w.nights(17..=18).await;
    w.sweep_at("12-31").await;
    assert_eq!(w.days(&w.admin).await, ["11-17", "11-18"]);
}

#[tokio::test]
async fn without_its_policy_a_vault_goes_by_dates() {
    let w = World::new().await;
    let (vault, policy) = one_vault(&w, json!({"retention_duration_days": 3})).await;
    w.nights(15..=16).await;
    let count = json!({"max_backups": 9});
    w.change(&policy, defining(&count)).await.unwrap();
    w.nights(17..=17).await;
    w.service.dissociate_policy(&w.admin, &vault.id.to_string(), &policy).await.unwrap();
    w.change(&policy, defining(&json!({"max_backups": 1}))).await.unwrap();
    w.sweep_at("11-19").await;
    assert_eq!(w.days(&w.admin).await, ["11-16", "11-17"]);
    w.service.delete_patterned_policy(&w.admin, &policy).await.unwrap();
    w.sweep_at("11-20").await;
    assert_eq!(w.days(&w.admin).await, ["11-17"]);
}

#[tokio::test]
async fn a_disabled_policy_removes_nothing() {
    let w = World::new().await;
    let (_, policy) = one_vault(&w, json!({"retention_duration_days": 3})).await;
    w.nights(15..=16).await;
    let switch = |on| PatternedChange { is_enabled: Some(on), ..PatternedChange::default() };
    w.change(&policy, switch(false)).await.unwrap();
    w.sweep_at("11-20").await;
    assert_eq!(w.days(&w.admin).await, ["11-15", "11-16"]);
    w.change(&policy, switch(true)).await.unwrap();
    w.sweep_at("11-20").await;
    // The newest one stays.
    assert_eq!(w.days(&w.admin).await, ["11-16"]);
}

#[tokio::test]
async fn a_date_is_acted_on_whoever_set_it() {
    let w = World::new().await;
    let volume = w.volume(&w.admin).await;
    let vault = w.safe(&[&volume], None).await;
    let dated = NewCheckpoint { retention_days: Some(1), ..NewCheckpoint::of(vault.id) };
    w.service.create_checkpoint(&w.admin, dated).await.unwrap();
    w.work().await;
    w.at("2023-11-15T12:00:00Z");
    w.service.create_checkpoint(&w.admin, NewCheckpoint::of(vault.id)).await.unwrap();
    w.work().await;
    w.sweep_at("11-16").await;
    assert_eq!(w.days(&w.admin).await, ["11-15"]);
    let date = Timestamp::parse("2023-11-17T23:59:59Z").unwrap();
    let change = ExpiryChange { day: "2023-11-17".to_owned(), date };
    w.service.set_vault_expiry(&w.admin, &vault.id.to_string(), &change).await.unwrap();
    w.sweep_at("11-17").await;
    assert_eq!(w.days(&w.admin).await, ["11-15"]);
    w.sweep_at("11-18").await;
    assert!(w.days(&w.admin).await.is_empty());
}

#[tokio::test]
async fn servers_go_as_a_whole() {
    let w = World::new().await;
    let machine = machine(&w, &w.admin, 7, "text").await;
    let policy = w.nightly(&json!({"max_backups": 1})).await;
    let terms = VaultTerms::of(ObjectType::Server, ProtectType::Backup);
    let vault = w.safe_of(terms, &[], Some(&policy)).await;
    bind_server(&w, &vault, &machine.server).await;
    w.nights(15..=15).await;
    assert_eq!(w.days(&w.admin).await, ["11-15", "11-15"]);
    w.nights(16..=17).await;
    assert_eq!(w.days(&w.admin).await, ["11-17", "11-17"]);
    let log = w.operations_in(&vault).await;
    let count = |kind| log.iter().filter(|one| one.kind == kind).count();
    assert_eq!((count(OperationKind::Backup), count(OperationKind::Delete)), (3, 2));
    let (catalog, id) = (w.catalog().await, vault.id);
    let left =
        catalog.read(|tx| Box::pin(async move { tx.server_backups().of_vault(id).await })).await;
    let left = left.unwrap();
    assert_eq!(left.len(), 1);
    assert!(left[0].is_automatic);
}

#[tokio::test]
async fn a_lock_keeps_what_has_no_date_and_what_has_not_reached_it() {
    let w = World::new().await;
    let (vault, policy) = one_vault(&w, json!({"max_backups": 1})).await;
    let other = w.volume(&w.admin).await;
    let open = w.safe(&[&other], Some(&policy)).await;
    w.lock(&vault).await;
    w.nights(15..=16).await;
    // Two that are locked in, and the newest of the vault that is not.
    assert_eq!(w.days(&w.admin).await, ["11-15", "11-16", "11-16"]);
    assert_eq!(w.service.expire_backups().await.unwrap(), 0);
    let days = json!({"retention_duration_days": 2});
    w.change(&policy, defining(&days)).await.unwrap();
    w.nights(17..=18).await;
    w.change(&policy, defining(&json!({"max_backups": 1}))).await.unwrap();
    w.nights(19..=19).await;
    let held = |vault: &Vault| {
        let (w, id) = (&w, vault.id);
        async move {
            let all = w.backups(&w.admin).await;
            all.into_iter().filter(|backup| backup.vault_id == id).count()
        }
    };
    // The one of the 17th has reached its date.
    assert_eq!((held(&vault).await, held(&open).await), (4, 1));
    w.sweep_at("11-21").await;
    assert_eq!((held(&vault).await, held(&open).await), (3, 1));
}
