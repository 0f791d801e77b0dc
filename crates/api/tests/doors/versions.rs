//! Discovery, microversions, and what every answer carries.

use serde_json::json;

use crate::world::World;

// T-03: 300 without a location. T-04: single documents are lists. T-05: anonymous discovery works.
#[tokio::test]
async fn t03_t04_t05_anybody_may_discover() {
    let world = World::new().await;
    let nobody = world.nobody();
    let root = nobody.get("/").await;
    assert_eq!(root.status, 300);
    assert_eq!(root.header("location"), None);
    assert_eq!(root.json()["versions"].as_array().unwrap().len(), 2);
    for (path, id) in [("/v2", "v2.0"), ("/v2/", "v2.0"), ("/v3", "v3.0"), ("/v3/", "v3.0")] {
        let body = nobody.get(path).await.expect(200);
        assert_eq!(body["versions"][0]["id"], id, "{path}");
        assert_eq!(body["versions"].as_array().unwrap().len(), 1);
    }
    let head = nobody.send("HEAD", "/v3/", None).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(nobody.post("/v3/", json!({})).await.status, 404);
}

// T-06: links carry the address that the client used.
#[tokio::test]
async fn t06_links_point_where_the_client_came_from() {
    let world = World::new().await;
    let proxied = world
        .nobody()
        .with("x-forwarded-proto", "https")
        .with("x-forwarded-host", "a.test, backup.test");
    let body = proxied.get("/v3/").await.expect(200);
    assert_eq!(body["versions"][0]["links"][1]["href"], "https://backup.test/v3/");
}

// T-09: the version headers are on every answer of version 3, faults too, and on none of version 2.
#[tokio::test]
async fn t09_every_answer_names_its_request_and_version() {
    let world = World::new().await;
    let admin = world.volume(&world.admin);
    for (path, version, shown) in [
        ("/v3/{p}/backups", "3.45", Some("volume 3.45")),
        ("/v3/{p}/backups", "latest", Some("volume 3.71")),
        ("/v3/{p}/backups/none", "3.8", Some("volume 3.8")),
        ("/v3/{p}/nothing", "3.8", Some("volume 3.8")),
        ("/v3/{p}/backups", "3.99", Some("volume 3.0")),
        ("/v2/{p}/backups", "3.45", None),
        ("/v2/{p}/backups/none", "3.45", None),
    ] {
        let answer = admin.at(version).get(path).await;
        assert_eq!(answer.header("openstack-api-version"), shown, "{path} {version}");
        assert_eq!(answer.header("vary"), shown.map(|_| "OpenStack-API-Version"));
        let id = answer.header("x-openstack-request-id").unwrap();
        assert_eq!(answer.header("x-compute-request-id"), Some(id));
        assert!(id.starts_with("req-") && id.len() == 40, "{id}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    let nobody = world.nobody().at("3.20").get("/v3/p/backups").await;
    assert_eq!(nobody.header("openstack-api-version"), Some("volume 3.20"));
}

#[tokio::test]
async fn a_version_out_of_range_or_shape_is_refused() {
    let world = World::new().await;
    let admin = world.volume(&world.admin);
    let fault = admin.at("3.99").get("/v3/{p}/backups").await.expect(406);
    insta::assert_snapshot!(fault, @r#"{"computeFault":{"code":406,"message":"Version 3.99 is not supported by the API. Minimum is 3.0 and maximum is 3.71."}}"#);
    let fault = admin.at("3.x").get("/v3/{p}/backups").await.expect(400);
    insta::assert_snapshot!(fault, @r#"{"badRequest":{"code":400,"message":"API Version String 3.x is of invalid format. Must be of format MajorNum.MinorNum."}}"#);
    // Nobody who only discovers is held up by it.
    assert_eq!(world.nobody().at("3.99").get("/v3/").await.status, 200);
}

#[tokio::test]
async fn without_a_token_there_is_nothing_but_discovery() {
    let world = World::new().await;
    let forged = world.nobody().with("x-auth-token", "forged");
    for client in [world.nobody(), forged] {
        for path in ["/v3/p/backups", "/v2/p/volumes/x", "/p/backups", "/v3/limits"] {
            let answer = client.get(path).await;
            assert_eq!(
                answer.header("www-authenticate"),
                Some("Keystone uri=\"http://id.test:5000/v3\"")
            );
            insta::allow_duplicates! {
                insta::assert_snapshot!(answer.expect(401), @r#"{"error":{"code":401,"title":"Unauthorized","message":"The request you have made requires authentication."}}"#);
            }
        }
    }
}

// T-39: another project in the path is 400, for an admin too.
#[tokio::test]
async fn t39_the_path_must_name_the_tokens_project() {
    let (world, alpha, beta) = World::with_projects().await;
    for access in [&alpha.member, &alpha.admin, &world.admin] {
        for version in ["v2/", "v3/", ""] {
            let path = format!("/{version}{}/backups", beta.member.project);
            let fault = world.volume(access).get(&path).await.expect(400);
            assert_eq!(
                fault,
                json!({"badRequest": {"code": 400, "message": "Malformed request url"}})
            );
        }
    }
}

#[tokio::test]
async fn every_form_of_a_path_leads_to_the_same_place() {
    let world = World::new().await;
    let admin = world.volume(&world.admin);
    for path in [
        "/v3/{p}/backups",
        "/v3/backups",
        "/v3/{p}/backups/",
        "//v3//{p}//backups",
        "/v3/{p}/backups.json",
        "/v2/{p}/backups",
        "/v2/backups",
        "/{p}/backups",
        "/{p}/backups/detail",
    ] {
        assert_eq!(admin.get(path).await.expect(200), json!({"backups": []}), "{path}");
        let head = admin.send("HEAD", path, None).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""));
    }
}

#[tokio::test]
async fn what_is_not_in_the_table_does_not_exist() {
    let world = World::new().await;
    let admin = world.volume(&world.admin);
    for (method, path) in [
        ("GET", "/v3/{p}"),
        ("GET", "/v3/{p}/nothing"),
        ("PATCH", "/v3/{p}/backups"),
        ("DELETE", "/v3/{p}/backups"),
        ("PUT", "/v3/{p}/backups/x/restore"),
        ("GET", "/v3/{p}/backups/x/y/z"),
        ("POST", "/v3/{p}/backups/export_record"),
        ("GET", "/v1/{p}/backups"),
        ("OPTIONS", "/v3/{p}/backups"),
    ] {
        let fault = admin.send(method, path, None).await.expect(404);
        let message = "The resource could not be found.";
        assert_eq!(
            fault,
            json!({"itemNotFound": {"code": 404, "message": message}}),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn extensions_zones_types_and_empty_collections() {
    let world = World::new().await;
    let admin = world.volume(&world.admin);
    let all = admin.get("/v2/{p}/extensions").await.expect(200);
    let aliases: Vec<_> =
        all["extensions"].as_array().unwrap().iter().map(|it| &it["alias"]).collect();
    assert_eq!(aliases, ["backups", "os-admin-actions", "os-quota-sets", "os-used-limits"]);
    assert!(all["extensions"][0].get("namespace").is_some());
    let one = admin.get("/v3/{p}/extensions/backups").await.expect(200);
    insta::assert_snapshot!(one, @r#"{"extension":{"alias":"backups","name":"Backups","description":"Backups support.","links":[],"updated":"2012-12-12T00:00:00+00:00"}}"#);
    assert_eq!(admin.get("/v3/{p}/extensions/none").await.status, 404);
    let zones = admin.get("/v3/{p}/os-availability-zone").await.expect(200);
    assert_eq!(zones["availabilityZoneInfo"][0]["zoneName"], "nova");
    let types = admin.get("/v3/{p}/types").await.expect(200);
    assert_eq!(types["volume_types"][0]["name"], "__DEFAULT__");
    assert_eq!(admin.get("/v3/{p}/types/default").await.status, 200);
    assert_eq!(admin.get("/v3/{p}/types/fast").await.status, 404);
    for (path, key) in [("os-services", "services"), ("messages", "messages")] {
        let body = admin.get(&format!("/v3/{{p}}/{path}")).await.expect(200);
        assert_eq!(body, json!({key: []}));
    }
}

#[tokio::test]
async fn filters_that_can_be_used_are_told_from_3_33() {
    let world = World::new().await;
    let admin = world.volume(&world.admin);
    let path = "/v3/{p}/resource_filters?resource=backup";
    assert_eq!(admin.at("3.32").get(path).await.status, 404);
    let body = admin.at("3.33").get(path).await.expect(200);
    insta::assert_snapshot!(body, @r#"{"resource_filters":[{"resource":"backup","filters":["name","status","volume_id","name~","status~","volume_id~"]}]}"#);
    let all = admin.at("3.33").get("/v3/{p}/resource_filters").await.expect(200);
    assert_eq!(all["resource_filters"].as_array().unwrap().len(), 3);
}
