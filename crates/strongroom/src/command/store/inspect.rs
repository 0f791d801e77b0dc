//! Looking at a store and keeping it in order: `ls`, `verify`, `gc`.

use std::process::ExitCode;
use std::sync::Arc;

use comfy_table::Table;
use comfy_table::presets;
use serde_json::json;
use strongroom_engine::{GcOptions, Progress, VerifyDepth, VerifyOptions};

use super::metered;
use super::series::{self, Series};
use super::show::{describe, print};
use crate::args::Location;
use crate::progress::bytes;

/// Exit code when damage was found.
const DAMAGE: u8 = 2;

pub(super) fn ls(at: &Location) -> anyhow::Result<()> {
    let all = Series::open(at)?.all()?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "ID",
        "NAME",
        "CREATED (UTC)",
        "SIZE",
        "STORED",
    ]);
    for found in &all {
        let entry = &found.entry;
        table.add_row([
            entry.backup_id.to_string(),
            series::name(entry).to_owned(),
            entry.created_at.format_rfc3339(),
            bytes(entry.size_bytes),
            bytes(entry.stats.stored_bytes),
        ]);
    }
    let described: Vec<_> = all.iter().map(|found| describe(&found.entry)).collect();
    print(at, &table.to_string(), &json!({ "backups": described }));
    Ok(())
}

pub(super) fn verify(at: &Location) -> anyhow::Result<ExitCode> {
    let (mut findings, mut backups, mut packs, mut checked) = (Vec::new(), 0, 0, 0);
    for repository in Series::open(at)?.repositories {
        let progress = Arc::<Progress>::default();
        let options = VerifyOptions {
            depth: VerifyDepth::Data,
            progress: Arc::clone(&progress),
            ..VerifyOptions::default()
        };
        let report = metered("verify", &progress, || {
            strongroom_engine::verify(&repository, &options)
        })?;
        backups += report.backup_count;
        packs += report.pack_count;
        checked += report.checked_bytes;
        findings.extend(report.findings);
    }
    let mut text = format!(
        "checked {backups} backups, {packs} packs, {}: ",
        bytes(checked)
    );
    match findings.len() {
        0 => text.push_str("all is well"),
        count => text.push_str(&format!("{count} findings")),
    }
    for finding in &findings {
        let hurt: Vec<_> = finding.backups.iter().map(ToString::to_string).collect();
        text.push_str(&format!("\n{}: {}", finding.object, finding.detail));
        if !hurt.is_empty() {
            text.push_str(&format!("\n  hurts {}", hurt.join(", ")));
        }
    }
    let listed: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "object": finding.object,
                "ordinal": finding.ordinal,
                "chunk": finding.chunk.map(|chunk| chunk.to_string()),
                "detail": finding.detail,
                "backups": finding.backups,
            })
        })
        .collect();
    let value = json!({
        "backup_count": backups,
        "pack_count": packs,
        "checked_bytes": checked,
        "is_clean": findings.is_empty(),
        "findings": listed,
    });
    print(at, &text, &value);
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(DAMAGE)
    })
}

pub(super) fn gc(at: &Location) -> anyhow::Result<()> {
    for repository in Series::open(at)?.repositories {
        let options = GcOptions::default();
        let report = strongroom_engine::gc(&repository, &options)?;
        let mut text = format!(
            "vault {}: freed {} in {} packs, removed {} deleted backups",
            repository.vault(),
            bytes(report.freed_bytes),
            report.deleted_packs,
            report.removed_backups,
        );
        for session in &report.waiting_for {
            text.push_str(&format!(
                "\nwaiting for session {session} to end; run gc again then"
            ));
        }
        for reason in &report.blocked {
            text.push_str(&format!("\nnothing was removed: {reason}"));
        }
        let waiting: Vec<_> = report.waiting_for.iter().map(ToString::to_string).collect();
        let value = json!({
            "vault": repository.vault(),
            "condemned_packs": report.condemned_packs,
            "deleted_packs": report.deleted_packs,
            "freed_bytes": report.freed_bytes,
            "removed_backups": report.removed_backups,
            "aborted_sessions": report.aborted_sessions,
            "waiting_for": waiting,
            "blocked": report.blocked,
            "problems": report.problems,
        });
        print(at, &text, &value);
    }
    Ok(())
}
