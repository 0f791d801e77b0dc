//! The identity door, as unmodified clients use it.

use serde_json::{Value, json};

use crate::world::{PASSWORD, World};

const MEMBER: &str = "00000000000000000000000000000002";

fn password(user: &Value, scope: &Value) -> Value {
    let identity = json!({"methods": ["password"], "password": {"user": user}});
    json!({"auth": {"identity": identity, "scope": scope}})
}

#[tokio::test]
async fn discovery_is_for_anybody() {
    let world = World::new().await;
    let nobody = world.nobody_at_identity();
    let root = nobody.get("/").await;
    assert_eq!(root.status, 300);
    assert_eq!(root.json()["versions"]["values"][0]["status"], "stable");
    for path in ["/v3", "/v3/"] {
        let body = nobody.get(path).await.expect(200);
        assert_eq!(body["version"]["links"][0]["href"], "http://id.test:5000/v3/");
    }
    for path in ["/v2.0", "/nothing", "/v3x"] {
        assert_eq!(nobody.get(path).await.status, 404);
    }
    assert_eq!(nobody.get("/v3/projects").await.status, 401);
}

// What `project create`, `user create`, `role add`, `token issue` and `catalog list` send.
#[tokio::test]
async fn an_admin_lets_a_user_in() {
    let world = World::new().await;
    let (admin, nobody) = (world.identity(&world.admin), world.nobody_at_identity());
    let wish = json!({"project": {"name": "home", "enabled": true, "description": null, "domain_id": "default", "options": {}, "tags": []}});
    let project = admin.post("/v3/projects", wish).await.expect(201);
    let project_id = project["project"]["id"].as_str().unwrap();
    assert_eq!(
        project["project"]["links"]["self"],
        format!("http://id.test:5000/v3/projects/{project_id}")
    );
    let wish = json!({"user": {"name": "ann", "password": PASSWORD, "email": "a@test", "enabled": true, "default_project_id": project_id}});
    let user = admin.post("/v3/users", wish).await.expect(201);
    let user_id = user["user"]["id"].as_str().unwrap();
    assert!(!user.to_string().contains("argon2"));

    let by_name = json!({"name": "ann", "domain": {"name": "Default"}, "password": PASSWORD});
    let scope = json!({"project": {"name": "home", "domain": {"id": "default"}}});
    let refused = nobody.post("/v3/auth/tokens", password(&by_name, &scope)).await;
    assert_eq!(refused.header("www-authenticate"), Some("Keystone uri=\"http://id.test:5000/v3\""));
    assert_eq!(refused.status, 401, "no role yet");

    assert_eq!(admin.get("/v3/roles/member").await.status, 404);
    let found = admin.get("/v3/roles?name=member").await.expect(200);
    assert_eq!(found["roles"].as_array().unwrap().len(), 1);
    assert_eq!(found["roles"][0]["id"], MEMBER);
    let path = format!("/v3/projects/{project_id}/users/{user_id}/roles/{MEMBER}");
    assert_eq!(admin.send("HEAD", &path, None).await.status, 404);
    for _ in 0..2 {
        admin.send("PUT", &path, None).await.expect(204);
    }
    assert_eq!(admin.send("HEAD", &path, None).await.status, 204);

    let issued = nobody.post("/v3/auth/tokens", password(&by_name, &scope)).await;
    let secret = issued.header("x-subject-token").unwrap().to_owned();
    let token = &issued.expect(201)["token"];
    assert_eq!(
        (&token["project"]["id"], &token["user"]["id"]),
        (&json!(project_id), &json!(user_id))
    );
    assert_eq!(token["roles"][0]["name"], "member");
    assert!(token["expires_at"].as_str().unwrap().ends_with('Z'));
    let types: Vec<_> = token["catalog"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["identity", "volumev3", "volumev2", "block-storage", "vbs", "vbsv2", "cbr"]);
    let url = token["catalog"][1]["endpoints"][0]["url"].as_str().unwrap();
    assert_eq!(url, format!("http://vol.test:8776/v3/{project_id}"));
    let ann = nobody.with("x-auth-token", &secret);
    let catalogue = ann.get("/v3/auth/catalog").await.expect(200);
    assert_eq!(catalogue["catalog"], token["catalog"]);
}

#[tokio::test]
async fn a_user_sees_its_own_until_it_leaves() {
    let (world, alpha, _) = World::with_projects().await;
    let ann = world.identity(&alpha.member);
    for (path, count) in
        [("/v3/auth/projects", 2), ("/v3/projects?name=alpha", 1), ("/v3/projects?name=admin", 0)]
    {
        let own = ann.get(path).await.expect(200);
        assert_eq!(own["projects"].as_array().unwrap().len(), count, "{path}");
    }
    for (method, path) in
        [("GET", "/v3/users"), ("GET", "/v3/role_assignments"), ("POST", "/v3/projects")]
    {
        let body = (method == "POST").then(|| json!({"project": {"name": "x"}}));
        let refused = ann.send(method, path, body).await.refusal(403);
        assert!(refused.starts_with("You are not authorized to perform the requested action: "));
    }
    let shown = ann.get("/v3/auth/tokens?nocatalog").await.expect(200);
    assert!(shown["token"].get("catalog").is_none());
    let admin = world.nobody_at_identity().with("x-auth-token", &world.admin.token);
    let unknown = admin.with("x-subject-token", "none");
    assert_eq!(unknown.get("/v3/auth/tokens").await.status, 404);
    assert_eq!(admin.get("/v3/auth/tokens").await.status, 400);
    ann.delete("/v3/auth/tokens").await.expect(204);
    assert_eq!(ann.get("/v3/auth/projects").await.status, 401);
}

#[tokio::test]
async fn scopes_of_a_token() {
    let world = World::new().await;
    let nobody = world.nobody_at_identity();
    let identity = json!({"methods": ["token"], "token": {"id": world.admin.token}});
    let issue = async |scope: Value| {
        let body = json!({"auth": {"identity": identity, "scope": scope}});
        nobody.post("/v3/auth/tokens", body).await.expect(201)["token"].clone()
    };
    let unscoped = issue(json!("unscoped")).await;
    assert!(unscoped.get("project").is_none() && unscoped.get("catalog").is_none());
    let domain = issue(json!({"domain": {"id": "default"}})).await;
    assert_eq!(domain["domain"]["name"], "Default");
    assert_eq!(domain["catalog"].as_array().unwrap().len(), 1);
    let project = issue(json!({"project": {"id": world.admin.project}})).await;
    assert!(project["methods"].as_array().unwrap().contains(&json!("token")));
    for scope in [
        json!({"project": {"id": "none"}}),
        json!({"domain": {"name": "none"}}),
        json!({"system": {"all": true}}),
    ] {
        let body = json!({"auth": {"identity": identity, "scope": scope}});
        assert_eq!(nobody.post("/v3/auth/tokens", body).await.status, 401, "{scope}");
    }
}

#[tokio::test]
async fn whoever_cannot_prove_it_gets_the_same_answer() {
    let world = World::new().await;
    let nobody = world.nobody_at_identity();
    let scope = json!({"project": {"id": world.admin.project}});
    for user in [
        json!({"name": "admin", "domain": {"id": "default"}, "password": "wrong"}),
        json!({"name": "nobody", "domain": {"id": "default"}, "password": "wrong"}),
        json!({"name": "admin", "domain": {"id": "none"}, "password": "wrong"}),
        json!({"id": "none", "password": ""}),
    ] {
        let fault = nobody.post("/v3/auth/tokens", password(&user, &scope)).await.expect(401);
        insta::allow_duplicates! {
            insta::assert_snapshot!(fault, @r#"{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}"#);
        }
    }
    for body in [
        json!({}),
        json!([]),
        json!({"auth": 1}),
        json!({"auth": {"identity": {"methods": ["password"]}}}),
    ] {
        let refused = nobody.post("/v3/auth/tokens", body).await.refusal(400);
        assert!(refused.starts_with("Expecting to find "), "{refused}");
    }
    assert_eq!(nobody.send("POST", "/v3/auth/tokens", None).await.status, 400);
    let malformed =
        nobody.raw("POST", "/v3/auth/tokens", Some("application/json"), b"{".to_vec()).await;
    assert_eq!(malformed.status, 400);
}

#[tokio::test]
async fn users_change_and_end() {
    let world = World::new().await;
    let (admin, nobody) = (world.identity(&world.admin), world.nobody_at_identity());
    let made = admin.post("/v3/users", json!({"user": {"name": "bob"}})).await.expect(201);
    let id = made["user"]["id"].as_str().unwrap();
    let path = format!("/v3/users/{id}");
    let again = admin.post("/v3/users", json!({"user": {"name": "bob"}})).await.refusal(409);
    assert_eq!(
        again,
        "Conflict occurred attempting to store user - Duplicate entry found with name bob."
    );
    let change = json!({"user": {"name": "rob", "password": PASSWORD}});
    let changed = admin.send("PATCH", &path, Some(change)).await.expect(200);
    assert_eq!(changed["user"]["name"], "rob");
    let user = json!({"id": id, "password": PASSWORD});
    let issued = nobody.post("/v3/auth/tokens", password(&user, &json!("unscoped"))).await;
    let bob = nobody.with("x-auth-token", issued.header("x-subject-token").unwrap());
    assert_eq!(bob.get(&path).await.expect(200)["user"]["id"], json!(id));
    let new = json!({"user": {"original_password": PASSWORD, "password": "another one"}});
    bob.post(&format!("{path}/password"), new).await.expect(204);
    let refused = nobody.post("/v3/auth/tokens", password(&user, &json!("unscoped"))).await;
    assert_eq!(refused.status, 401);
    let off = json!({"user": {"enabled": false}});
    let changed = admin.send("PATCH", &path, Some(off)).await.expect(200);
    assert_eq!(changed["user"]["enabled"], false);
    assert_eq!(
        admin.get("/v3/users?enabled=false").await.json()["users"].as_array().unwrap().len(),
        1
    );
    admin.delete(&path).await.expect(204);
    assert_eq!(admin.get(&path).await.refusal(404), format!("Could not find user: {id}."));
    for wish in [
        json!({"user": {}}),
        json!({"user": {"name": 7}}),
        json!({"user": {"name": " "}}),
        json!({"x": 1}),
        json!({"user": {"name": "x", "domain_id": "a/b"}}),
    ] {
        assert_eq!(admin.post("/v3/users", wish).await.status, 400);
    }
    for change in [json!({"name": ""}), json!({"password": ""}), json!({"enabled": "yes"})] {
        let change = json!({"user": change});
        assert_eq!(admin.send("PATCH", &path, Some(change)).await.status, 400);
    }
}

#[tokio::test]
async fn projects_and_domains_change_and_end() {
    let world = World::new().await;
    let admin = world.identity(&world.admin);
    let made = admin
        .post("/v3/domains", json!({"domain": {"name": "d", "enabled": true}}))
        .await
        .expect(201);
    let domain = made["domain"]["id"].as_str().unwrap().to_owned();
    let wish = json!({"project": {"name": "p", "domain_id": domain}});
    let made = admin.post("/v3/projects", wish.clone()).await.expect(201);
    assert_eq!(made["project"]["parent_id"], json!(domain));
    let project = made["project"]["id"].as_str().unwrap();
    assert_eq!(admin.post("/v3/projects", wish).await.status, 409);
    let listed = admin.get(&format!("/v3/projects?domain_id={domain}")).await.expect(200);
    assert_eq!(listed["projects"].as_array().unwrap().len(), 1);
    assert_eq!(
        listed["links"],
        json!({"self": "http://id.test:5000/v3/projects", "next": null, "previous": null})
    );
    let path = format!("/v3/projects/{project}");
    let change = json!({"project": {"description": "x", "enabled": false}});
    let changed = admin.send("PATCH", &path, Some(change)).await.expect(200);
    assert_eq!(
        (&changed["project"]["description"], &changed["project"]["enabled"]),
        (&json!("x"), &json!(false))
    );
    admin.delete(&path).await.expect(204);
    assert_eq!(admin.get(&path).await.refusal(404), format!("Could not find project: {project}."));
    let path = format!("/v3/domains/{domain}");
    let off = json!({"domain": {"enabled": false}});
    admin.send("PATCH", &path, Some(off)).await.expect(200);
    admin.delete(&path).await.expect(204);
    assert_eq!(admin.get(&path).await.status, 404);
}

#[tokio::test]
async fn assignments_are_listed_with_names() {
    let (world, alpha, beta) = World::with_projects().await;
    let admin = world.identity(&world.admin);
    let project = &alpha.member.project;
    let found = admin.get("/v3/users?name=ann").await.expect(200);
    let ann = found["users"][0]["id"].as_str().unwrap();
    let path =
        format!("/v3/role_assignments?user.id={ann}&scope.project.id={project}&include_names=True");
    let listed = admin.get(&path).await.expect(200);
    let all = listed["role_assignments"].as_array().unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(
        (&all[0]["user"]["name"], &all[0]["role"]["name"]),
        (&json!("ann"), &json!("member"))
    );
    assert_eq!(
        all[0]["scope"]["project"],
        json!({"id": project, "name": "alpha", "domain": {"id": "default", "name": "Default"}})
    );
    let plain = admin.get(&format!("/v3/role_assignments?user.id={ann}")).await.expect(200);
    assert_eq!(plain["role_assignments"].as_array().unwrap().len(), 2);
    assert_eq!(plain["role_assignments"][0]["user"], json!({"id": ann}));
    let held = admin.get(&format!("/v3/projects/{project}/users/{ann}/roles")).await.expect(200);
    assert_eq!(held["roles"][0]["id"], MEMBER);
    let own = admin.get(&format!("/v3/users/{ann}/projects")).await.expect(200);
    assert_eq!(own["projects"].as_array().unwrap().len(), 2);
    let path = format!("/v3/projects/{project}/users/{ann}/roles/{MEMBER}");
    admin.delete(&path).await.expect(204);
    assert_eq!(admin.send("HEAD", &path, None).await.status, 404);
    // A role that is taken away ends its tokens at once; the other project's stays.
    assert_eq!(world.volume(&alpha.member).get("/v3/{p}/backups").await.status, 401);
    assert_eq!(world.volume(&beta.member).get("/v3/{p}/backups").await.status, 200);
}

#[tokio::test]
async fn the_catalogue_as_things() {
    let world = World::new().await;
    let admin = world.identity(&world.admin);
    let services = admin.get("/v3/services?type=vbs").await.expect(200);
    let service = services["services"][0]["id"].as_str().unwrap();
    assert_eq!(services["services"].as_array().unwrap().len(), 1);
    let one = admin.get(&format!("/v3/services/{service}")).await.expect(200);
    assert_eq!(one["service"]["name"], "vbs");
    let path = format!("/v3/endpoints?service_id={service}&interface=public");
    let endpoints = admin.get(&path).await.expect(200);
    let endpoint = &endpoints["endpoints"][0];
    assert_eq!(endpoint["url"], "http://vol.test:8776/v2/$(project_id)s");
    let path = format!("/v3/endpoints/{}", endpoint["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).await.expect(200)["endpoint"], *endpoint);
    assert_eq!(admin.get("/v3/regions").await.json()["regions"][0]["id"], "home");
    assert_eq!(admin.get("/v3/regions/home").await.status, 200);
    assert_eq!(admin.get("/v3/regions/mars").await.status, 404);
    assert_eq!(admin.get("/v3/roles").await.json()["roles"].as_array().unwrap().len(), 3);
    for (method, path) in [
        ("POST", "/v3/roles"),
        ("GET", "/v3/nothing"),
        ("GET", "/v3/auth"),
        ("DELETE", "/v3/services/x"),
    ] {
        assert_eq!(admin.send(method, path, None).await.status, 404, "{method} {path}");
    }
}
