//! Fills one page of a backup that is received: plans, fetches what is missing, proves and stores it.

use std::collections::{HashMap, VecDeque};
use std::sync::PoisonError;

use zstd::bulk::Compressor;

use super::receive::{Receiver, arrived, lie, outline_of, unfaithful};
use super::wire::{Body, OutlineCell, decode_chunks};
use crate::backup::{Feed as _, Stage, Stored, add};
use crate::crew::Crew;
use crate::error::{Error, Result};
use crate::format::GRID_BYTES;
use crate::format::pack::RecordKind;
use crate::format::page::{CELLS, Cell, Location};
use crate::id::{ChunkId, PackId};
use crate::num::to_usize;

/// Cells asked for in one request.
const BATCH_CELLS: usize = 8;

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

impl Receiver<'_> {
    /// Fills the cells of one page.
    pub(super) fn page(
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
        let nowhere = Location { pack: PackId(uuid::Uuid::nil()), ordinal: 0 };
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
