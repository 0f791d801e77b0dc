//! What the door does with every request before and after a handler.

use serde_json::{Value, json};

use crate::world::{BODY_LIMIT_BYTES, World};

/// Some operation of a project that reads nothing.
const ANY: &str = "/v3/{p}/cbr-features";

#[tokio::test]
async fn versions_are_for_everybody() {
    let world = World::new().await;
    let nobody = world.nobody_at_cbr();
    for path in ["/", "/v3", "/v3/", "/cbr", "/csbs", "/vbs"] {
        let document = nobody.get(path).await.expect(300);
        let link = json!({"href": "http://vol.test:8776/v3", "rel": "self"});
        let version = json!({"id": "v3", "status": "CURRENT", "links": [link]});
        assert_eq!(document, json!({"versions": [version]}), "{path}");
    }
    let behind_a_proxy = nobody.with("x-forwarded-host", "backup.example.org");
    let document = behind_a_proxy.get("/").await.expect(300);
    assert_eq!(document["versions"][0]["links"][0]["href"], "http://backup.example.org/v3");
    assert_eq!(nobody.post("/v3", json!({})).await.refused(405), "APIGW.0101");
}

#[tokio::test]
async fn c39_nobody_is_told_so_in_the_gateways_words() {
    let world = World::new().await;
    let unproved = [
        world.nobody_at_cbr(),
        world.nobody_at_cbr().with("x-auth-token", "forged"),
        world.nobody_at_cbr().with("x-auth-token", ""),
    ];
    for client in unproved {
        let path = ANY.replace("{p}", &world.admin.project);
        let answer = client.get(&path).await;
        let id = answer.header("x-request-id").unwrap().to_owned();
        let body = answer.expect(401);
        assert_eq!(body["error_code"], "APIGW.0301");
        assert_eq!(body["request_id"], id);
        let said = body["error_msg"].as_str().unwrap();
        assert!(said.starts_with("Incorrect IAM authentication information: "), "{said}");
    }
}

#[tokio::test]
async fn the_project_of_the_path_is_the_callers_even_for_an_admin() {
    let (world, alpha, beta) = World::with_projects().await;
    for access in [&alpha.member, &alpha.admin, &world.admin] {
        let cbr = world.cbr(access);
        cbr.get(ANY).await.expect(200);
        let other = ANY.replace("{p}", &beta.member.project);
        assert_eq!(cbr.get(&other).await.refused(403), "BackupService.9998");
        assert_eq!(cbr.get("/v3/%20/cbr-features").await.refused(403), "BackupService.9998");
        let odd = cbr.with("x-project-id", &beta.member.project);
        assert_eq!(odd.get(ANY).await.refused(403), "BackupService.9998");
        cbr.with("x-project-id", &access.project).get(ANY).await.expect(200);
    }
}

#[tokio::test]
async fn what_is_nowhere_is_told_before_anybody_is_proved() {
    let world = World::new().await;
    for client in [world.nobody_at_cbr(), world.cbr(&world.admin)] {
        for path in
            ["/v1", "/v2/p/vaults", "/x/y", "/v3/p", "/v3/p/", "/v3/p/nothing", "/v3/domain"]
        {
            let body = client.get(path).await.expect(404);
            assert_eq!(body["error_code"], "APIGW.0101", "{path}");
            assert!(body["request_id"].is_string(), "{path}");
        }
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let answer = client.send(method, "/v3/p/cbr-features", None).await;
            assert_eq!(answer.refused(405), "APIGW.0101", "{method}");
        }
    }
}

#[tokio::test]
async fn c44_every_answer_names_its_request_twice() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    let mut seen = Vec::new();
    for (client, path) in [(cbr.clone(), ANY), (cbr, "/v3/{p}/no"), (world.nobody_at_cbr(), "/")] {
        let answer = client.get(path).await;
        let id = answer.header("x-request-id").unwrap().to_owned();
        assert_eq!(answer.header("x-openstack-request-id"), Some(id.as_str()));
        assert!(id.starts_with("req-") && !seen.contains(&id), "{id}");
        seen.push(id);
    }
}

#[tokio::test]
async fn slashes_too_many_are_forgiven() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    let expected = cbr.get(ANY).await.expect(200);
    for path in ["/v3/{p}/cbr-features/", "//v3//{p}//cbr-features"] {
        assert_eq!(cbr.get(path).await.expect(200), expected);
    }
}

#[tokio::test]
async fn c40_the_type_of_a_body_is_no_reason_to_refuse() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    for kind in ["application/json;charset=UTF-8", "text/plain", "x"] {
        let answer = cbr.with("content-length", "0").raw("GET", ANY, Some(kind), Vec::new()).await;
        answer.expect(200);
    }
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    let (head, get) = (cbr.send("HEAD", ANY, None).await, cbr.get(ANY).await);
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    let refused = cbr.send("HEAD", "/v3/{p}/no", None).await;
    assert_eq!((refused.status, refused.text.as_str()), (404, ""));
}

#[tokio::test]
async fn what_is_no_text_is_a_bad_request() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    for path in ["/v3/{p}/cbr-features?a=%FF", "/v3/{p}/cbr-features?limit=%00", "/v3/{p}/%FF"] {
        assert_eq!(cbr.get(path).await.refused(400), "BackupService.9900", "{path}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    let body = |bytes| vec![b' '; bytes];
    cbr.raw("GET", ANY, None, body(BODY_LIMIT_BYTES)).await.expect(200);
    let refused = cbr.raw("GET", ANY, None, body(BODY_LIMIT_BYTES + 1)).await.expect(413);
    assert_eq!(refused["error_code"], "APIGW.0201");
    assert_ne!(refused["request_id"], Value::Null);
}
