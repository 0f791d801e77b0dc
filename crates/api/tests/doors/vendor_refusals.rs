//! Whatever comes into the vendor's half, what goes out is a refusal in its envelope.

use serde_json::json;

use crate::policies::{PATH, code, make, plain};
use crate::shares::SHARES;
use crate::world::{Access, BODY_LIMIT_BYTES, PASSWORD, World};

const JSON: Option<&str> = Some("application/json");

/// Operations that read a body, with the code of one that is no JSON.
const READERS: [(&str, &str, &str); 10] = [
    ("POST", "/v2/{p}/os-vendor-backup-sharing", "VolumeBackup.0002"),
    ("POST", "/v2/{p}/cloudbackups", "VolumeBackup.0002"),
    ("POST", "/v2/{p}/cloudbackups/x/restore", "VolumeBackup.0210"),
    ("POST", "/v2/{p}/backuppolicy", "AutoBackup.0008"),
    ("PUT", "/v2/{p}/backuppolicy/x", "AutoBackup.0008"),
    ("POST", "/v2/{p}/backuppolicyresources", "AutoBackup.0008"),
    ("POST", "/v3/{p}/backuppolicyresources/x/deleted_resources", "AutoBackup.0008"),
    ("POST", "/v2/{p}/backuppolicy/x/tags", "AutoBackup.0008"),
    ("POST", "/v2/{p}/backuppolicy/x/tags/action", "AutoBackup.0008"),
    ("POST", "/v2/{p}/backuppolicy/resource_instances/action", "AutoBackup.0008"),
];

#[tokio::test]
async fn bodies_that_are_no_objects_are_refused() {
    let world = World::new().await;
    let admin = world.volume(&world.admin);
    for (method, path, malformed) in READERS {
        let (absent, empty) = match malformed {
            "AutoBackup.0008" => ("AutoBackup.0000", "AutoBackup.0001"),
            other => (other, other),
        };
        let send =
            async |kind, body: &[u8]| code(&admin.raw(method, path, kind, body.to_vec()).await);
        for bad in [&b"{"[..], b"\xff\xfe{}", b"nope", b"[]", b"null", b"7", b"\"x\"", b"[{}]"] {
            assert_eq!(send(JSON, bad).await, format!("400 {malformed}"), "{method} {path}");
        }
        let deep = "[".repeat(BODY_LIMIT_BYTES - 1);
        assert_eq!(send(JSON, deep.as_bytes()).await, format!("400 {malformed}"));
        assert_eq!(send(JSON, b"{}").await, format!("400 {empty}"), "{method} {path}");
        assert_eq!(send(None, b"").await, format!("400 {absent}"));
        assert_eq!(send(None, b"{}").await, format!("400 {absent}"));
        assert_eq!(send(Some("text/plain"), b"{}").await, format!("415 {malformed}"));
        let large = vec![b' '; BODY_LIMIT_BYTES + 1];
        assert_eq!(send(JSON, &large).await, format!("413 {malformed}"));
    }
}

// T-39: a project that is not the token's is 400.
#[tokio::test]
async fn t39_another_project_in_the_path_is_a_bad_request() {
    let (world, alpha, beta) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let other = &beta.member.project;
    for path in [
        format!("/v2/{other}/cloudbackups/quota"),
        format!("/v2/{other}/backuppolicy"),
        format!("/v1/{other}/jobs/x"),
        format!("/v3/{other}/backuppolicy/tags"),
        format!("/v2/{other}/os-vendor-backup-sharing/detail"),
        format!("/v3/{other}/os-vendor-backup-sharing/x"),
    ] {
        assert_eq!(code(&member.get(&path).await), "400 EVS.0001", "{path}");
    }
    let native = member.get(&format!("/v2/{other}/backups")).await.expect(400);
    assert_eq!(native["badRequest"]["message"], "Malformed request url");
}

#[tokio::test]
async fn who_is_nobody_is_told_as_everywhere() {
    let world = World::new().await;
    for path in ["/v2/p/backuppolicy", "/v1/p/jobs/x", "/v2/p/cloudbackups/quota"] {
        let answer = world.nobody().get(path).await;
        let header = answer.header("www-authenticate").unwrap();
        assert_eq!(header, "Keystone uri=\"http://id.test:5000/v3\"");
        assert_eq!(answer.expect(401)["error"]["code"], 401);
    }
}

// T-40: a signed request carries no token; one whose key nobody knows is told as any other.
#[tokio::test]
async fn t40_a_request_signed_with_an_unknown_key_is_unauthenticated() {
    let world = World::new().await;
    let signature = format!(
        "SDK-HMAC-SHA256 Access=UNKNOWNKEY0000000000, SignedHeaders=host;x-project-id;x-sdk-date, \
         Signature={}",
        "0".repeat(64)
    );
    let signed = world
        .nobody()
        .with("authorization", &signature)
        .with("x-sdk-date", "20260203T040506Z")
        .with("x-project-id", &world.admin.project);
    let project = &world.admin.project;
    for path in ["v2/P/backuppolicy", "v1/P/jobs/x", "v2/P/backups", "v3/P/backups", "v3/P/nothing"]
    {
        let answer = signed.get(&format!("/{}", path.replace('P', project))).await;
        let header = answer.header("www-authenticate").unwrap();
        assert_eq!(header, "Keystone uri=\"http://id.test:5000/v3\"", "{path}");
        assert_eq!(answer.expect(401)["error"]["title"], "Unauthorized", "{path}");
    }
    let posted = signed.post(&format!("/v2/{project}/backuppolicy"), plain("p")).await;
    assert_eq!(posted.status, 401);
}

#[tokio::test]
async fn what_there_is_not_is_not_found() {
    let world = World::new().await;
    let admin = world.volume(&world.admin);
    let long = "x".repeat(5000);
    for (method, path) in [
        ("GET", "/v2/{p}/cloudbackups".to_owned()),
        ("DELETE", "/v2/{p}/cloudbackups/x".to_owned()),
        ("PATCH", "/v2/{p}/backuppolicy".to_owned()),
        ("PUT", "/v2/{p}/backuppolicy".to_owned()),
        ("POST", "/v2/{p}/backuppolicy/x/nothing".to_owned()),
        ("GET", "/v2/{p}/backuppolicyresources".to_owned()),
        ("DELETE", "/v1/{p}/jobs/x".to_owned()),
        ("GET", "/v2/{p}/jobs".to_owned()),
        ("POST", format!("/v2/{{p}}/cloudbackups/{long}")),
        ("GET", format!("/v2/{{p}}/backuppolicy/{long}")),
        ("GET", "/v2/{p}/backuppolicy/%00".to_owned()),
        ("DELETE", "/v2/{p}/backuppolicy/%FF".to_owned()),
        ("POST", "/v2/{p}/backuppolicy/a%2Fb/action".to_owned()),
    ] {
        let answer = admin.send(method, &path, None).await;
        assert!(code(&answer).starts_with("404 "), "{method} {path}");
    }
}

/// A user who may look into a project and no more.
async fn reader_of(world: &World, project: &str) -> Access {
    let identity = world.identity(&world.admin);
    let user = json!({"user": {"name": "rita", "password": PASSWORD}});
    let user = identity.post("/v3/users", user).await.expect(201);
    let user = user["user"]["id"].as_str().unwrap();
    let path = format!("/v3/projects/{project}/users/{user}/roles/{:032}", 1);
    identity.send("PUT", &path, None).await.expect(204);
    world.access(user, project).await
}

#[tokio::test]
async fn a_reader_looks_and_changes_nothing() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let policy = make(&member, plain("p")).await;
    let reader = world.volume(&reader_of(&world, &alpha.member.project).await);
    for path in [
        PATH.to_owned(),
        format!("{PATH}/{policy}"),
        format!("{PATH}/{policy}/tags"),
        format!("{PATH}/{policy}/backuptasks"),
        "/v2/{p}/cloudbackups/quota".to_owned(),
    ] {
        reader.get(&path).await.expect(200);
    }
    let disk = "00000000-0000-4000-8000-000000000000";
    let named = json!([{"resource_id": disk}]);
    let tag = json!({"tag": {"key": "a", "value": "b"}});
    for (method, path, body, expected) in [
        ("POST", PATH.to_owned(), Some(plain("q")), "AutoBackup.0005"),
        ("PUT", format!("{PATH}/{policy}"), Some(plain("q")), "AutoBackup.0005"),
        ("DELETE", format!("{PATH}/{policy}"), None, "AutoBackup.0005"),
        ("POST", format!("{PATH}/{policy}/action"), None, "AutoBackup.0005"),
        ("POST", format!("{PATH}/{policy}/tags"), Some(tag), "AutoBackup.0005"),
        (
            "POST",
            format!("/v2/{{p}}/backuppolicyresources/{policy}/deleted_resources"),
            Some(json!({"resources": named})),
            "AutoBackup.0005",
        ),
        (
            "POST",
            "/v2/{p}/backuppolicyresources".to_owned(),
            Some(json!({"backup_policy_id": policy, "resources": named})),
            "AutoBackup.0005",
        ),
        ("DELETE", format!("{PATH}/{policy}/tags/a"), None, "AutoBackup.0005"),
        (
            "POST",
            format!("{PATH}/{policy}/tags/action"),
            Some(json!({"action": "delete", "tags": [{"key": "a"}]})),
            "AutoBackup.0005",
        ),
        (
            "POST",
            format!("/v2/{{p}}/cloudbackups/{disk}/restore"),
            Some(json!({"restore": {"volume_id": disk}})),
            "VolumeBackup.0042",
        ),
        (
            "POST",
            SHARES.to_owned(),
            Some(json!({"shared": {"backup_id": disk, "to_project_ids": ["other"]}})),
            "VolumeBackup.0042",
        ),
        ("DELETE", format!("{SHARES}/{disk}"), None, "VolumeBackup.0042"),
        (
            "POST",
            "/v2/{p}/cloudbackups".to_owned(),
            Some(json!({"backup": {"name": "b", "volume_id": disk}})),
            "VolumeBackup.0042",
        ),
        ("POST", format!("/v2/{{p}}/cloudbackups/{disk}"), None, "VolumeBackup.0042"),
    ] {
        let answer = reader.send(method, &path, body).await;
        assert_eq!(code(&answer), format!("403 {expected}"), "{method} {path}");
    }
}
