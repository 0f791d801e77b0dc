//! The vendor's backups by jobs, and their quota.

use serde_json::{Value, json};

use crate::world::{Client, World};

const PATH: &str = "/v2/{p}/cloudbackups";

/// The status and code of a refusal in the vendor's envelope.
async fn refusal(client: &Client<'_>, path: &str, body: Value) -> String {
    let answer = client.post(path, body).await;
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    assert!(!body["error"]["message"].as_str().unwrap().is_empty());
    format!("{} {}", answer.status, body["error"]["code"].as_str().unwrap())
}

// T-24: exactly 200. T-25: while the native restore answers 202.
#[tokio::test]
async fn t24_t25_jobs_are_answered_with_200_and_native_work_with_202() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let body = json!({"backup": {
        "volume_id": volume, "name": "b.1", "description": "d", "snapshot_id": null,
        "tags": [{"key": "k", "value": "v"}, {"key": "e"}],
        "extend_param": {"FullBackup": "true"}, "unknown": 1,
    }});
    let made = member.post(PATH, body).await.expect(200);
    world.settle().await;
    let job = made["job_id"].as_str().unwrap();
    let job = member.get(&format!("/v1/{{p}}/jobs/{job}")).await.expect(200);
    let id = job["entities"]["backup_id"].as_str().unwrap();
    let shown = member.get(&format!("/v2/{{p}}/backups/{id}")).await.expect(200);
    assert_eq!(
        (&shown["backup"]["name"], &shown["backup"]["description"]),
        (&json!("b.1"), &json!("d"))
    );
    let tags = member.get(&format!("/v2/{{p}}/os-vendor-tags/backups/{id}")).await.expect(200);
    assert_eq!(tags, json!({"tags": {"k": "v", "e": ""}}));
    let onto = json!({"restore": {"volume_id": volume}});
    member.post(&format!("{PATH}/{id}/restore"), onto.clone()).await.expect(200);
    let native = format!("/v2/{{p}}/backups/{id}/restore");
    assert_eq!(member.post(&native, onto.clone()).await.status, 400, "one restore at a time");
    world.settle().await;
    assert_eq!(member.post(&native, onto).await.status, 202);
    world.settle().await;
}

// T-27: a removal comes without a body and without a type.
#[tokio::test]
async fn t27_a_removal_needs_no_body() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    for body in [None, Some(json!({"anything": 1}))] {
        let backup = member.make_backup(&volume, "b").await;
        let path = format!("{PATH}/{backup}");
        member.send("POST", &path, body).await.expect(200);
        let shown = member.get(&format!("/v2/{{p}}/backups/{backup}")).await.expect(200);
        assert_eq!(shown["backup"]["status"], "deleting");
        let again = member.send("POST", &path, None).await.expect(400);
        assert_eq!(again["error"]["code"], "VolumeBackup.0100");
        world.settle().await;
    }
}

// T-36: a disk in use needs force in the native half only.
#[tokio::test]
async fn t36_a_disk_in_use_is_backed_up_without_force() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let attach = json!({"os-attach": {"instance_uuid": "i", "mountpoint": "/dev/vdb"}});
    let path = format!("/v3/{{p}}/volumes/{volume}");
    assert_eq!(member.post(&format!("{path}/action"), attach).await.status, 202);
    let native = json!({"backup": {"name": "b", "volume_id": volume}});
    assert_eq!(member.post("/v3/{p}/backups", native.clone()).await.status, 400);
    member.post(PATH, native.clone()).await.expect(200);
    assert_eq!(member.get(&path).await.expect(200)["volume"]["status"], "backing-up");
    assert_eq!(refusal(&member, PATH, native).await, "400 VolumeBackup.0013");
    world.settle().await;
    assert_eq!(member.get(&path).await.expect(200)["volume"]["status"], "in-use");
}

#[tokio::test]
async fn refusals_come_in_their_order_with_their_codes() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let mut fields = json!({
        "name": "<", "description": "<", "volume_id": "v", "tags": [{"key": "a*", "value": ""}],
    });
    let many: Vec<_> = (0..11).map(|n| json!({"key": n.to_string(), "value": ""})).collect();
    let missing = "00000000-0000-4000-8000-000000000000";
    for (expected, key, next) in [
        ("400 VolumeBackup.0004", "name", json!("auto1")),
        ("400 VolumeBackup.0005", "name", json!("x".repeat(65))),
        ("400 VolumeBackup.0003", "name", json!("")),
        ("400 VolumeBackup.0007", "name", json!("b")),
        ("400 VolumeBackup.0006", "description", json!("x".repeat(65))),
        ("400 VolumeBackup.0006", "description", json!("")),
        ("400 VolumeBackup.0011", "volume_id", json!("")),
        ("400 VolumeBackup.0010", "volume_id", json!(missing)),
        ("400 VolumeBackup.0049", "tags", json!(many)),
        ("400 VolumeBackup.0050", "tags", json!([])),
    ] {
        let body = json!({"backup": fields});
        assert_eq!(refusal(&member, PATH, body).await, expected, "{fields}");
        fields[key] = next;
    }
    assert_eq!(refusal(&member, PATH, json!({"backup": fields})).await, "404 VolumeBackup.0021");
}

#[tokio::test]
async fn a_disk_that_cannot_be_restored_onto_is_told_apart() {
    let (world, alpha, _) = World::with_projects().await;
    let (member, admin) = (world.volume(&alpha.member), world.volume(&alpha.admin));
    let volume = member.make_volume("v").await;
    let backup = member.make_backup(&volume, "b").await;
    let path = format!("{PATH}/{backup}/restore");
    let missing = "00000000-0000-4000-8000-000000000000";
    let onto = |id: &str| json!({"restore": {"volume_id": id}});
    assert_eq!(refusal(&member, &path, onto(missing)).await, "404 VolumeBackup.0207");
    let other = format!("{PATH}/{missing}/restore");
    assert_eq!(refusal(&member, &other, onto(&volume)).await, "404 VolumeBackup.0111");
    for (body, code) in [
        (json!({"restore": {"volume_id": "x"}}), "0208"),
        (json!({"restore": {"volume_id": null}}), "0208"),
        (json!({"restore": {"volume_id": 1}}), "0208"),
        (json!({"restore": {}}), "0208"),
        (json!({"restore": []}), "0210"),
        (json!({}), "0210"),
        (json!([]), "0210"),
    ] {
        let refused = refusal(&member, &path, body.clone()).await;
        assert_eq!(refused, format!("400 VolumeBackup.{code}"), "{body}");
    }
    let reset = |status: &str| json!({"os-reset_status": {"status": status}});
    let action = format!("/v3/{{p}}/volumes/{volume}/action");
    for (status, code) in [("in-use", "0205"), ("error", "0202")] {
        assert_eq!(admin.post(&action, reset(status)).await.status, 202);
        let refused = refusal(&member, &path, onto(&volume)).await;
        assert_eq!(refused, format!("400 VolumeBackup.{code}"));
    }
    assert_eq!(admin.post(&action, reset("available")).await.status, 202);
    let action = format!("/v3/{{p}}/backups/{backup}/action");
    assert_eq!(admin.post(&action, reset("error")).await.status, 202);
    assert_eq!(refusal(&member, &path, onto(&volume)).await, "400 VolumeBackup.0089");
}

#[tokio::test]
async fn a_disk_that_is_frozen_or_copied_is_not_restored_onto() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let backup = member.make_backup(&volume, "b").await;
    let path = format!("{PATH}/{backup}/restore");
    let onto = json!({"restore": {"volume_id": volume}});
    for (collection, wish) in [
        ("/v3/{p}/snapshots", json!({"snapshot": {"volume_id": volume}})),
        ("/v3/{p}/volumes", json!({"volume": {"source_volid": volume}})),
    ] {
        member.post(collection, wish).await.expect(202);
        assert_eq!(refusal(&member, &path, onto.clone()).await, "400 VolumeBackup.0205");
        world.settle().await;
    }
    member.post(&path, onto).await.expect(200);
    world.settle().await;
}

#[tokio::test]
async fn quotas_are_the_same_as_everywhere_and_refused_with_403() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let figures = async || {
        let quotas = member.get(&format!("{PATH}/quota")).await.expect(200);
        quotas["quotas"]["resources"].clone()
    };
    let figure = |kind: &str, used: i64, quota: i64| json!({"type": kind, "used": used, "reserved": 0, "quota": quota});
    let unlimited = json!([figure("backups", 0, -1), figure("backup_gigabytes", 0, -1)]);
    assert_eq!(figures().await, unlimited);
    let quotas = format!("/v3/{{p}}/os-quota-sets/{}", alpha.member.project);
    let limit = async |limits: Value| {
        world.volume(&world.admin).put(&quotas, json!({"quota_set": limits})).await.expect(200)
    };
    limit(json!({"backups": 1, "backup_gigabytes": 1})).await;
    let body = json!({"backup": {"name": "b", "volume_id": volume}});
    member.post(PATH, body.clone()).await.expect(200);
    let used = json!([figure("backups", 1, 1), figure("backup_gigabytes", 1, 1)]);
    assert_eq!(figures().await, used, "what is being made counts");
    world.settle().await;
    assert_eq!(figures().await, used);
    assert_eq!(refusal(&member, PATH, body.clone()).await, "403 VolumeBackup.0080");
    limit(json!({"backups": 5})).await;
    assert_eq!(refusal(&member, PATH, body).await, "403 VolumeBackup.0081");
}
