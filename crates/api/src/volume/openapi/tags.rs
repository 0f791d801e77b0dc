//! The vendor's tags on backups.

use serde_json::{Value, json};

use super::operation::{Kind, Operation, Parameter, Schema, cinder, parameter};
use super::schema::{count, list, named, nullable, object, open, text, uuid};

const FIND: &[Parameter] = &[
    parameter("tags", Kind::Text),
    parameter("tags_any", Kind::Text),
    parameter("not_tags", Kind::Text),
    parameter("not_tags_any", Kind::Text),
    parameter("limit", Kind::Whole),
    parameter("offset", Kind::Whole),
];

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        answer: (200, Some(Schema::One("AllBackupTags"))),
        ..cinder("listAllBackupTags", "Every key with its values")
    },
    Operation {
        query: FIND,
        answer: (200, Some(Schema::Each("TaggedBackups"))),
        ..cinder("findBackupsByTags", "Backups by their tags")
    },
    of_backup("listBackupTags", "The tags of a backup", "BackupTags"),
    Operation {
        request: Some(Schema::One("WishedBackupTags")),
        ..of_backup("addBackupTags", "Add and overwrite tags", "BackupTags")
    },
    Operation {
        request: Some(Schema::One("WishedBackupTags")),
        ..of_backup("replaceBackupTags", "Replace all tags", "BackupTags")
    },
    Operation {
        request: Some(Schema::One("BackupTagAction")),
        refusals: &[404],
        ..cinder("removeBackupTags", "Remove tags")
    },
    of_backup("showBackupTag", "One tag", "BackupTag"),
    Operation {
        request: Some(Schema::One("WishedBackupTag")),
        ..of_backup("setBackupTag", "Set one tag", "BackupTag")
    },
    Operation { refusals: &[404], ..cinder("removeBackupTag", "Remove one tag") },
];

const fn of_backup(id: &'static str, summary: &'static str, schema: &'static str) -> Operation {
    Operation { answer: (200, Some(Schema::One(schema))), refusals: &[404], ..cinder(id, summary) }
}

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let values = json!({"type": "object", "additionalProperties": list(text())});
    let one = |name: &str| {
        let mut pairs = named(name);
        pairs["minProperties"] = 1.into();
        pairs["maxProperties"] = 1.into();
        pairs
    };
    let wished = json!({
        "type": "object",
        "propertyNames": {"minLength": 1, "maxLength": 36},
        "additionalProperties": {"type": "string", "maxLength": 43},
    });
    let found = |detail: &str| {
        // Of a backup that went while it was looked for there are no details.
        let gone = object([]);
        let item = object([
            ("resource_id", uuid()),
            ("resource_name", nullable(text())),
            ("resource_detail", json!({"anyOf": [named(detail), gone]})),
            ("tags", named("Pairs")),
        ]);
        object([("total_count", count()), ("resources", list(item))])
    };
    vec![
        ("AllBackupTags", object([("tags", values)])),
        ("BackupTags", object([("tags", named("Pairs"))])),
        ("BackupTag", object([("tag", one("Pairs"))])),
        ("TaggedBackupsV2", found("BackupV2")),
        ("TaggedBackupsV3", found("BackupV3")),
        ("WishedTags", wished),
        ("WishedBackupTags", open(object([("tags", named("WishedTags"))]))),
        ("WishedBackupTag", open(object([("tag", one("WishedTags"))]))),
        ("BackupTagAction", object([("os-delete_tags", json!({"type": "object"}))])),
    ]
}
