//! Tags on backups: whose, how many, and that they go with the backup.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_model::identity::Role;
use strongroom_model::policy::{Days, Retention, Rule, TimeOfDay, Trigger};
use strongroom_model::tag::{TagMatch, TagQuery, Tagged, Tags};
use strongroom_model::zone::Zone;
use strongroom_service::backup::NewBackup;
use strongroom_service::policy::NewPolicy;
use strongroom_service::tag::{TAGS_MAX, TagSearch};
use strongroom_service::{Caller, Error, Kind};

use super::world::{World, log_in, new_backup};

const BACKUP: Tagged = Tagged::Backup;

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn numbered(count: usize) -> Tags {
    (0..count).map(|n| (format!("k{n}"), n.to_string())).collect()
}

async fn policy_id(w: &World, caller: &Caller, tags: Tags) -> String {
    let times = vec![TimeOfDay { hour: 1, minute: 0 }];
    let rules = vec![Rule { times, days: Days::OfMonth { every: 1 } }];
    let new = NewPolicy {
        name: "gold".to_owned(),
        is_enabled: false,
        trigger: Trigger { zone: Zone::utc(), rules },
        retention: Retention::for_ever(),
        tags,
    };
    w.service.create_policy(caller, new).await.unwrap().id.to_string()
}

async fn backup_id(w: &World, caller: &Caller) -> String {
    let volume = w.volume(caller).await;
    w.backup(caller, &volume).await.id.to_string()
}

async fn check_changes(w: &World, ann: &Caller, kind: Tagged, id: &str) {
    let v = &w.service;
    let shouted = id.replace('-', "").to_uppercase();
    assert_eq!(v.tags(ann, kind, id).await.unwrap(), Tags::new());
    v.add_tags(ann, kind, &shouted, &tags(&[("a", "1"), ("b", "2")])).await.unwrap();
    let all = v.add_tags(ann, kind, id, &tags(&[("b", "3")])).await.unwrap();
    assert_eq!(all, tags(&[("a", "1"), ("b", "3")]));
    let keys = ["a", "none", "\0"].map(str::to_owned);
    assert_eq!(v.remove_tags(ann, kind, id, &keys).await.unwrap(), 1);
    assert_eq!(v.tags(ann, kind, &shouted).await.unwrap(), tags(&[("b", "3")]));
    let only = tags(&[("c", "")]);
    assert_eq!(v.replace_tags(ann, kind, id, &only).await.unwrap(), only);
    assert_eq!(v.tags(ann, kind, id).await.unwrap(), only);
    let wanted = TagMatch { key: "c".to_owned(), values: Vec::new() };
    let query = TagQuery { all: vec![wanted], ..TagQuery::default() };
    let search = TagSearch { query, limit: 9, ..TagSearch::default() };
    let found = v.tagged(ann, kind, search).await.unwrap();
    assert_eq!(found.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), [id]);
}

#[tokio::test]
async fn tags_of_either_kind_are_added_replaced_and_removed() {
    let w = World::new().await;
    let ann = w.project("alpha", Role::Member).await;
    let policy = policy_id(&w, &ann, Tags::new()).await;
    check_changes(&w, &ann, Tagged::Policy, &policy).await;
    let backup = backup_id(&w, &ann).await;
    check_changes(&w, &ann, BACKUP, &backup).await;
    assert!(w.service.tags(&ann, BACKUP, &policy).await.is_err());
}

#[tokio::test]
async fn a_thing_has_ten_tags_at_most() {
    let w = World::new().await;
    let (v, ann) = (&w.service, w.project("alpha", Role::Member).await);
    let id = backup_id(&w, &ann).await;
    v.add_tags(&ann, BACKUP, &id, &numbered(TAGS_MAX)).await.unwrap();
    // Overwriting adds none.
    v.add_tags(&ann, BACKUP, &id, &tags(&[("k3", "new")])).await.unwrap();
    let one_more = v.add_tags(&ann, BACKUP, &id, &tags(&[("x", "")])).await;
    assert!(matches!(one_more, Err(Error::TooManyTags(TAGS_MAX))));
    let replaced = v.replace_tags(&ann, BACKUP, &id, &numbered(TAGS_MAX + 1)).await;
    assert!(matches!(replaced, Err(Error::TooManyTags(TAGS_MAX))));
    let kept = v.tags(&ann, BACKUP, &id).await.unwrap();
    assert_eq!((kept.len(), kept["k3"].as_str()), (TAGS_MAX, "new"));
    let bad = v.add_tags(&ann, BACKUP, &id, &tags(&[("k3", "a=b")])).await;
    assert!(matches!(bad, Err(Error::InvalidTag { part: "value", .. })));
}

#[tokio::test]
async fn a_backup_is_made_with_its_tags_or_not_at_all() {
    let w = World::new().await;
    let (v, ann) = (&w.service, w.project("alpha", Role::Member).await);
    let volume = w.volume(&ann).await;
    let wish = |tags| NewBackup { tags, ..new_backup(&volume) };
    for bad in [numbered(TAGS_MAX + 1), tags(&[("", "v")])] {
        assert!(v.create_backup(&ann, wish(bad)).await.is_err());
    }
    assert_eq!(w.work().await, 0);
    let made = v.create_backup(&ann, wish(tags(&[("tier", "gold")]))).await.unwrap();
    let id = made.id.to_string();
    assert_eq!(v.tags(&ann, BACKUP, &id).await.unwrap(), tags(&[("tier", "gold")]));
    w.work().await;
    v.delete_backup(&ann, &id, false).await.unwrap();
    assert_eq!(v.all_tags(&ann, BACKUP).await.unwrap().len(), 1);
    w.work().await;
    assert_eq!(v.all_tags(&ann, BACKUP).await.unwrap(), BTreeMap::new());
    assert!(matches!(v.tags(&ann, BACKUP, &id).await, Err(Error::BackupNotFound(_))));
}

#[tokio::test]
async fn tags_are_the_projects_own_and_readers_only_read_them() {
    let w = World::new().await;
    let v = &w.service;
    let ann = w.project("alpha", Role::Member).await;
    let bob = w.project("beta", Role::Admin).await;
    let id = backup_id(&w, &ann).await;
    let some = tags(&[("a", "1")]);
    v.add_tags(&ann, BACKUP, &id, &some).await.unwrap();
    let policy = policy_id(&w, &ann, some.clone()).await;
    for (caller, kind, id) in [
        (&bob, BACKUP, id.as_str()),
        (&bob, Tagged::Policy, &policy),
        (&w.admin, Tagged::Policy, &policy),
        (&ann, BACKUP, "none"),
        (&ann, Tagged::Policy, &id),
        (&ann, Tagged::Policy, "none"),
    ] {
        let kinds = [
            v.tags(caller, kind, id).await.unwrap_err().kind(),
            v.add_tags(caller, kind, id, &some).await.unwrap_err().kind(),
            v.replace_tags(caller, kind, id, &some).await.unwrap_err().kind(),
            v.remove_tags(caller, kind, id, &["a".to_owned()]).await.unwrap_err().kind(),
        ];
        assert_eq!(kinds, [Kind::NotFound; 4]);
    }
    assert!(v.all_tags(&bob, BACKUP).await.unwrap().is_empty());
    let strongroom_service::CallerScope::Project(project) = &ann.scope else { panic!() };
    w.user("rita", project, Role::Reader).await;
    let rita = log_in(v, "rita", "password", "alpha").await;
    assert_eq!(v.tags(&rita, BACKUP, &id).await.unwrap(), some);
    assert_eq!(v.all_tags(&rita, BACKUP).await.unwrap().len(), 1);
    let kinds = [
        v.add_tags(&rita, BACKUP, &id, &some).await.unwrap_err().kind(),
        v.replace_tags(&rita, BACKUP, &id, &some).await.unwrap_err().kind(),
        v.remove_tags(&rita, BACKUP, &id, &["a".to_owned()]).await.unwrap_err().kind(),
    ];
    assert_eq!(kinds, [Kind::Forbidden; 3]);
    // The cloud's admin reaches the backups of every project; what it adds is the owner's.
    v.add_tags(&w.admin, BACKUP, &id, &tags(&[("b", "2")])).await.unwrap();
    let values = BTreeSet::from(["2".to_owned()]);
    assert_eq!(v.all_tags(&ann, BACKUP).await.unwrap()["b"], values);
    assert!(v.all_tags(&w.admin, BACKUP).await.unwrap().is_empty());
}

#[tokio::test]
async fn things_are_found_by_their_tags() {
    let w = World::new().await;
    let (v, ann) = (&w.service, w.project("alpha", Role::Member).await);
    let ids = [backup_id(&w, &ann).await, backup_id(&w, &ann).await];
    v.add_tags(&ann, BACKUP, &ids[0], &tags(&[("a", "1")])).await.unwrap();
    let wanted = TagMatch { key: "a".to_owned(), values: Vec::new() };
    let query = TagQuery { any: vec![wanted], ..TagQuery::default() };
    let search = TagSearch { query, limit: 9, ..TagSearch::default() };
    let found = v.tagged(&ann, BACKUP, search.clone()).await.unwrap();
    assert_eq!(found.total, Some(1));
    assert_eq!(found.items[0].id, ids[0]);
    assert_eq!(found.items[0].name.as_deref(), Some("nightly"));
    assert_eq!(found.items[0].tags, tags(&[("a", "1")]));
    let named = TagSearch { name: Some("other".to_owned()), ..search };
    assert_eq!(v.tagged(&ann, BACKUP, named.clone()).await.unwrap().total, Some(0));
    let nul = TagSearch { name: Some("\0".to_owned()), ..named };
    assert_eq!(v.tagged(&ann, BACKUP, nul).await.unwrap_err().kind(), Kind::Invalid);
}
