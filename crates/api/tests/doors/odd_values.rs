//! Whatever value stands anywhere in a body that would be taken, the answer is clear.
//!
//! Each operation is given a body that it takes, and then the same body again and again with one
//! value in it replaced by an odd one, so that every field's own check is reached.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::policies::{PATH, make, plain};
use crate::shares::SHARES;
use crate::world::{Answer, Client, World};

/// Values that some field will not like.
fn odd_values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!(" "),
        json!("<b>"),
        json!("x".repeat(256)),
        json!("x".repeat(2500)),
        json!("\u{0}"),
        json!("ü\u{1f512}"),
        json!("' OR 1=1 --"),
        json!("12:00,12:00"),
        json!("00000000-0000-4000-8000-000000000000"),
        json!([]),
        json!([1]),
        json!([[]]),
        json!([{}]),
        json!([{"key": null, "value": []}]),
        json!({}),
        json!({"": ""}),
        json!({"k": null}),
        json!({"k": {"k": []}}),
    ]
}

/// An operation with a body that it takes.
struct Sample {
    method: &'static str,
    path: String,
    body: Value,
    /// What is removed once it was made, because there may be only so many: where its id stands in
    /// the answer, and its path without the id.
    removal: Option<(&'static str, &'static str)>,
}

fn sample(method: &'static str, path: impl Into<String>, body: Value) -> Sample {
    Sample { method, path: path.into(), body, removal: None }
}

/// The things that the samples name.
struct Things {
    volume: String,
    backup: String,
    snapshot: String,
    policy: String,
    other_project: String,
}

impl Things {
    async fn make(client: &Client<'_>, other_project: &str) -> Self {
        let volume = client.make_volume("v").await;
        Self {
            backup: client.make_backup(&volume, "b").await,
            snapshot: client.make_snapshot(&volume).await,
            policy: make(client, plain("p")).await,
            volume,
            other_project: other_project.to_owned(),
        }
    }
}

fn backups(things: &Things) -> Vec<Sample> {
    let Things { volume, backup, .. } = things;
    let mut new = json!({
        "volume_id": volume, "snapshot_id": null, "name": "b", "description": "d",
        "container": "c", "incremental": false, "force": false, "project_id": "p",
    });
    let v2 = json!({ "backup": new });
    new["metadata"] = json!({"k": "v"});
    new["availability_zone"] = json!("nova");
    let change = json!({"name": "b", "description": "d", "metadata": {"k": "v"}});
    let path = format!("/v3/{{p}}/backups/{backup}");
    let onto = json!({"volume_id": volume, "name": "n"});
    let pairs = json!({"metadata": {"k": "v"}});
    let status = json!({"os-reset_status": {"status": "available"}});
    vec![
        sample("POST", "/v2/{p}/backups", v2),
        sample("POST", "/v3/{p}/backups", json!({ "backup": new })),
        sample("PUT", &path, json!({ "backup": change })),
        sample("POST", format!("{path}/restore"), json!({ "restore": onto })),
        sample("POST", format!("{path}/action"), status),
        sample("POST", format!("{path}/metadata"), pairs.clone()),
        sample("PUT", format!("{path}/metadata"), pairs),
        sample("PUT", format!("{path}/metadata/k"), json!({"meta": {"k": "v"}})),
    ]
}

fn companions(things: &Things) -> Vec<Sample> {
    let Things { volume, backup, snapshot, other_project, .. } = things;
    let texts = json!({"name": "n", "description": "d", "metadata": {"k": "v"}});
    let with = |more: Value| {
        let mut fields = texts.clone();
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    let empty = with(json!({
        "size": 1, "snapshot_id": null, "source_volid": null, "backup_id": null, "imageRef": null,
        "availability_zone": "nova",
    }));
    let of_backup = json!({"backup_id": backup, "size": null});
    let frozen = with(json!({"volume_id": volume, "force": false}));
    let volume = format!("/v3/{{p}}/volumes/{volume}");
    let snapshot = format!("/v3/{{p}}/snapshots/{snapshot}");
    let limits = json!({"backups": -1, "volumes": "-1", "gigabytes": -1});
    let reset = json!({"os-reset_status": {"status": "available"}});
    let bootable = json!({"os-set_bootable": {"bootable": true}});
    vec![
        sample("POST", "/v3/{p}/volumes", json!({ "volume": empty })),
        sample("POST", "/v3/{p}/volumes", json!({ "volume": of_backup })),
        sample("PUT", &volume, json!({ "volume": texts })),
        sample("POST", format!("{volume}/action"), reset.clone()),
        sample("POST", format!("{volume}/action"), bootable),
        sample("POST", "/v3/{p}/snapshots", json!({ "snapshot": frozen })),
        sample("PUT", &snapshot, json!({ "snapshot": texts })),
        sample("POST", format!("{snapshot}/action"), reset),
        sample(
            "PUT",
            format!("/v3/{{p}}/os-quota-sets/{other_project}"),
            json!({"quota_set": limits}),
        ),
        sample("PUT", "/v3/{p}/os-quota-class-sets/default", json!({"quota_class_set": limits})),
    ]
}

fn vendor(things: &Things) -> Vec<Sample> {
    let Things { volume, backup, other_project, .. } = things;
    let tag = json!({"key": "a", "value": "b"});
    let new = json!({
        "volume_id": volume, "name": "b", "snapshot_id": null, "description": "d",
        "tags": [tag], "extend_param": {"FullBackup": "true"},
    });
    let onto = json!({"volume_id": volume});
    let with = json!({"backup_id": backup, "to_project_ids": [other_project]});
    let tags = format!("/v2/{{p}}/os-vendor-tags/backups/{backup}");
    let pairs = json!({"tags": {"a": "b"}});
    vec![
        sample("POST", "/v2/{p}/cloudbackups", json!({ "backup": new })),
        sample(
            "POST",
            format!("/v2/{{p}}/cloudbackups/{backup}/restore"),
            json!({ "restore": onto }),
        ),
        sample("POST", SHARES, json!({ "shared": with })),
        sample("POST", &tags, pairs.clone()),
        sample("PUT", &tags, pairs),
        sample("PUT", format!("{tags}/a"), json!({"tag": {"a": "b"}})),
        sample("POST", format!("{tags}/action"), json!({"os-delete_tags": {"a": "b"}})),
    ]
}

fn policies(things: &Things) -> Vec<Sample> {
    let Things { volume, policy, .. } = things;
    let tag = json!({"key": "a", "value": "b"});
    let resources = json!([{"resource_id": volume, "resource_type": "volume"}]);
    let mut whole = plain("p");
    whole["time_zone"] = json!("UTC+01:00");
    whole["tags"] = json!([tag]);
    for (key, value) in [
        ("week_frequency", json!(["SUN"])),
        ("rentention_day", json!(3)),
        ("remain_first_backup_of_curMonth", json!("Y")),
    ] {
        whole["scheduled_policy"][key] = value;
    }
    let search = json!({
        "action": "filter", "tags": [], "tags_any": [], "not_tags": [], "not_tags_any": [],
        "matches": [{"key": "resource_name", "value": "p"}], "limit": "1", "offset": 0,
    });
    let disks = "/v2/{p}/backuppolicyresources";
    let bound = json!({"backup_policy_id": policy, "resources": resources});
    let released = json!({"resources": resources});
    let path = format!("{PATH}/{policy}");
    let removal = Some(("/backup_policy_id", PATH));
    vec![
        Sample { removal, ..sample("POST", PATH, whole.clone()) },
        sample("PUT", &path, whole),
        sample("POST", disks, bound),
        sample("POST", format!("{disks}/{policy}/deleted_resources"), released),
        sample("POST", format!("{path}/tags"), json!({ "tag": tag })),
        sample("POST", format!("{path}/tags/action"), json!({"action": "create", "tags": [tag]})),
        sample("POST", format!("{PATH}/resource_instances/action"), search),
    ]
}

/// The paths to every value inside a document, itself first.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let mut inside = |key: String, inner: &Value| places(inner, &format!("{at}/{key}"), found);
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| inside(key.clone(), inner)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, inner)| inside(n.to_string(), inner));
        }
        _ => {}
    }
}

/// Sends a body and, if it is taken, lets what it began come to its end.
async fn send(world: &World, client: &Client<'_>, sample: &Sample, body: &Value) -> Answer {
    let answer = client.send(sample.method, &sample.path, Some(body.clone())).await;
    if answer.status < 300 {
        if let Some((id, collection)) = sample.removal {
            let made = answer.json();
            let id = made.pointer(id).unwrap().as_str().unwrap();
            client.delete(&format!("{collection}/{id}")).await.expect(204);
        }
        world.settle().await;
    }
    answer
}

/// Replaces every value of every sample by every odd one.
async fn feed(samples: fn(&Things) -> Vec<Sample>) {
    let (world, alpha, _) = World::with_projects().await;
    let client = world.volume(&world.admin).at("3.71");
    let things = Things::make(&client, &alpha.member.project).await;
    for sample in samples(&things) {
        let told = format!("{} {}", sample.method, sample.path);
        let mut found = Vec::new();
        places(&sample.body, "", &mut found);
        // Taken before and after: nothing but the odd value is what is refused.
        let plain = send(&world, &client, &sample, &sample.body).await;
        assert!(plain.status < 300, "{told}: {}", plain.text);
        for place in found {
            for odd in odd_values() {
                let mut broken = sample.body.clone();
                *broken.pointer_mut(&place).unwrap() = odd;
                let answer = send(&world, &client, &sample, &broken).await;
                assert_is_clear(&answer, &format!("{told} {broken}"));
            }
        }
        let plain = send(&world, &client, &sample, &sample.body).await;
        assert!(plain.status < 300, "{told}, at the end: {}", plain.text);
    }
    for list in ["backups", "volumes", "snapshots", "os-vendor-backup-sharing"] {
        client.get(&format!("/v2/{{p}}/{list}/detail")).await.expect(200);
        client.get(&format!("/v3/{{p}}/{list}/detail")).await.expect(200);
    }
    client.get(PATH).await.expect(200);
}

/// A success, or a refusal with one reason.
#[track_caller]
fn assert_is_clear(answer: &Answer, told: &str) {
    match answer.status {
        200..300 => {}
        400 | 403 | 404 | 413 => {
            let body = answer.json();
            let faults: Vec<&Value> = body.as_object().unwrap().values().collect();
            assert_eq!(faults.len(), 1, "{told}: {body}");
            assert!(!faults[0]["message"].as_str().unwrap().is_empty(), "{told}");
        }
        other => panic!("{other} {} for {told}", answer.text),
    }
}

#[tokio::test]
async fn no_value_about_a_backup_breaks_the_door() {
    feed(backups).await;
}

#[tokio::test]
async fn no_value_about_a_companion_breaks_the_door() {
    feed(companions).await;
}

#[tokio::test]
async fn no_value_about_a_job_a_share_or_a_tag_breaks_the_door() {
    feed(vendor).await;
}

#[tokio::test]
async fn no_value_about_a_policy_breaks_the_door() {
    feed(policies).await;
}

/// Imports are told apart by the id inside their record.
#[tokio::test]
async fn no_value_of_a_record_breaks_the_door() {
    let world = World::new().await;
    let client = world.volume(&world.admin).at("3.71");
    let volume = client.make_volume("v").await;
    let backup = client.make_backup(&volume, "b").await;
    let path = format!("/v3/{{p}}/backups/{backup}/export_record");
    let exported = client.get(&path).await.expect(200);
    let import = sample("POST", "/v3/{p}/backups/import_record", exported.clone());
    let mut outside = Vec::new();
    places(&exported, "", &mut outside);
    for place in outside {
        for odd in odd_values() {
            let mut broken = exported.clone();
            *broken.pointer_mut(&place).unwrap() = odd;
            let answer = send(&world, &client, &import, &broken).await;
            assert!(matches!(answer.status, 400 | 503), "{broken}: {}", answer.text);
        }
    }
    let url = exported["backup-record"]["backup_url"].as_str().unwrap();
    let record: Value = serde_json::from_slice(&BASE64.decode(url).unwrap()).unwrap();
    let mut inside = Vec::new();
    places(&record, "", &mut inside);
    let mut number = 0;
    for place in inside {
        for odd in odd_values() {
            number += 1;
            let mut broken = record.clone();
            broken["id"] = json!(format!("{number:08x}-0000-4000-8000-000000000000"));
            *broken.pointer_mut(&place).unwrap() = odd;
            let mut body = exported.clone();
            body["backup-record"]["backup_url"] = json!(BASE64.encode(broken.to_string()));
            let answer = client.post("/v3/{p}/backups/import_record", body).await;
            // A long value is beyond the limit once it is wrapped.
            assert!(matches!(answer.status, 201 | 400 | 413), "{broken}: {}", answer.text);
        }
        world.settle().await;
    }
    let listed = client.get("/v3/{p}/backups/detail").await.expect(200);
    assert!(listed["backups"].as_array().unwrap().len() > 1, "some were taken");
}
