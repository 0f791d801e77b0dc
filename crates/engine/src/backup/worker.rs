//! Reads units of the volume and decides what each cell is.

use std::ops::Range;

use zstd::bulk::Compressor;

use super::feed::{Crowd, Feed, Stage};
use super::packer::Stored;
use super::stats::add;
use super::{BackupOptions, PACK_BYTES};
use crate::crew::{Crew, thread_count};
use crate::error::{Error, Result};
use crate::format::GRID_BYTES;
use crate::format::pack::RecordKind;
use crate::format::page::Cell;
use crate::num::to_usize;
use crate::source::VolumeSource;

/// What a worker reads at a time.
pub(crate) const UNIT_BYTES: u64 = 4 * 1024 * 1024;
/// The level at which the compressor is not yet the slowest part.
pub(crate) const LEVEL: i32 = 1;

/// A volume that is read.
pub(super) struct VolumeFeed<'a>(pub(super) &'a dyn VolumeSource);

impl Feed for VolumeFeed<'_> {
    fn size_bytes(&self) -> u64 {
        self.0.size_bytes()
    }

    fn units(&self) -> u64 {
        self.size_bytes().div_ceil(UNIT_BYTES)
    }

    fn crowd(&self, options: &BackupOptions) -> Crowd {
        Crowd {
            workers: thread_count(options.threads),
            uploaders: 2,
            queued_packs: 1,
            pack_bytes: options.pack_bytes.min(PACK_BYTES),
        }
    }

    fn work(&self, stage: &Stage<'_>, crew: &Crew) {
        let mut worker = Worker { stage, source: self.0, buf: vec![0; to_usize(UNIT_BYTES)] };
        match Compressor::new(LEVEL) {
            Ok(mut compressor) => crew.work(|unit| worker.unit(unit, &mut compressor)),
            Err(source) => crew.fail(Error::Source { offset_bytes: 0, source }),
        }
    }

    fn finish(&self) -> Result<bool> {
        let offset_bytes = self.size_bytes();
        self.0.has_changed().map_err(|source| Error::Source { offset_bytes, source })
    }
}

/// One reading thread.
struct Worker<'a> {
    stage: &'a Stage<'a>,
    source: &'a dyn VolumeSource,
    buf: Vec<u8>,
}

impl Worker<'_> {
    fn unit(&mut self, unit: u64, compressor: &mut Compressor<'_>) -> Result<()> {
        self.stage.options.progress.check()?;
        self.stage.session.renew_if_due()?;
        let start = unit * UNIT_BYTES;
        let range = start..(start + UNIT_BYTES).min(self.source.size_bytes());
        let len = range.end - range.start;
        let extents = self.read(&range)?;
        let mut cells = Vec::with_capacity(16);
        let mut at = range.start;
        while at < range.end {
            let cell = at..(at + u64::from(GRID_BYTES)).min(range.end);
            let has_data = extents.iter().any(|e| e.start < cell.end && cell.start < e.end);
            cells.push(if has_data {
                self.cell(unit, cells.len(), &cell, compressor)?
            } else {
                add(&self.stage.counters.hole_chunks, 1);
                Cell::Hole
            });
            at = cell.end;
        }
        self.stage.pages.put(unit, &cells, compressor)?;
        self.stage.options.progress.add_done(len);
        Ok(())
    }

    /// Reads what is data in `range`; the rest of the buffer is zeros.
    fn read(&mut self, range: &Range<u64>) -> Result<Vec<Range<u64>>> {
        let fail = |offset_bytes| move |source| Error::Source { offset_bytes, source };
        let extents = self.source.extents(range.clone()).map_err(fail(range.start))?;
        let mut filled = 0;
        for extent in &extents {
            let place = to_usize(extent.start - range.start)..to_usize(extent.end - range.start);
            self.buf[filled..place.start].fill(0);
            filled = place.end;
            let bytes = &mut self.buf[place];
            self.source.read_at(extent.start, bytes).map_err(fail(extent.start))?;
            add(&self.stage.counters.read_bytes, extent.end - extent.start);
        }
        self.buf[filled..].fill(0);
        Ok(extents)
    }

    /// Decides what the cell with data at `range` is, and stores it if it is new.
    fn cell(
        &self,
        unit: u64,
        number: usize,
        range: &Range<u64>,
        compressor: &mut Compressor<'_>,
    ) -> Result<Cell> {
        let base = unit * UNIT_BYTES;
        let plain = &self.buf[to_usize(range.start - base)..to_usize(range.end - base)];
        let (parent, first) = self.stage.pages.parent_cells(unit);
        let before = parent.get(first + number).copied().unwrap_or(Cell::Hole);
        if is_zero(plain) {
            add(&self.stage.counters.zero_chunks, 1);
            if matches!(before, Cell::Chunk(..)) {
                add(&self.stage.counters.changed_bytes, plain.len() as u64);
            }
            return Ok(Cell::Zero);
        }
        let id = self.stage.repository.keys().chunk_id(plain);
        let known = match before {
            Cell::Chunk(same, location) if same == id => {
                Some(location).filter(|location| self.stage.packer.is_usable(location.pack))
            }
            _ => {
                add(&self.stage.counters.changed_bytes, plain.len() as u64);
                None
            }
        };
        if let Some(location) = known.or_else(|| self.stage.packer.find(&id)) {
            add(&self.stage.counters.reused_chunks, 1);
            return Ok(Cell::Chunk(id, location));
        }
        let location = match self.stage.packer.store(RecordKind::Chunk, id, plain, compressor)? {
            Stored::New(location) => {
                add(&self.stage.counters.new_chunks, 1);
                add(&self.stage.counters.new_bytes, plain.len() as u64);
                location
            }
            Stored::Found(location) => {
                add(&self.stage.counters.reused_chunks, 1);
                location
            }
        };
        Ok(Cell::Chunk(id, location))
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    // Sixteen bytes at a time, which the compiler turns into wide loads.
    let (words, rest) = bytes.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|byte| *byte == 0)
}
