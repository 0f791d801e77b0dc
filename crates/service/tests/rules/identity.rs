//! Tokens, roles and scopes.

use std::time::Duration;

use strongroom_model::identity::{Assignment, Role, Scope};
use strongroom_service::identity::{
    Credentials, DomainRef, IdentityChange, NameOrId, NewProject, ScopeRequest,
};
use strongroom_service::{CallerScope, Error};

use super::world::{World, log_in};

fn by_password(user: &str, password: &str) -> Credentials {
    let user = NameOrId::Name(user.to_owned(), None);
    Credentials::Password { user, password: password.to_owned() }
}

fn project(name: &str) -> ScopeRequest {
    ScopeRequest::Project(NameOrId::Name(name.to_owned(), None))
}

#[tokio::test]
async fn a_token_proves_who_where_and_until_when() {
    let w = World::new().await;
    let credentials = by_password("admin", &w.bootstrap.password);
    let token = w.service.issue_token(credentials, project("admin")).await.unwrap();
    let read = w.service.validate_token(&token.secret).await.unwrap();
    assert_eq!(read.user.id, w.bootstrap.user_id);
    assert_eq!(read.roles, [Role::Admin, Role::Member, Role::Reader]);
    assert!(read.is_cloud_admin);
    w.clock.advance(Duration::from_secs(8 * 3600));
    let expired = w.service.validate_token(&token.secret).await;
    assert!(matches!(expired, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn every_wrong_proof_looks_the_same() {
    let w = World::new().await;
    let right = &w.bootstrap.password;
    let wrong = [
        (by_password("admin", "wrong"), project("admin")),
        (by_password("nobody", right), project("admin")),
        (by_password("admin", right), project("nowhere")),
        (by_password("admin", right), ScopeRequest::Domain(DomainRef::Name("nowhere".to_owned()))),
        (Credentials::Token("forged.token".to_owned()), project("admin")),
        // Not every database takes every text.
        (by_password("admin\0", right), project("admin")),
        (by_password("admin", right), project("admin\0")),
        (by_password("admin", right), ScopeRequest::Domain(DomainRef::Name("\0".to_owned()))),
    ];
    for (credentials, scope) in wrong {
        let result = w.service.issue_token(credentials, scope).await;
        assert!(matches!(result, Err(Error::Unauthenticated)));
    }
}

#[tokio::test]
async fn a_revoked_token_and_a_removed_role_stop_working_at_once() {
    let w = World::new().await;
    let member = w.project("alpha", Role::Member).await;
    let issue = || w.service.issue_token(by_password("alpha-user", "password"), project("alpha"));
    let (first, second) = (issue().await.unwrap(), issue().await.unwrap());
    w.service.revoke_token(&first.secret).await.unwrap();
    assert!(w.service.validate_token(&first.secret).await.is_err());
    assert!(w.service.validate_token(&second.secret).await.is_ok());
    let CallerScope::Project(project_id) = member.scope.clone() else { panic!("{member:?}") };
    let scope = Scope::Project(project_id);
    let assignment = Assignment { user_id: member.user_id, scope, role: Role::Member };
    w.service.revoke(&w.admin, assignment).await.unwrap();
    assert!(w.service.validate_token(&second.secret).await.is_err());
}

#[tokio::test]
async fn a_new_password_ends_the_old_tokens() {
    let w = World::new().await;
    let member = w.project("alpha", Role::Member).await;
    let token = w.service.issue_token(by_password("alpha-user", "password"), project("alpha"));
    let token = token.await.unwrap();
    w.clock.advance(Duration::from_secs(1));
    let id = member.user_id.as_str();
    w.service.change_password(&member, id, "password", "fresh".to_owned()).await.unwrap();
    assert!(w.service.validate_token(&token.secret).await.is_err());
    assert!(w.service.change_password(&member, id, "password", "x".to_owned()).await.is_err());
    log_in(&w.service, "alpha-user", "fresh", "alpha").await;
}

#[tokio::test]
async fn a_token_from_a_token_ends_no_later() {
    let w = World::new().await;
    let first = by_password("admin", &w.bootstrap.password);
    let first = w.service.issue_token(first, ScopeRequest::Unscoped).await.unwrap();
    assert!(first.roles.is_empty() && first.project.is_none());
    w.clock.advance(Duration::from_secs(3600));
    let proof = Credentials::Token(first.secret);
    let second = w.service.issue_token(proof, project("admin")).await.unwrap();
    assert_eq!(second.expires_at, first.expires_at);
    assert_eq!(second.methods, ["password", "token"]);
}

#[tokio::test]
async fn an_admin_of_one_project_administers_nothing_else() {
    let w = World::new().await;
    let local_admin = w.project("alpha", Role::Admin).await;
    assert!(local_admin.is_admin() && !local_admin.is_cloud_admin);
    let new = NewProject {
        name: "beta".to_owned(),
        domain_id: None,
        description: String::new(),
        is_enabled: true,
    };
    let refused = w.service.create_project(&local_admin, new).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    assert!(w.service.users(&local_admin).await.is_err());
    let visible = w.service.projects(&local_admin).await.unwrap();
    assert_eq!(visible.len(), 1);
}

#[tokio::test]
async fn a_disabled_project_gives_no_tokens() {
    let w = World::new().await;
    let member = w.project("alpha", Role::Member).await;
    let CallerScope::Project(id) = &member.scope else { panic!("{member:?}") };
    let change = IdentityChange { is_enabled: Some(false), ..IdentityChange::default() };
    w.service.update_project(&w.admin, id.as_str(), change).await.unwrap();
    let refused = w.service.issue_token(by_password("alpha-user", "password"), project("alpha"));
    assert!(matches!(refused.await, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn the_first_start_happens_once() {
    let w = World::new().await;
    assert!(w.service.bootstrap().await.unwrap().is_none());
    let names: Vec<_> = w.service.projects(&w.admin).await.unwrap();
    let names: Vec<_> = names.into_iter().map(|project| project.name).collect();
    assert!(names.contains(&"admin".to_owned()) && names.contains(&"RegionOne".to_owned()));
}
