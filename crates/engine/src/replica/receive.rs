//! The side that is to have the copy: asks, fetches what it lacks, proves it, commits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::Value;
use zstd::bulk::Compressor;

use super::claims::Claims;
use super::root::content_root;
use super::wire::{Body, Outline, Summary, is_whole};
use super::{ReplicaSource, WireError};
use crate::backup::{BackupOptions, BackupReport, Crowd, Feed, LEVEL, Stage, add, attempt};
use crate::crew::{Crew, thread_count};
use crate::error::{Error, Result};
use crate::format::manifest::page_count;
use crate::format::{Flaw, GRID_BYTES};
use crate::id::Digest;
use crate::list::{CONTENT_ROOT, cell_count};
use crate::num::to_usize;
use crate::repository::Repository;

/// No more pages are worked on at once.
const WORKERS_MAX: usize = 4;
/// Two of these at most are in memory.
const PACK_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a received backup amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveReport {
    /// What every backup amounts to. Bytes read are plain bytes of chunks that were fetched.
    pub backup: BackupReport,
    /// The content root in the origin; also in the backup's meta data as [`CONTENT_ROOT`].
    pub content_root: Digest,
    /// Cells of the backup that hold a chunk.
    pub announced_chunks: u64,
    /// Chunks that came over the wire.
    pub fetched_chunks: u64,
    /// Cells whose chunk need not come: the vault held it, or another cell brought it.
    pub reused_chunks: u64,
    /// Bytes of all answers with chunks.
    pub fetched_bytes: u64,
    /// Bytes of all answers without chunks.
    pub outline_bytes: u64,
    /// Whether the parent served as the base of the outlines.
    pub used_base: bool,
}

/// Receives a backup from another vault as a backup of this one.
///
/// This is an attempt like any [`backup()`](crate::backup()): same options, same session, same
/// progress, same outcome after an error, and [`resolve_session`](crate::resolve_session) settles it.
/// The parent in the options should be this vault's own copy of the base that the origin was opened
/// with: if its content root is the base's, cells that did not change need no name and no reading.
/// In the meta data the key [`CONTENT_ROOT`] is set.
///
/// When the way to the other side is cut, what has come is made durable before the error is
/// returned, and the next attempt does not fetch it again. When this side is cut, the next attempt
/// fetches again at most what two packs (of `pack_bytes`, at most 8 MiB) and one request of each of
/// at most four threads hold. Memory: below 64 MiB.
///
/// # Errors
///
/// [`Error::Wire`] if the other side gave no answer, transient if it was [`WireError::Cut`] or the
/// check sum of an answer was wrong;
/// [`Error::Unfaithful`] if an answer cannot be true; and what a backup can meet.
pub fn receive(
    repository: &Repository,
    source: &dyn ReplicaSource,
    options: &BackupOptions,
) -> Result<ReceiveReport> {
    options.progress.check()?;
    let bytes = arrived("the summary", source.summary())?;
    let summary = Summary::decode(&bytes).map_err(|flaw| unfaithful("the summary", flaw))?;
    if summary.grid_bytes != GRID_BYTES {
        let detail = format!("a grid of {} bytes", summary.grid_bytes);
        return Err(Error::unsupported("the summary", detail));
    }
    let mut options = options.clone();
    options.meta.insert(CONTENT_ROOT.to_owned(), Value::String(summary.root.to_string()));
    let tally = Tally { outline_bytes: AtomicU64::new(bytes.len() as u64), ..Tally::default() };
    let receiver = Receiver {
        source,
        summary,
        tally,
        uses_base: OnceLock::new(),
        digests: Mutex::default(),
        claims: Claims::default(),
    };
    let backup = attempt(repository, &receiver, &options)?;
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    Ok(ReceiveReport {
        backup,
        content_root: receiver.summary.root,
        announced_chunks: read(&receiver.tally.announced_chunks),
        fetched_chunks: read(&receiver.tally.fetched_chunks),
        reused_chunks: read(&receiver.tally.reused_chunks),
        fetched_bytes: read(&receiver.tally.fetched_bytes),
        outline_bytes: read(&receiver.tally.outline_bytes),
        used_base: receiver.uses_base.get() == Some(&true),
    })
}

/// Counters of a running reception.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) announced_chunks: AtomicU64,
    pub(super) fetched_chunks: AtomicU64,
    pub(super) reused_chunks: AtomicU64,
    pub(super) fetched_bytes: AtomicU64,
    pub(super) outline_bytes: AtomicU64,
}

/// One reception in progress.
pub(super) struct Receiver<'a> {
    pub(super) source: &'a dyn ReplicaSource,
    pub(super) summary: Summary,
    pub(super) tally: Tally,
    /// Whether the outlines may refer to the parent.
    pub(super) uses_base: OnceLock<bool>,
    /// Digests of the pages outlined so far, of the backup and of the base.
    pub(super) digests: Mutex<BTreeMap<u64, (Digest, Digest)>>,
    pub(super) claims: Claims,
}

impl Feed for Receiver<'_> {
    fn size_bytes(&self) -> u64 {
        self.summary.size_bytes
    }

    fn units(&self) -> u64 {
        page_count(self.summary.size_bytes, GRID_BYTES)
    }

    fn crowd(&self, options: &BackupOptions) -> Crowd {
        Crowd {
            workers: thread_count(options.threads).min(WORKERS_MAX),
            uploaders: 1,
            queued_packs: 0,
            pack_bytes: options.pack_bytes.min(PACK_BYTES_MAX),
        }
    }

    fn work(&self, stage: &Stage<'_>, crew: &Crew) {
        match Compressor::new(LEVEL) {
            Ok(mut compressor) => crew.work(|page| self.page(stage, crew, page, &mut compressor)),
            Err(source) => crew.fail(Error::Source { offset_bytes: 0, source }),
        }
    }

    fn finish(&self) -> Result<bool> {
        let digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let pages = digests.values().map(|(page, _)| *page);
        if content_root(self.summary.size_bytes, GRID_BYTES, pages) != self.summary.root {
            return Err(lie("the outlines", "they are not those of the backup in the summary"));
        }
        let base = self.summary.base.as_ref().filter(|_| self.uses_base.get() == Some(&true));
        let Some(base) = base else {
            return Ok(false);
        };
        let page_total = page_count(base.size_bytes, GRID_BYTES);
        let pages = digests.range(..page_total).map(|(_, (_, before))| *before);
        let pages = pages.chain(base.tail.iter().copied());
        if content_root(base.size_bytes, GRID_BYTES, pages) != base.root {
            return Err(lie("the outlines", "the base is not what they say it is"));
        }
        Ok(false)
    }
}

impl Receiver<'_> {
    /// Whether the parent is the base of the origin.
    pub(super) fn judge_base(&self, stage: &Stage<'_>) -> bool {
        let (Some(base), Some(parent)) = (&self.summary.base, stage.options.parent) else {
            return false;
        };
        let is_base = stage.parent.content_root() == Some(base.root);
        if !is_base {
            stage.parent.note(format!("parent {parent} is not the base that the origin knows"));
        }
        is_base
    }

    /// Asks for an outline and checks that it fits the sizes in the summary.
    pub(super) fn outline(&self, stage: &Stage<'_>, page: u64, with_base: bool) -> Result<Body> {
        stage.options.progress.check()?;
        stage.session.renew_if_due()?;
        let what = outline_of(page);
        let bytes = arrived(&what, self.source.outline(page, with_base))?;
        add(&self.tally.outline_bytes, bytes.len() as u64);
        let outline = Outline::decode(&bytes).map_err(|flaw| unfaithful(&what, flaw))?;
        let count = |size_bytes| cell_count(size_bytes, GRID_BYTES, to_usize(page));
        let count_now = count(self.summary.size_bytes);
        let base = self.summary.base.as_ref().filter(|_| with_base);
        let count_before = base.map_or(0, |base| count(base.size_bytes));
        let fits = match &outline.body {
            Body::Same(_) => count_before == count_now,
            Body::Cells { cells, base } => {
                cells.len() as u64 == count_now && base.len() as u64 == count_before
            }
        };
        if outline.page != page || !fits {
            return Err(lie(&what, "it is of another page or another size"));
        }
        Ok(outline.body)
    }
}

pub(super) fn outline_of(page: u64) -> String {
    format!("the outline of page {page}")
}

/// The answer to a request, if it came whole; one that did not is as good as none.
pub(super) fn arrived(request: &str, answer: Result<Vec<u8>, WireError>) -> Result<Vec<u8>> {
    let bytes = answer.and_then(|bytes| match is_whole(&bytes) {
        true => Ok(bytes),
        false => Err(WireError::Cut("the answer did not arrive whole".to_owned())),
    });
    bytes.map_err(|source| Error::Wire { request: request.to_owned(), source })
}

pub(super) fn unfaithful(answer: &str, flaw: Flaw) -> Error {
    match flaw {
        Flaw::Damaged(detail) => Error::Unfaithful { answer: answer.to_owned(), detail },
        unsupported @ Flaw::Unsupported(_) => unsupported.at(answer),
    }
}

pub(super) fn lie(answer: &str, detail: &str) -> Error {
    unfaithful(answer, Flaw::Damaged(detail.to_owned()))
}
