//! Checkpoints: made, shown, and gone with their last backup.

use serde::Deserialize;
use serde_json::{Value, json};
use strongroom_model::vault::ObjectType;

use super::planted::{self, Row, numbered, plant};
use super::protectables::server;
use crate::world::{Access, Client, World};

pub(crate) const CHECKPOINTS: &str = "/v3/{p}/checkpoints";

/// A document as clients with static types decode it: no other type, no other key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "decoding is the test")]
struct Checkpoint {
    id: String,
    project_id: String,
    status: String,
    created_at: String,
    vault: CheckpointVault,
    extra_info: ExtraInfo,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "decoding is the test")]
struct CheckpointVault {
    id: String,
    name: String,
    provider_id: String,
    resources: Vec<CheckpointResource>,
    skipped_resources: Vec<Skipped>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "decoding is the test")]
struct CheckpointResource {
    id: String,
    r#type: String,
    name: String,
    protect_status: String,
    resource_size: String,
    backup_size: String,
    backup_count: String,
    extra_info: (),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "decoding is the test")]
struct Skipped {
    id: String,
    r#type: String,
    name: String,
    code: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "decoding is the test")]
struct ExtraInfo {
    name: String,
    description: String,
    retention_duration: i64,
}

fn decode(document: &Value) -> Checkpoint {
    serde_json::from_value(document["checkpoint"].clone()).unwrap()
}

/// A project with a server of two disks and a disk by itself, and a vault for either.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) access: Access,
    pub(crate) other: Access,
    /// Root and data of the server, and the disk by itself.
    pub(crate) disks: [String; 3],
    pub(crate) server: String,
    pub(crate) server_vault: String,
    pub(crate) disk_vault: String,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let (world, alpha, beta) = World::with_projects().await;
        let (access, other) = (alpha.member, beta.member);
        let native = world.volume(&access);
        let disks = [
            native.make_volume("root").await,
            native.make_volume("data").await,
            native.make_volume("alone").await,
        ];
        let machine = server(&access.project, 1, &[&disks[0], &disks[1]]);
        let machine = world.service.keep_server(machine).await.unwrap();
        let server_id = machine.id.to_string();
        let resources = [
            ("server", json!([{"id": server_id, "type": "OS::Nova::Server"}])),
            ("disk", json!([{"id": disks[2], "type": "OS::Cinder::Volume"}])),
        ];
        let mut vaults = Vec::new();
        for (object_type, resources) in resources {
            let billing = json!({
                "consistent_level": "crash_consistent", "object_type": object_type,
                "protect_type": "backup", "size": 100,
            });
            let wish = json!({"name": "safe", "billing": billing, "resources": resources});
            let made = world.cbr(&access).post("/v3/{p}/vaults", json!({"vault": wish})).await;
            vaults.push(made.expect(200)["vault"]["id"].as_str().unwrap().to_owned());
        }
        let disk_vault = vaults.remove(1);
        let server_vault = vaults.remove(0);
        Self { world, access, other, disks, server: server_id, server_vault, disk_vault }
    }

    pub(crate) fn cbr(&self) -> Client<'_> {
        self.world.cbr(&self.access)
    }

    /// A run over a vault, with its work done: its id, and that of its one backup.
    pub(crate) async fn run(&self, vault: &str) -> (String, String) {
        let body = json!({"checkpoint": {"vault_id": vault}});
        let made = self.cbr().post(CHECKPOINTS, body).await.expect(200);
        let id = made["checkpoint"]["id"].as_str().unwrap().to_owned();
        self.world.settle().await;
        let path = format!("/v3/{{p}}/backups?checkpoint_id={id}");
        let listed = self.cbr().get(&path).await.expect(200);
        assert_eq!(listed["count"], 1, "{listed}");
        (id, listed["backups"][0]["id"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn that_applications_were_not_brought_to_rest_is_told() {
    let scene = Scene::new().await;
    let vault = format!("/v3/{{p}}/vaults/{}", scene.server_vault);
    for (level, [status, code, message]) in [
        ("crash_consistent", ["0", "0", ""]),
        ("app_consistent", ["1", "1", "no agent: the backup is crash-consistent"]),
    ] {
        let body = json!({"vault": {"billing": {"consistent_level": level}}});
        scene.cbr().put(&vault, body).await.expect(200);
        let (_, id) = scene.run(&scene.server_vault).await;
        let shown = scene.cbr().get(&format!("/v3/{{p}}/backups/{id}")).await.expect(200);
        let expected = json!({
            "app_consistency": "0", "app_consistency_status": status,
            "app_consistency_error_code": code, "app_consistency_error_message": message,
        });
        assert_eq!(shown["backup"]["extend_info"]["app_consistency"], expected, "{level}");
        let logs = scene.cbr().get("/v3/{p}/operation-logs?operation_type=backup").await;
        let logs = logs.expect(200)["operation_logs"].take();
        let log = logs.as_array().unwrap().iter();
        let mut told = log.map(|log| &log["extra_info"]["backup"]);
        let told = told.find(|told| told["backup_id"] == id.as_str()).unwrap();
        for key in ["status", "error_code", "error_message"] {
            let key = format!("app_consistency_{key}");
            assert_eq!(told[&key], expected[&key], "{level} {key}");
        }
        scene.world.pass(std::time::Duration::from_secs(1));
    }
}

#[tokio::test]
async fn c03_c04_c05_a_checkpoint_has_texts_for_figures() {
    let scene = Scene::new().await;
    let parameters = json!({
        "auto_trigger": false, "description": "before the change", "incremental": false,
        "name": "by-hand", "retention_duration_days": 7,
        "resources": [scene.server],
        "resource_details": [{
            "id": scene.server, "type": "OS::Nova::Server", "name": "web", "extra_info": {},
        }],
    });
    let body = json!({"checkpoint": {"vault_id": scene.server_vault, "parameters": parameters}});
    let made = scene.cbr().post(CHECKPOINTS, body).await.expect(200);
    let begun = decode(&made);
    assert_eq!((begun.status.as_str(), begun.vault.resources.len()), ("protecting", 1));
    assert_eq!(begun.vault.provider_id, "0daac4c5-6707-4851-97ba-169e36266b66");
    let resource = &begun.vault.resources[0];
    assert_eq!(resource.protect_status, "protecting");
    assert_eq!((resource.resource_size.as_str(), resource.backup_count.as_str()), ("2", "1"));
    assert_eq!(
        (begun.extra_info.name.as_str(), begun.extra_info.retention_duration),
        ("by-hand", 7)
    );
    scene.world.settle().await;
    let path = format!("{CHECKPOINTS}/{}", begun.id);
    let shown = decode(&scene.cbr().get(&path).await.expect(200));
    assert_eq!(shown.status, "available");
    assert_eq!(shown.vault.resources[0].protect_status, "available");
    let backups = format!("/v3/{{p}}/backups?checkpoint_id={}", begun.id);
    let backup = &scene.cbr().get(&backups).await.expect(200)["backups"][0];
    assert_eq!(backup["description"], "before the change");
    assert_eq!((&backup["incremental"], backup["expired_at"].is_null()), (&json!(false), false));
    let logs = format!("/v3/{{p}}/operation-logs?vault_id={}", scene.server_vault);
    let logs = scene.cbr().get(&logs).await.expect(200);
    assert_eq!(logs["operation_logs"][0]["status"], "success");
    assert_eq!(logs["operation_logs"][0]["extra_info"]["resource"]["id"], scene.server);
}

#[tokio::test]
async fn c07_a_checkpoint_is_gone_with_its_last_backup() {
    let scene = Scene::new().await;
    for vault in [&scene.server_vault, &scene.disk_vault] {
        let (checkpoint, backup) = scene.run(vault).await;
        let path = format!("{CHECKPOINTS}/{checkpoint}");
        assert_eq!(scene.cbr().get(&path).await.expect(200)["checkpoint"]["status"], "available");
        let deleted = scene.cbr().delete(&format!("/v3/{{p}}/backups/{backup}")).await;
        assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
        let going = scene.cbr().get(&path).await.expect(200);
        assert_eq!(going["checkpoint"]["status"], "deleting");
        scene.world.settle().await;
        assert_eq!(scene.cbr().get(&path).await.refused(404), "BackupService.6217");
    }
}

#[tokio::test]
async fn c25_what_is_no_checkpoint_of_the_project_is_missing() {
    let scene = Scene::new().await;
    let (checkpoint, _) = scene.run(&scene.disk_vault).await;
    let foreign = scene.world.cbr(&scene.other);
    for id in [checkpoint.as_str(), "nightly", &numbered(1)] {
        let answer = foreign.get(&format!("{CHECKPOINTS}/{id}")).await;
        assert_eq!(answer.refused(404), "BackupService.6217", "{id}");
    }
    let body = json!({"checkpoint": {"vault_id": scene.disk_vault}});
    assert_eq!(foreign.post(CHECKPOINTS, body).await.refused(404), "BackupService.6105");
    // A backup of the volume door is a checkpoint of one.
    let alone = scene.world.volume(&scene.access).make_backup(&scene.disks[2], "x").await;
    let shown = scene.cbr().get(&format!("{CHECKPOINTS}/{alone}")).await.expect(200);
    assert_eq!(decode(&shown).vault.resources[0].id, scene.disks[2]);
}

#[tokio::test]
async fn what_is_busy_is_left_out_and_told() {
    let scene = Scene::new().await;
    let native = scene.world.volume(&scene.access);
    let more = native.make_volume("more").await;
    let path = format!("/v3/{{p}}/vaults/{}/addresources", scene.disk_vault);
    let body = json!({"resources": [{"id": more, "type": "OS::Cinder::Volume"}]});
    scene.cbr().post(&path, body).await.expect(200);
    let body = json!({"backup": {"volume_id": more, "name": "busy"}});
    native.post("/v3/{p}/backups", body).await.expect(202);
    let body = json!({"checkpoint": {"vault_id": scene.disk_vault, "parameters": {}}});
    let made = decode(&scene.cbr().post(CHECKPOINTS, body.clone()).await.expect(200));
    assert_eq!(made.vault.resources.len(), 1);
    let skipped = &made.vault.skipped_resources[0];
    assert_eq!((skipped.id.as_str(), skipped.code.as_str()), (more.as_str(), "BackupService.6125"));
    let again = scene.cbr().post(CHECKPOINTS, body).await;
    assert_eq!(again.refused(400), "BackupService.0001");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_its_code() {
    let scene = Scene::new().await;
    let vault = &scene.disk_vault;
    let with =
        |parameters: Value| json!({"checkpoint": {"vault_id": vault, "parameters": parameters}});
    let unknown = numbered(1);
    for (body, code) in [
        (json!({}), "9900"),
        (json!([]), "9900"),
        (json!({"checkpoint": null}), "9900"),
        (json!({"checkpoint": {}}), "9900"),
        (json!({"checkpoint": {"vault_id": 7}}), "9900"),
        (json!({"checkpoint": {"vault_id": "nightly"}}), "9900"),
        (json!({"checkpoint": {"vault_id": vault, "parameters": []}}), "9900"),
        (with(json!({"auto_trigger": "yes"})), "9900"),
        (with(json!({"incremental": 1})), "9900"),
        (with(json!({"description": "<b>"})), "9900"),
        (with(json!({"description": "x".repeat(256)})), "9900"),
        (with(json!({"name": "a b/c"})), "9900"),
        (with(json!({"name": "x".repeat(65)})), "9900"),
        (with(json!({"resources": "all"})), "9900"),
        (with(json!({"resources": ["nightly"]})), "9900"),
        (with(json!({"resource_details": [{"id": scene.disks[2]}]})), "9900"),
        (with(json!({"resource_details": [{"id": scene.disks[2], "type": "disk"}]})), "9900"),
        (with(json!({"retention_duration_days": 0})), "9900"),
        (with(json!({"retention_duration_days": -2})), "9900"),
        (with(json!({"retention_duration_days": 36_501})), "9900"),
        (with(json!({"retention_duration_days": "7"})), "9900"),
        (with(json!({"retention_duration_days": 7, "auto_trigger": true})), "9900"),
        (with(json!({"resources": [unknown]})), "6135"),
        (with(json!({"resources": [scene.disks[0]]})), "6135"),
    ] {
        let refused = scene.cbr().post(CHECKPOINTS, body.clone()).await.refused(400);
        assert_eq!(refused, format!("BackupService.{code}"), "{body}");
    }
    let body = json!({"checkpoint": {"vault_id": unknown}});
    assert_eq!(scene.cbr().post(CHECKPOINTS, body).await.refused(404), "BackupService.6105");
    // No client is held to what it need not say.
    let fine = with(json!({
        "name": null, "description": null, "resources": [], "resource_details": null,
        "retention_duration_days": -1, "auto_trigger": true, "unknown": 1,
    }));
    scene.cbr().post(CHECKPOINTS, fine).await.expect(200);
}

#[tokio::test]
async fn sync_is_for_vaults_of_another_site() {
    let scene = Scene::new().await;
    let path = format!("{CHECKPOINTS}/sync");
    let body = |vault: &str| json!({"sync": {"vault_id": vault, "auto_trigger": false}});
    let refused = scene.cbr().post(&path, body(&scene.disk_vault)).await;
    assert_eq!(refused.refused(400), "BackupService.7300");
    let missing = scene.cbr().post(&path, body(&numbered(1))).await;
    assert_eq!(missing.refused(404), "BackupService.6105");
    let mut hybrid = planted::vault(&scene.access.project, &numbered(2), ObjectType::Vmware);
    hybrid.terms.protect_type = strongroom_model::vault::ProtectType::Hybrid;
    plant(&scene.world, &[Row::Vault(hybrid)]).await;
    let refused = scene.cbr().post(&path, body(&numbered(2))).await;
    assert_eq!(refused.refused(400), "BackupService.7300");
    for body in [json!({"sync": {"vault_id": scene.disk_vault}}), json!({"sync": []})] {
        assert_eq!(scene.cbr().post(&path, body).await.refused(400), "BackupService.9900");
    }
}
