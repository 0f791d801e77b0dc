//! Exports a backup as plain files that need no Strongroom to read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};
use strongroom_model::id::BackupId;
use strongroom_model::time::Timestamp;

use crate::error::{Error, Result};
use crate::list::find;
use crate::repository::Repository;
use crate::restore::{RestoreOptions, RestoreReport, restore};
use crate::target::FileTarget;

/// Where an export lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportReport {
    /// The volume as a raw, sparse file.
    pub image: PathBuf,
    /// What was kept with the backup, as JSON.
    pub description: PathBuf,
    /// What the restore into the image did.
    pub restore: RestoreReport,
}

/// The content of the description.
#[derive(Serialize)]
struct Description<'a> {
    backup_id: BackupId,
    parent: Option<BackupId>,
    created_at: Timestamp,
    size_bytes: u64,
    root: String,
    meta: &'a Map<String, Value>,
}

/// Writes a backup into the folder `dir` as `<backup>.raw` and `<backup>.json`, both durable.
///
/// Files that are there already are not touched, and are an error. The description is written last,
/// so an image without one is not whole.
pub fn export(
    repository: &Repository,
    backup: BackupId,
    dir: &Path,
    options: &RestoreOptions,
) -> Result<ExportReport> {
    let entry = find(repository, backup)?.ok_or(Error::BackupMissing(backup))?;
    let fail = |source| Error::Target { offset_bytes: 0, source };
    let image = dir.join(format!("{backup}.raw"));
    let description = dir.join(format!("{backup}.json"));
    fs::create_dir_all(dir).map_err(fail)?;
    let target = FileTarget::create(&image, entry.size_bytes).map_err(fail)?;
    let restore = restore(repository, backup, &target, options)?;
    let content = Description {
        backup_id: backup,
        parent: entry.parent,
        created_at: entry.created_at,
        size_bytes: entry.size_bytes,
        root: entry.root.to_string(),
        meta: &entry.meta,
    };
    write_description(&description, &content).map_err(fail)?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(fail)?;
    Ok(ExportReport { image, description, restore })
}

fn write_description(path: &Path, content: &Description<'_>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    serde_json::to_writer_pretty(&mut file, content)?;
    file.write_all(b"\n")?;
    file.sync_all()
}
