//! Who may make, see and remove which access keys, and what becomes of their tokens.

use strongroom_model::identity::Role;
use strongroom_service::identity::{
    AccessKeyChange, Credentials, IdentityChange, NameOrId, ScopeRequest,
};
use strongroom_service::{Error, Kind};
use strongroom_testkit::signer::Form;

use super::signing::{hand, proved, proved_admin, token};
use super::world::World;

#[tokio::test]
async fn a_user_has_two_keys_and_sees_them_without_their_secrets() {
    let w = World::new().await;
    w.project("alpha", Role::Reader).await;
    let by = proved(&w, "alpha").await;
    let make = |text: &str| w.service.create_access_key(&by, None, text.to_owned());
    let (one, two) = (make("one").await.unwrap(), make("two").await.unwrap());
    assert_eq!((one.key.access.len(), one.secret.len()), (20, 40));
    assert_eq!(one.security_token, None);
    assert_ne!(one.secret, two.secret);
    assert_eq!(make("three").await.unwrap_err().kind(), Kind::Invalid);
    let listed = w.service.access_keys(&by.caller, None).await.unwrap();
    let said: Vec<_> = listed.iter().map(|key| key.description.as_str()).collect();
    assert_eq!(said.len(), 2);
    assert!(said.contains(&"one") && said.contains(&"two"));
    for told in [format!("{one:?}"), format!("{listed:?}")] {
        assert!(!told.contains(&one.secret), "{told}");
    }
    w.service.delete_access_key(&by.caller, &one.key.access).await.unwrap();
    let gone = w.service.access_key(&by.caller, &one.key.access).await;
    assert!(matches!(gone, Err(Error::IdentityNotFound { what: "credential", .. })));
    assert!(make("three").await.is_ok());
}

#[tokio::test]
async fn nobody_but_an_admin_reaches_anothers_keys() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    // An admin of one project is none of other users.
    w.project("beta", Role::Admin).await;
    let (ann, bob) = (proved(&w, "alpha").await, proved(&w, "beta").await);
    let key = w.service.create_access_key(&ann, None, String::new()).await.unwrap().key;
    let (ann_id, access) = (ann.caller.user_id.as_str(), key.access.as_str());
    let refused = w.service.create_access_key(&bob, Some(ann_id), String::new()).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    let refused = w.service.access_keys(&bob.caller, Some(ann_id)).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    let off = AccessKeyChange { is_enabled: Some(false), description: None };
    for refused in [
        w.service.access_key(&bob.caller, access).await.map(drop),
        w.service.update_access_key(&bob.caller, access, off.clone()).await.map(drop),
        w.service.delete_access_key(&bob.caller, access).await,
    ] {
        assert!(matches!(refused, Err(Error::IdentityNotFound { .. })), "{refused:?}");
    }
    assert_eq!(w.service.access_keys(&bob.caller, None).await.unwrap(), []);
    assert_eq!(w.service.access_key(&ann.caller, access).await.unwrap(), key);

    let admin = proved_admin(&w).await;
    let made = w.service.create_access_key(&admin, Some(ann_id), String::new()).await.unwrap();
    assert_eq!(made.key.user_id, ann.caller.user_id);
    let listed = w.service.access_keys(&admin.caller, Some(ann_id)).await.unwrap();
    assert_eq!(listed.len(), 2);
    w.service.delete_access_key(&admin.caller, access).await.unwrap();
    for nobody in ["none", "a/b", ""] {
        let refused = w.service.create_access_key(&admin, Some(nobody), String::new()).await;
        assert!(matches!(refused, Err(Error::IdentityNotFound { what: "user", .. })), "{nobody}");
    }
}

#[tokio::test]
async fn what_is_kept_does_not_give_the_secret_away() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let hand = hand(&w, "alpha").await;
    let access = hand.access.as_str();
    let catalog = w.catalog().await;
    let kept = catalog.read(|tx| Box::pin(async move { tx.access_keys().find(access).await }));
    let kept = kept.await.unwrap().unwrap();
    assert!(!format!("{kept:?}").contains(&hand.secret));
    // Another process over the same catalogue verifies with it.
    let twin = w.twin().await;
    hand.get(Form::New, twin.now()).caller(&twin).await.unwrap();
}

#[tokio::test]
async fn both_halves_of_a_key_give_a_token_that_ends_with_it() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let by = proved(&w, "alpha").await;
    let hand = hand(&w, "alpha").await;
    let halves = |access: &str, secret: &str| Credentials::AccessKey {
        access: access.to_owned(),
        secret: secret.to_owned(),
    };
    let scope = || ScopeRequest::Project(NameOrId::Name("alpha".to_owned(), None));
    let issue = |credentials| w.service.issue_token(credentials, scope());
    let first = issue(halves(&hand.access, &hand.secret)).await.unwrap();
    assert_eq!(first.methods, ["hw_ak_sk"]);
    assert_eq!(first.roles, [Role::Member, Role::Reader]);
    let second = issue(Credentials::Token(first.secret.clone())).await.unwrap();
    for (access, secret) in
        [(hand.access.as_str(), "x"), ("x", hand.secret.as_str()), (&hand.secret, &hand.access)]
    {
        let refused = issue(halves(access, secret)).await;
        assert!(matches!(refused, Err(Error::Unauthenticated)), "{refused:?}");
    }
    // Not every database takes every text.
    for access in ["", "\0", "A\0", "ä"] {
        let refused = issue(halves(access, &hand.secret)).await;
        assert!(matches!(refused, Err(Error::Unauthenticated)), "{refused:?}");
        let refused = w.service.access_key(&by.caller, access).await;
        assert!(matches!(refused, Err(Error::IdentityNotFound { .. })), "{refused:?}");
    }
    let brief = w.service.create_temporary_key(&by, None).await.unwrap();
    let refused = issue(halves(&brief.key.access, &brief.secret)).await;
    assert!(matches!(refused, Err(Error::Unauthenticated)));
    let set = |is_enabled| {
        let change = AccessKeyChange { is_enabled: Some(is_enabled), description: None };
        w.service.update_access_key(&by.caller, &hand.access, change)
    };
    set(false).await.unwrap();
    assert!(issue(halves(&hand.access, &hand.secret)).await.is_err());
    assert!(w.service.validate_token(&first.secret).await.is_err());
    set(true).await.unwrap();
    w.service.validate_token(&first.secret).await.unwrap();
    w.service.validate_token(&second.secret).await.unwrap();
    w.service.delete_access_key(&by.caller, &hand.access).await.unwrap();
    assert!(w.service.validate_token(&first.secret).await.is_err());
    assert!(w.service.validate_token(&second.secret).await.is_err());
    w.service.validate_token(&token(&w, "alpha").await.secret).await.unwrap();
}

#[tokio::test]
async fn a_key_lives_and_dies_with_its_user() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let hand = hand(&w, "alpha").await;
    let id = proved(&w, "alpha").await.caller.user_id;
    let works = async || hand.get(Form::New, w.service.now()).caller(&w.service).await;
    works().await.unwrap();
    let change = |is_enabled, password: Option<&str>| IdentityChange {
        is_enabled: Some(is_enabled),
        password: password.map(str::to_owned),
        ..IdentityChange::default()
    };
    let update = |change| w.service.update_user(&w.admin, id.as_str(), change);
    update(change(false, None)).await.unwrap();
    assert!(matches!(works().await, Err(Error::Unauthenticated)));
    // A permanent key is independent of the password.
    update(change(true, Some("other"))).await.unwrap();
    works().await.unwrap();
    w.service.delete_user(&w.admin, id.as_str()).await.unwrap();
    assert!(matches!(works().await, Err(Error::Unauthenticated)));
}
