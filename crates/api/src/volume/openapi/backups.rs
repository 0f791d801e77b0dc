//! OpenStack's native operations on backups.

use serde_json::{Value, json};

use super::operation::{Kind, Operation, Parameter, Schema, cinder, newer, parameter};
use super::schema::{
    choice, count, flag, instant, list, named, nullable, object, only, open, pattern, requiring,
    short_text, text, uuid, with_optional, word,
};
use crate::volume::record;

/// What every list of this dialect takes.
const LIST: &[Parameter] = &[
    parameter("limit", Kind::Whole),
    parameter("offset", Kind::Whole),
    parameter("marker", Kind::Text),
    parameter("sort", Kind::Text),
    parameter("sort_key", Kind::Text),
    parameter("sort_dir", Kind::Word(&["asc", "desc"])),
    parameter("all_tenants", Kind::Flag),
    newer("with_count", Kind::Flag, "3.45"),
    parameter("name", Kind::Text),
    parameter("status", Kind::Text),
    parameter("volume_id", Kind::Text),
    newer("name~", Kind::Text, "3.31"),
    newer("status~", Kind::Text, "3.31"),
    newer("volume_id~", Kind::Text, "3.31"),
];

const SUMMARY: Option<Schema> = Some(Schema::One("BackupSummary"));
const METADATA: Option<Schema> = Some(Schema::One("Metadata"));
const METADATA_ITEM: Option<Schema> = Some(Schema::One("MetadataItem"));

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: LIST,
        answer: (200, Some(Schema::Each("BackupSummaries"))),
        refusals: &[404],
        ..cinder("listBackups", "Backups by id and name")
    },
    Operation {
        query: LIST,
        answer: (200, Some(Schema::Each("BackupDetails"))),
        refusals: &[404],
        ..cinder("listBackupDetails", "Backups with all their fields")
    },
    Operation {
        request: Some(Schema::Each("NewBackup")),
        answer: (202, SUMMARY),
        refusals: &[404],
        ..cinder("createBackup", "Back a volume or a snapshot up")
    },
    Operation {
        request: Some(Schema::One("ImportedRecord")),
        answer: (201, SUMMARY),
        ..cinder("importBackupRecord", "Make a backup of an exported record")
    },
    Operation {
        answer: (200, Some(Schema::Each("BackupDetail"))),
        refusals: &[404],
        ..cinder("showBackup", "A backup with all its fields")
    },
    Operation {
        since: Some("3.9"),
        request: Some(Schema::One("BackupChange")),
        answer: (200, SUMMARY),
        refusals: &[404],
        ..cinder("updateBackup", "Rename or describe a backup")
    },
    Operation {
        answer: (202, None),
        refusals: &[404],
        ..cinder("deleteBackup", "Delete a backup")
    },
    Operation {
        request: Some(Schema::Each("RestoreWish")),
        answer: (202, Some(Schema::One("Restore"))),
        refusals: &[404],
        ..cinder("restoreBackup", "Restore a backup onto a volume or a new one")
    },
    Operation {
        request: Some(Schema::One("BackupAction")),
        answer: (202, None),
        refusals: &[404],
        ..cinder("actOnBackup", "Set a backup's status, or delete it whatever its status")
    },
    Operation {
        answer: (200, Some(Schema::One("ExportedRecord"))),
        refusals: &[404],
        ..cinder("exportBackupRecord", "All that is needed to know a backup elsewhere")
    },
    list_metadata("listBackupMetadata"),
    write_metadata("mergeBackupMetadata", "Add and overwrite pairs"),
    write_metadata("replaceBackupMetadata", "Replace all pairs"),
    show_item("showBackupMetadataItem"),
    set_item("setBackupMetadataItem"),
    remove_item("removeBackupMetadataItem"),
];

/// Reading all pairs of something.
pub(super) const fn list_metadata(id: &'static str) -> Operation {
    Operation { answer: (200, METADATA), refusals: &[404], ..cinder(id, "All pairs") }
}

/// Adding or replacing pairs of something.
pub(super) const fn write_metadata(id: &'static str, summary: &'static str) -> Operation {
    Operation {
        request: Some(Schema::One("WishedMetadata")),
        answer: (200, METADATA),
        refusals: &[404],
        ..cinder(id, summary)
    }
}

/// Reading one pair of something.
pub(super) const fn show_item(id: &'static str) -> Operation {
    Operation { answer: (200, METADATA_ITEM), refusals: &[404], ..cinder(id, "One pair") }
}

/// Setting one pair of something.
pub(super) const fn set_item(id: &'static str) -> Operation {
    Operation {
        request: Some(Schema::One("WishedMetadataItem")),
        answer: (200, METADATA_ITEM),
        refusals: &[404],
        ..cinder(id, "Set one pair")
    }
}

/// Removing one pair of something.
pub(super) const fn remove_item(id: &'static str) -> Operation {
    Operation { answer: (200, None), refusals: &[404], ..cinder(id, "Remove one pair") }
}

/// One page of a list in version 2: items, and a link if there is more.
pub(super) fn page_v2(collection: &str, item: &str) -> Value {
    let links = format!("{collection}_links");
    let page = object([(collection, list(named(item)))]);
    with_optional(page, [(links.as_str(), named("NextLink"))])
}

/// One page of a list in version 3, where the whole may be counted.
pub(super) fn page_v3(collection: &str, item: &str) -> Value {
    with_optional(page_v2(collection, item), [("count", count())])
}

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let mut components = answers();
    components.extend(requests());
    components.extend(metadata());
    components
}

fn answers() -> Vec<(&'static str, Value)> {
    let item = object([("id", uuid()), ("links", named("Links")), ("name", nullable(text()))]);
    let restore = object([("backup_id", uuid()), ("volume_id", uuid()), ("volume_name", text())]);
    let record = object([
        ("backup_service", only(record::BACKUP_SERVICE)),
        ("backup_url", pattern("^[A-Za-z0-9+/]+=*$")),
    ]);
    let detail = |name: &str| object([("backup", named(name))]);
    vec![
        ("BackupItem", item),
        ("BackupSummary", object([("backup", named("BackupItem"))])),
        ("BackupSummariesV2", page_v2("backups", "BackupItem")),
        ("BackupSummariesV3", page_v3("backups", "BackupItem")),
        ("BackupV2", backup_v2()),
        ("BackupV3", backup_v3()),
        ("BackupDetailV2", detail("BackupV2")),
        ("BackupDetailV3", detail("BackupV3")),
        ("BackupDetailsV2", page_v2("backups", "BackupV2")),
        ("BackupDetailsV3", page_v3("backups", "BackupV3")),
        ("Restore", object([("restore", restore)])),
        ("ExportedRecord", object([("backup-record", record)])),
    ]
}

/// The statuses that a backup may have.
pub(super) fn status() -> Value {
    word(["creating", "available", "restoring", "deleting", "error", "error_deleting"])
}

fn backup() -> Value {
    object([
        ("status", status()),
        ("description", nullable(text())),
        ("links", named("Links")),
        ("availability_zone", nullable(text())),
        ("volume_id", uuid()),
        ("fail_reason", nullable(text())),
        ("id", uuid()),
        ("size", count()),
        ("object_count", count()),
        ("container", nullable(text())),
        ("name", nullable(text())),
        ("created_at", instant()),
        ("updated_at", nullable(instant())),
        ("data_timestamp", instant()),
        ("has_dependent_backups", flag()),
        ("snapshot_id", nullable(uuid())),
        ("is_incremental", flag()),
    ])
}

fn backup_v2() -> Value {
    let fields = [("os-bak-tenant-attr:tenant_id", text()), ("service_metadata", text())];
    with_required(backup(), fields)
}

fn backup_v3() -> Value {
    let backup = with_required(backup(), [("os-backup-project-attr:project_id", text())]);
    with_optional(
        backup,
        [("metadata", named("Pairs")), ("user_id", text()), ("encryption_key_id", uuid())],
    )
}

/// The same object with further keys that must be present.
pub(super) fn with_required<const N: usize>(
    object: Value,
    fields: [(&'static str, Value); N],
) -> Value {
    let names: Vec<Value> = fields.iter().map(|(name, _)| Value::from(*name)).collect();
    let mut object = with_optional(object, fields);
    if let Some(required) = object["required"].as_array_mut() {
        required.extend(names);
    }
    object
}

fn new_backup() -> Value {
    let new = choice([
        ("volume_id", named("WishedUuid")),
        ("snapshot_id", nullable(named("WishedUuid"))),
        ("name", nullable(short_text())),
        ("description", nullable(short_text())),
        ("container", nullable(short_text())),
        ("incremental", named("Boolean")),
        ("force", named("Boolean")),
    ]);
    requiring(new, ["volume_id"])
}

fn requests() -> Vec<(&'static str, Value)> {
    let newer = with_optional(
        new_backup(),
        [
            ("metadata", nullable(named("WishedPairs"))),
            ("availability_zone", nullable(short_text())),
            ("project_id", json!({})),
        ],
    );
    let restore =
        choice([("volume_id", nullable(named("WishedUuid"))), ("name", nullable(short_text()))]);
    let restore = object([("restore", restore)]);
    let change = choice([
        ("name", nullable(short_text())),
        ("description", nullable(short_text())),
        ("metadata", nullable(named("WishedPairs"))),
    ]);
    let record = object([
        ("backup_service", short_text()),
        ("backup_url", json!({"type": "string", "minLength": 1})),
    ]);
    vec![
        ("NewBackupV2", open(object([("backup", open(new_backup()))]))),
        ("NewBackupV3", object([("backup", newer)])),
        ("RestoreWishV2", open(restore.clone())),
        ("RestoreWishV3", restore),
        ("BackupChange", object([("backup", change)])),
        ("BackupAction", action()),
        ("ImportedRecord", object([("backup-record", record)])),
    ]
}

fn action() -> Value {
    let status = pattern("^([aA][vV][aA][iI][lL][aA][bB][lL][eE]|[eE][rR][rR][oO][rR])$");
    json!({"oneOf": [
        object([("os-force_delete", json!({}))]),
        object([("os-reset_status", object([("status", status)]))]),
    ]})
}

fn metadata() -> Vec<(&'static str, Value)> {
    let one = |name: &str| {
        let mut pairs = named(name);
        pairs["minProperties"] = 1.into();
        pairs["maxProperties"] = 1.into();
        pairs
    };
    vec![
        ("Metadata", object([("metadata", named("Pairs"))])),
        ("MetadataItem", object([("meta", one("Pairs"))])),
        ("WishedMetadata", open(object([("metadata", named("WishedPairs"))]))),
        ("WishedMetadataItem", open(object([("meta", one("WishedPairs"))]))),
    ]
}
