//! The log of operations.

use serde_json::{Value, json};
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, CheckpointId, VaultId};
use strongroom_model::operation::{
    Operation, OperationDetail, OperationFault, OperationKind, OperationStatus, ReplicationEnds,
};
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::vault::ObjectType;

use super::planted::{self, Row, at, numbered, plant};
use crate::world::{Access, World};

const LOGS: &str = "/v3/{p}/operation-logs";

/// A project with one operation of each kind, numbered in the order in which they began.
async fn scene() -> (World, Access) {
    let (world, alpha, _) = World::with_projects().await;
    let p = alpha.member.project.as_str();
    let rows = all(p).into_iter().map(Row::Operation);
    let vault = planted::vault(p, &numbered(0x6a), ObjectType::Server);
    let rows: Vec<_> = [Row::Vault(vault)].into_iter().chain(rows).collect();
    plant(&world, &rows).await;
    (world, alpha.member)
}

fn all(project: &str) -> Vec<Operation> {
    let server = ResourceId::parse(&numbered(0x5e)).unwrap();
    let kinds = OperationKind::ALL.iter().zip(1..);
    let mut all: Vec<_> = kinds
        .map(|(kind, number)| Operation {
            vault_id: Some(VaultId::parse(&numbered(0x6a)).unwrap()),
            vault_name: Some("nightly".to_owned()),
            checkpoint_id: Some(CheckpointId::parse(&numbered(0xc0)).unwrap()),
            resource: Some((server, ResourceKind::Server, "web-1".to_owned())),
            backup_id: Some(BackupId::parse(&numbered(0xb1)).unwrap()),
            backup_name: Some("manualbk_7f3a".to_owned()),
            detail: detail(*kind, server),
            created_at: at(&format!("2026-01-16T09:00:{number:02}.100000Z")),
            ..planted::operation(project, &numbered(number), *kind)
        })
        .collect();
    all[5].resource = None;
    all
}

fn detail(kind: OperationKind, server: ResourceId) -> OperationDetail {
    let id = |number| BackupId::parse(&numbered(number)).unwrap();
    let ends = ReplicationEnds {
        source_region: "r1".to_owned(),
        source_project_id: "p1".to_owned(),
        source_checkpoint_id: CheckpointId::parse(&numbered(0xc0)).unwrap(),
        source_backup_id: id(0xb1),
        source_backup_name: "manualbk_7f3a".to_owned(),
        destination_region: "r2".to_owned(),
        destination_project_id: "p2".to_owned(),
        destination_vault_id: VaultId::parse(&numbered(0x3d)).unwrap(),
        destination_checkpoint_id: None,
        destination_backup_id: Some(id(0xf2)),
        destination_backup_name: "copy".to_owned(),
    };
    OperationDetail {
        target: Some((server, "web-1".to_owned())),
        power_on: None,
        total: Some(3),
        failed: Some(1),
        resources: vec![(server, ResourceKind::Server, "web-1".to_owned())],
        expiration_day: Some("2026-02-28".to_owned()),
        replication: (kind == OperationKind::Replication).then_some(ends),
        wants_application_consistency: None,
    }
}

async fn listed(world: &World, access: &Access, query: &str) -> Vec<u32> {
    let answer = world.cbr(access).get(&format!("{LOGS}?{query}")).await.expect(200);
    let ids = answer["operation_logs"].as_array().unwrap().iter();
    ids.map(|one| u32::from_str_radix(&one["id"].as_str().unwrap()[..8], 16).unwrap()).collect()
}

#[tokio::test]
async fn c18_c35_each_kind_says_what_goes_with_it() {
    let (world, access) = scene().await;
    let answer = world.cbr(&access).get(LOGS).await.expect(200);
    assert_eq!(
        (&answer["count"], &answer["limit"], &answer["offset"]),
        (&json!(8), &json!(1000), &json!(0))
    );
    let logs = answer["operation_logs"].as_array().unwrap();
    for log in logs {
        assert_eq!(log["error_info"], json!({"code": "", "message": ""}));
        assert!(log["extra_info"]["backup"].get("incremental").is_none());
        let path = format!("{LOGS}/{}", log["id"].as_str().unwrap());
        let one = world.cbr(&access).get(&path).await.expect(200);
        assert_eq!(one["operation_log"], *log);
    }
    let extras: Vec<_> = logs
        .iter()
        .rev()
        .map(|log| {
            let mut extra = log["extra_info"].as_object().unwrap().clone();
            extra.shift_remove("common").unwrap();
            format!("{} {}", log["operation_type"], Value::Object(extra))
        })
        .collect();
    insta::assert_snapshot!(extras.join("\n"), @r##"
    "backup" {"resource":{"id":"0000005e-0000-4000-8000-000000000000","type":"OS::Nova::Server","name":"web-1"},"backup":{"backup_id":"000000b1-0000-4000-8000-000000000000","backup_name":"manualbk_7f3a","app_consistency_status":"0","app_consistency_error_code":"0","app_consistency_error_message":""}}
    "replication" {"resource":{"id":"0000005e-0000-4000-8000-000000000000","type":"OS::Nova::Server","name":"web-1"},"replication":{"source_backup_id":"000000b1-0000-4000-8000-000000000000","source_backup_name":"manualbk_7f3a","source_checkpoint_id":"000000c0-0000-4000-8000-000000000000","source_project_id":"p1","source_region":"r1","destination_backup_id":"000000f2-0000-4000-8000-000000000000","destination_backup_name":"copy","destination_checkpoint_id":null,"destination_project_id":"p2","destination_region":"r2"}}
    "restore" {"resource":{"id":"0000005e-0000-4000-8000-000000000000","type":"OS::Nova::Server","name":"web-1"},"restore":{"backup_id":"000000b1-0000-4000-8000-000000000000","backup_name":"manualbk_7f3a","target_resource_id":"0000005e-0000-4000-8000-000000000000","target_resource_name":"web-1"}}
    "delete" {"resource":{"id":"0000005e-0000-4000-8000-000000000000","type":"OS::Nova::Server","name":"web-1"},"delete":{"backup_id":"000000b1-0000-4000-8000-000000000000","backup_name":"manualbk_7f3a"}}
    "sync" {"resource":{"id":"0000005e-0000-4000-8000-000000000000","type":"OS::Nova::Server","name":"web-1"},"sync":{"sync_backup_num":2,"delete_backup_num":0,"err_sync_backup_num":1}}
    "vault_delete" {"resource":{"id":"0000006a-0000-4000-8000-000000000000","type":"","name":"nightly"},"vault_delete":{"fail_count":1,"total_count":3,"fail_delete_count":1,"total_delete_count":3}}
    "remove_resource" {"resource":{"id":"0000005e-0000-4000-8000-000000000000","type":"OS::Nova::Server","name":"web-1"},"remove_resources":{"fail_count":1,"total_count":3,"resources":[{"id":"0000005e-0000-4000-8000-000000000000","type":"OS::Nova::Server","name":"web-1"}]}}
    "update_expiration_time" {"resource":{"id":"0000005e-0000-4000-8000-000000000000","type":"OS::Nova::Server","name":"web-1"},"update_expiration_time":{"affected_backups_count":3,"expiration_day":"2026-02-28"}}
    "##);
    let keys: Vec<_> = logs[7].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "id",
            "operation_type",
            "status",
            "project_id",
            "provider_id",
            "vault_id",
            "vault_name",
            "checkpoint_id",
            "policy_id",
            "created_at",
            "started_at",
            "updated_at",
            "ended_at",
            "error_info",
            "extra_info",
        ]
    );
}

#[tokio::test]
async fn every_filter_filters() {
    let (world, access) = scene().await;
    let everything = vec![8, 7, 6, 5, 4, 3, 2, 1];
    for (query, expected) in [
        ("operation_type=restore".to_owned(), vec![3]),
        ("operation_type=copy".to_owned(), vec![2]),
        ("operation_type=replication".to_owned(), vec![2]),
        ("status=success".to_owned(), everything.clone()),
        ("status=failed".to_owned(), vec![]),
        ("provider_id=0daac4c5-6707-4851-97ba-169e36266b66".to_owned(), everything.clone()),
        ("provider_id=d1603440-187d-4516-af25-121250c7cc97".to_owned(), vec![]),
        (format!("resource_id={}", numbered(0x5e)), vec![8, 7, 5, 4, 3, 2, 1]),
        ("resource_name=web".to_owned(), vec![8, 7, 5, 4, 3, 2, 1]),
        ("resource_name=Web".to_owned(), vec![]),
        (format!("vault_id={}", numbered(0x6a)), everything.clone()),
        (format!("vault_id={}", numbered(0x6b)), vec![]),
        ("vault_name=night".to_owned(), everything.clone()),
        ("vault_name=x".to_owned(), vec![]),
        ("enterprise_project_id=0".to_owned(), everything.clone()),
        ("enterprise_project_id=x".to_owned(), vec![]),
        ("destination_region=r2".to_owned(), vec![2]),
        ("destination_region=r1".to_owned(), vec![]),
        ("destination_project_id=p2".to_owned(), vec![2]),
        ("start_time=2026-01-16T09:00:07".to_owned(), vec![8, 7]),
        ("end_time=2026-01-16T09:03:00Z".to_owned(), vec![]),
        ("end_time=2026-01-16T09:04:00Z".to_owned(), everything.clone()),
        ("limit=2&offset=1".to_owned(), vec![7, 6]),
        (format!("limit=2&marker={}", numbered(6)), vec![5, 4]),
        (format!("marker={}", numbered(99)), vec![]),
    ] {
        assert_eq!(listed(&world, &access, &query).await, expected, "{query}");
    }
    for query in [
        "limit=0",
        "offset=x",
        "marker=x",
        "operation_type=x",
        "status=x",
        "provider_id=x",
        "resource_id=x",
        "vault_id=x",
        "start_time=x",
        "end_time=x",
    ] {
        let answer = world.cbr(&access).get(&format!("{LOGS}?{query}")).await;
        assert_eq!(answer.refused(400), "BackupService.9900", "{query}");
    }
    for id in ["x", &numbered(99)] {
        let answer = world.cbr(&access).get(&format!("{LOGS}/{id}")).await;
        assert_eq!(answer.refused(404), "BackupService.6500", "{id}");
    }
}

#[tokio::test]
async fn what_failed_says_why_and_what_goes_on_says_how_far_it_is() {
    let (world, alpha, _) = World::with_projects().await;
    let access = alpha.member;
    let p = access.project.as_str();
    let vault = planted::vault(p, &numbered(2), ObjectType::Disk);
    let running = Backup {
        status: BackupStatus::Creating,
        progress: 37,
        ..planted::disk(p, &numbered(2), &numbered(20))
    };
    let about = (running.volume_id.into(), ResourceKind::Volume, "data-1".to_owned());
    let going_on = Operation {
        status: OperationStatus::Running,
        resource: Some(about.clone()),
        backup_id: Some(running.id),
        progress: 0,
        ended_at: None,
        ..planted::operation(p, &numbered(1), OperationKind::Backup)
    };
    let left_out = Operation {
        status: OperationStatus::Skipped,
        resource: Some(about),
        fault: Some(OperationFault::ResourceState),
        message: Some("the disk is in error".to_owned()),
        ..planted::operation(p, &numbered(2), OperationKind::Backup)
    };
    let rows =
        [Row::Vault(vault), Row::Disk(running), Row::Operation(going_on), Row::Operation(left_out)];
    plant(&world, &rows).await;
    let show = async |number: u32| {
        let path = format!("{LOGS}/{}", numbered(number));
        world.cbr(&access).get(&path).await.expect(200)["operation_log"].clone()
    };
    let going_on = show(1).await;
    assert_eq!(going_on["extra_info"]["common"]["progress"], 37);
    assert_eq!((&going_on["status"], &going_on["ended_at"]), (&json!("running"), &Value::Null));
    let left_out = show(2).await;
    let why = json!({"code": "BackupService.7003", "message": "the disk is in error"});
    assert_eq!(left_out["error_info"], why);
    assert!(left_out["extra_info"].get("backup").is_none());
}

#[tokio::test]
async fn a_backup_by_the_volume_door_is_logged_from_its_beginning_to_its_end() {
    let (world, alpha, _) = World::with_projects().await;
    let access = alpha.member;
    let native = world.volume(&access);
    let volume = native.make_volume("v").await;
    let backup = native.make_backup(&volume, "b").await;
    let logs = world.cbr(&access).get(LOGS).await.expect(200);
    let log = &logs["operation_logs"][0];
    assert_eq!((&log["operation_type"], &log["status"]), (&json!("backup"), &json!("success")));
    assert_eq!(log["extra_info"]["common"]["progress"], 100);
    assert_eq!(log["extra_info"]["backup"]["backup_id"], backup.as_str());
    assert_eq!(log["extra_info"]["resource"]["id"], volume.as_str());
    assert!(log["ended_at"].is_string());
}
