//! Jobs of the vendor's half, in every form of their path.

use serde_json::{Value, json};

use crate::world::{Answer, Client, World};

/// A job by its id, on one of the versions.
async fn job(client: &Client<'_>, version: &str, id: &str) -> Value {
    client.get(&format!("/{version}/{{p}}/jobs/{id}")).await.expect(200)
}

/// Starts a job and returns its id.
fn started(answer: Answer) -> String {
    let body = answer.expect(200);
    let keys: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["job_id"]);
    let id = body["job_id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()));
    id.to_owned()
}

async fn create(client: &Client<'_>, volume: &str) -> String {
    let body = json!({"backup": {"name": "b", "volume_id": volume}});
    started(client.post("/v2/{p}/cloudbackups", body).await)
}

/// Whether an instant has three digits and a `Z`.
fn is_millis(value: &Value) -> bool {
    let text = value.as_str().unwrap();
    text.len() == 24 && text.as_bytes()[19] == b'.' && text.ends_with('Z')
}

// T-18: three digits and a Z. T-21: entities are texts, no part-jobs, the backup is there.
// T-33: once the job has succeeded, the backup is available.
#[tokio::test]
async fn t18_t21_t33_a_job_ends_when_its_backup_is_available() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let id = create(&member, &volume).await;
    let waiting = job(&member, "v1", &id).await;
    assert_eq!(
        (&waiting["status"], &waiting["job_type"]),
        (&json!("INIT"), &json!("bksCreateBackup"))
    );
    for key in ["end_time", "error_code", "fail_reason"] {
        assert_eq!(waiting[key], Value::Null, "{key}");
    }
    assert_eq!(waiting.get("sub_jobs"), None);
    let backup = waiting["entities"]["backup_id"].as_str().unwrap().to_owned();
    let path = format!("/v2/{{p}}/backups/{backup}");
    assert_eq!(member.get(&path).await.expect(200)["backup"]["status"], "creating");
    world.settle().await;
    let done = job(&member, "v1", &id).await;
    assert_eq!((&done["status"], &done["job_id"]), (&json!("SUCCESS"), &json!(id)));
    assert!(is_millis(&done["begin_time"]) && is_millis(&done["end_time"]));
    let expected = json!({"backup_id": backup, "volume_id": volume, "bks_create_volume_name": "b"});
    assert_eq!(done["entities"], expected);
    assert_eq!(member.get(&path).await.expect(200)["backup"]["status"], "available");
}

// T-02: clients replace the version of a job's path.
#[tokio::test]
async fn t02_jobs_are_the_same_on_every_version() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let id = create(&member, &volume).await;
    let expected = job(&member, "v1", &id).await;
    let hyphens =
        format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]);
    for path in [
        format!("/v2/{{p}}/jobs/{id}"),
        format!("/v3/{{p}}/jobs/{id}"),
        format!("/{{p}}/jobs/{id}"),
        format!("/v1/jobs/{id}"),
        format!("/v3/jobs/{id}"),
        format!("/v1/{{p}}/jobs/{hyphens}/"),
        format!("/v1/{{p}}/jobs/{}", id.to_uppercase()),
    ] {
        assert_eq!(member.get(&path).await.expect(200), expected, "{path}");
    }
    let answer = member.get(&format!("/v1/{{p}}/jobs/{id}")).await;
    assert_eq!(answer.header("openstack-api-version"), None);
    assert!(answer.header("x-openstack-request-id").is_some());
    let head = member.send("HEAD", &format!("/v1/{{p}}/jobs/{id}"), None).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

#[tokio::test]
async fn version_one_has_jobs_and_nothing_else() {
    let world = World::new().await;
    let admin = world.volume(&world.admin);
    for path in ["/v1", "/v1/", "/v1/{p}", "/v1/{p}/backups", "/v1/{p}/cloudbackups"] {
        let refused = admin.get(path).await.expect(404);
        assert_eq!(refused["itemNotFound"]["code"], 404, "{path}");
    }
    for path in ["/v1/{p}/jobs", "/v1/{p}/jobs/x/y", "/v1/{p}/jobs/x", "/v3/{p}/jobs/%00"] {
        let refused = admin.get(path).await.expect(404);
        assert_eq!(refused["error"]["code"], "common.0011", "{path}");
    }
}

#[tokio::test]
async fn each_kind_of_job_has_its_name_and_ends() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let volume = member.make_volume("v").await;
    let target = member.make_volume("target").await;
    let backup = member.make_backup(&volume, "b").await;
    let path = format!("/v2/{{p}}/cloudbackups/{backup}");
    let onto = json!({"restore": {"volume_id": target}});
    let restore = started(member.post(&format!("{path}/restore"), onto).await);
    world.settle().await;
    let restored = job(&member, "v2", &restore).await;
    assert_eq!(
        (&restored["status"], &restored["job_type"]),
        (&json!("SUCCESS"), &json!("bksRestoreBackup"))
    );
    assert_eq!(restored["entities"], json!({"backup_id": backup, "volume_id": target}));
    let removal = started(member.send("POST", &path, None).await);
    world.settle().await;
    let removed = job(&member, "v2", &removal).await;
    assert_eq!(
        (&removed["status"], &removed["job_type"]),
        (&json!("SUCCESS"), &json!("bksDeleteBackup"))
    );
    assert_eq!(removed["entities"], json!({"backup_id": backup, "volume_id": volume}));
    assert_eq!(member.get(&format!("/v2/{{p}}/backups/{backup}")).await.status, 404);
}

#[tokio::test]
async fn a_job_that_did_not_make_its_backup_has_failed() {
    let (world, alpha, _) = World::with_projects().await;
    let (member, admin) = (world.volume(&alpha.member), world.volume(&alpha.admin));
    let volume = member.make_volume("v").await;
    let id = create(&member, &volume).await;
    let waiting = job(&member, "v1", &id).await;
    let backup = waiting["entities"]["backup_id"].as_str().unwrap();
    let reset = json!({"os-reset_status": {"status": "error"}});
    assert_eq!(admin.post(&format!("/v3/{{p}}/backups/{backup}/action"), reset).await.status, 202);
    world.settle().await;
    let failed = job(&member, "v1", &id).await;
    assert_eq!(
        (&failed["status"], &failed["error_code"]),
        (&json!("FAIL"), &json!("VolumeBackup.0008"))
    );
    assert!(!failed["fail_reason"].as_str().unwrap().is_empty());
    assert!(is_millis(&failed["end_time"]));
}

#[tokio::test]
async fn a_job_is_kept_for_thirty_days() {
    let (world, alpha, _) = World::with_projects().await;
    let volume = world.volume(&alpha.member).make_volume("v").await;
    let id = create(&world.volume(&alpha.member), &volume).await;
    world.settle().await;
    let day = std::time::Duration::from_secs(24 * 3600);
    let caller = world.service.validate_token(&alpha.member.token).await.unwrap();
    let caller = caller.caller("req-test".to_owned());
    world.pass(day * 29);
    world.service.tend(&Default::default()).await.unwrap();
    assert!(world.service.job(&caller, &id).await.is_ok());
    world.pass(day * 2);
    world.service.tend(&Default::default()).await.unwrap();
    assert!(world.service.job(&caller, &id).await.is_err());
}
