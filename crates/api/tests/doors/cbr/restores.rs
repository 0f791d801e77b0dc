//! Restores: what they answer, how they are followed, and what is refused.

use serde_json::{Value, json};

use super::checkpoints::Scene;
use super::planted::numbered;

fn path(backup: &str) -> String {
    format!("/v3/{{p}}/backups/{backup}/restore")
}

impl Scene {
    /// The log of a restore that was accepted.
    async fn log_of(&self, answer: &Value) -> Value {
        let id = answer["job_id"].as_str().unwrap();
        let log = self.cbr().get(&format!("/v3/{{p}}/operation-logs/{id}")).await.expect(200);
        log["operation_log"].clone()
    }

    async fn refused(&self, backup: &str, restore: Value) -> String {
        let answer = self.cbr().post(&path(backup), json!({"restore": restore.clone()})).await;
        let status = answer.status;
        assert!([400, 404].contains(&status), "{restore}: {}", answer.text);
        answer.refused(status).trim_start_matches("BackupService.").to_owned()
    }

    /// The backups of a server's disks: of the root, of the data.
    async fn parts(&self, backup: &str) -> [String; 2] {
        let shown = self.cbr().get(&format!("/v3/{{p}}/backups/{backup}")).await.expect(200);
        let children = shown["backup"]["children"].as_array().unwrap().clone();
        let of = |disk: &str| {
            let child = children.iter().find(|child| child["resource_id"] == disk).unwrap();
            child["id"].as_str().unwrap().to_owned()
        };
        [of(&self.disks[0]), of(&self.disks[1])]
    }
}

#[tokio::test]
async fn c06_a_restore_answers_with_the_log_to_ask_after() {
    let scene = Scene::new().await;
    let (_, of_disk) = scene.run(&scene.disk_vault).await;
    let (_, of_server) = scene.run(&scene.server_vault).await;
    let [root, data] = scene.parts(&of_server).await;
    let mappings = json!([
        {"backup_id": root, "volume_id": scene.disks[0]},
        {"backup_id": data, "volume_id": scene.disks[1]},
    ]);
    for (backup, restore, target) in [
        (&of_disk, json!({"volume_id": scene.disks[2]}), &scene.disks[2]),
        (&of_disk, json!({"resource_id": scene.disks[2], "mappings": []}), &scene.disks[2]),
        (&of_server, json!({"server_id": scene.server, "power_on": false}), &scene.server),
        (&of_server, json!({"resource_id": scene.server, "mappings": mappings}), &scene.server),
    ] {
        let answer = scene.cbr().post(&path(backup), json!({"restore": restore})).await;
        let answer = answer.expect(202);
        assert_eq!(answer.as_object().unwrap().len(), 1);
        let log = scene.log_of(&answer).await;
        assert_eq!(
            (&log["operation_type"], &log["status"]),
            (&json!("restore"), &json!("running"))
        );
        let again = scene.cbr().post(&path(backup), json!({"restore": restore})).await;
        assert_eq!(again.refused(400), "BackupService.2005");
        scene.world.settle().await;
        let log = scene.log_of(&answer).await;
        assert_eq!((&log["status"], log["ended_at"].is_null()), (&json!("success"), false));
        assert_eq!(log["extra_info"]["restore"]["target_resource_id"], *target);
        assert_eq!(log["extra_info"]["restore"]["backup_id"], **backup);
        let shown = scene.cbr().get(&format!("/v3/{{p}}/backups/{backup}")).await.expect(200);
        assert_eq!(shown["backup"]["status"], "available");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_its_code() {
    let scene = Scene::new().await;
    let (_, of_disk) = scene.run(&scene.disk_vault).await;
    let (_, of_server) = scene.run(&scene.server_vault).await;
    let [root, data] = scene.parts(&of_server).await;
    let (server, alone) = (&scene.server, &scene.disks[2]);
    for body in [json!({}), json!([]), json!({"restore": null}), json!({"restore": "now"})] {
        let answer = scene.cbr().post(&path(&of_disk), body).await;
        assert_eq!(answer.refused(400), "BackupService.9900");
    }
    let unknown = numbered(0x999);
    let map = |pairs: &[(&str, &str)]| {
        let pairs =
            pairs.iter().map(|(backup, volume)| json!({"backup_id": backup, "volume_id": volume}));
        json!({"server_id": server, "mappings": pairs.collect::<Vec<_>>()})
    };
    for (backup, restore, code) in [
        (&of_disk, json!({}), "9900"),
        (&of_disk, json!({"volume_id": "root"}), "9900"),
        (&of_disk, json!({"volume_id": alone, "resource_id": unknown}), "9900"),
        (&of_disk, json!({"server_id": server}), "9900"),
        (&of_disk, json!({"volume_id": alone, "power_on": "yes"}), "9900"),
        (&of_disk, json!({"volume_id": unknown}), "7000"),
        (&unknown, json!({"volume_id": alone}), "6200"),
        (&"nightly".to_owned(), json!({"volume_id": alone}), "6200"),
        (&root, json!({"volume_id": scene.disks[0]}), "2003"),
        (&of_server, json!({"volume_id": alone}), "9900"),
        (&of_server, json!({"server_id": unknown}), "7100"),
        (&of_server, json!({"server_id": server, "mappings": {}}), "9900"),
        (&of_server, json!({"server_id": server, "mappings": [{"backup_id": root}]}), "9900"),
        (&of_server, map(&[(&root, &scene.disks[0]), (&data, &scene.disks[0])]), "9900"),
        (&of_server, map(&[(&of_disk, &scene.disks[0])]), "9900"),
        (&of_server, map(&[(&root, alone)]), "2003"),
        (&of_server, map(&[(&root, &unknown)]), "7000"),
        (&of_server, map(&[(&data, &scene.disks[0])]), "2013"),
    ] {
        assert_eq!(scene.refused(backup, restore.clone()).await, code, "{restore}");
    }
}

#[tokio::test]
async fn busy_targets_are_told_apart() {
    let scene = Scene::new().await;
    let (_, of_disk) = scene.run(&scene.disk_vault).await;
    let (_, of_server) = scene.run(&scene.server_vault).await;
    let native = scene.world.volume(&scene.access);
    let onto_disk = json!({"volume_id": scene.disks[2]});
    let onto_server = json!({"server_id": scene.server});

    let body = json!({"backup": {"volume_id": scene.disks[2], "name": "busy"}});
    native.post("/v3/{p}/backups", body).await.expect(202);
    assert_eq!(scene.refused(&of_disk, onto_disk.clone()).await, "2002");
    scene.world.settle().await;

    let second = native.make_backup(&scene.disks[0], "root").await;
    let body = json!({"restore": {"volume_id": scene.disks[0]}});
    native.post(&format!("/v3/{{p}}/backups/{second}/restore"), body).await.expect(202);
    assert_eq!(scene.refused(&of_server, onto_server.clone()).await, "2010");
    scene.world.settle().await;

    let id = strongroom_model::id::ServerId::parse(&scene.server).unwrap();
    let project = strongroom_model::id::ProjectId::parse(&scene.access.project).unwrap();
    scene.world.service.forget_server(&project, id).await.unwrap();
    assert_eq!(scene.refused(&of_server, onto_server).await, "2007");

    let foreign = scene.world.cbr(&scene.other);
    let answer = foreign.post(&path(&of_disk), json!({"restore": onto_disk})).await;
    assert_eq!(answer.refused(404), "BackupService.6200");
}

#[tokio::test]
async fn the_disks_of_a_servers_backup_come_back_through_the_volume_door_too() {
    let scene = Scene::new().await;
    let (_, of_server) = scene.run(&scene.server_vault).await;
    let [root, _] = scene.parts(&of_server).await;
    let native = scene.world.volume(&scene.access);
    native.post(&path(&root), json!({"restore": {}})).await.expect(202);
    scene.world.settle().await;
    let refused = native.delete(&format!("/v3/{{p}}/backups/{root}")).await.refusal(400);
    assert!(refused.contains(&of_server), "{refused}");
    let refused = scene.cbr().delete(&format!("/v3/{{p}}/backups/{root}")).await;
    assert_eq!(refused.refused(400), "BackupService.6201");
}
