//! Nobody reaches another project's things: every operation answers as if they did not exist.

use serde_json::{Value, json};

use crate::world::{Client, World};

const NIL: &str = "00000000-0000-4000-8000-000000000000";

/// A method, a path and perhaps a body.
type Operation = (&'static str, String, Option<Value>);

/// Every operation that names a thing, with `ID` for it.
fn operations(noun: &str) -> Vec<Operation> {
    let path = |rest: &str| format!("/v3/{{p}}/{noun}s/ID{rest}");
    let mut all: Vec<Operation> = vec![
        ("GET", path(""), None),
        ("HEAD", path(""), None),
        ("PUT", path(""), Some(json!({noun: {"name": "mine"}}))),
        ("DELETE", path(""), None),
        ("POST", path("/action"), Some(json!({"os-force_delete": null}))),
        ("GET", path("/metadata"), None),
        ("POST", path("/metadata"), Some(json!({"metadata": {"a": "b"}}))),
        ("PUT", path("/metadata"), Some(json!({"metadata": {"a": "b"}}))),
        ("GET", path("/metadata/a"), None),
        ("PUT", path("/metadata/a"), Some(json!({"meta": {"a": "b"}}))),
        ("DELETE", path("/metadata/a"), None),
        ("GET", format!("/v3/{{p}}/{noun}s?marker=ID"), None),
    ];
    all.extend(special_operations(noun));
    if noun == "backup" {
        all.extend(vendor_operations());
    }
    all
}

/// The vendor's operations that name a backup.
fn vendor_operations() -> Vec<Operation> {
    let cloud = |rest: &str| format!("/v2/{{p}}/cloudbackups/ID{rest}");
    let tags = |rest: &str| format!("/v2/{{p}}/os-vendor-tags/backups/ID{rest}");
    let shares = "/v2/{p}/os-vendor-backup-sharing";
    let share = json!({"shared": {"backup_id": "ID", "to_project_ids": ["elsewhere"]}});
    vec![
        ("POST", cloud(""), None),
        ("POST", cloud("/restore"), Some(json!({"restore": {"volume_id": NIL}}))),
        ("POST", shares.to_owned(), Some(share)),
        ("DELETE", format!("{shares}/ID?is_backup_id=true"), None),
        ("GET", tags(""), None),
        ("POST", tags(""), Some(json!({"tags": {"a": "b"}}))),
        ("PUT", tags(""), Some(json!({"tags": {"a": "b"}}))),
        ("GET", tags("/a"), None),
        ("PUT", tags("/a"), Some(json!({"tag": {"a": "b"}}))),
        ("DELETE", tags("/a"), None),
        ("POST", tags("/action"), Some(json!({"os-delete_tags": {"a": "b"}}))),
    ]
}

/// Those that only one noun has, and those that name a thing in their body.
fn special_operations(noun: &str) -> Vec<Operation> {
    let path = |rest: &str| format!("/v3/{{p}}/{noun}s/ID{rest}");
    let action = |body| ("POST", path("/action"), Some(body));
    let mut all: Vec<Operation> = Vec::new();
    match noun {
        "backup" => all.extend([
            ("POST", path("/restore"), Some(json!({"restore": {}}))),
            ("GET", path("/export_record"), None),
            action(json!({"os-reset_status": {"status": "error"}})),
            ("POST", "/v3/{p}/volumes".to_owned(), Some(json!({"volume": {"backup_id": "ID"}}))),
        ]),
        "share" => all.extend([
            ("GET", "/v2/{p}/os-vendor-backup-sharing/ID".to_owned(), None),
            ("DELETE", "/v2/{p}/os-vendor-backup-sharing/ID".to_owned(), None),
        ]),
        "volume" => all.extend([
            action(json!({"os-reset_status": {"status": "error"}})),
            action(json!({"os-extend": {"new_size": 2}})),
            action(json!({"os-set_bootable": {"bootable": true}})),
            action(json!({"os-attach": {}})),
            action(json!({"os-detach": {}})),
            action(json!({"os-reserve": null})),
            action(json!({"os-begin_detaching": null})),
            ("POST", "/v3/{p}/backups".to_owned(), Some(json!({"backup": {"volume_id": "ID"}}))),
            (
                "POST",
                "/v3/{p}/snapshots".to_owned(),
                Some(json!({"snapshot": {"volume_id": "ID"}})),
            ),
            ("POST", "/v3/{p}/volumes".to_owned(), Some(json!({"volume": {"source_volid": "ID"}}))),
        ]),
        _ => all.push((
            "POST",
            "/v3/{p}/volumes".to_owned(),
            Some(json!({"volume": {"snapshot_id": "ID"}})),
        )),
    }
    all
}

async fn run(client: &Client<'_>, (method, path, body): &Operation, id: &str) -> (u16, String) {
    let body = body.as_ref().map(|body| body.to_string().replace("ID", id));
    let body = body.map(|text| serde_json::from_str(&text).unwrap());
    let answer = client.send(method, &path.replace("ID", id), body).await;
    (answer.status, answer.text.replace(id, "ID"))
}

#[tokio::test]
async fn a_foreign_thing_answers_as_a_missing_one() {
    let (world, alpha, beta) = World::with_projects().await;
    let owner = world.volume(&alpha.member);
    let volume = owner.make_volume("v").await;
    let snapshot = owner.make_snapshot(&volume).await;
    let backup = owner.make_backup(&volume, "b").await;
    let before = everything(&owner).await;
    // Both tokens are of users who hold roles in alpha too: only the scope separates.
    for access in [&beta.member, &beta.admin] {
        let stranger = world.volume(access).at("3.71");
        for (noun, id) in [("backup", &backup), ("volume", &volume), ("snapshot", &snapshot)] {
            for operation in operations(noun) {
                let foreign = run(&stranger, &operation, id).await;
                let missing = run(&stranger, &operation, NIL).await;
                assert_eq!(foreign, missing, "{operation:?}");
                assert!(matches!(foreign.0, 403 | 404), "{operation:?} {foreign:?}");
            }
        }
    }
    let stranger = world.volume(&beta.admin);
    let own = stranger.make_volume("mine").await;
    let mine = stranger.make_backup(&own, "mine").await;
    let target = json!({"restore": {"volume_id": volume}});
    assert_eq!(
        stranger.post(&format!("/v3/{{p}}/backups/{mine}/restore"), target).await.status,
        404
    );
    let source = json!({"backup": {"volume_id": own, "snapshot_id": snapshot}});
    assert_eq!(stranger.post("/v3/{p}/backups", source).await.status, 404);
    world.settle().await;
    assert_eq!(everything(&owner).await, before, "nothing of the owner's has changed");
}

async fn everything(client: &Client<'_>) -> Vec<Value> {
    let mut all = Vec::new();
    for collection in ["backups", "volumes", "snapshots"] {
        let path = format!("/v3/{{p}}/{collection}/detail");
        all.push(client.at("3.71").get(&path).await.expect(200));
    }
    all
}

/// Whether a share opens an operation on the shared backup: to look at it and to make a volume of it.
fn is_open_to_recipients((method, path, _): &Operation) -> bool {
    match *method {
        "GET" | "HEAD" => path == "/v3/{p}/backups/ID",
        "POST" => path == "/v3/{p}/volumes",
        _ => false,
    }
}

#[tokio::test]
async fn a_shared_backup_is_looked_at_and_copied_and_nothing_else() {
    let (world, alpha, beta) = World::with_projects().await;
    let owner = world.volume(&alpha.member);
    let volume = owner.make_volume("v").await;
    let backup = owner.make_backup(&volume, "b").await;
    let tags = format!("/v2/{{p}}/os-vendor-tags/backups/{backup}");
    owner.post(&tags, json!({"tags": {"a": "b"}})).await.expect(200);
    let target = world.volume(&beta.member).make_volume("own").await;
    let mut operations = operations("backup");
    let onto = Some(json!({"restore": {"volume_id": target}}));
    operations.push(("POST", "/v3/{p}/backups/ID/restore".to_owned(), onto));
    let share = json!({"shared": {"backup_id": backup, "to_project_ids": [beta.member.project]}});
    let shares = "/v2/{p}/os-vendor-backup-sharing";
    let made = owner.post(shares, share).await.expect(200);
    let share = made["shared"][0]["id"].as_str().unwrap();
    let before = everything(&owner).await;
    for has_ended in [false, true] {
        for access in [&beta.member, &beta.admin] {
            let recipient = world.volume(access).at("3.71");
            for operation in &operations {
                let shared = run(&recipient, operation, &backup).await;
                let missing = run(&recipient, operation, NIL).await;
                if is_open_to_recipients(operation) && !has_ended {
                    assert!(matches!(shared.0, 200 | 202), "{operation:?} {shared:?}");
                    assert_eq!(missing.0, 404);
                } else {
                    assert_eq!(shared, missing, "{operation:?}");
                    assert!(matches!(shared.0, 403 | 404), "{operation:?} {shared:?}");
                }
            }
            for path in ["backups", "backups/detail", "backups/detail?all_tenants=1"] {
                let listed = recipient.get(&format!("/v3/{{p}}/{path}")).await.expect(200);
                assert_eq!(listed["backups"], json!([]));
            }
            let found = recipient.get("/v2/{p}/os-vendor-tags/backups").await.expect(200);
            assert_eq!(found, json!({"tags": {}}));
        }
        if !has_ended {
            world.settle().await;
            owner.delete(&format!("{shares}/{share}")).await.expect(200);
        }
    }
    assert_eq!(world.service.run_due_jobs().await.unwrap(), 0);
    assert_eq!(everything(&owner).await, before, "nothing of the owner's has changed");
}

#[tokio::test]
async fn a_share_is_seen_by_its_sides_and_ended_by_the_owner() {
    let (world, alpha, beta) = World::with_projects().await;
    let owner = world.volume(&alpha.member);
    let volume = owner.make_volume("v").await;
    let backup = owner.make_backup(&volume, "b").await;
    let shares = "/v2/{p}/os-vendor-backup-sharing";
    let make = async |to: &str| {
        let body = json!({"shared": {"backup_id": backup, "to_project_ids": [to]}});
        let made = owner.post(shares, body).await.expect(200);
        made["shared"][0]["id"].as_str().unwrap().to_owned()
    };
    let (with_beta, with_third) = (make(&beta.member.project).await, make("third").await);
    for access in [&beta.member, &beta.admin] {
        let recipient = world.volume(access);
        for operation in special_operations("share") {
            for id in [&with_beta, &with_third] {
                let answer = run(&recipient, &operation, id).await;
                if operation.0 == "GET" && *id == with_beta {
                    assert_eq!(answer.0, 200);
                } else {
                    let missing = run(&recipient, &operation, NIL).await;
                    assert_eq!((answer.0, &answer), (404, &missing), "{operation:?}");
                }
            }
        }
        for (query, count) in [("", 0), ("?share_to_me=true", 1)] {
            let listed = recipient.get(&format!("{shares}/count{query}")).await.expect(200);
            assert_eq!(listed, json!({"count": count}));
        }
    }
    assert_eq!(owner.get(&format!("{shares}/count")).await.expect(200), json!({"count": 2}));
}

#[tokio::test]
async fn quotas_of_another_project_are_not_told() {
    let (world, alpha, beta) = World::with_projects().await;
    let path = format!("/v3/{{p}}/os-quota-sets/{}", alpha.member.project);
    for access in [&beta.member, &beta.admin] {
        let stranger = world.volume(access);
        assert!(matches!(stranger.get(&path).await.status, 403 | 404));
        let limits = json!({"quota_set": {"backups": 1}});
        assert!(matches!(stranger.put(&path, limits).await.status, 403 | 404));
        assert!(matches!(stranger.delete(&path).await.status, 403 | 404));
    }
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let backup = member.make_backup(&volume, "b").await;
    let identity = world.identity(&world.admin);
    let user = json!({"user": {"name": "rita", "password": crate::world::PASSWORD}});
    let user = identity.post("/v3/users", user).await.expect(201);
    let user = user["user"]["id"].as_str().unwrap();
    let project = &alpha.member.project;
    let path = format!("/v3/projects/{project}/users/{user}/roles/{:032}", 1);
    identity.send("PUT", &path, None).await.expect(204);
    let reader = world.volume(&world.access(user, project).await);
    assert_eq!(reader.get(&format!("/v3/{{p}}/backups/{backup}")).await.status, 200);
    for (method, path, body, rule) in [
        (
            "POST",
            "/v3/{p}/backups".to_owned(),
            Some(json!({"backup": {"volume_id": volume}})),
            "backup:create",
        ),
        ("DELETE", format!("/v3/{{p}}/backups/{backup}"), None, "backup:delete"),
        (
            "POST",
            format!("/v3/{{p}}/backups/{backup}/restore"),
            Some(json!({"restore": {}})),
            "backup:restore",
        ),
        (
            "PUT",
            format!("/v3/{{p}}/backups/{backup}"),
            Some(json!({"backup": {}})),
            "backup:update",
        ),
        ("GET", format!("/v3/{{p}}/backups/{backup}/export_record"), None, "backup:export-import"),
    ] {
        let refused = reader.at("3.71").send(method, &path, body).await.refusal(403);
        assert_eq!(refused, format!("Policy doesn't allow {rule} to be performed."));
    }
}
