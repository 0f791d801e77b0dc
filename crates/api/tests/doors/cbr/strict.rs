//! Answers decoded as clients with static types decode them: no other type, no other key.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Value, json};
use strongroom_model::operation::OperationKind;
use strongroom_model::vault::ObjectType;

use super::planted::{self, Row, numbered, plant};
use crate::world::World;

/// An instant without a zone, with six digits.
#[derive(Debug)]
struct Instant;

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let shape: String =
            text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        match shape.as_str() {
            "0000-00-00T00:00:00.000000" => Ok(Self),
            _ => Err(D::Error::custom(format!("{text:?} has another layout"))),
        }
    }
}

macro_rules! strict {
    ($($name:ident { $($field:ident: $kind:ty,)* })*) => {$(
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "decoding is the test")]
        struct $name { $($field: $kind,)* }
    )*};
}

strict! {
    BackupEnvelope { backup: Backup, }
    Backup {
        id: String, checkpoint_id: String, vault_id: Option<String>, project_id: String,
        enterprise_project_id: String, provider_id: String, name: String,
        description: Option<String>, status: String, image_type: String, resource_type: String,
        resource_id: String, resource_name: String, resource_size: u32,
        resource_az: Option<String>, parent_id: Option<String>, children: Vec<Part>,
        incremental: bool, version: u32, scheduled_operation_id: Option<String>,
        created_at: Instant, updated_at: Option<Instant>, expired_at: Option<Instant>,
        protected_at: Option<Instant>, replication_records: Vec<Record>, extend_info: ExtendInfo,
    }
    Part {
        id: String, checkpoint_id: String, vault_id: Option<String>, project_id: String,
        provider_id: String, name: String, description: Option<String>, status: String,
        image_type: String, resource_type: String, resource_id: String, resource_name: String,
        resource_size: u32, resource_az: Option<String>, parent_id: Option<String>,
        children: [(); 0], incremental: bool, version: u32,
        scheduled_operation_id: Option<String>, created_at: Instant,
        updated_at: Option<Instant>, expired_at: Option<Instant>, protected_at: Option<Instant>,
        replication_records: [(); 0], extend_info: ExtendInfo,
    }
    ExtendInfo {
        auto_trigger: bool, bootable: Option<bool>, incremental: bool,
        snapshot_id: Option<String>, support_lld: Option<bool>,
        supported_restore_mode: Option<String>, os_images_data: Option<Vec<()>>,
        contain_system_disk: Option<bool>, encrypted: bool, system_disk: bool, is_multi_az: bool,
        progress: Option<u8>, architecture: Option<String>,
        app_consistency: Option<AppConsistency>,
    }
    AppConsistency {
        app_consistency: String, app_consistency_status: String,
        app_consistency_error_code: String, app_consistency_error_message: String,
    }
    Record {
        id: String, status: String, vault_id: String, created_at: Instant,
        source_backup_id: String, source_checkpoint_id: String, source_project_id: String,
        source_region: String, destination_backup_id: Option<String>,
        destination_checkpoint_id: Option<String>, destination_project_id: String,
        destination_region: String, destination_vault_id: String, extra_info: RecordInfo,
    }
    RecordInfo {
        progress: u8, fail_code: String, fail_reason: String, auto_trigger: bool,
        destination_vault_id: String,
    }
    MemberEnvelope { member: Member, }
    Member {
        id: String, backup_id: String, dest_project_id: String, status: String,
        created_at: Instant, updated_at: Option<Instant>, image_id: Option<String>,
        vault_id: Option<String>,
    }
    LogEnvelope { operation_log: Log, }
    Log {
        id: String, operation_type: String, status: String, project_id: String,
        provider_id: Option<String>, vault_id: Option<String>, vault_name: Option<String>,
        checkpoint_id: Option<String>, policy_id: Option<String>, created_at: Instant,
        started_at: Instant, updated_at: Instant, ended_at: Option<Instant>,
        error_info: ErrorInfo, extra_info: ExtraInfo,
    }
    ErrorInfo { code: String, message: String, }
    ExtraInfo { common: Common, resource: Resource, restore: Option<Restore>, }
    Common { progress: u8, request_id: String, task_id: String, }
    Resource { id: String, r#type: String, name: String, }
    Restore {
        backup_id: Option<String>, backup_name: String, target_resource_id: Option<String>,
        target_resource_name: Option<String>,
    }
    InstanceEnvelope { instance: Instance, }
    Instance {
        id: String, name: String, r#type: String, size: u32, status: String,
        protectable: Option<Protectable>, detail: Value, children: Vec<Instance>,
    }
    Protectable {
        result: bool, code: String, reason: String, message: String, vault: Option<Value>,
    }
}

#[track_caller]
fn decode<T: DeserializeOwned>(document: &Value) -> T {
    serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{error}: {document}"))
}

/// The documents that clients were tried with; the types here must take them.
#[test]
fn the_types_take_the_documents_that_clients_take() {
    let record = json!({
        "id": "a9", "status": "success", "vault_id": "6a0f",
        "created_at": "2026-01-16T11:00:00.000000", "source_backup_id": "b1",
        "source_checkpoint_id": "c0", "source_project_id": "0f1e", "source_region": "r1",
        "destination_backup_id": "f2", "destination_checkpoint_id": "c7",
        "destination_project_id": "aa", "destination_region": "r2",
        "destination_vault_id": "3d",
        "extra_info": {"progress": 100, "fail_code": "", "fail_reason": "",
            "auto_trigger": false, "destination_vault_id": "3d"},
    });
    decode::<Record>(&record);
    decode::<MemberEnvelope>(&json!({"member": {
        "id": "5f", "backup_id": "b1", "dest_project_id": "99aa", "status": "pending",
        "created_at": "2026-01-16T10:00:00.000000", "updated_at": null, "image_id": null,
        "vault_id": null,
    }}));
    decode::<LogEnvelope>(&json!({"operation_log": {
        "id": "0a", "operation_type": "restore", "status": "success", "project_id": "0f1e",
        "provider_id": "0daac4c5-6707-4851-97ba-169e36266b66", "vault_id": "6a0f",
        "vault_name": "nightly", "checkpoint_id": "c0", "policy_id": null,
        "created_at": "2026-01-16T09:00:00.100000", "started_at": "2026-01-16T09:00:00.100000",
        "updated_at": "2026-01-16T09:03:12.500000", "ended_at": "2026-01-16T09:03:12.500000",
        "error_info": {"code": "", "message": ""},
        "extra_info": {
            "common": {"progress": 100, "request_id": "req-5d", "task_id": "0a"},
            "resource": {"id": "b7c2", "type": "OS::Nova::Server", "name": "web-1"},
            "restore": {"backup_id": "b1", "backup_name": "manualbk_7f3a",
                "target_resource_id": "b7c2", "target_resource_name": "web-1"},
        },
    }}));
    decode::<InstanceEnvelope>(&json!({"instance": {
        "id": "b7c2", "name": "web-1", "type": "OS::Nova::Server", "size": 40, "status": "ACTIVE",
        "protectable": {"result": true, "code": "", "reason": "", "message": "", "vault": null},
        "detail": {}, "children": [{"id": "v1", "name": "web-1-root",
            "type": "OS::Cinder::Volume", "size": 40, "status": "in-use", "detail": {},
            "children": []}],
    }}));
}

#[tokio::test]
async fn every_answer_is_taken() {
    let (world, alpha, _) = World::with_projects().await;
    let p = alpha.member.project.as_str();
    let whole = planted::server(p, &numbered(1), &numbered(10));
    let part = planted::part_of(&whole, &numbered(11));
    let log = planted::operation(p, &numbered(30), OperationKind::Restore);
    let copied = replication(&whole);
    let rows = [
        Row::Vault(planted::vault(p, &numbered(1), ObjectType::Server)),
        Row::Disk(part),
        Row::Server(whole),
        Row::Operation(log),
        Row::Replication(copied),
    ];
    plant(&world, &rows).await;
    let volume = world.volume(&alpha.member).make_volume("v").await;
    let cbr = world.cbr(&alpha.member);
    let path = format!("/v3/{{p}}/backups/{}", numbered(10));
    let shown: BackupEnvelope = decode(&cbr.get(&path).await.expect(200));
    assert_eq!(shown.backup.children.len(), 1);
    assert_eq!(shown.backup.replication_records.len(), 1);
    let members = format!("{path}/members");
    let to = json!({"members": [world.admin.project]});
    let added = cbr.post(&members, to).await.expect(200);
    decode::<Vec<Member>>(&added["members"]);
    let member = cbr.get(&format!("{members}/{}", world.admin.project)).await.expect(200);
    decode::<MemberEnvelope>(&member);
    let log = cbr.get(&format!("/v3/{{p}}/operation-logs/{}", numbered(30))).await.expect(200);
    decode::<LogEnvelope>(&log);
    let disk = cbr.get(&format!("/v3/{{p}}/protectables/disk/instances/{volume}")).await;
    decode::<InstanceEnvelope>(&disk.expect(200));
}

#[tokio::test]
async fn records_of_copies_are_in_lists_when_they_are_asked_for() {
    let (world, alpha, _) = World::with_projects().await;
    let p = alpha.member.project.as_str();
    let whole = planted::server(p, &numbered(1), &numbered(10));
    let copied = replication(&whole);
    let rows = [
        Row::Vault(planted::vault(p, &numbered(1), ObjectType::Server)),
        Row::Server(whole),
        Row::Replication(copied),
    ];
    plant(&world, &rows).await;
    let cbr = world.cbr(&alpha.member);
    let plain = cbr.get("/v3/{p}/backups").await.expect(200);
    assert_eq!(plain["backups"][0]["replication_records"], json!([]));
    let asked = cbr.get("/v3/{p}/backups?show_replication=true").await.expect(200);
    let records: Vec<Record> = decode(&asked["backups"][0]["replication_records"]);
    assert_eq!(records[0].destination_region, "r2");
}

fn replication(
    whole: &strongroom_model::server_backup::ServerBackup,
) -> strongroom_model::replication::Replication {
    use strongroom_model::id::{ReplicationId, VaultId};
    use strongroom_model::replication::{Replication, ReplicationSide, ReplicationStatus};
    Replication {
        id: ReplicationId::parse(&numbered(0xa9)).unwrap(),
        side: ReplicationSide::Source,
        project_id: whole.project_id.clone(),
        vault_id: whole.vault_id,
        backup_id: whole.id,
        status: ReplicationStatus::Success,
        source_region: "r1".to_owned(),
        source_project_id: whole.project_id.to_string(),
        source_vault_id: whole.vault_id,
        source_backup_id: whole.id,
        source_checkpoint_id: whole.checkpoint_id,
        destination_region: "r2".to_owned(),
        destination_project_id: "aa".to_owned(),
        destination_vault_id: VaultId::parse(&numbered(0x3d)).unwrap(),
        destination_backup_id: None,
        destination_checkpoint_id: None,
        is_automatic: false,
        progress: 100,
        message: None,
        detail: strongroom_model::replication::ReplicationDetail::default(),
        created_at: planted::at("2026-01-16T11:00:00Z"),
        updated_at: None,
    }
}
