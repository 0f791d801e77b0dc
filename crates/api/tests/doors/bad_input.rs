//! Whatever comes in, what goes out is a clear refusal.

use serde_json::json;

use crate::world::{BODY_LIMIT_BYTES, World};

const JSON: Option<&str> = Some("application/json");

/// Operations that read a body.
const READERS: [(&str, &str); 16] = [
    ("POST", "/v3/{p}/backups"),
    ("POST", "/v2/{p}/backups"),
    ("PUT", "/v3/{p}/backups/x"),
    ("POST", "/v3/{p}/backups/x/restore"),
    ("POST", "/v3/{p}/backups/x/action"),
    ("POST", "/v3/{p}/backups/import_record"),
    ("PUT", "/v3/{p}/backups/x/metadata"),
    ("PUT", "/v3/{p}/backups/x/metadata/k"),
    ("POST", "/v3/{p}/volumes"),
    ("POST", "/v3/{p}/volumes/x/action"),
    ("POST", "/v3/{p}/snapshots"),
    ("PUT", "/v3/{p}/os-quota-sets/x"),
    ("POST", "/v2/{p}/os-vendor-tags/backups/x"),
    ("PUT", "/v2/{p}/os-vendor-tags/backups/x"),
    ("PUT", "/v3/{p}/os-vendor-tags/backups/x/k"),
    ("POST", "/v2/{p}/os-vendor-tags/backups/x/action"),
];

#[tokio::test]
async fn bodies_that_are_no_json_are_refused() {
    let world = World::new().await;
    let admin = world.volume(&world.admin).at("3.71");
    let deep = "[".repeat(BODY_LIMIT_BYTES - 1).into_bytes();
    for (method, path) in READERS {
        for body in
            [b"{".to_vec(), b"{]".to_vec(), b"\xff\xfe{}".to_vec(), b"nope".to_vec(), deep.clone()]
        {
            let refused = admin.raw(method, path, JSON, body).await.refusal(400);
            assert_eq!(refused, "Malformed request body", "{method} {path}");
        }
        let none = admin.send(method, path, None).await.refusal(400);
        assert_eq!(none, "None is not of type 'object'");
        let untyped = admin.raw(method, path, None, b"{}".to_vec()).await.refusal(400);
        assert_eq!(untyped, "None is not of type 'object'");
        for odd in ["[]", "null", "7", "\"x\"", "{}", "true"] {
            let answer = admin.raw(method, path, JSON, odd.into()).await;
            answer.refusal(400);
        }
    }
}

#[tokio::test]
async fn types_and_sizes_are_bounded() {
    let world = World::new().await;
    let admin = world.volume(&world.admin);
    for kind in ["text/plain", "application/xml", "application/x-www-form-urlencoded", ""] {
        let fault =
            admin.raw("POST", "/v3/{p}/backups", Some(kind), b"{}".to_vec()).await.expect(415);
        assert_eq!(
            fault,
            json!({"badMediaType": {"code": 415, "message": "Unsupported Content-Type"}})
        );
    }
    let vendor = Some("application/vnd.openstack.volume+json; charset=utf-8");
    let refused = admin.raw("POST", "/v3/{p}/backups", vendor, b"{}".to_vec()).await.refusal(400);
    assert_eq!(refused, "'backup' is a required property");
    for (method, path) in READERS {
        let untold = admin.raw(method, path, Some("text/plain"), b"{}".to_vec()).await;
        assert_eq!(untold.refusal(415), "Unsupported Content-Type", "{method} {path}");
        let large = admin.raw(method, path, JSON, vec![b' '; BODY_LIMIT_BYTES + 1]).await;
        assert_eq!(large.header("retry-after"), Some("0"), "{method} {path}");
        assert_eq!(large.refusal(413), "Request is too large.", "{method} {path}");
    }
    for size in [BODY_LIMIT_BYTES + 1, 100 * BODY_LIMIT_BYTES] {
        let large = admin.raw("POST", "/v3/{p}/backups", JSON, vec![b' '; size]).await;
        assert_eq!(large.header("retry-after"), Some("0"));
        insta::allow_duplicates! {
            insta::assert_snapshot!(large.expect(413), @r#"{"overLimit":{"code":413,"message":"Request is too large.","retryAfter":"0"}}"#);
        }
    }
}

#[tokio::test]
async fn queries_and_headers_that_are_no_text_are_refused() {
    let world = World::new().await;
    let admin = world.volume(&world.admin);
    for query in ["name=%FF", "%C3%28=1", "limit=%00", "name=%ED%A0%80"] {
        let refused = admin.get(&format!("/v3/{{p}}/backups?{query}")).await.refusal(400);
        assert_eq!(refused, "Query string is not UTF-8 encoded");
    }
    for query in [
        "limit=",
        "limit=1e9",
        "limit=0x1",
        "offset=1.0",
        "marker=",
        "sort=:",
        "sort=name:up",
        "sort=,,",
        "sort_key=drop%20table",
        "sort=name&sort_key=id",
        "all_tenants=",
        "all_tenants=maybe",
    ] {
        let answer = admin.get(&format!("/v3/{{p}}/backups?{query}")).await;
        let expected = if query == "marker=" { 404 } else { 400 };
        assert_eq!(answer.status, expected, "{query}: {}", answer.text);
    }
    for query in
        ["&&&", "=", "=x", "%25=%25", "name=%27%3B--", "a=b=c", "limit=99999999999999999999"]
    {
        assert_eq!(admin.get(&format!("/v2/{{p}}/backups?{query}")).await.status, 200, "{query}");
    }
    let long = format!("/v2/{{p}}/backups?{}", "a=1&".repeat(10_000));
    assert_eq!(admin.get(&long).await.status, 200);
    let odd = world.nobody().with("x-auth-token", "caf\u{e9}");
    assert_eq!(odd.get("/v3/p/backups").await.status, 401);
    for (version, status) in [("volume \u{e9}", 400), ("comput\u{e9} 2.1", 200)] {
        let odd = admin.with("openstack-api-version", version);
        assert_eq!(odd.get("/v3/{p}/backups").await.status, status, "{version}");
    }
}

#[tokio::test]
async fn ids_that_are_none_are_not_found() {
    let world = World::new().await;
    let admin = world.volume(&world.admin);
    let long = "x".repeat(5000);
    for id in [
        "1",
        "none",
        "%2e%2e",
        "a%2Fb",
        "%00",
        "%FF",
        "', --",
        long.as_str(),
        "7D7C6FBED7EE4B4D8BAEBDD08B5604BB",
    ] {
        let id = id.replace([' ', '\''], "_");
        for collection in ["backups", "volumes", "snapshots"] {
            let path = format!("/v3/{{p}}/{collection}/{id}");
            for method in ["GET", "DELETE"] {
                let words = admin.send(method, &path, None).await.refusal(404);
                assert!(words.ends_with("could not be found."), "{words}");
            }
        }
    }
}

/// Pieces of which a seeded hand makes requests.
const PIECES: [&str; 39] = [
    "v3",
    "v2",
    "v1",
    "{p}",
    "backups",
    "detail",
    "volumes",
    "snapshots",
    "metadata",
    "action",
    "restore",
    "export_record",
    "jobs",
    "cloudbackups",
    "backuppolicy",
    "backuppolicyresources",
    "resource_instances",
    "backuptasks",
    "deleted_resources",
    "os-vendor-tags",
    "os-vendor-backup-sharing",
    "count",
    "tags",
    "os-quota-sets",
    "limits",
    "types",
    "extensions",
    "auth",
    "tokens",
    "users",
    "roles",
    "role_assignments",
    "%2F",
    "%00",
    "%ff",
    ".json",
    "..",
    "ä",
    "",
];

#[tokio::test]
async fn no_path_breaks_a_door() {
    use strongroom_model::chance::{Chance, SeededChance};
    let world = World::new().await;
    let doors = [world.volume(&world.admin), world.identity(&world.admin)];
    let chance = SeededChance::new(3);
    for _ in 0..400 {
        let mut dice = [0; 10];
        chance.fill(&mut dice);
        let pieces = dice[..usize::from(dice[9] % 7)].iter();
        let path: Vec<&str> = pieces.map(|die| PIECES[usize::from(*die) % PIECES.len()]).collect();
        let path = format!("/{}", path.join("/")).replace('ä', "%C3%A4");
        let method = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"][usize::from(dice[8] % 6)];
        let body = (dice[7] % 2 == 0).then(|| json!({"metadata": {}}));
        for door in &doors {
            let answer = door.send(method, &path, body.clone()).await;
            assert!(answer.status < 500, "{method} {path}: {}", answer.text);
        }
    }
    assert_eq!(doors[0].get("/v3/{p}/backups").await.status, 200);
}
