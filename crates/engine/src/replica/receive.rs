//! The side that is to have the copy: asks, fetches what it lacks, proves it, commits.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::Value;
use zstd::bulk::Compressor;

use super::claims::Claims;
use super::root::content_root;
use super::wire::{Body, Outline, OutlineCell, Summary, decode_chunks, is_whole};
use super::{ReplicaSource, WireError};
use crate::backup::{BackupOptions, BackupReport, Crowd, Feed, LEVEL, Stage, Stored, add, attempt};
use crate::crew::{Crew, thread_count};
use crate::error::{Error, Result};
use crate::format::manifest::page_count;
use crate::format::pack::RecordKind;
use crate::format::page::{CELLS, Cell, Location};
use crate::format::{Flaw, GRID_BYTES};
use crate::id::{ChunkId, Digest};
use crate::list::{CONTENT_ROOT, cell_count};
use crate::num::to_usize;
use crate::repository::Repository;

/// No more pages are worked on at once.
const WORKERS_MAX: usize = 4;
/// Cells asked for in one request.
const BATCH_CELLS: usize = 8;
/// Two of these at most are in memory.
const PACK_BYTES_MAX: usize = 16 * 1024 * 1024;

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
/// fetches again at most what two packs (of `pack_bytes`, at most 16 MiB) and one request of each of
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
struct Tally {
    announced_chunks: AtomicU64,
    fetched_chunks: AtomicU64,
    reused_chunks: AtomicU64,
    fetched_bytes: AtomicU64,
    outline_bytes: AtomicU64,
}

/// One reception in progress.
struct Receiver<'a> {
    source: &'a dyn ReplicaSource,
    summary: Summary,
    tally: Tally,
    /// Whether the outlines may refer to the parent.
    uses_base: OnceLock<bool>,
    /// Digests of the pages outlined so far, of the backup and of the base.
    digests: Mutex<BTreeMap<u64, (Digest, Digest)>>,
    claims: Claims,
}

/// A chunk that the vault does not hold, and its places in the page.
struct Missing {
    name: ChunkId,
    places: Vec<usize>,
}

/// What the work on a page needs.
struct Job<'a> {
    stage: &'a Stage<'a>,
    crew: &'a Crew,
    page: u64,
    cells: Vec<Cell>,
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
    /// Fills the cells of one page.
    fn page(
        &self,
        stage: &Stage<'_>,
        crew: &Crew,
        page: u64,
        compressor: &mut Compressor<'_>,
    ) -> Result<()> {
        let uses_base = *self.uses_base.get_or_init(|| self.judge_base(stage));
        let mut outline = self.outline(stage, page, uses_base)?;
        let (digest, base_digest) = (outline.digest(), outline.base_digest());
        let mut before = None;
        if outline.needs_base() {
            before = stage.parent.whole_page(to_usize(page));
            if before.is_none() {
                outline = self.outline(stage, page, false)?;
                if outline.digest() != digest {
                    return Err(lie(&outline_of(page), "it was another one a moment ago"));
                }
            }
        }
        self.digests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(page, (digest, base_digest));
        let before = before.as_deref().map_or(&[][..], |cells| &cells[..]);
        let mut job = Job { stage, crew, page, cells: Vec::new() };
        let missing = self.plan(&mut job, &outline, before)?;
        self.fetch(&mut job, missing, compressor)?;
        stage.pages.put_page(to_usize(page), &job.cells, compressor)?;
        let first = page * CELLS as u64 * u64::from(GRID_BYTES);
        let end = first + job.cells.len() as u64 * u64::from(GRID_BYTES);
        stage.options.progress.add_done(end.min(self.summary.size_bytes) - first);
        Ok(())
    }

    /// Whether the parent is the base of the origin.
    fn judge_base(&self, stage: &Stage<'_>) -> bool {
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
    fn outline(&self, stage: &Stage<'_>, page: u64, with_base: bool) -> Result<Body> {
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

    /// Settles the cells that need no chunk or one that is here; returns what is missing.
    fn plan(&self, job: &mut Job<'_>, outline: &Body, before: &[Cell]) -> Result<Vec<Missing>> {
        let mut missing: Vec<Missing> = Vec::new();
        let mut known: HashMap<ChunkId, usize> = HashMap::new();
        let count = match outline {
            Body::Same(_) => before.len(),
            Body::Cells { cells, .. } => cells.len(),
        };
        for place in 0..count {
            let (cell, is_same) = self.announced(job, outline, before, place)?;
            let Cell::Chunk(name, location) = cell else {
                job.cells.push(cell);
                continue;
            };
            add(&self.tally.announced_chunks, 1);
            if !is_same {
                add(&job.stage.counters.changed_bytes, self.len(job.page, place));
            }
            let is_usable = is_same && job.stage.packer.is_usable(location.pack);
            let found = if is_usable { Some(location) } else { self.find(job, name, place)? };
            if let Some(found) = found {
                self.count_reused(job.stage, 1);
                job.cells.push(Cell::Chunk(name, found));
                continue;
            }
            // Settled when the chunk has come.
            job.cells.push(Cell::Hole);
            let slot = *known.entry(name).or_insert(missing.len());
            match missing.get_mut(slot) {
                Some(missing) => missing.places.push(place),
                None => missing.push(Missing { name, places: vec![place] }),
            }
        }
        Ok(missing)
    }

    /// What the cell at `place` is to be, and whether the parent has the same there. A chunk that
    /// the parent does not have lies nowhere yet.
    fn announced(
        &self,
        job: &Job<'_>,
        outline: &Body,
        before: &[Cell],
        place: usize,
    ) -> Result<(Cell, bool)> {
        let nowhere = Location { pack: crate::id::PackId(uuid::Uuid::nil()), ordinal: 0 };
        let counters = job.stage.counters;
        let parent = before.get(place).copied();
        let (cell, is_same) = match outline {
            Body::Same(_) => (parent.unwrap_or(Cell::Hole), true),
            Body::Cells { cells, .. } => match cells[place] {
                OutlineCell::Hole => (Cell::Hole, false),
                OutlineCell::Zero => (Cell::Zero, false),
                OutlineCell::Chunk { name, .. } => (Cell::Chunk(name, nowhere), false),
                OutlineCell::Same { .. } => match parent {
                    Some(cell @ Cell::Chunk(..)) => (cell, true),
                    _ => return Err(lie(&outline_of(job.page), "the base has no chunk there")),
                },
            },
        };
        match cell {
            Cell::Hole => add(&counters.hole_chunks, 1),
            Cell::Zero => add(&counters.zero_chunks, 1),
            Cell::Chunk(..) => {}
        }
        Ok((cell, is_same))
    }

    /// Finds a chunk that the vault holds; errs if it cannot be what lies in the cell.
    fn find(&self, job: &Job<'_>, name: ChunkId, place: usize) -> Result<Option<Location>> {
        let Some((location, plain_len)) = job.stage.packer.find_sized(&name) else {
            return Ok(None);
        };
        if u64::from(plain_len) != self.len(job.page, place) {
            return Err(lie(&outline_of(job.page), "a chunk is longer or shorter than its cell"));
        }
        Ok(Some(location))
    }

    /// Fetches what is missing, in small requests. Another thread that fetches the same is waited
    /// for.
    fn fetch(
        &self,
        job: &mut Job<'_>,
        missing: Vec<Missing>,
        compressor: &mut Compressor<'_>,
    ) -> Result<()> {
        let batch_max =
            (self.crowd(job.stage.options).pack_bytes / GRID_BYTES as usize).clamp(1, BATCH_CELLS);
        let mut queue = VecDeque::from(missing);
        while !queue.is_empty() {
            if job.crew.has_failed() {
                return Err(Error::Cancelled);
            }
            let mut claimed = self.claims.begin();
            let (mut batch, mut taken) = (Vec::new(), Vec::new());
            while batch.len() < batch_max
                && let Some(missing) = queue.pop_front()
            {
                if !claimed.claim(missing.name) {
                    taken.push(missing);
                } else if let Some(location) = self.find(job, missing.name, missing.places[0])? {
                    self.count_reused(job.stage, missing.places.len() as u64);
                    self.settle(job, &missing, location)?;
                } else {
                    batch.push(missing);
                }
            }
            if !batch.is_empty() {
                batch.sort_by_key(|missing| missing.places[0]);
                self.batch(job, &batch, compressor)?;
            }
            drop(claimed);
            if let Some(first) = taken.first().filter(|_| batch.is_empty()) {
                self.claims.wait(&first.name);
            }
            queue.extend(taken);
        }
        Ok(())
    }

    /// One request for chunks: fetches, proves and stores them.
    fn batch(
        &self,
        job: &mut Job<'_>,
        batch: &[Missing],
        compressor: &mut Compressor<'_>,
    ) -> Result<()> {
        job.stage.options.progress.check()?;
        job.stage.session.renew_if_due()?;
        let number = |missing: &Missing| job.page * CELLS as u64 + missing.places[0] as u64;
        let numbers: Vec<u64> = batch.iter().map(number).collect();
        let what = format!("{} chunks from cell {}", numbers.len(), numbers[0]);
        let bytes = arrived(&what, self.source.chunks(&numbers))?;
        add(&self.tally.fetched_bytes, bytes.len() as u64);
        let chunks = decode_chunks(&bytes).map_err(|flaw| unfaithful(&what, flaw))?;
        if !chunks.iter().map(|chunk| chunk.cell).eq(numbers) {
            return Err(lie(&what, "they are other cells than those asked for"));
        }
        let counters = job.stage.counters;
        for (chunk, missing) in chunks.iter().zip(batch) {
            let plain = chunk.plain().map_err(|flaw| unfaithful(&what, flaw))?;
            if job.stage.repository.keys().chunk_id(&plain) != missing.name {
                return Err(lie(&what, "a chunk has another id than was announced"));
            }
            if plain.len() as u64 != self.len(job.page, missing.places[0]) {
                return Err(lie(&what, "a chunk is longer or shorter than its cell"));
            }
            add(&self.tally.fetched_chunks, 1);
            add(&counters.read_bytes, plain.len() as u64);
            self.count_reused(job.stage, missing.places.len() as u64 - 1);
            let packer = job.stage.packer;
            let location =
                match packer.store(RecordKind::Chunk, missing.name, &plain, compressor)? {
                    Stored::New(location) => {
                        add(&counters.new_chunks, 1);
                        add(&counters.new_bytes, plain.len() as u64);
                        location
                    }
                    Stored::Found(location) => location,
                };
            self.settle(job, missing, location)?;
        }
        Ok(())
    }

    /// Puts a chunk into its cells, all of which must be as long as the first.
    fn settle(&self, job: &mut Job<'_>, missing: &Missing, location: Location) -> Result<()> {
        for place in &missing.places {
            if self.len(job.page, *place) != self.len(job.page, missing.places[0]) {
                return Err(lie(&outline_of(job.page), "cells of two lengths have one chunk"));
            }
            job.cells[*place] = Cell::Chunk(missing.name, location);
        }
        Ok(())
    }

    fn count_reused(&self, stage: &Stage<'_>, count: u64) {
        add(&self.tally.reused_chunks, count);
        add(&stage.counters.reused_chunks, count);
    }

    /// Bytes of the volume that the cell at `place` covers.
    fn len(&self, page: u64, place: usize) -> u64 {
        let start = (page * CELLS as u64 + place as u64) * u64::from(GRID_BYTES);
        (self.summary.size_bytes - start).min(u64::from(GRID_BYTES))
    }
}

fn outline_of(page: u64) -> String {
    format!("the outline of page {page}")
}

/// The answer to a request, if it came whole; one that did not is as good as none.
fn arrived(request: &str, answer: Result<Vec<u8>, WireError>) -> Result<Vec<u8>> {
    let bytes = answer.and_then(|bytes| match is_whole(&bytes) {
        true => Ok(bytes),
        false => Err(WireError::Cut("the answer did not arrive whole".to_owned())),
    });
    bytes.map_err(|source| Error::Wire { request: request.to_owned(), source })
}

fn unfaithful(answer: &str, flaw: Flaw) -> Error {
    match flaw {
        Flaw::Damaged(detail) => Error::Unfaithful { answer: answer.to_owned(), detail },
        unsupported @ Flaw::Unsupported(_) => unsupported.at(answer),
    }
}

fn lie(answer: &str, detail: &str) -> Error {
    unfaithful(answer, Flaw::Damaged(detail.to_owned()))
}
