//! Which stretches of a volume differ between two backups.

use std::collections::VecDeque;
use std::ops::Range;

use strongroom_model::id::BackupId;

use crate::error::{Error, Result};
use crate::format::manifest::Manifest;
use crate::format::page::{CELLS, Cell};
use crate::repository::Repository;

/// Tells which bytes of `to` may differ from those of `from`, without reading any content.
///
/// The ranges ascend, do not touch each other, and lie within the size of `to`; all bytes outside of
/// them are the same in both. What lies behind the end of `from` counts as zeros, and so does what was
/// never written. The grid is 256 KiB, so a range may hold bytes that are the same.
///
/// The two need not follow one another, nor be of the same volume. Costs one read for each page that
/// they do not share. Errs at once if one of them cannot be read.
pub fn changed(repository: &Repository, from: BackupId, to: BackupId) -> Result<ChangedRanges> {
    let (from, to) = (repository.load_manifest(from)?, repository.load_manifest(to)?);
    if from.grid_bytes != to.grid_bytes {
        let detail = format!("grids of {} and {} bytes", from.grid_bytes, to.grid_bytes);
        return Err(Error::unsupported(&to.backup.to_string(), detail));
    }
    let (repository, found) = (repository.clone(), VecDeque::new());
    Ok(ChangedRanges { repository, from, to, next_page: 0, found, last: None })
}

/// The byte ranges that [`changed`] finds, page by page as they are asked for.
///
/// After an error there are no more, and what came before it is not all.
#[derive(Debug)]
pub struct ChangedRanges {
    repository: Repository,
    from: Manifest,
    to: Manifest,
    next_page: usize,
    /// Ranges of pages already compared.
    found: VecDeque<Range<u64>>,
    /// The latest range, which the next one may continue.
    last: Option<Range<u64>>,
}

impl Iterator for ChangedRanges {
    type Item = Result<Range<u64>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some(range) = self.found.pop_front() {
                match &mut self.last {
                    Some(last) if last.end == range.start => last.end = range.end,
                    last => {
                        if let Some(whole) = last.replace(range) {
                            return Some(Ok(whole));
                        }
                    }
                }
            }
            if self.next_page >= self.to.pages.len() {
                return self.last.take().map(Ok);
            }
            if let Err(error) = self.compare(self.next_page) {
                self.next_page = self.to.pages.len();
                self.last = None;
                return Some(Err(error));
            }
            self.next_page += 1;
        }
    }
}

impl ChangedRanges {
    /// Finds the cells of a page that differ.
    fn compare(&mut self, number: usize) -> Result<()> {
        let page = |manifest: &Manifest| manifest.pages.get(number).copied().flatten();
        if page(&self.from) == page(&self.to) {
            return Ok(());
        }
        let before = self.repository.load_cells(&self.from, number)?;
        let after = self.repository.load_cells(&self.to, number)?;
        let grid_bytes = u64::from(self.to.grid_bytes);
        for (place, cell) in after.iter().enumerate() {
            if content(Some(cell)) != content(before.get(place)) {
                let start = (number * CELLS + place) as u64 * grid_bytes;
                self.found.push_back(start..(start + grid_bytes).min(self.to.size_bytes));
            }
        }
        Ok(())
    }
}

/// What a reader sees in a cell; nothing where it sees zeros.
fn content(cell: Option<&Cell>) -> Option<crate::id::ChunkId> {
    match cell {
        Some(Cell::Chunk(id, _)) => Some(*id),
        Some(Cell::Hole | Cell::Zero) | None => None,
    }
}
