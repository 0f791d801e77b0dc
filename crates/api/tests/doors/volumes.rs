//! Volumes and snapshots, as clients of backups use them.

use serde_json::{Value, json};

use crate::world::World;

/// What answers to changes show; what is shown and listed has [`ATTRIBUTE_KEYS`] besides.
const VOLUME_KEYS: [&str; 21] = [
    "id",
    "status",
    "size",
    "availability_zone",
    "created_at",
    "updated_at",
    "name",
    "description",
    "volume_type",
    "snapshot_id",
    "source_volid",
    "metadata",
    "links",
    "user_id",
    "bootable",
    "encrypted",
    "replication_status",
    "consistencygroup_id",
    "multiattach",
    "attachments",
    "migration_status",
];

const ATTRIBUTE_KEYS: [&str; 4] = [
    "os-vol-tenant-attr:tenant_id",
    "os-vol-host-attr:host",
    "os-vol-mig-status-attr:migstat",
    "os-vol-mig-status-attr:name_id",
];

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_volume_shows_what_clients_read() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let wish = json!({"volume": {
        "size": 1, "name": "v", "description": "d", "metadata": {"k": "v"}, "volume_type": "fast",
        "snapshot_id": null, "source_volid": null, "imageRef": null, "availability_zone": null,
    }});
    let made = member.post("/v3/{p}/volumes", wish).await.expect(202);
    assert_eq!(keys(&made["volume"]), VOLUME_KEYS);
    assert_eq!(made["volume"]["status"], "creating");
    let id = made["volume"]["id"].as_str().unwrap();
    world.settle().await;
    let shown = member.get(&format!("/v3/{{p}}/volumes/{id}")).await.expect(200);
    let volume = &shown["volume"];
    assert_eq!((&volume["status"], &volume["bootable"]), (&json!("available"), &json!("false")));
    assert_eq!(volume["metadata"], json!({"k": "v"}));
    assert_eq!(volume["availability_zone"], "nova");
    assert_eq!(volume["os-vol-host-attr:host"], "strongroom@folder#folder");
    let shown_keys = [&VOLUME_KEYS[..], &ATTRIBUTE_KEYS].concat();
    assert_eq!(keys(volume), shown_keys);
    let changed = json!({"volume": {"description": "e"}});
    let changed = member.put(&format!("/v3/{{p}}/volumes/{id}"), changed).await.expect(200);
    assert_eq!(keys(&changed["volume"]), VOLUME_KEYS);
    for (version, extra) in
        [("3.12", 0), ("3.13", 1), ("3.48", 3), ("3.63", 4), ("3.65", 5), ("3.71", 5)]
    {
        let shown = member.at(version).get(&format!("/v3/{{p}}/volumes/{id}")).await.expect(200);
        assert_eq!(keys(&shown["volume"]).len(), shown_keys.len() + extra, "{version}");
    }
    let listed = member.get("/v3/{p}/volumes").await.expect(200);
    assert_eq!(keys(&listed["volumes"][0]), ["id", "name", "links"]);
    let listed = member.get("/v2/{p}/volumes/detail").await.expect(200);
    assert_eq!(listed["volumes"][0]["id"], json!(id));
}

#[tokio::test]
async fn volumes_are_made_from_one_origin_of_enough_size() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let snapshot = member.make_snapshot(&volume).await;
    let backup = member.make_backup(&volume, "b").await;
    let make = async |version: &str, wish: Value| {
        member.at(version).post("/v3/{p}/volumes", json!({"volume": wish})).await
    };
    for (key, id) in [("snapshot_id", &snapshot), ("source_volid", &volume), ("backup_id", &backup)]
    {
        let made = make("3.47", json!({key: id})).await.expect(202);
        assert_eq!(made["volume"]["size"], 1, "{key}");
        world.settle().await;
        let path = format!("/v3/{{p}}/volumes/{}", made["volume"]["id"].as_str().unwrap());
        let shown = member.get(&path).await.expect(200);
        assert_eq!(shown["volume"]["status"], "available", "{key}");
        if key != "backup_id" {
            assert_eq!(shown["volume"][key], json!(id));
        }
    }
    assert_eq!(make("3.46", json!({"backup_id": backup})).await.status, 400);
    let old = member.post("/v2/{p}/volumes", json!({"volume": {"backup_id": backup}})).await;
    assert_eq!(old.status, 202);
    let two =
        make("3.47", json!({"backup_id": backup, "snapshot_id": snapshot})).await.refusal(400);
    assert!(two.starts_with("May specify only one of"), "{two}");
    for wish in
        [json!({}), json!({"size": null}), json!({"size": 0}), json!({"imageRef": "i", "size": 1})]
    {
        assert_eq!(make("3.0", wish).await.status, 400);
    }
}

#[tokio::test]
async fn actions_on_a_volume() {
    let (world, alpha, _) = World::with_projects().await;
    let (member, admin) = (world.volume(&alpha.member), world.volume(&alpha.admin));
    let id = member.make_volume("v").await;
    let path = format!("/v3/{{p}}/volumes/{id}");
    let status = async || member.get(&path).await.json()["volume"]["status"].clone();
    let act = async |body: Value| member.post(&format!("{path}/action"), body).await;
    act(json!({"os-extend": {"new_size": "2"}})).await.expect(202);
    assert_eq!(member.get(&path).await.json()["volume"]["size"], 2);
    act(json!({"os-set_bootable": {"bootable": "True"}})).await.expect(200);
    assert_eq!(member.get(&path).await.json()["volume"]["bootable"], "true");
    assert_eq!(act(json!({"os-unreserve": null})).await.status, 400);
    act(json!({"os-reserve": null})).await.expect(202);
    assert_eq!(status().await, "attaching");
    assert_eq!(act(json!({"os-reserve": null})).await.status, 400);
    assert_eq!(member.delete(&path).await.status, 400);
    act(json!({"os-unreserve": null})).await.expect(202);
    assert_eq!(status().await, "available");
    act(json!({"os-reserve": null})).await.expect(202);
    act(json!({"os-attach": {"instance_uuid": id, "mountpoint": "/dev/vdb"}})).await.expect(202);
    assert_eq!(status().await, "in-use");
    let unforced = json!({"backup": {"volume_id": id}});
    let refused = member.post("/v3/{p}/backups", unforced).await.refusal(400);
    assert_eq!(refused, "Invalid volume: Backing up an in-use volume must use the force flag.");
    let forced = json!({"backup": {"volume_id": id, "force": true}});
    member.post("/v3/{p}/backups", forced).await.expect(202);
    assert_eq!(status().await, "backing-up");
    world.settle().await;
    assert_eq!(status().await, "in-use");
    act(json!({"os-begin_detaching": null})).await.expect(202);
    act(json!({"os-detach": {}})).await.expect(202);
    assert_eq!(status().await, "available");
    let reset = json!({"os-reset_status": {"status": "error"}});
    assert_eq!(act(reset.clone()).await.status, 403);
    for word in ["maintenance", "error"] {
        let reset = json!({"os-reset_status": {"status": word}});
        admin.post(&format!("{path}/action"), reset).await.expect(202);
        assert_eq!(status().await, word);
    }
    let refused =
        member.post("/v3/{p}/backups", json!({"backup": {"volume_id": id}})).await.refusal(400);
    assert_eq!(
        refused,
        "Invalid volume: Volume to be backed up must be available or in-use, but the current status is \"error\"."
    );
    let refused = act(json!({"os-fly": {}})).await.refusal(400);
    assert_eq!(
        refused,
        "There is no such action: os-fly. Verify the request body and Content-Type header and try again."
    );
    admin.post(&format!("{path}/action"), json!({"os-force_delete": {}})).await.expect(202);
    world.settle().await;
    assert_eq!(member.get(&path).await.status, 404);
}

#[tokio::test]
async fn snapshots_are_made_shown_and_found() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let wish = json!({"snapshot": {"volume_id": volume, "name": "s", "description": null, "force": false, "metadata": {"k": "v"}}});
    let made = member.at("3.40").post("/v3/{p}/snapshots", wish).await.expect(202);
    assert_eq!(
        keys(&made["snapshot"]),
        [
            "id",
            "created_at",
            "updated_at",
            "name",
            "description",
            "volume_id",
            "status",
            "size",
            "metadata",
            "group_snapshot_id",
        ]
    );
    let id = made["snapshot"]["id"].as_str().unwrap();
    world.settle().await;
    let path = format!("/v3/{{p}}/snapshots/{id}");
    let shown = member.get(&path).await.expect(200);
    assert_eq!(shown["snapshot"]["status"], "available");
    assert_eq!(shown["snapshot"]["os-extended-snapshot-attributes:progress"], "100%");
    let renamed = member.put(&path, json!({"snapshot": {"name": "t"}})).await.expect(200);
    assert_eq!(renamed["snapshot"]["name"], "t");
    let found = member
        .get(&format!("/v3/{{p}}/snapshots/detail?name=t&volume_id={volume}"))
        .await
        .expect(200);
    assert_eq!(found["snapshots"].as_array().unwrap().len(), 1);
    let lost = json!({"snapshot": {"volume_id": null}});
    let refused = member.post("/v3/{p}/snapshots", lost).await.refusal(404);
    assert_eq!(refused, "Volume None could not be found.");
}

#[tokio::test]
async fn an_admin_sets_the_status_of_a_snapshot() {
    let (world, alpha, _) = World::with_projects().await;
    let (member, admin) = (world.volume(&alpha.member), world.volume(&alpha.admin));
    let volume = member.make_volume("v").await;
    let path = format!("/v3/{{p}}/snapshots/{}", member.make_snapshot(&volume).await);
    let action = format!("{path}/action");
    let reset = |status: Value| json!({"os-reset_status": {"status": status}});
    assert_eq!(member.post(&action, reset(json!("error"))).await.status, 403);
    for bad in [json!("frozen"), json!(""), json!(null), json!(7)] {
        assert_eq!(admin.post(&action, reset(bad.clone())).await.status, 400, "{bad}");
    }
    for status in ["error", "deleting"] {
        admin.post(&action, reset(json!(status))).await.expect(202);
        assert_eq!(member.get(&path).await.json()["snapshot"]["status"], status);
    }
    assert_eq!(member.delete(&path).await.status, 400);
    admin.post(&action, json!({"os-force_delete": {}})).await.expect(202);
    world.settle().await;
    assert_eq!(member.get(&path).await.status, 404);
}

#[tokio::test]
async fn snapshots_hold_their_volume_and_are_backed_up() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let id = &member.make_snapshot(&volume).await;
    let snapshot = member.get(&format!("/v3/{{p}}/snapshots/{id}")).await;
    let snapshot = &snapshot.expect(200)["snapshot"];
    let refused = member.delete(&format!("/v3/{{p}}/volumes/{volume}")).await.refusal(400);
    assert!(refused.contains("have snapshots"), "{refused}");
    let wish = json!({"backup": {"volume_id": volume, "snapshot_id": id}});
    let backup = member.post("/v3/{p}/backups", wish).await.expect(202);
    world.settle().await;
    let path = format!("/v3/{{p}}/backups/{}", backup["backup"]["id"].as_str().unwrap());
    let backup = &member.get(&path).await.expect(200)["backup"];
    assert_eq!((&backup["status"], &backup["snapshot_id"]), (&json!("available"), &json!(id)));
    assert_eq!(backup["data_timestamp"], snapshot["created_at"]);
    let gone = member.delete(&format!("/v3/{{p}}/volumes/{volume}?cascade=True")).await;
    assert_eq!(gone.status, 202);
    world.settle().await;
    for path in [format!("/v3/{{p}}/snapshots/{id}"), format!("/v3/{{p}}/volumes/{volume}")] {
        assert_eq!(member.get(&path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn volumes_are_found_by_name_status_and_pairs() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    for name in ["a", "b"] {
        let wish = json!({"volume": {"size": 1, "name": name, "metadata": {"is": name}}});
        member.post("/v3/{p}/volumes", wish).await.expect(202);
        world.settle().await;
    }
    for (query, expected) in [
        ("name=a", vec!["a"]),
        ("name=a&all_tenants=1", vec!["a"]),
        ("status=available&sort=name:asc", vec!["a", "b"]),
        ("metadata=%7B%27is%27:%20%27b%27%7D", vec!["b"]),
        ("bootable=true", vec![]),
        ("bootable=0&limit=1", vec!["b"]),
        ("availability_zone=mars", vec![]),
    ] {
        let path = format!("/v3/{{p}}/volumes/detail?{query}");
        let body = member.at("3.71").get(&path).await.expect(200);
        let names: Vec<_> = body["volumes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected, "{query}");
    }
    let path = "/v3/{p}/volumes?limit=1&with_count=1";
    let body = member.at("3.45").get(path).await.expect(200);
    assert_eq!(body["count"], 2);
    assert!(body["volumes_links"][0]["href"].as_str().unwrap().contains("/volumes?limit=1"));
    assert_eq!(member.at("3.71").get("/v3/{p}/volumes?color=red").await.status, 400);
    for noun in ["volumes", "snapshots"] {
        let refused = member.get(&format!("/v3/{{p}}/{noun}?marker=m")).await.refusal(404);
        assert!(refused.ends_with(" m could not be found."), "{refused}");
    }
}
