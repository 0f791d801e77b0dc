//! Copies in other regions.

use serde_json::{Value, json};

use super::operation::{Operation, operation};
use super::schema::{
    flag, list, list_of, name, named, needing, object, pattern, range, text, text_of, uuid,
    wished_uuid,
};
use crate::cbr::code::Code;

/// The refusals that both ways to replicate share.
const REFUSALS: &[Code] = &[
    Code::BackupTypeNotReplicable,
    Code::RegionWithoutReplication,
    Code::AlreadyReplicated,
    Code::DestinationWithoutReplication,
    Code::DestinationVaultNotFound,
    Code::VaultTypeForbidsReplication,
    Code::DestinationVaultFull,
    Code::BackupNotFound,
    Code::VaultNotFound,
    Code::InvalidVaultStatus,
];

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        request: Some("ReplicateBackup"),
        answer: (200, Some("BackupReplication")),
        codes: REFUSALS,
        ..operation("replicateBackup", "Copy a backup to another region")
    },
    Operation {
        request: Some("SyncBackups"),
        codes: &[Code::VaultWithoutSync],
        ..operation("syncBackups", "Bring in backups of another site, of which there is none")
    },
    Operation {
        request: Some("ReplicateCheckpoint"),
        answer: (200, Some("CheckpointReplication")),
        codes: REFUSALS,
        ..operation("replicateCheckpoint", "Copy what a vault holds to another region")
    },
    Operation {
        answer: (200, Some("ReplicationCapabilities")),
        ..operation("showReplicationCapabilities", "Where copies can go")
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let region = || pattern("^[a-zA-Z0-9._-]{0,255}$");
    let project = || text_of(1, 64);
    let plain = || pattern("^[^<>\\x00]{0,255}$");
    let one = needing(
        [
            ("destination_project_id", project()),
            ("destination_region", region()),
            ("destination_vault_id", wished_uuid()),
        ],
        [("name", name()), ("description", plain()), ("enable_acceleration", flag())],
    );
    let all = needing(
        [
            ("vault_id", wished_uuid()),
            ("destination_project_id", project()),
            ("destination_region", region()),
            ("destination_vault_id", wished_uuid()),
        ],
        [("auto_trigger", flag()), ("enable_acceleration", flag())],
    );
    let foreign = needing(
        [
            ("backup_id", text_of(1, 255)),
            ("backup_name", name()),
            ("bucket_name", text_of(0, 255)),
            ("created_at", range(0, i64::MAX)),
            ("image_path", text_of(0, 1024)),
            ("resource_id", text_of(1, 255)),
            ("resource_name", text_of(0, 255)),
        ],
        [("resource_type", text_of(1, 255))],
    );
    let bodies = vec![
        ("ReplicateBackup", needing([("replicate", one)], [])),
        ("ReplicateCheckpoint", needing([("replicate", all)], [])),
        ("SyncBackups", needing([("sync", list_of(foreign, 1, 50))], [])),
    ];
    bodies.into_iter().chain(answers()).collect()
}

/// The schemas of what is answered.
fn answers() -> Vec<(&'static str, Value)> {
    let began = object([("backup_id", uuid()), ("replication_record_id", uuid())]);
    let ends = |own: Value| {
        let mut schema = object([
            ("destination_project_id", text()),
            ("destination_region", text()),
            ("destination_vault_id", uuid()),
            ("project_id", text()),
            ("provider_id", uuid()),
            ("source_region", text()),
        ]);
        for (key, value) in own.as_object().into_iter().flatten() {
            schema["properties"][key] = value.clone();
            if let Some(required) = schema["required"].as_array_mut() {
                required.push(json!(key));
            }
        }
        schema
    };
    let place = object([("name", text()), ("replication_destinations", list(text()))]);
    vec![
        (
            "BackupReplication",
            object([(
                "replication",
                ends(json!({"backup_id": uuid(), "replication_record_id": uuid()})),
            )]),
        ),
        ("StartedReplication", began),
        (
            "CheckpointReplication",
            object([(
                "replication",
                ends(json!({"backups": list(named("StartedReplication")), "vault_id": uuid()})),
            )]),
        ),
        ("ReplicationCapabilities", object([("regions", list(place))])),
    ]
}
