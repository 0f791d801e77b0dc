//! The vendor's backups as jobs, and the jobs.

use serde_json::{Value, json};

use super::operation::{Operation, Schema, vendor};
use super::schema::{
    choice, count, list, named, nullable, object, open, pattern, requiring, text, whole,
    with_optional, word,
};

const JOB_ID: Option<Schema> = Some(Schema::One("JobId"));

/// The operations, in the order of their routes.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        request: Some(Schema::One("NewCloudBackup")),
        answer: (200, JOB_ID),
        refusals: &[404],
        ..vendor("createCloudBackup", "Back a disk up, as a job")
    },
    Operation {
        answer: (200, Some(Schema::One("CloudBackupQuota"))),
        ..vendor("showCloudBackupQuota", "What may be kept and what is")
    },
    Operation {
        answer: (200, JOB_ID),
        refusals: &[404],
        ..vendor("deleteCloudBackup", "Delete a backup, as a job")
    },
    Operation {
        request: Some(Schema::One("CloudRestore")),
        answer: (200, JOB_ID),
        refusals: &[404],
        ..vendor("restoreCloudBackup", "Restore a backup onto a disk, as a job")
    },
    Operation {
        is_in_v1: true,
        answer: (200, Some(Schema::One("Job"))),
        refusals: &[404],
        ..vendor("showJob", "How far a job is")
    },
];

/// What they read and answer.
pub(super) fn components() -> Vec<(&'static str, Value)> {
    let job_id = pattern("^[0-9a-f]{32}$");
    let quota = object([
        ("type", word(["backups", "backup_gigabytes"])),
        ("used", count()),
        ("reserved", count()),
        ("quota", whole()),
    ]);
    let quotas = object([("resources", list(quota))]);
    let restore = open(object([("volume_id", named("WishedUuid"))]));
    vec![
        ("JobId", object([("job_id", job_id.clone())])),
        ("Job", job(&job_id)),
        ("CloudBackupQuota", object([("quotas", quotas)])),
        ("CloudRestore", open(object([("restore", restore)]))),
        ("NewCloudBackup", open(object([("backup", new_backup())]))),
        ("WishedTag", wished_tag()),
    ]
}

fn job(job_id: &Value) -> Value {
    let instant = pattern("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$");
    let job = object([
        ("status", word(["INIT", "RUNNING", "SUCCESS", "FAIL"])),
        ("entities", named("Pairs")),
        ("job_id", job_id.clone()),
        ("job_type", word(["bksCreateBackup", "bksDeleteBackup", "bksRestoreBackup"])),
        ("begin_time", instant.clone()),
        ("end_time", nullable(instant)),
        ("error_code", nullable(text())),
        ("fail_reason", nullable(text())),
    ]);
    with_optional(job, [("sub_jobs", json!({"type": "array", "maxItems": 0}))])
}

fn new_backup() -> Value {
    let full = json!({"anyOf": [{"type": "boolean"}, word(["true", "false"])]});
    let description = json!({"type": "string", "maxLength": 64, "pattern": "^[^<>\\x00]*$"});
    let new = choice([
        ("volume_id", named("WishedUuid")),
        ("name", pattern("^(?!auto)[A-Za-z0-9_.-]{1,64}$")),
        ("snapshot_id", nullable(named("WishedUuid"))),
        ("description", nullable(description)),
        ("tags", nullable(list(named("WishedTag")))),
        ("extend_param", nullable(open(choice([("FullBackup", nullable(full))])))),
    ]);
    open(requiring(new, ["volume_id", "name"]))
}

fn wished_tag() -> Value {
    let key = json!({"type": "string", "minLength": 1, "maxLength": 36});
    let value = json!({"type": "string", "maxLength": 43});
    open(requiring(choice([("key", key), ("value", nullable(value))]), ["key"]))
}
