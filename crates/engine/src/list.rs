//! Which backups there are, and the way from a backup's id to its cells.

use std::collections::HashSet;

use serde_json::{Map, Value};
use strongroom_model::id::BackupId;
use strongroom_model::time::Timestamp;

use crate::backup::BackupStats;
use crate::error::{Error, Result};
use crate::format::manifest::{Manifest, PageRef};
use crate::format::pack::RecordKind;
use crate::format::page::{self, Cell};
use crate::format::{GRID_BYTES, name};
use crate::id::{Digest, SessionId};
use crate::num::to_usize;
use crate::repository::Repository;
use crate::session::EndRecord;

/// The key of the meta data under which a received backup keeps the content root of its origin.
pub const CONTENT_ROOT: &str = "content_root";

/// A committed backup.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupEntry {
    /// Its id.
    pub backup_id: BackupId,
    /// The session that made it.
    pub session_id: SessionId,
    /// The backup it followed, which it does not need.
    pub parent: Option<BackupId>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// Size of the volume.
    pub size_bytes: u64,
    /// What the caller kept with it.
    pub meta: Map<String, Value>,
    /// What it read and stored.
    pub stats: BackupStats,
    /// The hash over size and pages.
    pub root: Digest,
}

/// What a vault holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListReport {
    /// The backups that can be read, oldest first.
    pub backups: Vec<BackupEntry>,
    /// What is there and cannot be read; each names its object.
    pub problems: Vec<String>,
}

/// Lists the committed backups that are not deleted. A damaged one is among the problems and does
/// not keep the others from the list.
pub fn list(repository: &Repository) -> Result<ListReport> {
    let mut report = ListReport::default();
    let tombs = repository.store().list(&name::tombs(repository.vault()))?;
    let tombs: HashSet<String> = tombs.into_iter().map(|tomb| tomb.name).collect();
    for (backup, session) in manifest_names(repository)? {
        let has_tomb = tombs.contains(&name::tomb(repository.vault(), backup));
        if has_tomb && is_tombed(repository, backup, &mut report.problems)? {
            continue;
        }
        match load_committed(repository, backup, session) {
            Ok(Some((manifest, len))) => report.backups.push(entry(&manifest, len)),
            Ok(None) => {}
            Err(e @ Error::Store(_)) if !e.is_damage() => return Err(e),
            // It may have been deleted and collected since the tombs were listed.
            Err(_) if is_tombed(repository, backup, &mut report.problems)? => {}
            Err(e) => report.problems.push(e.to_string()),
        }
    }
    report.backups.sort_by_key(|backup| (backup.created_at, backup.backup_id));
    report.problems.dedup();
    Ok(report)
}

/// Finds one committed backup that is not deleted; `None` if there is none.
pub fn find(repository: &Repository, backup: BackupId) -> Result<Option<BackupEntry>> {
    match repository.load_manifest_sized(backup) {
        Ok((manifest, len)) => Ok(Some(entry(&manifest, len))),
        Err(Error::BackupMissing(_) | Error::BackupDeleted(_)) => Ok(None),
        Err(e) => Err(e),
    }
}

/// All manifests by name, whether committed or not.
pub(crate) fn manifest_names(repository: &Repository) -> Result<Vec<(BackupId, SessionId)>> {
    let folder = name::manifests(repository.vault());
    let objects = repository.store().list(&folder)?;
    let parse = |object: &str| match name::parts(object, &folder)?[..] {
        [backup, session] => Some((BackupId::parse(backup).ok()?, SessionId::parse(session)?)),
        _ => None,
    };
    Ok(objects.iter().filter_map(|object| parse(&object.name)).collect())
}

/// Whether an authentic tomb says that the backup is deleted. A tomb that is not authentic says
/// nothing, and is told as a problem.
pub(crate) fn is_tombed(
    repository: &Repository,
    backup: BackupId,
    problems: &mut Vec<String>,
) -> Result<bool> {
    let object = name::tomb(repository.vault(), backup);
    match repository.find_record::<Value>(&object) {
        Ok(found) => Ok(found.is_some()),
        Err(e) if e.is_damage() => {
            problems.push(e.to_string());
            Ok(false)
        }
        Err(e) => Err(e),
    }
}

/// Reads the manifest of a session if the session committed it; also its stored length.
pub(crate) fn load_committed(
    repository: &Repository,
    backup: BackupId,
    session: SessionId,
) -> Result<Option<(Manifest, u64)>> {
    let end = repository.find_record(&name::session_end(repository.vault(), session))?;
    let Some(EndRecord::Commit { backup: committed, manifest: hash, root }) = end else {
        return Ok(None);
    };
    let object = name::manifest(repository.vault(), backup, session);
    let bytes = repository.store().get(&object)?;
    if committed != backup || Digest::of(&bytes).to_string() != hash {
        return Err(Error::damaged(&object, "it is not what its session committed"));
    }
    let manifest = Manifest::open(repository.keys(), &bytes).map_err(|flaw| flaw.at(&object))?;
    let is_same = manifest.backup == backup
        && manifest.session == session
        && manifest.vault == repository.vault()
        && manifest.root().to_string() == root;
    if !is_same {
        return Err(Error::damaged(&object, "it belongs elsewhere"));
    }
    Ok(Some((manifest, bytes.len() as u64)))
}

fn entry(manifest: &Manifest, len: u64) -> BackupEntry {
    let mut stats: BackupStats = serde_json::from_slice(&manifest.stats).unwrap_or_default();
    stats.add_manifest(len);
    BackupEntry {
        backup_id: manifest.backup,
        session_id: manifest.session,
        parent: manifest.parent,
        created_at: manifest.created_at,
        size_bytes: manifest.size_bytes,
        meta: serde_json::from_slice(&manifest.meta).unwrap_or_default(),
        stats,
        root: manifest.root(),
    }
}

impl Repository {
    /// Reads the manifest of a committed backup that is not deleted.
    pub(crate) fn load_manifest(&self, backup: BackupId) -> Result<Manifest> {
        self.load_manifest_sized(backup).map(|(manifest, _)| manifest)
    }

    fn load_manifest_sized(&self, backup: BackupId) -> Result<(Manifest, u64)> {
        if is_tombed(self, backup, &mut Vec::new())? {
            return Err(Error::BackupDeleted(backup));
        }
        let mut damage = None;
        for object in self.store().list(&name::manifests_of(self.vault(), backup))? {
            let session = object.name.rsplit('/').next().and_then(SessionId::parse);
            let Some(session) = session else { continue };
            match load_committed(self, backup, session) {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                Err(e) if e.is_damage() => damage = Some(e),
                Err(e) => return Err(e),
            }
        }
        Err(damage.unwrap_or(Error::BackupMissing(backup)))
    }

    /// Reads the cells of page `number` of a backup, as many as the size of the volume makes.
    pub(crate) fn load_cells(&self, manifest: &Manifest, number: usize) -> Result<Vec<Cell>> {
        let count = cell_count(manifest.size_bytes, manifest.grid_bytes, number);
        match manifest.pages.get(number).copied().flatten() {
            None => Ok(vec![Cell::Hole; to_usize(count)]),
            Some(page) => self.load_whole_page(&page, count),
        }
    }

    /// Reads the cells of a page that must have `count` of them.
    pub(crate) fn load_whole_page(&self, page: &PageRef, count: u64) -> Result<Vec<Cell>> {
        let cells = self.load_page(page)?;
        if cells.len() as u64 != count {
            let object = format!("page {} in pack {}", page.id, page.location.pack);
            return Err(Error::damaged(&object, "it has another number of cells"));
        }
        Ok(cells)
    }

    /// Reads the cells of a page.
    pub(crate) fn load_page(&self, page: &PageRef) -> Result<Vec<Cell>> {
        let bytes = self.read_record(RecordKind::Page, page.id, page.location)?;
        page::decode(&bytes)
            .map_err(|flaw| flaw.at(&format!("page {} in pack {}", page.id, page.location.pack)))
    }
}

/// The content root in the meta data of a backup that was received from another vault.
pub(crate) fn content_root(meta: &[u8]) -> Option<Digest> {
    let meta: Map<String, Value> = serde_json::from_slice(meta).ok()?;
    Digest::parse(meta.get(CONTENT_ROOT)?.as_str()?)
}

/// How many cells page `number` of a volume must have.
pub(crate) fn cell_count(size_bytes: u64, grid_bytes: u32, number: usize) -> u64 {
    debug_assert!(grid_bytes >= GRID_BYTES / 64);
    let cells = size_bytes.div_ceil(u64::from(grid_bytes));
    cells.saturating_sub(number as u64 * page::CELLS as u64).min(page::CELLS as u64)
}
