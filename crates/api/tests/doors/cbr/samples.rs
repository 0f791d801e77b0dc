//! The vendor's own examples of a backup and of its metadata, replayed: the same facts in the
//! catalogue, under the same ids, and the whole answer compared.

use serde_json::{Value, json};
use strongroom_model::backup::{Backup, Origin};
use strongroom_model::id::{BackupId, CheckpointId, DomainId, ServerId, SnapshotId, VolumeId};
use strongroom_model::project::Project;
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::vault::ObjectType;
use strongroom_service::servers::ServerDocuments;

use super::planted::{self, Row, at, plant};
use crate::world::{Access, World};

/// What the example of a backup says.
fn backup_sample() -> Value {
    serde_json::from_str(include_str!("backup_sample.json")).unwrap()
}

/// What the example of metadata says; its inner backup as a document.
fn metadata_sample() -> Value {
    serde_json::from_str(include_str!("metadata_sample.json")).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

/// A document in a string of the example.
fn inner(value: &Value) -> Value {
    serde_json::from_str(value.as_str().unwrap()).unwrap()
}

/// The project, the vault and the backup with its part as the example of a backup has them, with
/// the documents that the example of metadata has.
async fn replay() -> (World, Access) {
    let world = World::new().await;
    let sample = &backup_sample()["backup"];
    let (project, vault) = (text(sample, "project_id"), text(sample, "vault_id"));
    let owner = Project {
        id: planted::project(project),
        domain_id: DomainId::parse("default").unwrap(),
        name: "sample".to_owned(),
        description: String::new(),
        is_enabled: true,
        created_at: at("2019-05-08T00:00:00Z"),
    };
    let whole = whole(sample);
    let part = part(&whole, &sample["children"][0]);
    let rows = [
        Row::Project(owner),
        Row::Vault(planted::vault(project, vault, ObjectType::Server)),
        Row::Server(whole),
        Row::Disk(part),
    ];
    plant(&world, &rows).await;
    let user = world.make_user("sam").await;
    world.grant(&user, project, 2).await;
    let access = world.access(&user, project).await;
    (world, access)
}

fn whole(sample: &Value) -> ServerBackup {
    let documents = metadata_sample();
    let all = |key: &str| documents[key].as_array().unwrap().iter().map(inner).collect();
    let documents = ServerDocuments {
        server: inner(&documents["server"]),
        flavor: inner(&documents["flavor"]),
        interfaces: inner(&documents["interface"]),
        ports: all("ports"),
        floating_ips: all("floatingips"),
        volumes: all("volumes"),
    };
    ServerBackup {
        checkpoint_id: CheckpointId::parse(text(sample, "checkpoint_id")).unwrap(),
        server_id: ServerId::parse(text(sample, "resource_id")).unwrap(),
        server_name: text(sample, "resource_name").to_owned(),
        name: text(sample, "name").to_owned(),
        description: Some(text(sample, "description").to_owned()),
        availability_zone: Some(text(sample, "resource_az").to_owned()),
        is_automatic: true,
        documents: Some(serde_json::to_string(&documents).unwrap()),
        created_at: at(&format!("{}Z", text(sample, "created_at"))),
        updated_at: None,
        ..planted::server(text(sample, "project_id"), text(sample, "vault_id"), text(sample, "id"))
    }
}

fn part(whole: &ServerBackup, sample: &Value) -> Backup {
    let part = planted::part_of(whole, text(sample, "id"));
    Backup {
        volume_id: VolumeId::parse(text(sample, "resource_id")).unwrap(),
        snapshot_id: Some(SnapshotId::parse(text(&sample["extend_info"], "snapshot_id")).unwrap()),
        name: Some(text(sample, "name").to_owned()),
        created_at: at(&format!("{}Z", text(sample, "created_at"))),
        origin: Origin {
            volume_name: Some(text(sample, "resource_name").to_owned()),
            ..part.origin.clone()
        },
        ..part
    }
}

/// Asserts that whatever the example says is said with the same value, and collects what is said
/// besides, by its path.
fn compare(path: &str, sample: &Value, answer: &Value, besides: &mut Vec<String>) {
    match (sample, answer) {
        (Value::Object(sample), Value::Object(answer)) => {
            for (key, value) in sample {
                let found = answer.get(key).unwrap_or_else(|| panic!("{path}.{key} is missing"));
                compare(&format!("{path}.{key}"), value, found, besides);
            }
            let more = answer.iter().filter(|(key, _)| !sample.contains_key(*key));
            besides.extend(more.map(|(key, value)| format!("{path}.{key} = {value}")));
        }
        (Value::Array(sample), Value::Array(answer)) => {
            assert_eq!(sample.len(), answer.len(), "{path}");
            for (number, (sample, answer)) in sample.iter().zip(answer).enumerate() {
                compare(&format!("{path}[{number}]"), sample, answer, besides);
            }
        }
        // The vendor's service restores lazily, this one does not.
        _ if path.ends_with(".extend_info.support_lld") => {
            assert_eq!((sample, answer), (&Value::Bool(true), &Value::Bool(false)));
        }
        _ => assert_eq!(sample, answer, "{path}"),
    }
}

#[tokio::test]
async fn a_backup_is_answered_as_in_the_vendors_example() {
    let (world, access) = replay().await;
    let sample = backup_sample();
    let id = text(&sample["backup"], "id");
    let answer = world.cbr(&access).get(&format!("/v3/{{p}}/backups/{id}")).await.expect(200);
    let mut besides = Vec::new();
    compare("", &sample, &answer, &mut besides);
    // What the example leaves out is null there, or was added to the dialect later.
    insta::assert_snapshot!(besides.join("\n"), @r##"
    .backup.children[0].extend_info.incremental = false
    .backup.children[0].extend_info.support_lld = null
    .backup.children[0].extend_info.supported_restore_mode = null
    .backup.children[0].extend_info.os_images_data = null
    .backup.children[0].extend_info.contain_system_disk = null
    .backup.children[0].extend_info.system_disk = true
    .backup.children[0].extend_info.is_multi_az = false
    .backup.children[0].extend_info.progress = null
    .backup.children[0].extend_info.architecture = null
    .backup.children[0].extend_info.app_consistency = null
    .backup.children[0].description = null
    .backup.children[0].resource_az = null
    .backup.children[0].incremental = false
    .backup.children[0].version = 3
    .backup.children[0].scheduled_operation_id = null
    .backup.children[0].updated_at = null
    .backup.children[0].expired_at = null
    .backup.children[0].protected_at = null
    .backup.extend_info.bootable = null
    .backup.extend_info.incremental = true
    .backup.extend_info.snapshot_id = null
    .backup.extend_info.os_images_data = null
    .backup.extend_info.encrypted = true
    .backup.extend_info.system_disk = false
    .backup.extend_info.is_multi_az = false
    .backup.extend_info.progress = null
    .backup.extend_info.architecture = "x86_64"
    .backup.parent_id = null
    .backup.incremental = true
    .backup.version = 3
    .backup.scheduled_operation_id = null
    .backup.updated_at = null
    .backup.expired_at = null
    .backup.protected_at = null
    "##);
}

#[tokio::test]
async fn c37_metadata_is_answered_as_in_the_vendors_example() {
    let (world, access) = replay().await;
    let sample = metadata_sample();
    let id = text(&sample, "backup_id");
    let path = format!("/v3/{{p}}/backups/{id}/metadata");
    let answer = world.cbr(&access).get(&path).await.expect(200);
    let keys: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "backup_id",
        "backups",
        "server",
        "volumes",
        "interface",
        "flavor",
        "ports",
        "floatingips",
    ];
    assert_eq!(keys, expected);
    for key in ["backup_id", "server", "volumes", "interface", "flavor", "ports", "floatingips"] {
        assert_eq!(answer[key], sample[key], "{key}");
    }
    let mut besides = Vec::new();
    let bare = inner(&answer["backups"]);
    compare("", &sample["backups"], &bare, &mut besides);
    assert_eq!(answer["backups"], strongroom_service::servers::documents::spaced(&bare));
    assert_eq!(bare.get("enterprise_project_id"), None);
    insta::assert_snapshot!(besides.join("\n"), @r##"
    .extend_info.incremental = true
    .extend_info.encrypted = true
    .extend_info.system_disk = false
    .extend_info.is_multi_az = false
    .extend_info.architecture = "x86_64"
    .incremental = true
    .version = 3
    .scheduled_operation_id = null
    "##);
}

#[tokio::test]
async fn the_part_of_the_example_can_be_read_and_has_the_document_of_its_disk() {
    let (world, access) = replay().await;
    let sample = &backup_sample()["backup"]["children"][0];
    let id = text(sample, "id");
    let cbr = world.cbr(&access);
    let answer = cbr.get(&format!("/v3/{{p}}/backups/{id}")).await.expect(200);
    compare("", sample, &answer["backup"], &mut Vec::new());
    let metadata = cbr.get(&format!("/v3/{{p}}/backups/{id}/metadata")).await.expect(200);
    assert_eq!(metadata["volumes"], metadata_sample()["volumes"]);
    assert_eq!(metadata["server"], "");
    assert_eq!(metadata["ports"], json!([]));
}

#[tokio::test]
async fn an_example_is_listed_without_its_parts() {
    let (world, access) = replay().await;
    let answer = world.cbr(&access).get("/v3/{p}/backups").await.expect(200);
    assert_eq!(
        (&answer["count"], &answer["limit"], &answer["offset"]),
        (&json!(1), &json!(1000), &json!(0))
    );
    let mut sample = backup_sample()["backup"].clone();
    sample["children"] = json!([]);
    compare("", &sample, &answer["backups"][0], &mut Vec::new());
    let id = BackupId::parse(text(&sample, "id")).unwrap();
    let parts = format!("/v3/{{p}}/backups?parent_id={id}");
    let answer = world.cbr(&access).get(&parts).await.expect(200);
    assert_eq!(answer["count"], 1);
    compare("", &backup_sample()["backup"]["children"][0], &answer["backups"][0], &mut Vec::new());
}
