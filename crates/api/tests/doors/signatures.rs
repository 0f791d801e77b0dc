//! Signed requests at both doors, in both forms.

use std::time::Duration;

use serde_json::{Value, json};
use strongroom_testkit::signer::Form;

use crate::world::{PASSWORD, World};

// T-40: clients that sign bring no token, and do everything that others do.
#[tokio::test]
async fn t40_a_signed_client_makes_and_restores_a_backup() {
    let (world, alpha, _) = World::with_projects().await;
    let project = alpha.member.project.as_str();
    for form in Form::ALL {
        let hand = world.key(&alpha.member, form).await;
        let client = world.nobody().signed(&hand, project);
        let volume = client.make_volume("a disk").await;
        let backup = client.make_backup(&volume, "b").await;
        let found = client.get("/v3/{p}/backups/detail?limit=10&name=b").await.expect(200);
        assert_eq!(found["backups"][0]["id"], json!(backup));
        let restore = json!({"restore": {"volume_id": volume}});
        client.post(&format!("/v3/{{p}}/backups/{backup}/restore"), restore).await.expect(202);
        world.settle().await;
        // Without a project in the path, the header names it; so do bookmarks and the vendor's paths.
        let named = client.with("x-project-id", project);
        assert_eq!(named.get("/v3/backups").await.status, 200);
        assert_eq!(client.get("/{p}/backups").await.status, 200);
        assert_eq!(client.get("/v2/{p}/backuppolicy").await.status, 200);
        assert_eq!(client.send("HEAD", "/v3/{p}/backups", None).await.status, 200);
        assert_eq!(client.delete(&format!("/v3/{{p}}/backups/{backup}")).await.status, 202);
        world.settle().await;
    }
}

#[tokio::test]
async fn t40_what_is_not_signed_right_is_unauthenticated() {
    let (world, alpha, _) = World::with_projects().await;
    let project = alpha.member.project.as_str();
    let path = format!("/v3/{project}/backups");
    for form in Form::ALL {
        let hand = world.key(&alpha.member, form).await;
        let at = world.service.now();
        let headers = |at| {
            let mut headers = vec![("host".to_owned(), "vol.test:8776".to_owned())];
            hand.sign(("POST", &path), &mut headers, b"{}", at);
            headers.remove(0);
            headers
        };
        let send = async |method: &str, headers: Vec<(String, String)>, body: &[u8]| {
            let mut client = world.nobody();
            for (name, value) in headers {
                client = client.with(&name, &value);
            }
            client.raw(method, &path, Some("application/json"), body.to_vec()).await
        };
        assert_eq!(send("POST", headers(at), b"{}").await.status, 400);
        assert_eq!(send("POST", headers(at), b"{ }").await.status, 401);
        assert_eq!(send("PUT", headers(at), b"{}").await.status, 401);
        let late = Duration::from_secs(901);
        assert_eq!(send("POST", headers(at.plus(late)), b"{}").await.status, 401);
        let answer = send("POST", headers(at.plus(late)), b"{}").await;
        let header = answer.header("www-authenticate").unwrap();
        assert_eq!(header, "Keystone uri=\"http://id.test:5000/v3\"");
        assert_eq!(send("POST", headers(at), &[b' '; 5000]).await.status, 413);
    }
}

#[tokio::test]
async fn a_key_opens_no_project_but_its_users() {
    let (world, alpha, beta) = World::with_projects().await;
    let bob = world.make_user("bob").await;
    let gamma = world.make_project("gamma", &bob).await;
    let hand = world.key(&alpha.member, Form::New).await;
    let client = world.nobody().signed(&hand, &alpha.member.project);
    for project in [gamma.as_str(), world.admin.project.as_str(), "none"] {
        let refused = client.get(&format!("/v3/{project}/backups")).await;
        assert_eq!(
            refused.refusal(403),
            "Policy doesn't allow identity:use_scope to be performed."
        );
        let named = client.with("x-project-id", project);
        assert_eq!(named.get("/v3/backups").await.status, 403, "{project}");
        // The path is what counts.
        assert_eq!(named.get("/v3/{p}/backups").await.status, 200, "{project}");
        let vendor = client.get(&format!("/v2/{project}/backuppolicy")).await;
        assert_eq!(vendor.status, 403, "{project}");
    }
    let other = client.get(&format!("/v3/{}/backups", beta.member.project)).await;
    assert_eq!(other.status, 200);
    // An admin's power does not come with a member's key.
    let reset = json!({"os-reset_status": {"status": "error"}});
    let answer = client.post("/v3/{p}/backups/none/action", reset).await;
    assert_ne!(answer.status, 202);
    let all = client.with("x-project-id", &world.admin.project);
    assert_eq!(all.get("/v3/backups?all_tenants=1").await.status, 403);
}

#[tokio::test]
async fn what_each_kind_of_client_looks_up_first() {
    let (world, alpha, _) = World::with_projects().await;
    for form in Form::ALL {
        let hand = world.key(&alpha.member, form).await;
        let signed = world.nobody_at_identity().signed(&hand, "");
        let projects = signed.get("/v3/projects?name=alpha").await.expect(200);
        assert_eq!(projects["projects"].as_array().unwrap().len(), 1);
        assert_eq!(projects["projects"][0]["id"], json!(alpha.member.project));
        let path = "/v3/projects?domain_id=default&name=alpha";
        assert_eq!(signed.get(path).await.expect(200)["projects"], projects["projects"]);
        let own = signed.get("/v3/auth/projects").await.expect(200);
        assert_eq!(own["projects"].as_array().unwrap().len(), 2);
        for path in ["/v3/auth/domains", "/v3/auth/domains?name=Default"] {
            let domains = signed.get(path).await.expect(200);
            assert_eq!(domains["domains"].as_array().unwrap().len(), 1);
            assert_eq!(domains["domains"][0]["id"], "default");
        }
        let none = signed.get("/v3/auth/domains?name=other").await.expect(200);
        assert_eq!(none["domains"], json!([]));
        let users = signed.get("/v3/users?name=ann").await.expect(200);
        assert_eq!(users["users"].as_array().unwrap().len(), 1);
        let users = signed.get("/v3/users?name=admin").await.expect(200);
        assert_eq!(users["users"], json!([]));
        let who = signed.get("/v5/caller-identity").await.expect(200);
        assert_eq!(who["account_id"], "default");
        assert_eq!(who["principal_urn"], "iam::default:user:ann");

        let bare = signed.get("/v3/auth/catalog").await.expect(200);
        assert_eq!(bare["catalog"].as_array().unwrap().len(), 1);
        let named = signed.with("x-project-id", &alpha.member.project);
        let named = named.with("x-domain-id", "default");
        let catalogue = named.get("/v3/auth/catalog").await.expect(200);
        let by_token = world.identity(&alpha.member).get("/v3/auth/catalog").await.expect(200);
        assert_eq!(catalogue, by_token);
    }
}

// A name of a region leads every signer to exactly one project, however many there are.
#[tokio::test]
async fn c27_one_project_is_found_by_the_name_of_the_region() {
    let world = World::new().await;
    let admin = world.identity(&world.admin);
    let domain = json!({"domain": {"name": "other"}});
    let domain = admin.post("/v3/domains", domain).await.expect(201)["domain"]["id"].clone();
    let twin = json!({"project": {"name": "RegionOne", "domain_id": domain}});
    let twin = admin.post("/v3/projects", twin).await.expect(201)["project"]["id"].clone();
    let hand = world.key(&world.admin, Form::New).await;
    let signed = world.nobody_at_identity().signed(&hand, "");
    let found = signed.get("/v3/projects?name=RegionOne").await.expect(200);
    assert_eq!(found["projects"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["projects"][0]["domain_id"], "default");
    let path = format!("/v3/projects?name=RegionOne&domain_id={}", domain.as_str().unwrap());
    let found = signed.get(&path).await.expect(200);
    assert_eq!(found["projects"][0]["id"], twin);
    let all = signed.get("/v3/projects").await.expect(200);
    assert_eq!(all["projects"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn both_halves_of_a_key_are_a_method_of_logging_in() {
    let (world, alpha, _) = World::with_projects().await;
    let body = json!({"credential": {}});
    let path = "/v3.0/OS-CREDENTIAL/credentials";
    let made = world.identity(&alpha.member).post(path, body).await.expect(201);
    let key = &made["credential"];
    let log_in = async |access: &Value, secret: &Value| {
        let halves = json!({"access": {"key": access}, "secret": {"key": secret}});
        let identity = json!({"methods": ["hw_ak_sk"], "hw_ak_sk": halves});
        let scope = json!({"project": {"id": alpha.member.project}});
        let body = json!({"auth": {"identity": identity, "scope": scope}});
        world.nobody_at_identity().post("/v3/auth/tokens", body).await
    };
    let issued = log_in(&key["access"], &key["secret"]).await;
    let token = issued.header("x-subject-token").unwrap().to_owned();
    let body = issued.expect(201);
    assert_eq!(body["token"]["methods"], json!(["hw_ak_sk"]));
    assert_eq!(body["token"]["user"]["name"], "ann");
    let client = world.nobody().with("x-auth-token", &token);
    let backups = format!("/v3/{}/backups", alpha.member.project);
    assert_eq!(client.get(&backups).await.status, 200);
    for (access, secret) in [(json!("x"), &key["secret"]), (key["access"].clone(), &json!("x"))] {
        assert_eq!(log_in(&access, secret).await.status, 401);
    }
    let path = format!("{path}/{}", key["access"].as_str().unwrap());
    world.identity(&alpha.member).delete(&path).await.expect(204);
    assert_eq!(client.get(&backups).await.status, 401);
}

#[tokio::test]
async fn a_signed_user_manages_what_it_may() {
    let world = World::new().await;
    let hand = world.key(&world.admin, Form::Old).await;
    let admin = world.nobody_at_identity().signed(&hand, "");
    let user = json!({"user": {"name": "eve", "password": PASSWORD}});
    admin.post("/v3/users", user).await.expect(201);
    assert_eq!(admin.get("/v3/users").await.expect(200)["users"].as_array().unwrap().len(), 2);
    // A token goes before a signature, and a wrong one is not made good by it.
    let both = admin.with("x-auth-token", "none");
    assert_eq!(both.get("/v3/users").await.status, 401);
}
