//! Gathers cells into pages and pages into the page table.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use zstd::bulk::Compressor;

use super::packer::{Packer, Stored};
use super::parent::Parent;
use super::worker::UNIT_BYTES;
use crate::error::Result;
use crate::format::GRID_BYTES;
use crate::format::manifest::PageRef;
use crate::format::pack::RecordKind;
use crate::format::page::{self, CELLS, Cell, Location};
use crate::num::to_usize;

const UNITS_PER_PAGE: u64 = CELLS as u64 * GRID_BYTES as u64 / UNIT_BYTES;
const CELLS_PER_UNIT: usize = to_usize(UNIT_BYTES / GRID_BYTES as u64);

/// The cells of a parent's page, loaded by the first thread that needs them.
pub(crate) type ParentCells = Arc<OnceLock<Arc<Vec<Cell>>>>;

/// All pages of the backup being made.
pub(crate) struct Pages<'a> {
    parent: &'a Parent<'a>,
    packer: &'a Packer<'a>,
    units: u64,
    cells: u64,
    open: Mutex<HashMap<usize, OpenPage>>,
    table: Mutex<Vec<Option<PageRef>>>,
}

struct OpenPage {
    cells: Vec<Cell>,
    units_left: u64,
    parent: ParentCells,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(
        parent: &'a Parent<'a>,
        packer: &'a Packer<'a>,
        page_total: usize,
        size_bytes: u64,
    ) -> Self {
        Self {
            parent,
            packer,
            units: size_bytes.div_ceil(UNIT_BYTES),
            cells: size_bytes.div_ceil(u64::from(GRID_BYTES)),
            open: Mutex::default(),
            table: Mutex::new(vec![None; page_total]),
        }
    }

    /// The parent's cells where unit `unit` lies, and the place of the unit's first cell in them.
    pub(crate) fn parent_cells(&self, unit: u64) -> (Arc<Vec<Cell>>, usize) {
        let (number, first) = place(unit);
        let slot = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&open.entry(number).or_insert_with(|| self.begin(number)).parent)
        };
        let cells = slot.get_or_init(|| self.parent.cells(number));
        (Arc::clone(cells), first)
    }

    /// Puts the cells of a unit in their place; the last unit of a page stores the page.
    pub(crate) fn put(
        &self,
        unit: u64,
        cells: &[Cell],
        compressor: &mut Compressor<'_>,
    ) -> Result<()> {
        let (number, first) = place(unit);
        let full = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let page = open.entry(number).or_insert_with(|| self.begin(number));
            page.cells[first..first + cells.len()].copy_from_slice(cells);
            page.units_left -= 1;
            if page.units_left > 0 {
                return Ok(());
            }
            open.remove(&number)
        };
        let cells = full.map(|page| page.cells).unwrap_or_default();
        self.put_page(number, &cells, compressor)
    }

    /// Puts all cells of a page in their place and stores the page.
    pub(crate) fn put_page(
        &self,
        number: usize,
        cells: &[Cell],
        compressor: &mut Compressor<'_>,
    ) -> Result<()> {
        let stored = self.store(number, cells, compressor)?;
        self.table.lock().unwrap_or_else(PoisonError::into_inner)[number] = stored;
        Ok(())
    }

    /// The page table, once all units or pages are put.
    pub(crate) fn into_table(self) -> Vec<Option<PageRef>> {
        self.table.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, number: usize) -> OpenPage {
        let first_cell = (number * CELLS) as u64;
        let first_unit = number as u64 * UNITS_PER_PAGE;
        let count = (self.cells - first_cell).min(CELLS as u64);
        OpenPage {
            cells: vec![Cell::Hole; to_usize(count)],
            units_left: (self.units - first_unit).min(UNITS_PER_PAGE),
            parent: Arc::default(),
        }
    }

    fn store(
        &self,
        number: usize,
        cells: &[Cell],
        compressor: &mut Compressor<'_>,
    ) -> Result<Option<PageRef>> {
        if cells.iter().all(|cell| *cell == Cell::Hole) {
            return Ok(None);
        }
        let bytes = page::encode(cells);
        let id = self.packer.repository().keys().page_id(&bytes);
        let shared = self.parent.page_ref(number).filter(|parent| parent.id == id);
        if let Some(shared) = shared.filter(|p| self.packer.is_usable(p.location.pack)) {
            return Ok(Some(shared));
        }
        let location: Location = match self.packer.find(&id) {
            Some(location) => location,
            None => match self.packer.store(RecordKind::Page, id, &bytes, compressor)? {
                Stored::New(location) | Stored::Found(location) => location,
            },
        };
        Ok(Some(PageRef { id, location }))
    }
}

/// The page a unit lies in, and the unit's first cell there.
fn place(unit: u64) -> (usize, usize) {
    let (number, within) = (unit / UNITS_PER_PAGE, unit % UNITS_PER_PAGE);
    (to_usize(number), to_usize(within) * CELLS_PER_UNIT)
}
