//! Backups and what is done with one.

use serde_json::{Value, json};

use super::operation::{Kind, LIMIT, MARKER, OFFSET, Operation, Parameter, operation, parameter};
use super::schema::{
    count, flag, instant, list, list_of, named, needing, nullable, object, only, pattern, range,
    text, uuid, wished_uuid, wishes, word,
};
use crate::cbr::code::Code;

const STATUSES: &[&str] = &[
    "available",
    "protecting",
    "deleting",
    "restoring",
    "error",
    "waiting_protect",
    "waiting_delete",
    "waiting_restore",
];

const RESOURCE_TYPES: &[&str] = &[
    "OS::Nova::Server",
    "OS::Cinder::Volume",
    "OS::Ironic::BareMetalServer",
    "OS::Native::Server",
    "OS::Sfs::Turbo",
    "OS::Workspace::DesktopV2",
];

const FILTERS: &[Parameter] = &[
    LIMIT,
    OFFSET,
    MARKER,
    parameter("sort", Kind::Text),
    parameter("checkpoint_id", Kind::Id),
    parameter("dec", Kind::Flag),
    parameter("start_time", Kind::Instant),
    parameter("end_time", Kind::Instant),
    parameter("image_type", Kind::Word(&["backup", "replication"])),
    parameter("name", Kind::Text),
    parameter("resource_name", Kind::Text),
    parameter("resource_az", Kind::Text),
    parameter("resource_id", Kind::Id),
    parameter("resource_type", Kind::Word(RESOURCE_TYPES)),
    parameter("vault_id", Kind::Id),
    parameter("parent_id", Kind::Id),
    parameter("status", Kind::Words(STATUSES)),
    parameter("enterprise_project_id", Kind::Text),
    parameter("own_type", Kind::Word(&["private", "shared", "all_granted"])),
    parameter("member_status", Kind::Word(&["pending", "accepted", "rejected"])),
    parameter("used_percent", Kind::Whole(1, 100)),
    parameter("show_replication", Kind::Flag),
    parameter("incremental", Kind::Flag),
    parameter("existed_quantity_based_retention_backups", Kind::Flag),
];

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: FILTERS,
        answer: (200, Some("Backups")),
        ..operation("listBackups", "Backups of disks and of servers")
    },
    Operation {
        answer: (200, Some("BackupEnvelope")),
        codes: &[Code::BackupNotFound],
        ..operation("showBackup", "One backup with its parts")
    },
    Operation {
        request: Some("BackupUpdate"),
        answer: (200, Some("BackupEnvelope")),
        codes: &[Code::BackupNotFound],
        ..operation("updateBackup", "Give a backup another name")
    },
    Operation {
        answer: (204, None),
        codes: &[
            Code::BackupNotFound,
            Code::BackupNotDeletable,
            Code::BackupInUse,
            Code::BackupLocked,
        ],
        ..operation("deleteBackup", "Remove a backup")
    },
    Operation {
        answer: (200, Some("BackupMetadata")),
        codes: &[Code::BackupNotFound, Code::BackupStatusForbidsMetadata],
        ..operation("showMetadata", "What was known of what was backed up")
    },
    Operation {
        request: Some("RestoreBody"),
        answer: (202, Some("RestoreJob")),
        codes: &[
            Code::BackupNotFound,
            Code::DiskSmallerThanBackup,
            Code::ResourceBeingBackedUp,
            Code::OtherTargetNotAllowed,
            Code::BackupNotRestorable,
            Code::ServerDeleted,
            Code::ServerStatusForbidsRestore,
            Code::ResourceBeingRestored,
            Code::DiskStatusForbidsRestore,
            Code::SomeDisksNotRestorable,
            Code::DataDiskToSystemDisk,
            Code::ArchitecturesDiffer,
            Code::VaultStatusForbidsRestore,
            Code::DiskNotFound,
            Code::ServerNotFound,
        ],
        ..operation("restoreBackup", "Write a backup over a disk, or over the disks of a server")
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let update = needing([("name", named("Name"))], []);
    vec![
        (
            "Backups",
            object([
                ("backups", list(named("Backup"))),
                ("count", count()),
                ("limit", range(1, 1000)),
                ("offset", count()),
            ]),
        ),
        ("BackupEnvelope", object([("backup", named("Backup"))])),
        ("BackupUpdate", needing([("backup", update)], [])),
        ("Backup", backup(Some(list(named("BackupPart"))))),
        ("BackupPart", backup(None)),
        ("BackupExtendInfo", extend_info()),
        ("ReplicationRecord", record()),
        ("BackupMetadata", metadata()),
        ("RestoreBody", needing([("restore", restore())], [])),
        ("RestoreJob", object([("job_id", uuid())])),
    ]
}

fn restore() -> Value {
    let mapping = needing([("backup_id", wished_uuid()), ("volume_id", wished_uuid())], []);
    wishes([
        ("server_id", wished_uuid()),
        ("volume_id", wished_uuid()),
        ("resource_id", wished_uuid()),
        ("mappings", list_of(mapping, 0, 256)),
        ("power_on", flag()),
    ])
}

/// A backup. A part of one has no parts, and no enterprise project.
fn backup(children: Option<Value>) -> Value {
    let is_whole = children.is_some();
    let empty = json!({"type": "array", "maxItems": 0});
    let mut described = object([
        ("id", uuid()),
        ("checkpoint_id", uuid()),
        ("vault_id", nullable(uuid())),
        ("project_id", text()),
        ("provider_id", uuid()),
        ("name", text()),
        ("description", nullable(text())),
        ("status", word(["available", "protecting", "deleting", "restoring", "error"])),
        ("image_type", word(["backup", "replication"])),
        ("resource_type", word(["OS::Nova::Server", "OS::Cinder::Volume"])),
        ("resource_id", uuid()),
        ("resource_name", text()),
        ("resource_size", count()),
        ("resource_az", nullable(text())),
        ("parent_id", nullable(uuid())),
        ("children", children.unwrap_or(empty)),
        ("incremental", flag()),
        ("version", only(3)),
        ("scheduled_operation_id", nullable(uuid())),
        ("created_at", instant()),
        ("updated_at", nullable(instant())),
        ("expired_at", nullable(instant())),
        ("protected_at", nullable(instant())),
        ("replication_records", list(named("ReplicationRecord"))),
        ("extend_info", named("BackupExtendInfo")),
    ]);
    if is_whole {
        described["properties"]["enterprise_project_id"] = text();
        if let Some(keys) = described["required"].as_array_mut() {
            keys.push("enterprise_project_id".into());
        }
    }
    described
}

fn extend_info() -> Value {
    let digit = || pattern("^[01]$");
    let consistency = object([
        ("app_consistency", digit()),
        ("app_consistency_status", digit()),
        ("app_consistency_error_code", text()),
        ("app_consistency_error_message", text()),
    ]);
    object([
        ("auto_trigger", flag()),
        ("bootable", nullable(flag())),
        ("incremental", flag()),
        ("snapshot_id", nullable(uuid())),
        ("support_lld", nullable(flag())),
        ("supported_restore_mode", json!({"enum": ["na", "backup", "snapshot", null]})),
        ("os_images_data", only(Value::Null)),
        ("contain_system_disk", nullable(flag())),
        ("encrypted", flag()),
        ("system_disk", flag()),
        ("is_multi_az", flag()),
        ("progress", nullable(range(0, 100))),
        ("architecture", nullable(text())),
        ("app_consistency", nullable(consistency)),
    ])
}

fn record() -> Value {
    let extra = object([
        ("progress", range(0, 100)),
        ("fail_code", text()),
        ("fail_reason", text()),
        ("auto_trigger", flag()),
        ("destination_vault_id", uuid()),
    ]);
    object([
        ("id", uuid()),
        ("status", word(["replicating", "success", "fail", "skip", "waiting_replicate"])),
        ("vault_id", uuid()),
        ("created_at", instant()),
        ("source_backup_id", uuid()),
        ("source_checkpoint_id", uuid()),
        ("source_project_id", text()),
        ("source_region", text()),
        ("destination_backup_id", nullable(uuid())),
        ("destination_checkpoint_id", nullable(uuid())),
        ("destination_project_id", text()),
        ("destination_region", text()),
        ("destination_vault_id", uuid()),
        ("extra_info", extra),
    ])
}

/// Documents as strings that hold JSON.
fn metadata() -> Value {
    object([
        ("backup_id", uuid()),
        ("backups", text()),
        ("server", text()),
        ("volumes", list(text())),
        ("interface", text()),
        ("flavor", text()),
        ("ports", list(text())),
        ("floatingips", list(text())),
    ])
}
