//! Domains, projects, users, roles, revoked tokens and settings.

use strongroom_catalog::Error;
use strongroom_model::id::UserId;
use strongroom_model::identity::{Assignment, Domain, Role, Scope, User};
use strongroom_model::project::Project;

use crate::support::{Outcome, World, at, domain_id, on_both, project};

on_both!(
    identities_are_kept_whole,
    names_are_unique_where_they_should_be,
    a_domain_in_use_stays,
    roles_are_granted_once_and_go_with_their_scope,
    revocations_last_until_purged,
    the_first_setting_wins,
);

fn domain() -> Domain {
    Domain {
        id: domain_id(),
        name: "Default".to_owned(),
        description: String::new(),
        is_enabled: true,
    }
}

fn owner(id: &str, name: &str) -> Project {
    Project {
        id: project(id),
        domain_id: domain_id(),
        name: name.to_owned(),
        description: "Ω".to_owned(),
        is_enabled: false,
        created_at: at(5),
    }
}

fn user(id: &str, name: &str) -> User {
    User {
        id: UserId::parse(id).unwrap(),
        domain_id: domain_id(),
        name: name.to_owned(),
        password_hash: "$argon2id$x".to_owned(),
        default_project_id: Some(project("p")),
        is_enabled: true,
        created_at: at(6),
        tokens_valid_from: at(7),
    }
}

async fn populate(world: &World) {
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            tx.domains().insert(&domain()).await?;
            tx.projects().insert(&owner("p", "prod")).await?;
            tx.users().insert(&user("u", "ann")).await
        })
    });
    work.await.unwrap();
}

async fn identities_are_kept_whole(world: &World) {
    populate(world).await;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let (mut domain, mut project, mut user) =
                (domain(), owner("p", "prod"), user("u", "ann"));
            let found = tx.domains().find(&domain.id).await?;
            assert_eq!(found.as_ref(), Some(&domain));
            domain.is_enabled = false;
            assert!(tx.domains().update(&domain).await?);
            let found = tx.domains().find_by_name("Default").await?;
            assert_eq!(found.as_ref(), Some(&domain));
            assert_eq!(tx.domains().list().await?, [domain]);

            let found = tx.projects().find(&project.id).await?;
            assert_eq!(found.as_ref(), Some(&project));
            project.description.clear();
            assert!(tx.projects().update(&project).await?);
            let found = tx.projects().find_by_name(&domain_id(), "prod").await?;
            assert_eq!(found.as_ref(), Some(&project));
            let all = [project];
            assert_eq!(tx.projects().list(None).await?, all);
            assert_eq!(tx.projects().list(Some(&domain_id())).await?, all);

            let found = tx.users().find(&user.id).await?;
            assert_eq!(found.as_ref(), Some(&user));
            user.default_project_id = None;
            assert!(tx.users().update(&user).await?);
            let found = tx.users().find_by_name(&domain_id(), "ann").await?;
            assert_eq!(found.as_ref(), Some(&user));
            assert_eq!(tx.users().list().await?, [user]);
            Outcome::Ok(())
        })
    });
    work.await.unwrap();
}

async fn names_are_unique_where_they_should_be(world: &World) {
    populate(world).await;
    let work = world
        .catalog
        .transact(|tx| Box::pin(async move { tx.projects().insert(&owner("q", "prod")).await }));
    assert!(matches!(work.await, Err(Error::Conflict { what: "project" })));
    let work = world
        .catalog
        .transact(|tx| Box::pin(async move { tx.users().insert(&user("u", "bob")).await }));
    assert!(matches!(work.await, Err(Error::Conflict { what: "user" })));
}

async fn a_domain_in_use_stays(world: &World) {
    populate(world).await;
    let work = world
        .catalog
        .transact(|tx| Box::pin(async move { tx.domains().delete(&domain_id()).await }));
    let error = work.await.unwrap_err();
    assert!(matches!(error, Error::Reference { what: "domain" }));
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            assert!(tx.projects().delete(&project("p")).await?);
            assert!(tx.users().delete(&user("u", "ann").id).await?);
            assert!(tx.domains().delete(&domain_id()).await?);
            tx.domains().delete(&domain_id()).await
        })
    });
    assert!(!work.await.unwrap());
}

async fn roles_are_granted_once_and_go_with_their_scope(world: &World) {
    populate(world).await;
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let ann = user("u", "ann").id;
            let scope = Scope::Project(project("p"));
            let held = |scope: &Scope, role| Assignment {
                user_id: UserId::parse("u").unwrap(),
                scope: scope.clone(),
                role,
            };
            for role in [Role::Member, Role::Reader, Role::Member] {
                tx.assignments().grant(&held(&scope, role)).await?;
            }
            let domain_wide = held(&Scope::Domain(domain_id()), Role::Admin);
            tx.assignments().grant(&domain_wide).await?;
            let roles = tx.assignments().roles(&ann, &scope).await?;
            assert_eq!(roles, [Role::Reader, Role::Member]);
            assert_eq!(tx.assignments().list_for_user(&ann).await?.len(), 3);
            let of_domain = tx.assignments().list_for_scope(&domain_wide.scope).await?;
            assert_eq!(of_domain, [domain_wide]);
            let reader = held(&scope, Role::Reader);
            assert!(tx.assignments().revoke(&reader).await?);
            assert!(!tx.assignments().revoke(&reader).await?);
            tx.projects().delete(&project("p")).await?;
            assert_eq!(tx.assignments().list_for_user(&ann).await?.len(), 1);
            tx.users().delete(&ann).await?;
            assert_eq!(tx.assignments().list_for_user(&ann).await?, []);
            Outcome::Ok(())
        })
    });
    work.await.unwrap();
}

async fn revocations_last_until_purged(world: &World) {
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let mut revocations = tx.revocations();
            revocations.insert("a", at(10)).await?;
            revocations.insert("a", at(10)).await?;
            revocations.insert("b", at(20)).await?;
            assert_eq!(revocations.purge(at(20)).await?, 1);
            assert!(!revocations.is_revoked("a").await?);
            revocations.is_revoked("b").await
        })
    });
    assert!(work.await.unwrap());
}

async fn the_first_setting_wins(world: &World) {
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let mut settings = tx.settings();
            assert_eq!(settings.get("secret").await?, None);
            assert!(settings.put_if_absent("secret", "one").await?);
            assert!(!settings.put_if_absent("secret", "two").await?);
            assert_eq!(settings.get("secret").await?.as_deref(), Some("one"));
            settings.put("secret", "three").await?;
            settings.get("secret").await
        })
    });
    assert_eq!(work.await.unwrap().as_deref(), Some("three"));
}
