//! What the verbs of `store` print: a line for people or one JSON object a line for programs.

use std::time::Duration;

use serde_json::{Value, json};
use strongroom_engine::{BackupEntry, BackupReport, RestoreReport};
use strongroom_model::id::BackupId;

use super::series;
use crate::args::Location;
use crate::progress::{bytes, rate};
use crate::report::say;

/// Prints text for people, or JSON where it was asked for. A reader that went away is no failure.
pub(super) fn print(at: &Location, text: &str, value: &Value) {
    if at.json {
        say(&value.to_string());
    } else {
        say(text);
    }
}

pub(super) fn backed_up(
    at: &Location,
    name: &str,
    report: &BackupReport,
    parent: Option<BackupId>,
) {
    let stats = &report.stats;
    let kind = if parent.is_some() { "increment" } else { "full backup" };
    if report.source_changed {
        eprintln!(
            "warning: the source was written to while it was read: the backup may mix states"
        );
    }
    for problem in &report.problems {
        eprintln!("warning: {problem}");
    }
    let text = format!(
        "{} {kind} of {name}: read {} of {}, stored {} in {} objects, {:.1} s ({})",
        report.backup_id,
        bytes(stats.read_bytes),
        bytes(stats.size_bytes),
        bytes(stats.stored_bytes),
        stats.object_count,
        Duration::from_millis(stats.duration_ms).as_secs_f64(),
        rate(stats.read_bytes, stats.duration_ms * 1000),
    );
    let value = json!({
        "id": report.backup_id,
        "name": name,
        "parent": parent,
        "is_incremental": parent.is_some(),
        "root": report.root.to_string(),
        "source_changed": report.source_changed,
        "stats": stats,
        "problems": report.problems,
    });
    print(at, &text, &value);
}

pub(super) fn restored(at: &Location, entry: &BackupEntry, report: &RestoreReport) {
    print(at, &restored_text(report), &restored_value(entry, report));
}

/// What an export of several backups did, as one document.
pub(super) fn exported(at: &Location, all: &[(BackupEntry, RestoreReport)]) {
    let lines: Vec<_> = all.iter().map(|(_, report)| restored_text(report)).collect();
    let values: Vec<_> = all.iter().map(|(entry, report)| restored_value(entry, report)).collect();
    print(at, &lines.join("\n"), &json!({ "backups": values }));
}

fn restored_text(report: &RestoreReport) -> String {
    format!(
        "{} restored: {} of content, {} of zeros, every chunk verified",
        report.backup_id,
        bytes(report.written_bytes),
        bytes(report.zero_bytes),
    )
}

fn restored_value(entry: &BackupEntry, report: &RestoreReport) -> Value {
    json!({
        "id": report.backup_id,
        "name": series::name(entry),
        "size_bytes": report.size_bytes,
        "written_bytes": report.written_bytes,
        "zero_bytes": report.zero_bytes,
        "fetched_bytes": report.fetched_bytes,
        "root": report.root.to_string(),
    })
}

pub(super) fn removed(at: &Location, id: BackupId) {
    print(at, &format!("{id} deleted; `store gc` frees its space"), &json!({ "id": id }));
}

/// Everything that is known about a backup.
pub(super) fn describe(entry: &BackupEntry) -> Value {
    json!({
        "id": entry.backup_id,
        "name": series::name(entry),
        "parent": entry.parent,
        "created_at": entry.created_at.format_utc_micros(),
        "size_bytes": entry.size_bytes,
        "root": entry.root.to_string(),
        "stats": entry.stats,
        "meta": entry.meta,
    })
}
