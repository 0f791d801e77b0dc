//! Temporary access keys: they never outlive and never outrank what they were asked for by.

use std::time::Duration;

use strongroom_model::identity::{Assignment, Role, Scope};
use strongroom_service::identity::{
    AccessKeyChange, IdentityChange, Proved, ScopeRequest, TEMPORARY_KEYS_MAX,
};
use strongroom_service::{CallerScope, Error, Kind};
use strongroom_testkit::signer::Form;

use super::signing::{Hand, by_password, hand, proved, token};
use super::world::World;

const HOUR: Duration = Duration::from_secs(3600);

async fn borrow(w: &World, by: &Proved, life: Duration) -> Hand {
    w.service.create_temporary_key(by, Some(life)).await.unwrap().into()
}

async fn works(w: &World, hand: &Hand) -> bool {
    let answers = [
        hand.get(Form::New, w.service.now()).caller(&w.service).await,
        hand.get(Form::Old, w.service.now()).caller(&w.service).await,
    ];
    assert_eq!(answers[0].is_ok(), answers[1].is_ok());
    answers.into_iter().all(|answer| match answer {
        Ok(_) => true,
        Err(Error::Unauthenticated) => false,
        Err(other) => panic!("{other:?}"),
    })
}

#[tokio::test]
async fn it_ends_when_it_says() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let by = proved(&w, "alpha").await;
    let issued = w.service.create_temporary_key(&by, None).await.unwrap();
    let ends = issued.key.bounds.as_ref().unwrap().expires_at;
    assert_eq!(ends, w.service.now().plus(Duration::from_secs(900)));
    let brief = Hand::from(issued);
    w.clock.set(ends);
    assert!(!works(&w, &brief).await);
    let brief = borrow(&w, &by, Duration::from_secs(900)).await;
    w.clock.advance(Duration::from_secs(899));
    assert!(works(&w, &brief).await);
    w.clock.advance(Duration::from_secs(1));
    assert!(!works(&w, &brief).await);
    for life in [0, 899, 24 * 3600 + 1] {
        let life = Some(Duration::from_secs(life));
        let refused = w.service.create_temporary_key(&by, life).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Invalid);
    }
}

#[tokio::test]
async fn its_security_token_comes_with_it() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let by = proved(&w, "alpha").await;
    let (one, two) = (borrow(&w, &by, HOUR).await, borrow(&w, &by, HOUR).await);
    let sent = one.get(Form::New, w.service.now());
    sent.caller(&w.service).await.unwrap();
    let other = two.security_token.as_deref().unwrap();
    let permanent = hand(&w, "alpha").await.get(Form::New, w.service.now());
    for wrong in [
        sent.clone().without("x-security-token"),
        sent.clone().changed("x-security-token", ""),
        sent.clone().changed("x-security-token", other),
        sent.clone().with("x-security-token", other),
        permanent.with("x-security-token", other),
    ] {
        assert!(matches!(wrong.caller(&w.service).await, Err(Error::Unauthenticated)), "{wrong:?}");
    }
}

#[tokio::test]
async fn it_ends_with_its_token() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let maker = token(&w, "alpha").await;
    let by = maker.proved("req-1".to_owned());
    let issued = w.service.create_temporary_key(&by, Some(24 * HOUR)).await.unwrap();
    assert_eq!(issued.key.bounds.as_ref().unwrap().expires_at, maker.expires_at);
    let brief = Hand::from(issued);
    assert!(works(&w, &brief).await);
    w.service.revoke_token(&maker.secret).await.unwrap();
    assert!(!works(&w, &brief).await);

    let brief = borrow(&w, &proved(&w, "alpha").await, HOUR).await;
    w.clock.advance(Duration::from_secs(1));
    let id = by.caller.user_id.as_str();
    w.service.change_password(&by.caller, id, "password", "fresh".to_owned()).await.unwrap();
    assert!(!works(&w, &brief).await);
}

#[tokio::test]
async fn it_ends_with_its_parent_and_its_user() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let parent = hand(&w, "alpha").await;
    let caller = proved(&w, "alpha").await.caller;
    let by = parent.get(Form::New, w.service.now()).proved(&w.service).await.unwrap();
    let brief = borrow(&w, &by, 24 * HOUR).await;
    assert!(works(&w, &brief).await);
    let set = |is_enabled| {
        let change = AccessKeyChange { is_enabled: Some(is_enabled), description: None };
        w.service.update_access_key(&caller, &parent.access, change)
    };
    set(false).await.unwrap();
    assert!(!works(&w, &brief).await);
    set(true).await.unwrap();
    let id = caller.user_id.as_str();
    let user = |is_enabled| IdentityChange { is_enabled: Some(is_enabled), ..Default::default() };
    w.service.update_user(&w.admin, id, user(false)).await.unwrap();
    assert!(!works(&w, &brief).await);
    w.service.update_user(&w.admin, id, user(true)).await.unwrap();
    assert!(works(&w, &brief).await);
    w.service.delete_access_key(&caller, &parent.access).await.unwrap();
    assert!(!works(&w, &brief).await);
}

#[tokio::test]
async fn a_token_of_a_key_lends_keys_that_end_with_that_key() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let parent = hand(&w, "alpha").await;
    let halves = strongroom_service::identity::Credentials::AccessKey {
        access: parent.access.clone(),
        secret: parent.secret.clone(),
    };
    let token = w.service.issue_token(halves, ScopeRequest::Unscoped).await.unwrap();
    let by = token.proved("req-1".to_owned());
    let brief = borrow(&w, &by, HOUR).await;
    assert!(works(&w, &brief).await);
    w.service.delete_access_key(&by.caller, &parent.access).await.unwrap();
    assert!(!works(&w, &brief).await);
}

#[tokio::test]
async fn it_holds_in_its_scope_only() {
    let w = World::new().await;
    let alpha = w.project("alpha", Role::Member).await;
    let beta = w.project("beta", Role::Member).await;
    let CallerScope::Project(beta_id) = beta.scope else { panic!("{beta:?}") };
    let scope = Scope::Project(beta_id.clone());
    let both = Assignment { user_id: alpha.user_id.clone(), scope, role: Role::Reader };
    w.service.grant(&w.admin, both).await.unwrap();

    let brief = borrow(&w, &proved(&w, "alpha").await, HOUR).await;
    let sent = brief.get(Form::New, w.service.now());
    let caller = sent.caller(&w.service).await.unwrap();
    assert_eq!((&caller.scope, caller.role), (&alpha.scope, Some(Role::Member)));
    for elsewhere in [
        sent.clone().with("x-project-id", beta_id.as_str()),
        sent.clone().with("x-domain-id", "default"),
    ] {
        let refused = elsewhere.caller(&w.service).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    }

    // One that was asked for without a scope reaches where its user does.
    let credentials = by_password("alpha-user", "password");
    let unscoped = w.service.issue_token(credentials, ScopeRequest::Unscoped).await.unwrap();
    let wide = borrow(&w, &unscoped.proved("req-1".to_owned()), HOUR).await;
    let sent = wide.get(Form::New, w.service.now()).with("x-project-id", beta_id.as_str());
    assert_eq!(sent.caller(&w.service).await.unwrap().role, Some(Role::Reader));
}

#[tokio::test]
async fn it_makes_no_keys_and_is_in_no_list() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let brief = borrow(&w, &proved(&w, "alpha").await, HOUR).await;
    let by = brief.get(Form::New, w.service.now()).proved(&w.service).await.unwrap();
    let refused = w.service.create_access_key(&by, None, String::new()).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    let refused = w.service.create_temporary_key(&by, None).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    assert_eq!(w.service.access_keys(&by.caller, None).await.unwrap(), []);
    assert!(w.service.access_key(&by.caller, &brief.access).await.is_err());
}

#[tokio::test]
async fn there_is_a_bound_that_ended_ones_do_not_count_to() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let by = proved(&w, "alpha").await;
    for _ in 0..TEMPORARY_KEYS_MAX {
        w.service.create_temporary_key(&by, None).await.unwrap();
    }
    let refused = w.service.create_temporary_key(&by, None).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
    w.clock.advance(Duration::from_secs(901));
    w.service.create_temporary_key(&by, None).await.unwrap();
}
