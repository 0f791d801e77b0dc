//! `store …`: the engine without a server, for a broken day and for a benchmark.

mod inspect;
mod series;
mod show;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Map, json};
use strongroom_engine::{
    BackupOptions, FileSource, FileTarget, Progress, Repository, RestoreOptions, RestoreReport,
    SessionId, VolumeSource,
};
use strongroom_model::chance::SystemChance;
use strongroom_model::id::BackupId;

use crate::args::{Location, Store as Verb};
use crate::command::location;
use crate::progress::Meter;
use series::{Series, default_vault};

/// How often a running verb's progress is shown.
const LOOK: Duration = Duration::from_millis(200);

/// Runs one verb.
pub(crate) fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Backup { at, name, threads, image } => backup(&at, &name, threads, &image)?,
        Verb::Restore { at, which, threads, out } => {
            let found = Series::open(&at)?.find(which.name.as_deref(), which.id.as_deref())?;
            let report = restore(&found.repository, found.entry.backup_id, &out, threads)?;
            show::restored(&at, &found.entry, &report);
        }
        Verb::Ls { at } => inspect::ls(&at)?,
        Verb::Verify { at } => return inspect::verify(&at),
        Verb::Rm { at, which } => {
            let found = Series::open(&at)?.find(which.name.as_deref(), which.id.as_deref())?;
            strongroom_engine::delete(&found.repository, found.entry.backup_id)?;
            show::removed(&at, found.entry.backup_id);
        }
        Verb::Gc { at } => inspect::gc(&at)?,
        Verb::Export { at, name, id, dir } => {
            export(&at, name.as_deref(), id.as_deref(), &dir)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn backup(at: &Location, name: &str, threads: usize, image: &Path) -> anyhow::Result<()> {
    let source =
        FileSource::open(image).with_context(|| format!("cannot read {}", image.display()))?;
    let (store, key) = location::open_or_make(&at.store, &at.key)?;
    let repository = default_vault(store, &key)?;
    let listed = strongroom_engine::list(&repository)?;
    let parent = listed.backups.iter().rev().find(|entry| series::name(entry) == name);
    let progress = Arc::<Progress>::default();
    let mut meta = Map::new();
    meta.insert("name".to_owned(), json!(name));
    meta.insert("source".to_owned(), json!(image.display().to_string()));
    let options = BackupOptions {
        parent: parent.map(|entry| entry.backup_id),
        meta,
        threads,
        node: "command line".to_owned(),
        progress: Arc::clone(&progress),
        ..BackupOptions::new(BackupId::random(&SystemChance), SessionId::random(&SystemChance))
    };
    let report = metered(name, &progress, || {
        strongroom_engine::backup(&repository, &source as &dyn VolumeSource, &options)
    })?;
    strongroom_engine::check(&repository, report.backup_id, &progress)?;
    show::backed_up(at, name, &report, options.parent);
    Ok(())
}

fn restore(
    repository: &Repository,
    id: BackupId,
    out: &Path,
    threads: usize,
) -> anyhow::Result<RestoreReport> {
    let entry = strongroom_engine::find(repository, id)?.context("the backup is gone")?;
    let existed = out.exists();
    let target = if existed {
        FileTarget::open(out, entry.size_bytes)
    } else {
        FileTarget::create(out, entry.size_bytes)
    };
    let target = target.with_context(|| format!("cannot write {}", out.display()))?;
    let progress = Arc::<Progress>::default();
    let options = RestoreOptions { threads, progress: Arc::clone(&progress) };
    let restored = metered("restore", &progress, || {
        strongroom_engine::restore(repository, id, &target, &options)
    });
    if restored.is_err() && !existed {
        // What is half restored must not be taken for the whole.
        std::fs::remove_file(out).ok();
    }
    restored
}

/// Writes backups as plain files. One that cannot be read does not keep the others back.
fn export(at: &Location, name: Option<&str>, id: Option<&str>, dir: &Path) -> anyhow::Result<()> {
    let series = Series::open(at)?;
    let wanted =
        if name.is_some() || id.is_some() { vec![series.find(name, id)?] } else { series.all()? };
    let (mut failed, mut exported) = (0, Vec::new());
    for found in wanted {
        let backup = found.entry.backup_id;
        let progress = Arc::<Progress>::default();
        let options = RestoreOptions { threads: 0, progress: Arc::clone(&progress) };
        let written = metered("export", &progress, || {
            strongroom_engine::export(&found.repository, backup, dir, &options)
        });
        match written {
            Ok(report) => exported.push((found.entry, report.restore)),
            Err(error) => {
                eprintln!("error: backup {backup}: {error:#}");
                failed += 1;
            }
        }
    }
    show::exported(at, &exported);
    match failed {
        0 => Ok(()),
        count => bail!("{count} backups could not be exported"),
    }
}

/// Runs work on a thread of its own and shows how far it is.
fn metered<T: Send>(
    label: &str,
    progress: &Progress,
    work: impl FnOnce() -> strongroom_engine::Result<T> + Send,
) -> anyhow::Result<T> {
    let mut meter = Meter::new(label);
    let result = std::thread::scope(|scope| {
        let (done, ended) = std::sync::mpsc::channel::<()>();
        let worker = scope.spawn(move || {
            let result = work();
            // Dropped also when the work panics, so that the meter ends either way.
            drop(done);
            result
        });
        while let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
            let (done, total) = (progress.done_bytes(), progress.total_bytes());
            meter.set(done.saturating_mul(100).checked_div(total).unwrap_or(0));
        }
        worker.join()
    });
    meter.finish();
    match result {
        Ok(result) => Ok(result?),
        Err(_) => bail!("the engine panicked; nothing was committed"),
    }
}
