//! One backup from its creation to its end, in every step the documented answer.

use serde_json::{Value, json};
use strongroom_model::time::Timestamp;

use crate::world::World;

const NIL: &str = "00000000-0000-4000-8000-000000000000";

// T-23: an answer to a creation has three keys. T-26: nulls everywhere.
#[tokio::test]
async fn t23_t26_a_backup_is_created_with_nulls_for_everything() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let body = json!({"backup": {
        "volume_id": volume, "snapshot_id": null, "name": null, "description": null,
        "container": null, "force": false, "incremental": false, "metadata": null,
        "availability_zone": null, "project_id": alpha.member.project,
    }});
    let made = member.at("3.71").post("/v3/{p}/backups", body).await.expect(202);
    let keys: Vec<_> = made["backup"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "links", "name"]);
    assert_eq!(made["backup"]["name"], Value::Null);
    let path = format!("/v3/{{p}}/backups/{}", made["backup"]["id"].as_str().unwrap());
    let shown = member.get(&path).await.expect(200);
    assert_eq!(shown["backup"]["status"], "creating");
    world.settle().await;
    let shown = member.get(&path).await.expect(200);
    assert_eq!(shown["backup"]["status"], "available");
}

// T-19: exactly the fields of the microversion; metadata an object; numbers and flags never null.
#[tokio::test]
async fn t19_fields_come_with_their_microversion() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let id = member.make_backup(&volume, "b").await;
    let path = format!("/v3/{{p}}/backups/{id}");
    for (version, extra) in [
        ("3.0", vec![]),
        ("3.42", vec![]),
        ("3.43", vec!["metadata"]),
        ("3.56", vec!["metadata", "user_id"]),
        ("3.64", vec!["metadata", "user_id", "encryption_key_id"]),
        ("3.71", vec!["metadata", "user_id", "encryption_key_id"]),
    ] {
        let shown = member.at(version).get(&path).await.expect(200);
        let backup = shown["backup"].as_object().unwrap();
        let found: Vec<_> = ["metadata", "user_id", "encryption_key_id"]
            .into_iter()
            .filter(|key| backup.contains_key(*key))
            .collect();
        assert_eq!(found, extra, "{version}");
        assert_eq!(backup.len(), 18 + extra.len(), "{backup:?}");
        assert_eq!(backup["os-backup-project-attr:project_id"], alpha.member.project.as_str());
        assert!(backup["object_count"].is_u64());
        assert!(backup["is_incremental"].is_boolean());
        assert!(backup["has_dependent_backups"].is_boolean());
        assert!(backup.get("metadata").is_none_or(Value::is_object));
    }
}

// T-18: created_at and its kin have six digits and no zone.
#[tokio::test]
async fn t18_instants_have_no_zone() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let id = member.make_backup(&volume, "b").await;
    for (version, noun, id) in
        [("v2", "backup", &id), ("v3", "backup", &id), ("v3", "volume", &volume)]
    {
        let path = format!("/{version}/{{p}}/{noun}s/{id}");
        let shown = member.get(&path).await.expect(200);
        let created_at = shown[noun]["created_at"].as_str().unwrap();
        assert_eq!(created_at.len(), "2013-06-27T08:48:03.000000".len());
        let parsed = Timestamp::parse(created_at).unwrap();
        assert_eq!(parsed.format_naive(), created_at);
    }
}

// T-35: what works on a volume shows at once, and the volume gets its status back.
#[tokio::test]
async fn t35_a_volume_shows_what_is_done_to_it() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let id = member.make_backup(&volume, "b").await;
    let status = async |noun: &str, id: &str| {
        let shown = member.get(&format!("/v3/{{p}}/{noun}s/{id}")).await.expect(200);
        shown[noun]["status"].as_str().unwrap().to_owned()
    };
    let wish = json!({"backup": {"volume_id": volume}});
    member.post("/v3/{p}/backups", wish).await.expect(202);
    assert_eq!(status("volume", &volume).await, "backing-up");
    world.settle().await;
    assert_eq!(status("volume", &volume).await, "available");
    let wish = json!({"restore": {"volume_id": volume}});
    member.post(&format!("/v3/{{p}}/backups/{id}/restore"), wish).await.expect(202);
    assert_eq!(status("volume", &volume).await, "restoring-backup");
    assert_eq!(status("backup", &id).await, "restoring");
    world.settle().await;
    assert_eq!(status("volume", &volume).await, "available");
    assert_eq!(status("backup", &id).await, "available");
}

// T-08: openstacksdk asks for 3.64 without looking whether there is one. T-37: a reset during a
// restore aborts it.
#[tokio::test]
async fn t08_t37_a_reset_at_3_64_aborts_a_restore() {
    let (world, alpha, _) = World::with_projects().await;
    let admin = world.volume(&alpha.admin);
    let volume = admin.make_volume("v").await;
    let id = admin.make_backup(&volume, "b").await;
    let wish = json!({"restore": {"volume_id": volume}});
    admin.post(&format!("/v3/{{p}}/backups/{id}/restore"), wish).await.expect(202);
    let reset = json!({"os-reset_status": {"status": "available"}});
    let done = admin.at("3.64").post(&format!("/v3/{{p}}/backups/{id}/action"), reset).await;
    assert_eq!(done.status, 202);
    world.settle().await;
    let shown = admin.get(&format!("/v3/{{p}}/volumes/{volume}")).await.expect(200);
    assert_eq!(shown["volume"]["status"], "error_restoring");
    let shown = admin.get(&format!("/v3/{{p}}/backups/{id}")).await.expect(200);
    assert_eq!(shown["backup"]["status"], "available");
}

#[tokio::test]
async fn versioned_keys_are_refused_before_their_version() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let with = |key: &str, value: Value| json!({"backup": {"volume_id": volume, key: value}});
    for (key, value, before, from) in [
        ("metadata", json!({"k": "v"}), "3.42", "3.43"),
        ("availability_zone", json!("az"), "3.50", "3.51"),
    ] {
        let refused = member.at(before).post("/v3/{p}/backups", with(key, value.clone())).await;
        let words = format!("Additional properties are not allowed ('{key}' was unexpected)");
        assert!(refused.refusal(400).ends_with(&words));
        let made = member.at(from).post("/v3/{p}/backups", with(key, value.clone())).await;
        let id = made.expect(202)["backup"]["id"].as_str().unwrap().to_owned();
        world.settle().await;
        let shown = member.at("3.71").get(&format!("/v3/{{p}}/backups/{id}")).await.expect(200);
        assert_eq!(shown["backup"][key], value);
        // Version 2 ignores what it does not know.
        let made = member.post("/v2/{p}/backups", with(key, value)).await;
        assert_eq!(made.status, 202);
        world.settle().await;
    }
    let made = member.post("/v2/{p}/backups", with("color", json!("red"))).await;
    assert_eq!(made.status, 202);
}

#[tokio::test]
async fn an_update_exists_from_3_9() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let id = member.make_backup(&volume, "b").await;
    let path = format!("/v3/{{p}}/backups/{id}");
    let body = json!({"backup": {"name": " c ", "description": null}});
    assert_eq!(member.at("3.8").put(&path, body.clone()).await.status, 404);
    assert_eq!(member.put(&path.replace("v3", "v2"), body.clone()).await.status, 404);
    let updated = member.at("3.9").put(&path, body).await.expect(200);
    let keys: Vec<_> = updated["backup"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "links", "name"]);
    assert_eq!(updated["backup"]["name"], "c");
    let pairs = json!({"backup": {"metadata": {"k": "v"}}});
    assert_eq!(member.at("3.42").put(&path, pairs.clone()).await.status, 400);
    member.at("3.43").put(&path, pairs).await.expect(200);
    let shown = member.at("3.43").get(&path).await.expect(200);
    assert_eq!(shown["backup"]["metadata"], json!({"k": "v"}));
    assert_eq!(
        (&shown["backup"]["name"], &shown["backup"]["description"]),
        (&json!("c"), &json!(null))
    );
    let extra = json!({"backup": {"size": 7}});
    assert_eq!(member.at("3.71").put(&path, extra).await.status, 400);
}

// T-22: the name of the restored volume is a text. T-26: a restore may ask for nothing.
#[tokio::test]
async fn t22_t26_a_restore_names_its_volume() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let unnamed = json!({"volume": {"size": 1}});
    let unnamed = member.post("/v3/{p}/volumes", unnamed).await.expect(202);
    let unnamed = unnamed["volume"]["id"].as_str().unwrap();
    let id = member.make_backup(&volume, "b").await;
    let path = format!("/v3/{{p}}/backups/{id}/restore");
    for (wish, name) in [
        (json!({}), format!("restore_backup_{id}")),
        (json!({"volume_id": null, "name": null}), format!("restore_backup_{id}")),
        (json!({"name": "new"}), "new".to_owned()),
        (json!({"volume_id": volume, "name": "ignored"}), "v".to_owned()),
        (json!({"volume_id": unnamed}), String::new()),
    ] {
        let restore = member.post(&path, json!({"restore": wish})).await.expect(202);
        let keys: Vec<_> = restore["restore"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["backup_id", "volume_id", "volume_name"]);
        assert_eq!(restore["restore"]["volume_name"], name.as_str());
        world.settle().await;
        let shown = member.get(&format!("/v3/{{p}}/backups/{id}")).await.expect(200);
        assert_eq!(shown["backup"]["status"], "available");
    }
    let extra = json!({"restore": {"size": 1}});
    assert_eq!(member.post(&path, extra).await.status, 400);
    let refused = member.post(&path, json!({})).await.refusal(400);
    assert_eq!(refused, "'restore' is a required property");
}

// T-31: `deleting` before the deletion is answered, nothing but that until it is gone, then 404.
#[tokio::test]
async fn t31_a_deleted_backup_is_deleting_and_then_gone() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let id = member.make_backup(&volume, "b").await;
    let path = format!("/v2/{{p}}/backups/{id}");
    let deleted = member.delete(&path).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (202, ""));
    assert_eq!(deleted.header("content-length"), Some("0"));
    let shown = member.get(&path).await.expect(200);
    assert_eq!(shown["backup"]["status"], "deleting");
    let refused = member.delete(&path).await.refusal(400);
    assert_eq!(refused, "Invalid backup: Backup status must be available or error");
    world.settle().await;
    let refused = member.get(&path).await.refusal(404);
    assert_eq!(refused, format!("Backup {id} could not be found."));
}

// T-26: the argument of a forced deletion may be null.
#[tokio::test]
async fn t26_admins_reset_and_force() {
    let (world, alpha, _) = World::with_projects().await;
    let (member, admin) = (world.volume(&alpha.member), world.volume(&alpha.admin));
    let volume = member.make_volume("v").await;
    let id = member.make_backup(&volume, "b").await;
    let path = format!("/v3/{{p}}/backups/{id}/action");
    let reset = |status: &str| json!({"os-reset_status": {"status": status}});
    for status in ["error", "AVAILABLE", "available"] {
        let done = admin.at("3.64").post(&path, reset(status)).await;
        assert_eq!((done.status, done.text.as_str()), (202, ""));
        let shown = admin.get(&format!("/v3/{{p}}/backups/{id}")).await.expect(200);
        assert_eq!(shown["backup"]["status"], status.to_lowercase());
    }
    let refused = admin.post(&path, reset("deleting")).await.refusal(400);
    assert_eq!(
        refused,
        "Backup status: deleting is invalid, valid statuses are: ['available', 'error']."
    );
    for bad in [
        json!({"os-reset_status": {}}),
        json!({"os-reset_status": {"status": "error", "x": 1}}),
        json!({"os-reset_status": null}),
    ] {
        assert_eq!(admin.post(&path, bad).await.status, 400);
    }
    for (body, rule) in [
        (reset("error"), "volume_extension:backup_admin_actions:reset_status"),
        (json!({"os-force_delete": null}), "volume_extension:backup_admin_actions:force_delete"),
    ] {
        let fault = member.post(&path, body).await.expect(403);
        let message = format!("Policy doesn't allow {rule} to be performed.");
        assert_eq!(fault, json!({"forbidden": {"code": 403, "message": message}}));
    }
    admin.at("3.64").post(&path, json!({"os-force_delete": null})).await.expect(202);
    world.settle().await;
    assert_eq!(member.get(&format!("/v3/{{p}}/backups/{id}")).await.status, 404);
}

#[tokio::test]
async fn a_record_is_exported_and_imported_under_another_id() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let (world, alpha, _) = World::with_projects().await;
    let (member, admin) = (world.volume(&alpha.member), world.volume(&alpha.admin));
    let volume = member.make_volume("v").await;
    let id = member.make_backup(&volume, "b").await;
    let exported = admin.get(&format!("/v3/{{p}}/backups/{id}/export_record")).await.expect(200);
    let record = &exported["backup-record"];
    assert_eq!(record["backup_service"], "cinder.backup.drivers.vbs");
    let bytes = STANDARD.decode(record["backup_url"].as_str().unwrap()).unwrap();
    let mut inner: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        (&inner["id"], &inner["size"], &inner["deleted"]),
        (&json!(id), &json!(1), &json!(false))
    );
    assert!(inner["created_at"].as_str().unwrap().ends_with('Z'));
    let again = admin.post("/v3/{p}/backups/import_record", exported.clone()).await.refusal(400);
    assert_eq!(again, "Invalid backup: Backup already exists in database.");
    inner["id"] = json!(NIL);
    let body = |service: &str| json!({"backup-record": {"backup_service": service, "backup_url": STANDARD.encode(inner.to_string())}});
    let refused =
        admin.post("/v3/{p}/backups/import_record", body("cinder.backup.drivers.other")).await;
    assert_eq!(refused.refusal(503), "Service cinder.backup.drivers.other could not be found.");
    let path = "/v3/{p}/backups/import_record";
    let refused = member.post(path, body("cinder.backup.drivers.vbs")).await.refusal(403);
    assert_eq!(refused, "Policy doesn't allow backup:backup-import to be performed.");
    let made = admin.post(path, body("cinder.backup.drivers.vbs")).await.expect(201);
    assert_eq!((&made["backup"]["id"], &made["backup"]["name"]), (&json!(NIL), &json!("b")));
    world.settle().await;
    let shown = member.get(&format!("/v2/{{p}}/backups/{NIL}")).await.expect(200);
    assert_eq!(shown["backup"]["status"], "available", "{shown}");
    let metadata: Value =
        serde_json::from_str(shown["backup"]["service_metadata"].as_str().unwrap()).unwrap();
    assert_eq!(metadata["backupurl"], json!(id));
}

#[tokio::test]
async fn metadata_is_a_thing_of_its_own() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let snapshot = member.make_snapshot(&volume).await;
    let backup = member.make_backup(&volume, "b").await;
    for thing in
        [format!("backups/{backup}"), format!("volumes/{volume}"), format!("snapshots/{snapshot}")]
    {
        let path = format!("/v3/{{p}}/{thing}/metadata");
        let one = format!("{path}/a");
        assert_eq!(member.get(&path).await.expect(200), json!({"metadata": {}}));
        let merged =
            member.post(&path, json!({"metadata": {"a": "1", "b": "2"}})).await.expect(200);
        assert_eq!(merged, json!({"metadata": {"a": "1", "b": "2"}}));
        assert_eq!(member.get(&one).await.expect(200), json!({"meta": {"a": "1"}}));
        let set = member.put(&one, json!({"meta": {"a": "3"}})).await.expect(200);
        assert_eq!(set, json!({"meta": {"a": "3"}}));
        assert_eq!(member.delete(&format!("{path}/b")).await.status, 200);
        assert_eq!(member.get(&path).await.expect(200), json!({"metadata": {"a": "3"}}));
        let replaced = member.put(&path, json!({"metadata": {"c": "4"}})).await.expect(200);
        assert_eq!(replaced, json!({"metadata": {"c": "4"}}));
        assert_eq!(member.get(&one).await.status, 404);
        assert_eq!(member.delete(&one).await.status, 404);
    }
}

// T-38: over a quota is overLimit, with Retry-After 0.
#[tokio::test]
async fn t38_quotas_are_shown_set_and_kept() {
    let (world, alpha, _) = World::with_projects().await;
    let (member, cloud) = (world.volume(&alpha.member), world.volume(&world.admin));
    let project = alpha.member.project.clone();
    let set = format!("/v3/{{p}}/os-quota-sets/{project}");
    let volume = member.make_volume("v").await;
    member.make_backup(&volume, "b").await;
    let limits = json!({"quota_set": {"backups": 1, "backup_gigabytes": 1}});
    assert_eq!(member.put(&set, limits.clone()).await.status, 403);
    let echoed = cloud.put(&set, limits).await.expect(200);
    assert_eq!(
        (&echoed["quota_set"]["backups"], &echoed["quota_set"]["backup_gigabytes"]),
        (&json!(1), &json!(1))
    );
    let refused = member.post("/v3/{p}/backups", json!({"backup": {"volume_id": volume}})).await;
    assert_eq!(refused.header("retry-after"), Some("0"));
    insta::assert_snapshot!(refused.expect(413), @r#"{"overLimit":{"code":413,"message":"BackupLimitExceeded: Maximum number of backups allowed (1) exceeded","retryAfter":"0"}}"#);
    cloud.put(&set, json!({"quota_set": {"backups": 2}})).await.expect(200);
    let refused =
        member.post("/v3/{p}/backups", json!({"backup": {"volume_id": volume}})).await.refusal(413);
    assert_eq!(
        refused,
        "VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes quota. Requested 1G, quota is 1G and 1G has been consumed."
    );
    let shown = member.get(&format!("{set}?usage=True")).await.expect(200);
    assert_eq!(shown["quota_set"]["backups"], json!({"limit": 2, "in_use": 1, "reserved": 0}));
    let absolute = &member.get("/v3/{p}/limits").await.expect(200)["limits"]["absolute"];
    assert_eq!(
        (&absolute["maxTotalBackups"], &absolute["totalBackupsUsed"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(absolute.as_object().unwrap().len(), 10);
    let below = cloud.put(&set, json!({"quota_set": {"backups": 0}})).await.refusal(400);
    assert_eq!(
        below,
        "Quota backups limit must be equal or greater than existing resources. Current usage is 1."
    );
    let other = format!("/v3/{{p}}/limits?project_id={project}");
    let of_alpha = cloud.at("3.39").get(&other).await.expect(200);
    assert_eq!(of_alpha["limits"]["absolute"]["totalBackupsUsed"], 1);
    let own = cloud.at("3.38").get(&other).await.expect(200);
    assert_eq!(own["limits"]["absolute"]["totalBackupsUsed"], 0);
    assert_eq!(cloud.delete(&set).await.status, 200);
    let shown = member.get(&set).await.expect(200);
    let defaults = member.get(&format!("{set}/defaults")).await.expect(200);
    assert_eq!(shown, defaults);
}

#[tokio::test]
async fn quota_classes() {
    let world = World::new().await;
    let cloud = world.volume(&world.admin);
    let path = "/v2/{p}/os-quota-class-sets/default";
    let set = cloud.put(path, json!({"quota_class_set": {"backups": 7}})).await.expect(200);
    assert_eq!(set["quota_class_set"]["backups"], 7);
    let shown = cloud.get(path).await.expect(200);
    assert_eq!(
        (&shown["quota_class_set"]["id"], &shown["quota_class_set"]["backups"]),
        (&json!("default"), &json!(7))
    );
}

#[tokio::test]
async fn pairs_that_are_added_at_once_are_all_kept() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let id = member.make_backup(&volume, "b").await;
    let path = format!("/v3/{{p}}/backups/{id}/metadata");
    let (member, path) = (&member, &path);
    let keys: Vec<String> = (0..8).map(|number| format!("k{number}")).collect();
    let additions = keys.iter().map(|key| async move {
        let pair = json!({"meta": {key: "v"}});
        member.put(&format!("{path}/{key}"), pair).await.expect(200);
    });
    futures::future::join_all(additions).await;
    let pairs = member.get(path).await.expect(200);
    let kept: Vec<_> = pairs["metadata"].as_object().unwrap().keys().collect();
    assert_eq!(kept, keys.iter().collect::<Vec<_>>());
}
