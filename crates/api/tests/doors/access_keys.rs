//! Access keys at the identity door: made, listed, lent and taken away.

use std::time::Duration;

use serde_json::{Value, json};
use strongroom_testkit::signer::Form;

use crate::signing::Hand;
use crate::world::World;

const KEYS: &str = "/v3.0/OS-CREDENTIAL/credentials";
const TEMPORARY: &str = "/v3.0/OS-CREDENTIAL/securitytokens";

fn by_token(token: &Value) -> Value {
    json!({"auth": {"identity": {"methods": ["token"], "token": token}}})
}

#[tokio::test]
async fn a_key_is_made_shown_disabled_and_removed() {
    let (world, alpha, _) = World::with_projects().await;
    let ann = world.identity(&alpha.member);
    let me = ann.get("/v3/auth/tokens").await.json()["token"]["user"]["id"].clone();
    let wish = json!({"credential": {"user_id": me, "description": "laptop"}});
    let made = ann.post(KEYS, wish.clone()).await.expect(201)["credential"].clone();
    let (access, secret) = (made["access"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert_eq!((access.len(), secret.len()), (20, 40));
    let mut shown = made.clone();
    shown.as_object_mut().unwrap().remove("secret");
    assert_eq!(
        shown,
        json!({
            "access": access,
            "user_id": me,
            "description": "laptop",
            "status": "active",
            "create_time": "2026-02-03T04:05:06.000007Z",
        })
    );
    let path = format!("{KEYS}/{access}");
    assert_eq!(ann.get(&path).await.expect(200)["credential"], shown);
    let listed = ann.get(KEYS).await.expect(200);
    assert_eq!(listed, json!({"credentials": [shown]}));
    ann.post(KEYS, json!({"credential": {}})).await.expect(201);
    let third = ann.post(KEYS, wish).await.refusal(400);
    assert_eq!(third, "credential: a user may have no more than 2 access keys");

    let hand = Hand::of(&made, Form::New);
    let client = world.nobody().signed(&hand, &alpha.member.project);
    assert_eq!(client.get("/v3/{p}/backups").await.status, 200);
    for (status, answer) in [("inactive", 401), ("active", 200)] {
        let change = json!({"credential": {"status": status}});
        let changed = ann.put(&path, change).await.expect(200);
        assert_eq!(changed["credential"]["status"], status);
        assert_eq!(changed["credential"]["description"], "laptop");
        assert_eq!(client.get("/v3/{p}/backups").await.status, answer);
    }
    assert_eq!(ann.delete(&path).await.status, 204);
    assert_eq!(client.get("/v3/{p}/backups").await.status, 401);
    let gone = ann.get(&path).await.refusal(404);
    assert_eq!(gone, format!("Could not find credential: {access}."));
    assert_eq!(ann.delete(&path).await.status, 404);
}

#[tokio::test]
async fn nobody_reaches_anothers_keys() {
    let (world, alpha, _) = World::with_projects().await;
    let hand = world.key(&alpha.member, Form::New).await;
    let ann = world.identity(&alpha.member).get("/v3/auth/tokens").await.json();
    let ann = ann["token"]["user"]["id"].as_str().unwrap().to_owned();
    let bob = world.make_user("bob").await;
    let project = world.make_project("gamma", &bob).await;
    let bob = world.access(&bob, &project).await;
    let path = format!("{KEYS}/{}", hand.access());
    let off = json!({"credential": {"status": "inactive"}});
    let for_ann = json!({"credential": {"user_id": ann}});
    let signed = world.key(&bob, Form::Old).await;
    for client in [world.identity(&bob), world.nobody_at_identity().signed(&signed, "")] {
        assert_eq!(client.get(&format!("{KEYS}?user_id={ann}")).await.status, 403);
        assert_eq!(client.post(KEYS, for_ann.clone()).await.status, 403);
        assert_eq!(client.get(&path).await.status, 404);
        assert_eq!(client.put(&path, off.clone()).await.status, 404);
        assert_eq!(client.delete(&path).await.status, 404);
        let own = client.get(KEYS).await.expect(200);
        assert_eq!(own["credentials"].as_array().unwrap().len(), 1);
        assert_eq!(own["credentials"][0]["access"], signed.access());
    }
    for path in [KEYS, &path] {
        assert_eq!(world.nobody_at_identity().get(path).await.status, 401);
    }
    // An admin of a project is none of users; the administrator is.
    assert_eq!(world.identity(&alpha.admin).get(&path).await.status, 404);
    let admin = world.identity(&world.admin);
    admin.post(KEYS, for_ann).await.expect(201);
    let listed = admin.get(&format!("{KEYS}?user_id={ann}")).await.expect(200);
    assert_eq!(listed["credentials"].as_array().unwrap().len(), 2);
    admin.delete(&path).await.expect(204);
}

#[tokio::test]
async fn a_temporary_key_signs_until_it_ends() {
    let (world, alpha, beta) = World::with_projects().await;
    let ann = world.identity(&alpha.member);
    let wish = by_token(&json!({"duration_seconds": 1800}));
    let lent = ann.post(TEMPORARY, wish).await.expect(201)["credential"].clone();
    assert_eq!(lent["expires_at"], "2026-02-03T04:35:06.000007Z");
    for form in Form::ALL {
        let hand = Hand::of(&lent, form);
        let client = world.nobody().signed(&hand, &alpha.member.project);
        assert_eq!(client.get("/v3/{p}/backups").await.status, 200);
        let elsewhere = format!("/v3/{}/backups", beta.member.project);
        assert_eq!(client.get(&elsewhere).await.status, 403);
        let mut bare = lent.clone();
        bare.as_object_mut().unwrap().remove("securitytoken");
        let bare = world.nobody().signed(&Hand::of(&bare, form), &alpha.member.project);
        assert_eq!(bare.get("/v3/{p}/backups").await.status, 401);
        let identity = world.nobody_at_identity().signed(&hand, "");
        assert_eq!(identity.post(TEMPORARY, by_token(&json!({}))).await.status, 403);
        assert_eq!(identity.post(KEYS, json!({"credential": {}})).await.status, 403);
        assert_eq!(identity.get("/v3/auth/projects").await.status, 200);
    }
    let listed = ann.get(KEYS).await.expect(200);
    assert_eq!(listed["credentials"], json!([]));
    world.pass(Duration::from_secs(1800));
    let hand = Hand::of(&lent, Form::New);
    let client = world.nobody().signed(&hand, &alpha.member.project);
    assert_eq!(client.get("/v3/{p}/backups").await.status, 401);
}

#[tokio::test]
async fn a_temporary_key_is_asked_for_in_several_ways() {
    let (world, alpha, _) = World::with_projects().await;
    let (ann, nobody) = (world.identity(&alpha.member), world.nobody_at_identity());
    let token = &alpha.member.token;
    let parent = world.key(&alpha.member, Form::New).await;
    let signed = world.nobody_at_identity().signed(&parent, "");
    let works = async |lent: Value| {
        let hand = Hand::of(&lent["credential"], Form::New);
        let client = world.nobody().signed(&hand, &alpha.member.project);
        client.get("/v3/{p}/backups").await.status == 200
    };
    let named = by_token(&json!({"id": token, "duration_seconds": "900"}));
    assert!(works(nobody.post(TEMPORARY, named.clone()).await.expect(201)).await);
    assert!(works(signed.post(TEMPORARY, named).await.expect(201)).await);
    assert!(works(ann.send("POST", TEMPORARY, None).await.expect(201)).await);
    let of_parent = signed.post(TEMPORARY, by_token(&json!({}))).await.expect(201);
    assert!(works(of_parent.clone()).await);

    for token in [json!({"id": "none"}), json!({})] {
        assert_eq!(nobody.post(TEMPORARY, by_token(&token)).await.status, 401);
    }
    assert_eq!(nobody.send("POST", TEMPORARY, None).await.status, 401);
    assert_eq!(nobody.with("x-auth-token", "x").send("POST", TEMPORARY, None).await.status, 401);
    for bad in [json!({"duration_seconds": 1}), json!({"duration_seconds": 86401}), json!([])] {
        assert_eq!(ann.post(TEMPORARY, by_token(&bad)).await.status, 400, "{bad}");
    }
    let agency = json!({"methods": ["assume_role"], "assume_role": {"agency_name": "a"}});
    let agency = json!({"auth": {"identity": agency}});
    assert_eq!(ann.post(TEMPORARY, agency).await.status, 400);

    let path = format!("{KEYS}/{}", parent.access());
    ann.delete(&path).await.expect(204);
    assert!(!works(of_parent).await);
}

#[tokio::test]
async fn odd_bodies_are_refused() {
    let (world, alpha, _) = World::with_projects().await;
    let ann = world.identity(&alpha.member);
    let hand = world.key(&alpha.member, Form::New).await;
    let path = format!("{KEYS}/{}", hand.access());
    for body in [
        json!({}),
        json!([]),
        json!({"credential": 1}),
        json!({"credential": {"user_id": 1}}),
        json!({"credential": {"user_id": ""}}),
        json!({"credential": {"description": "x".repeat(256)}}),
    ] {
        assert_eq!(ann.post(KEYS, body.clone()).await.status, 400, "{body}");
    }
    for status in [json!("on"), json!(true), json!("")] {
        let body = json!({"credential": {"status": status}});
        assert_eq!(ann.put(&path, body).await.status, 400, "{status}");
    }
    let nobody = json!({"credential": {"user_id": "none"}});
    assert_eq!(world.identity(&world.admin).post(KEYS, nobody).await.status, 404);
    assert_eq!(ann.get(&format!("{KEYS}/%00")).await.status, 404);
    for (method, path) in [
        ("GET", "/v3.0/OS-CREDENTIAL"),
        ("GET", "/v3.0/OS-CREDENTIAL/securitytokens"),
        ("GET", "/v3.0/other"),
        ("POST", "/v5/caller-identity"),
        ("GET", "/v5/agencies"),
    ] {
        assert_eq!(ann.send(method, path, None).await.status, 404, "{method} {path}");
    }
}
