//! The vendor's sharing of backups between projects.

use serde_json::{Value, json};

use super::backups::{status, with_required};
use super::operation::{Kind, Operation, Parameter, Schema, parameter, vendor};
use super::schema::{
    count, flag, instant, list, named, nullable, object, only, open, pattern, text, uuid,
    with_optional,
};

const LIST: &[Parameter] = &[
    parameter("share_to_me", Kind::Flag),
    parameter("volume_id", Kind::Text),
    parameter("name", Kind::Text),
    parameter("status", Kind::Text),
    parameter("backup_id", Kind::Text),
    parameter("from_project_id", Kind::Text),
    parameter("to_project_id", Kind::Text),
    parameter("avalilability_zone", Kind::Text),
    parameter("availability_zone", Kind::Text),
    parameter("sort", Kind::Text),
    parameter("sort_key", Kind::Text),
    parameter("sort_dir", Kind::Word(&["asc", "desc"])),
    parameter("limit", Kind::Whole),
    parameter("offset", Kind::Whole),
];

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        request: Some(Schema::One("NewShares")),
        answer: (200, Some(Schema::One("CreatedShares"))),
        refusals: &[404],
        ..vendor("shareBackup", "Share a backup with projects")
    },
    listing("listShares", "Another name of the list of shares"),
    listing("listShareDetails", "Shares by this project, or with it"),
    Operation {
        query: LIST,
        answer: (200, Some(Schema::One("ShareCount"))),
        ..vendor("countShares", "How many shares there are")
    },
    Operation {
        answer: (200, Some(Schema::One("ShareDetail"))),
        refusals: &[404],
        ..vendor("showShare", "A share")
    },
    Operation {
        query: &[parameter("is_backup_id", Kind::Flag)],
        refusals: &[404],
        ..vendor("deleteShare", "End a share, or all shares of a backup")
    },
];

const fn listing(id: &'static str, summary: &'static str) -> Operation {
    Operation { query: LIST, answer: (200, Some(Schema::One("Shares"))), ..vendor(id, summary) }
}

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let common = || {
        object([
            ("id", uuid()),
            ("backup_id", uuid()),
            ("from_project_id", text()),
            ("to_project_id", text()),
            ("created_at", instant()),
            ("updated_at", nullable(instant())),
        ])
    };
    let created = with_required(
        common(),
        [("deleted", only(Value::Null)), ("deleted_at", only(Value::Null))],
    );
    let shown = with_required(common(), [("backup", named("SharedBackup"))]);
    let shares = object([("shared", list(named("Share")))]);
    let project = pattern("^[A-Za-z0-9_-]{1,64}$");
    let wish = object([
        ("backup_id", named("WishedUuid")),
        (
            "to_project_ids",
            json!({"type": "array", "items": project, "minItems": 1, "maxItems": 100}),
        ),
    ]);
    vec![
        ("SharedBackup", shared_backup()),
        ("Share", shown),
        ("Shares", with_optional(shares, [("shared_links", named("NextLink"))])),
        ("ShareDetail", object([("shared", named("Share"))])),
        (
            "CreatedShares",
            object([("shared", json!({"type": "array", "items": created, "minItems": 1}))]),
        ),
        ("ShareCount", object([("count", count())])),
        ("NewShares", open(object([("shared", open(wish))]))),
    ]
}

fn shared_backup() -> Value {
    object([
        ("availability_zone", nullable(text())),
        ("container", nullable(text())),
        ("created_at", instant()),
        ("data_timestamp", instant()),
        ("description", nullable(text())),
        ("fail_reason", nullable(text())),
        ("has_dependent_backups", flag()),
        ("id", uuid()),
        ("is_incremental", flag()),
        ("name", nullable(text())),
        ("object_count", count()),
        ("size", count()),
        ("snapshot_id", nullable(uuid())),
        ("status", status()),
        ("updated_at", nullable(instant())),
        ("volume_id", uuid()),
        ("service_metadata", text()),
    ])
}
