//! Tags, written, searched and cleared; the search against the same conditions in memory.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_catalog::TaggedQuery;
use strongroom_model::backup::Backup;
use strongroom_model::id::{PolicyId, UserId};
use strongroom_model::policy::{Policy, PolicyKind, PolicyOperation, Retention, Terms, Trigger};
use strongroom_model::tag::{TagMatch, TagQuery, Tagged, Tags};
use strongroom_model::zone::Zone;

use crate::support::{Outcome, World, at, on_both, pairs, project};

on_both!(
    tags_are_put_replaced_and_removed,
    keys_in_use_are_those_of_one_project_and_kind,
    a_search_finds_what_its_conditions_say,
    a_search_is_paged_oldest_first,
    policies_are_found_too,
);

async fn tags_are_put_replaced_and_removed(world: &World) {
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let (p, kind) = (&project("p"), Tagged::Policy);
            tx.tags().put(p, kind, "1", &pairs(&[("a", "1"), ("b", "2")])).await?;
            tx.tags().put(p, kind, "1", &pairs(&[("b", "3"), ("c", "")])).await?;
            tx.tags().put(p, Tagged::Backup, "1", &pairs(&[("z", "9")])).await?;
            let found = tx.tags().get(kind, "1").await?;
            assert_eq!(found, pairs(&[("a", "1"), ("b", "3"), ("c", "")]));
            let keys = ["a", "c", "none"].map(str::to_owned);
            assert_eq!(tx.tags().remove(kind, "1", &keys).await?, 2);
            assert_eq!(tx.tags().remove(kind, "1", &[]).await?, 0);
            assert_eq!(tx.tags().get(kind, "1").await?, pairs(&[("b", "3")]));
            tx.tags().replace(p, kind, "1", &pairs(&[("d", "4")])).await?;
            assert_eq!(tx.tags().get(kind, "1").await?, pairs(&[("d", "4")]));
            assert_eq!(tx.tags().clear(kind, "1").await?, 1);
            assert_eq!(tx.tags().get(kind, "1").await?, Tags::new());
            tx.tags().get(Tagged::Backup, "1").await
        })
    });
    assert_eq!(work.await.unwrap(), pairs(&[("z", "9")]));
}

async fn keys_in_use_are_those_of_one_project_and_kind(world: &World) {
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let (p, kind) = (&project("p"), Tagged::Backup);
            tx.tags().put(p, kind, "1", &pairs(&[("a", "1"), ("b", "x")])).await?;
            tx.tags().put(p, kind, "2", &pairs(&[("a", "2"), ("b", "x")])).await?;
            tx.tags().put(p, Tagged::Policy, "3", &pairs(&[("a", "3")])).await?;
            tx.tags().put(&project("q"), kind, "4", &pairs(&[("a", "4")])).await?;
            tx.tags().in_use(p, kind).await
        })
    });
    let of = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<BTreeSet<_>>();
    let expected =
        BTreeMap::from([("a".to_owned(), of(&["1", "2"])), ("b".to_owned(), of(&["x"]))]);
    assert_eq!(work.await.unwrap(), expected);
}

/// Backups of project `p` with a name and tags, oldest first.
async fn tagged_backups(world: &World, tags: &[Tags]) -> Vec<Backup> {
    let vault = world.vault("p").await;
    let backups: Vec<_> = (0..)
        .zip(tags)
        .map(|(n, _)| Backup {
            name: (n % 3 > 0).then(|| format!("n{}", n % 3)),
            created_at: at(n),
            ..world.backup("p", vault)
        })
        .collect();
    world.insert_backups(&backups).await;
    let stored = &backups;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            for (backup, tags) in stored.iter().zip(tags) {
                let id = backup.id.to_string();
                tx.tags().put(&backup.project_id, Tagged::Backup, &id, tags).await?;
            }
            Outcome::Ok(())
        })
    });
    work.await.unwrap();
    backups
}

async fn found(world: &World, kind: Tagged, query: &TaggedQuery) -> (Vec<(String, Tags)>, u64) {
    let work = world
        .catalog
        .read(|tx| Box::pin(async move { tx.tags().find(&project("p"), kind, query).await }));
    let page = work.await.unwrap();
    let items = page.items.into_iter().map(|item| (item.id, item.tags));
    (items.collect(), page.total.unwrap())
}

fn holds(wanted: &TagMatch, tags: &Tags) -> bool {
    let fits = |value| wanted.values.is_empty() || wanted.values.contains(value);
    tags.get(&wanted.key).is_some_and(fits)
}

fn meets(query: &TagQuery, tags: &Tags) -> bool {
    let has = |wanted: &TagMatch| holds(wanted, tags);
    query.all.iter().all(has)
        && (query.any.is_empty() || query.any.iter().any(has))
        && (query.not_all.is_empty() || !query.not_all.iter().all(has))
        && !query.not_any.iter().any(has)
}

fn random_matches(world: &World) -> Vec<TagMatch> {
    let value = |_| world.one_of(&["1", "2", "3"]).to_owned();
    (0..world.below(3))
        .map(|_| TagMatch {
            key: world.one_of(&["a", "b", "c"]).to_owned(),
            values: (0..world.below(3)).map(value).collect(),
        })
        .collect()
}

async fn a_search_finds_what_its_conditions_say(world: &World) {
    let tags: Vec<_> = (0..40)
        .map(|_| {
            let keys = ["a", "b", "c"].iter().filter(|_| world.below(2) == 0);
            let pairs =
                keys.map(|key| ((*key).to_owned(), world.one_of(&["1", "2", "3"]).to_owned()));
            pairs.collect::<Tags>()
        })
        .collect();
    let backups = tagged_backups(world, &tags).await;
    let mut hits = 0;
    for round in 0..60 {
        let query = TaggedQuery {
            tags: TagQuery {
                all: random_matches(world),
                any: random_matches(world),
                not_all: random_matches(world),
                not_any: random_matches(world),
            },
            name: [None, Some("n1".to_owned()), Some(String::new())][round % 3].clone(),
            offset: 0,
            limit: 100,
        };
        let expected: Vec<_> = backups
            .iter()
            .zip(&tags)
            .filter(|(_, tags)| meets(&query.tags, tags))
            .filter(|(backup, _)| {
                query.name.as_ref().is_none_or(|n| *n == backup.name.clone().unwrap_or_default())
            })
            .map(|(backup, tags)| (backup.id.to_string(), tags.clone()))
            .collect();
        hits += expected.len();
        let total = expected.len() as u64;
        assert_eq!(found(world, Tagged::Backup, &query).await, (expected, total), "{query:?}");
    }
    assert!(hits > 60, "the conditions are not all too narrow: {hits}");
}

async fn a_search_is_paged_oldest_first(world: &World) {
    let tags: Vec<_> = (0..7).map(|n| pairs(&[("n", &n.to_string())])).collect();
    let backups = tagged_backups(world, &tags).await;
    let mut seen = Vec::new();
    for offset in [0, 3, 6, 9] {
        let query = TaggedQuery { offset, limit: 3, ..TaggedQuery::default() };
        let (items, total) = found(world, Tagged::Backup, &query).await;
        assert_eq!(total, 7);
        seen.extend(items.into_iter().map(|(id, _)| id));
    }
    let all: Vec<_> = backups.iter().map(|backup| backup.id.to_string()).collect();
    assert_eq!(seen, all);
    let none = TaggedQuery::default();
    assert_eq!(found(world, Tagged::Backup, &none).await, (Vec::new(), 7));
    assert_eq!(found(world, Tagged::Policy, &none).await, (Vec::new(), 0));
}

async fn policies_are_found_too(world: &World) {
    let id = PolicyId::random(&world.chance);
    let plain = Policy {
        id,
        project_id: project("p"),
        user_id: UserId::parse("ann").unwrap(),
        name: String::new(),
        is_enabled: false,
        trigger: Trigger { zone: Zone::utc(), rules: Vec::new() },
        retention: Retention::for_ever(),
        next_run_at: None,
        created_at: at(0),
        updated_at: None,
        operation: PolicyOperation::Backup,
        kind: PolicyKind::Custom,
        terms: Terms::unsaid(id, at(0)),
    };
    let policy = |name: &str, created_at| Policy {
        id: PolicyId::random(&world.chance),
        name: name.to_owned(),
        created_at: at(created_at),
        ..plain.clone()
    };
    let policies = &[policy("gold", 2), policy("gold", 1), policy("iron", 3)];
    let some = &pairs(&[("a", "1")]);
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            for policy in policies {
                tx.policies().insert(policy).await?;
                let id = policy.id.to_string();
                tx.tags().put(&policy.project_id, Tagged::Policy, &id, some).await?;
            }
            Outcome::Ok(())
        })
    });
    work.await.unwrap();
    let wanted = TagMatch { key: "a".to_owned(), values: vec!["1".to_owned()] };
    let query = TaggedQuery {
        tags: TagQuery { any: vec![wanted], ..TagQuery::default() },
        name: Some("gold".to_owned()),
        offset: 1,
        limit: 5,
    };
    let expected = vec![(policies[0].id.to_string(), some.clone())];
    assert_eq!(found(world, Tagged::Policy, &query).await, (expected, 2));
    assert_eq!(found(world, Tagged::Backup, &query).await, (Vec::new(), 0));
}
