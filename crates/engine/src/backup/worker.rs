//! Reads units of the volume and decides what each cell is.

use std::ops::Range;

use zstd::bulk::Compressor;

use super::Run;
use super::packer::{Packer, Stored};
use super::pages::Pages;
use super::stats::{Counters, add};
use crate::crew::Crew;
use crate::error::{Error, Result};
use crate::format::GRID_BYTES;
use crate::format::pack::RecordKind;
use crate::format::page::Cell;
use crate::num::to_usize;

/// What a worker reads at a time.
pub(super) const UNIT_BYTES: u64 = 4 * 1024 * 1024;
/// The level at which the compressor is not yet the slowest part.
const LEVEL: i32 = 1;

/// One reading thread.
pub(super) struct Worker<'a> {
    run: &'a Run<'a>,
    pages: &'a Pages<'a>,
    packer: &'a Packer<'a>,
    counters: &'a Counters,
    buf: Vec<u8>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        run: &'a Run<'a>,
        pages: &'a Pages<'a>,
        packer: &'a Packer<'a>,
        counters: &'a Counters,
    ) -> Self {
        Self { run, pages, packer, counters, buf: vec![0; to_usize(UNIT_BYTES)] }
    }

    /// Works until all units are done or somebody failed.
    pub(super) fn work(mut self, crew: &Crew) {
        match Compressor::new(LEVEL) {
            Ok(mut compressor) => crew.work(|unit| self.unit(unit, &mut compressor)),
            Err(source) => crew.fail(Error::Source { offset_bytes: 0, source }),
        }
    }

    fn unit(&mut self, unit: u64, compressor: &mut Compressor<'_>) -> Result<()> {
        self.run.options.progress.check()?;
        self.run.session.renew_if_due()?;
        let start = unit * UNIT_BYTES;
        let range = start..(start + UNIT_BYTES).min(self.run.source.size_bytes());
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
                add(&self.counters.hole_chunks, 1);
                Cell::Hole
            });
            at = cell.end;
        }
        self.pages.put(unit, &cells, compressor)?;
        self.run.options.progress.add_done(len);
        Ok(())
    }

    /// Reads what is data in `range`; the rest of the buffer is zeros.
    fn read(&mut self, range: &Range<u64>) -> Result<Vec<Range<u64>>> {
        let fail = |offset_bytes| move |source| Error::Source { offset_bytes, source };
        let extents = self.run.source.extents(range.clone()).map_err(fail(range.start))?;
        let mut filled = 0;
        for extent in &extents {
            let place = to_usize(extent.start - range.start)..to_usize(extent.end - range.start);
            self.buf[filled..place.start].fill(0);
            filled = place.end;
            let bytes = &mut self.buf[place];
            self.run.source.read_at(extent.start, bytes).map_err(fail(extent.start))?;
            add(&self.counters.read_bytes, extent.end - extent.start);
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
        let (parent, first) = self.pages.parent_cells(unit);
        let before = parent.get(first + number).copied().unwrap_or(Cell::Hole);
        if is_zero(plain) {
            add(&self.counters.zero_chunks, 1);
            if matches!(before, Cell::Chunk(..)) {
                add(&self.counters.changed_bytes, plain.len() as u64);
            }
            return Ok(Cell::Zero);
        }
        let id = self.run.repository.keys().chunk_id(plain);
        let known = match before {
            Cell::Chunk(same, location) if same == id => {
                Some(location).filter(|location| self.packer.is_usable(location.pack))
            }
            _ => {
                add(&self.counters.changed_bytes, plain.len() as u64);
                None
            }
        };
        if let Some(location) = known.or_else(|| self.packer.find(&id)) {
            add(&self.counters.reused_chunks, 1);
            return Ok(Cell::Chunk(id, location));
        }
        let location = match self.packer.store(RecordKind::Chunk, id, plain, compressor)? {
            Stored::New(location) => {
                add(&self.counters.new_chunks, 1);
                add(&self.counters.new_bytes, plain.len() as u64);
                location
            }
            Stored::Found(location) => {
                add(&self.counters.reused_chunks, 1);
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
