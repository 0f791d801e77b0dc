//! Looking at a store and keeping it in order: `ls`, `verify`, `gc`.

use std::process::ExitCode;
use std::sync::Arc;

use comfy_table::Table;
use comfy_table::presets;
use serde_json::{Value, json};
use strongroom_engine::{Finding, GcOptions, Progress, VerifyDepth, VerifyOptions, VerifyReport};

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
    let series = Series::open(at)?;
    let mut total = VerifyReport::default();
    for repository in &series.repositories {
        let progress = Arc::<Progress>::default();
        let options = VerifyOptions {
            depth: VerifyDepth::Data,
            progress: Arc::clone(&progress),
            ..VerifyOptions::default()
        };
        let report =
            metered("verify", &progress, || strongroom_engine::verify(repository, &options))?;
        total.backup_count += report.backup_count;
        total.pack_count += report.pack_count;
        total.checked_bytes += report.checked_bytes;
        total.findings.extend(report.findings);
    }
    let is_clean = total.is_clean() && series.closed.is_empty();
    let (mut text, mut findings) = (summary(&total, &series), Vec::new());
    for (vault, error) in &series.closed {
        text.push_str(&format!("\n{vault}: {error}"));
        findings.push(json!({ "object": vault, "detail": error.to_string() }));
    }
    for finding in &total.findings {
        text.push_str(&format!("\n{}: {}", finding.object, finding.detail));
        let hurt: Vec<_> = finding.backups.iter().map(ToString::to_string).collect();
        if !hurt.is_empty() {
            text.push_str(&format!("\n  hurts {}", hurt.join(", ")));
        }
        findings.push(describe_finding(finding));
    }
    let value = json!({
        "backup_count": total.backup_count,
        "pack_count": total.pack_count,
        "checked_bytes": total.checked_bytes,
        "is_clean": is_clean,
        "findings": findings,
    });
    print(at, &text, &value);
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::from(DAMAGE) })
}

fn summary(total: &VerifyReport, series: &Series) -> String {
    let result = match total.findings.len() + series.closed.len() {
        0 => "all is well".to_owned(),
        count => format!("{count} findings"),
    };
    let (backups, packs) = (total.backup_count, total.pack_count);
    format!("checked {backups} backups, {packs} packs, {}: {result}", bytes(total.checked_bytes))
}

fn describe_finding(finding: &Finding) -> Value {
    json!({
        "object": finding.object,
        "ordinal": finding.ordinal,
        "chunk": finding.chunk.map(|chunk| chunk.to_string()),
        "detail": finding.detail,
        "backups": finding.backups,
    })
}

pub(super) fn gc(at: &Location) -> anyhow::Result<()> {
    let (mut lines, mut vaults) = (Vec::new(), Vec::new());
    for repository in Series::open(at)?.repositories {
        let report = strongroom_engine::gc(&repository, &GcOptions::default())?;
        let vault = repository.vault();
        lines.push(format!(
            "vault {vault}: freed {} in {} packs, removed {} deleted backups",
            bytes(report.freed_bytes),
            report.deleted_packs,
            report.removed_backups,
        ));
        for session in &report.waiting_for {
            lines.push(format!("waiting for session {session} to end; run gc again then"));
        }
        for reason in &report.blocked {
            lines.push(format!("nothing was removed: {reason}"));
        }
        let waiting: Vec<_> = report.waiting_for.iter().map(ToString::to_string).collect();
        vaults.push(json!({
            "vault": vault,
            "condemned_packs": report.condemned_packs,
            "deleted_packs": report.deleted_packs,
            "freed_bytes": report.freed_bytes,
            "removed_backups": report.removed_backups,
            "aborted_sessions": report.aborted_sessions,
            "waiting_for": waiting,
            "blocked": report.blocked,
            "problems": report.problems,
        }));
    }
    print(at, &lines.join("\n"), &json!({ "vaults": vaults }));
    Ok(())
}
