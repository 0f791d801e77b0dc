//! Access keys: kept whole, listed, and gone with whom they belong to.

use strongroom_catalog::Error;
use strongroom_model::id::UserId;
use strongroom_model::identity::{AccessKey, Domain, KeyBounds, Scope, User};

use crate::support::{Outcome, World, at, domain_id, on_both, project};

on_both!(
    keys_are_kept_whole,
    only_permanent_keys_are_listed,
    keys_go_with_their_parent_and_their_user,
    ended_keys_are_forgotten,
    a_key_needs_its_user_and_a_name_of_its_own,
);

fn ann() -> UserId {
    UserId::parse("u").unwrap()
}

fn key(access: &str, created_at: i64) -> AccessKey {
    AccessKey {
        access: access.to_owned(),
        user_id: ann(),
        sealed_secret: "sealed".to_owned(),
        description: "laptop".to_owned(),
        is_enabled: true,
        created_at: at(created_at),
        bounds: None,
    }
}

fn temporary(access: &str, expires_at: i64, parent: Option<&str>) -> AccessKey {
    let bounds = KeyBounds {
        expires_at: at(expires_at),
        scope: Some(Scope::Project(project("p"))),
        parent: parent.map(str::to_owned),
        token_id: Some("token".to_owned()),
    };
    AccessKey { bounds: Some(bounds), ..key(access, 1) }
}

async fn populate(world: &World, keys: &[AccessKey]) {
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let domain = Domain {
                id: domain_id(),
                name: "Default".to_owned(),
                description: String::new(),
                is_enabled: true,
            };
            let user = User {
                id: ann(),
                domain_id: domain_id(),
                name: "ann".to_owned(),
                password_hash: String::new(),
                default_project_id: None,
                is_enabled: true,
                created_at: at(1),
                tokens_valid_from: at(1),
            };
            tx.domains().insert(&domain).await?;
            tx.users().insert(&user).await?;
            for key in keys {
                tx.access_keys().insert(key).await?;
            }
            Outcome::Ok(())
        })
    });
    work.await.unwrap();
}

async fn keys_are_kept_whole(world: &World) {
    let everywhere = KeyBounds { expires_at: at(9), scope: None, parent: None, token_id: None };
    let domain_wide = KeyBounds { scope: Some(Scope::Domain(domain_id())), ..everywhere.clone() };
    let mut keys = [
        key("A", 1),
        temporary("B", 9, Some("A")),
        AccessKey { bounds: Some(everywhere), ..key("C", 2) },
        AccessKey { bounds: Some(domain_wide), ..key("D", 2) },
    ];
    populate(world, &keys).await;
    keys[0].is_enabled = false;
    keys[0].description = "Ω".to_owned();
    let keys = &keys;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            assert!(tx.access_keys().update(&keys[0]).await?);
            for key in keys {
                let found = tx.access_keys().find(&key.access).await?;
                assert_eq!(found.as_ref(), Some(key));
            }
            assert_eq!(tx.access_keys().find("a").await?, None);
            Outcome::Ok(())
        })
    });
    work.await.unwrap();
}

async fn only_permanent_keys_are_listed(world: &World) {
    let keys = [key("B", 2), key("C", 1), temporary("D", 9, None), key("A", 2)];
    populate(world, &keys).await;
    let work = world.catalog.read(|tx| {
        Box::pin(async move {
            let listed = tx.access_keys().list_permanent(&ann()).await?;
            let names: Vec<_> = listed.into_iter().map(|key| key.access).collect();
            assert_eq!(names, ["C", "A", "B"]);
            assert_eq!(tx.access_keys().count_temporary(&ann()).await?, 1);
            let bob = UserId::parse("bob").unwrap();
            assert_eq!(tx.access_keys().list_permanent(&bob).await?, []);
            Outcome::Ok(())
        })
    });
    work.await.unwrap();
}

async fn keys_go_with_their_parent_and_their_user(world: &World) {
    let keys = [key("A", 1), temporary("B", 9, Some("A")), temporary("C", 9, None)];
    populate(world, &keys).await;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            assert!(tx.access_keys().delete("A").await?);
            assert!(!tx.access_keys().delete("A").await?);
            assert_eq!(tx.access_keys().find("B").await?, None);
            assert!(tx.access_keys().find("C").await?.is_some());
            tx.users().delete(&ann()).await?;
            tx.access_keys().find("C").await
        })
    });
    assert_eq!(work.await.unwrap(), None);
}

async fn ended_keys_are_forgotten(world: &World) {
    let keys = [key("A", 1), temporary("B", 9, None), temporary("C", 10, None)];
    populate(world, &keys).await;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            assert_eq!(tx.access_keys().purge(at(10)).await?, 1);
            assert!(tx.access_keys().find("A").await?.is_some());
            assert!(tx.access_keys().find("C").await?.is_some());
            tx.access_keys().find("B").await
        })
    });
    assert_eq!(work.await.unwrap(), None);
}

async fn a_key_needs_its_user_and_a_name_of_its_own(world: &World) {
    populate(world, &[key("A", 1)]).await;
    let insert = async |key: AccessKey| {
        let key = &key;
        let work = world
            .catalog
            .transact(|tx| Box::pin(async move { tx.access_keys().insert(key).await }));
        work.await.unwrap_err()
    };
    assert!(matches!(insert(key("A", 2)).await, Error::Conflict { what: "access key" }));
    let stranger = AccessKey { user_id: UserId::parse("bob").unwrap(), ..key("B", 1) };
    assert!(matches!(insert(stranger).await, Error::Reference { what: "access key" }));
    let orphan = temporary("B", 9, Some("none"));
    assert!(matches!(insert(orphan).await, Error::Reference { what: "access key" }));
}
