//! What was done.

use serde_json::Value;

use super::operation::{Kind, LIMIT, MARKER, OFFSET, Operation, operation, parameter};
use super::schema::{
    count, instant, list, named, nullable, object, range, text, uuid, with_optional, word,
};
use crate::cbr::code::Code;

const KINDS: &[&str] = &[
    "backup",
    "copy",
    "replication",
    "restore",
    "delete",
    "sync",
    "vault_delete",
    "remove_resource",
    "update_expiration_time",
];

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: &[
            LIMIT,
            OFFSET,
            MARKER,
            parameter("start_time", Kind::Instant),
            parameter("end_time", Kind::Instant),
            parameter("operation_type", Kind::Word(KINDS)),
            parameter("provider_id", Kind::Id),
            parameter("resource_id", Kind::Id),
            parameter("resource_name", Kind::Text),
            parameter(
                "status",
                Kind::Word(&["success", "skipped", "failed", "running", "timeout", "waiting"]),
            ),
            parameter("vault_id", Kind::Id),
            parameter("vault_name", Kind::Text),
            parameter("enterprise_project_id", Kind::Text),
            parameter("destination_region", Kind::Text),
            parameter("destination_project_id", Kind::Text),
        ],
        answer: (200, Some("OperationLogs")),
        ..operation("listOperationLogs", "What was done, newest first")
    },
    Operation {
        answer: (200, Some("OperationLogEnvelope")),
        codes: &[Code::OperationLogNotFound],
        ..operation("showOperationLog", "One thing that was done")
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let log = object([
        ("id", uuid()),
        (
            "operation_type",
            word([
                "backup",
                "replication",
                "restore",
                "delete",
                "sync",
                "vault_delete",
                "remove_resource",
                "update_expiration_time",
            ]),
        ),
        ("status", word(["success", "skipped", "failed", "running", "timeout", "waiting"])),
        ("project_id", text()),
        ("provider_id", nullable(uuid())),
        ("vault_id", nullable(uuid())),
        ("vault_name", nullable(text())),
        ("checkpoint_id", nullable(uuid())),
        ("policy_id", nullable(uuid())),
        ("created_at", instant()),
        ("started_at", instant()),
        ("updated_at", instant()),
        ("ended_at", nullable(instant())),
        ("error_info", object([("code", text()), ("message", text())])),
        ("extra_info", named("OperationLogExtraInfo")),
    ]);
    vec![
        (
            "OperationLogs",
            object([
                ("operation_logs", list(named("OperationLog"))),
                ("count", count()),
                ("limit", range(1, 1000)),
                ("offset", count()),
            ]),
        ),
        ("OperationLogEnvelope", object([("operation_log", named("OperationLog"))])),
        ("OperationLog", log),
        ("OperationLogExtraInfo", extra_info()),
    ]
}

/// Beside what is always there, what goes with the kind of operation.
fn extra_info() -> Value {
    let common = object([("progress", range(0, 100)), ("request_id", text()), ("task_id", uuid())]);
    let resource = || object([("id", text()), ("type", text()), ("name", text())]);
    let backup = object([
        ("backup_id", uuid()),
        ("backup_name", text()),
        ("app_consistency_status", word(["0", "1"])),
        ("app_consistency_error_code", word(["0", "1"])),
        ("app_consistency_error_message", text()),
    ]);
    let restore = object([
        ("backup_id", nullable(uuid())),
        ("backup_name", text()),
        ("target_resource_id", nullable(uuid())),
        ("target_resource_name", nullable(text())),
    ]);
    let delete = object([("backup_id", nullable(uuid())), ("backup_name", text())]);
    let replication = object([
        ("source_backup_id", uuid()),
        ("source_backup_name", text()),
        ("source_checkpoint_id", uuid()),
        ("source_project_id", text()),
        ("source_region", text()),
        ("destination_backup_id", nullable(uuid())),
        ("destination_backup_name", text()),
        ("destination_checkpoint_id", nullable(uuid())),
        ("destination_project_id", text()),
        ("destination_region", text()),
    ]);
    let removed = object([
        ("fail_count", count()),
        ("total_count", count()),
        ("resources", list(resource())),
    ]);
    let vault = object([
        ("fail_count", count()),
        ("total_count", count()),
        ("fail_delete_count", count()),
        ("total_delete_count", count()),
    ]);
    let sync = object([
        ("sync_backup_num", count()),
        ("delete_backup_num", count()),
        ("err_sync_backup_num", count()),
    ]);
    let expiry = object([("affected_backups_count", count()), ("expiration_day", text())]);
    with_optional(
        object([("common", common), ("resource", resource())]),
        [
            ("backup", backup),
            ("restore", restore),
            ("delete", delete),
            ("replication", replication),
            ("remove_resources", removed),
            ("vault_delete", vault),
            ("sync", sync),
            ("update_expiration_time", expiry),
        ],
    )
}
