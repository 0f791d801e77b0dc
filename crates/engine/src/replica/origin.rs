//! The side that holds the backup: tells what is in it and hands over chunks, every one proven.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use strongroom_model::id::BackupId;

use super::root::{Content, content_root, page_digest};
use super::wire::{
    BaseCell, BaseSummary, Body, CELLS_PER_REQUEST_MAX, Outline, OutlineCell, Summary, TAIL_MAX,
    WireChunk, encode_chunks,
};
use super::{ReplicaSource, WireError};
use crate::backup::LEVEL;
use crate::crew::{Crew, thread_count};
use crate::error::{Error, Result};
use crate::format::GRID_BYTES;
use crate::format::manifest::Manifest;
use crate::format::page::{CELLS, Cell};
use crate::id::{ChunkId, Digest};
use crate::key::NamingKey;
use crate::list::cell_count;
use crate::num::{to_u32, to_usize};
use crate::repository::Repository;
use crate::restore::read_chunks;
use crate::target::RestoreTarget;

/// Pages that are remembered, for the requests for their chunks.
const CACHED_PAGES_MAX: usize = 16;

/// One backup of a vault, ready to be received by another vault.
///
/// It reads and never writes. It may be kept for as long as the backup is not deleted, and shared
/// by threads: what costs most, the way from the id to the manifest, is gone once.
#[derive(Debug)]
pub struct Origin {
    repository: Repository,
    naming: NamingKey,
    manifest: Manifest,
    base: Option<Manifest>,
    /// Cells of pages of the backup, the latest ones last.
    pages: Mutex<VecDeque<(usize, Arc<Vec<Cell>>)>>,
}

impl Origin {
    /// Opens a backup for the vault whose naming key is given.
    ///
    /// `base` is a backup of this vault of which the other vault has a copy. It saves the reading of
    /// what both have in common; one that cannot be read is not used. Errs if there is no such
    /// backup, if it cannot be read, or if a later version made it.
    pub fn open(
        repository: &Repository,
        backup: BackupId,
        base: Option<BackupId>,
        naming: NamingKey,
    ) -> Result<Self> {
        let manifest = repository.load_manifest(backup)?;
        if manifest.grid_bytes != GRID_BYTES {
            let detail = format!("a grid of {} bytes", manifest.grid_bytes);
            return Err(Error::unsupported(&backup.to_string(), detail));
        }
        let base = match base.map(|base| repository.load_manifest(base)) {
            Some(Err(e @ Error::Store(_))) if !e.is_damage() => return Err(e),
            found => found.and_then(Result::ok),
        };
        let base = base.filter(|base| {
            let tail = base.pages.len().saturating_sub(manifest.pages.len());
            base.grid_bytes == GRID_BYTES && tail <= TAIL_MAX
        });
        let (repository, pages) = (repository.clone(), Mutex::default());
        Ok(Self { repository, naming, manifest, base, pages })
    }

    /// Size of the volume in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.manifest.size_bytes
    }

    /// Size and content roots of the backup and of the base. Reads all their pages, about 40 KiB for
    /// each 256 MiB of volume.
    pub fn summary(&self) -> Result<Vec<u8>> {
        let pages = self.digests(&self.manifest, &|_| None)?;
        let shared = |number: usize| {
            let is_shared = self.base.as_ref().is_some_and(|base| self.shares(base, number));
            pages.get(number).copied().filter(|_| is_shared)
        };
        let base = match self.base.as_ref().map(|base| (base, self.digests(base, &shared))) {
            Some((_, Err(e))) if !e.is_damage() => return Err(e),
            Some((base, Ok(digests))) => Some(BaseSummary {
                size_bytes: base.size_bytes,
                root: root_of(base, &digests),
                tail: digests.get(pages.len()..).unwrap_or_default().to_vec(),
            }),
            // A base that is damaged cannot be referred to.
            Some((_, Err(_))) | None => None,
        };
        let root = root_of(&self.manifest, &pages);
        let size_bytes = self.manifest.size_bytes;
        Ok(Summary { size_bytes, grid_bytes: GRID_BYTES, root, base }.encode())
    }

    /// What lies in a page of 256 MiB; names the chunks by the other vault's key, for which it reads
    /// all that are not the same as in the base. Without `with_base` no cell refers to the base.
    pub fn outline(&self, page: u64, with_base: bool) -> Result<Vec<u8>> {
        let number = to_usize(page);
        if number >= self.manifest.pages.len() {
            return Err(refused(format!("a request for page {page}"), "there is no such page"));
        }
        let cells = self.cells(number)?;
        let base = self.base.as_ref().filter(|base| with_base && number < base.pages.len());
        let before = match base {
            Some(base) if self.shares(base, number) => Arc::clone(&cells),
            Some(base) => Arc::new(self.repository.load_cells(base, number).map_err(base_lost)?),
            None => Arc::default(),
        };
        if base.is_some() && contents(&cells).eq(contents(&before)) {
            return Ok(Outline { page, body: Body::Same(page_digest(contents(&cells))) }.encode());
        }
        let is_same = |place: usize| match (cells.get(place), before.get(place)) {
            (Some(Cell::Chunk(now, _)), Some(Cell::Chunk(then, _))) => now == then,
            _ => false,
        };
        let names = self.names(number, &cells, |place| !is_same(place))?;
        let base = (0..before.len()).map(|place| match before[place] {
            Cell::Hole => BaseCell::Hole,
            Cell::Zero => BaseCell::Zero,
            Cell::Chunk(..) if is_same(place) => BaseCell::Same,
            Cell::Chunk(id, _) => BaseCell::Chunk(id),
        });
        let base = base.collect();
        let outlined = (0..cells.len()).map(|place| match cells[place] {
            Cell::Hole => Ok(OutlineCell::Hole),
            Cell::Zero => Ok(OutlineCell::Zero),
            Cell::Chunk(own, _) if is_same(place) => Ok(OutlineCell::Same { own }),
            Cell::Chunk(own, _) => match names.get(&place) {
                Some(name) => Ok(OutlineCell::Chunk { own, name: *name }),
                None => Err(Error::damaged(&format!("chunk {own}"), "it was not read")),
            },
        });
        let cells = outlined.collect::<Result<_>>()?;
        Ok(Outline { page, body: Body::Cells { cells, base } }.encode())
    }

    /// The plaintext of the cells with these numbers, squeezed where that helps. The numbers ascend,
    /// are at most [`CELLS_PER_REQUEST_MAX`], and are those of cells that an outline calls chunks.
    pub fn chunks(&self, cells: &[u64]) -> Result<Vec<u8>> {
        let request = || format!("a request for {} chunks", cells.len());
        if cells.len() > CELLS_PER_REQUEST_MAX || !cells.is_sorted_by(|a, b| a < b) {
            return Err(refused(request(), "they are too many or out of order"));
        }
        let grabber = Grabber::default();
        for group in cells.chunk_by(|a, b| a / CELLS as u64 == b / CELLS as u64) {
            let number = to_usize(group[0] / CELLS as u64);
            if number >= self.manifest.pages.len() {
                return Err(refused(request(), "there is no such page"));
            }
            let page = self.cells(number)?;
            let places: Vec<_> = group.iter().map(|cell| to_usize(cell % CELLS as u64)).collect();
            if places.iter().any(|place| !matches!(page.get(*place), Some(Cell::Chunk(..)))) {
                return Err(refused(request(), "a cell holds no chunk"));
            }
            let is_wanted = |place| places.binary_search(&place).is_ok();
            read_chunks(&self.repository, &self.manifest, (number, &page), is_wanted, &grabber)?;
        }
        let grabbed = grabber.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        if grabbed.len() != cells.len() {
            return Err(refused(request(), "some could not be read"));
        }
        Ok(encode_chunks(grabbed.iter().map(|(cell, chunk)| WireChunk {
            cell: *cell,
            plain_len: chunk.plain_len,
            is_squeezed: chunk.is_squeezed,
            bytes: &chunk.bytes,
        })))
    }

    /// The names of the chunks at the wanted places.
    fn names(
        &self,
        number: usize,
        cells: &[Cell],
        is_wanted: impl Fn(usize) -> bool,
    ) -> Result<HashMap<usize, ChunkId>> {
        let namer = Namer { key: &self.naming, first: number * CELLS, names: Mutex::default() };
        read_chunks(&self.repository, &self.manifest, (number, cells), is_wanted, &namer)?;
        Ok(namer.names.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// The cells of a page of the backup.
    fn cells(&self, number: usize) -> Result<Arc<Vec<Cell>>> {
        let pages = || self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cells)) = pages().iter().find(|(cached, _)| *cached == number) {
            return Ok(Arc::clone(cells));
        }
        let cells = Arc::new(self.repository.load_cells(&self.manifest, number)?);
        let mut cached = pages();
        cached.push_back((number, Arc::clone(&cells)));
        if cached.len() > CACHED_PAGES_MAX {
            cached.pop_front();
        }
        Ok(cells)
    }

    /// Whether the base has the very same page in this place.
    fn shares(&self, base: &Manifest, number: usize) -> bool {
        let place = |manifest: &Manifest| {
            let page = manifest.pages.get(number).copied();
            page.map(|page| (page, cell_count(manifest.size_bytes, GRID_BYTES, number)))
        };
        place(base).is_some() && place(base) == place(&self.manifest)
    }

    /// The digests of all pages of a backup, as far as they are not `known`.
    fn digests(
        &self,
        manifest: &Manifest,
        known: &(dyn Fn(usize) -> Option<Digest> + Sync),
    ) -> Result<Vec<Digest>> {
        let digests = Mutex::new(vec![Digest([0; 32]); manifest.pages.len()]);
        let crew = Crew::new(manifest.pages.len() as u64);
        std::thread::scope(|scope| {
            for _ in 0..thread_count(0) {
                scope.spawn(|| {
                    crew.work(|number| {
                        let number = to_usize(number);
                        let digest = match known(number) {
                            Some(digest) => digest,
                            None => {
                                let cells = self.repository.load_cells(manifest, number)?;
                                page_digest(contents(&cells))
                            }
                        };
                        digests.lock().unwrap_or_else(PoisonError::into_inner)[number] = digest;
                        Ok(())
                    });
                });
            }
        });
        crew.finish()?;
        Ok(digests.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ReplicaSource for Origin {
    fn summary(&self) -> Result<Vec<u8>, WireError> {
        Ok(Self::summary(self)?)
    }

    fn outline(&self, page: u64, with_base: bool) -> Result<Vec<u8>, WireError> {
        Ok(Self::outline(self, page, with_base)?)
    }

    fn chunks(&self, cells: &[u64]) -> Result<Vec<u8>, WireError> {
        Ok(Self::chunks(self, cells)?)
    }
}

fn contents(cells: &[Cell]) -> impl Iterator<Item = Content> {
    cells.iter().map(|cell| match cell {
        Cell::Hole => Content::Hole,
        Cell::Zero => Content::Zero,
        Cell::Chunk(id, _) => Content::Chunk(*id),
    })
}

fn root_of(manifest: &Manifest, pages: &[Digest]) -> Digest {
    content_root(manifest.size_bytes, manifest.grid_bytes, pages.iter().copied())
}

fn refused(answer: String, detail: &str) -> Error {
    Error::Unfaithful { answer, detail: detail.to_owned() }
}

/// A base that vanished since the backup was opened is worth another attempt, which will do without.
fn base_lost(error: Error) -> Error {
    if error.is_damage() {
        let source = WireError::Cut(error.to_string());
        return Error::Wire { request: "the base".to_owned(), source };
    }
    error
}

/// Takes chunks instead of a volume; each write brings whole cells.
trait Taker: Send + Sync {
    fn take(&self, cell: u64, plain: &[u8]) -> io::Result<()>;
}

impl<T: Taker> RestoreTarget for T {
    fn size_bytes(&self) -> u64 {
        u64::MAX
    }

    fn is_zeroed(&self) -> bool {
        true
    }

    fn write_at(&self, offset_bytes: u64, bytes: &[u8]) -> io::Result<()> {
        let first = offset_bytes / u64::from(GRID_BYTES);
        (first..).zip(bytes.chunks(GRID_BYTES as usize)).try_for_each(|(n, b)| self.take(n, b))
    }

    fn zero(&self, _range: Range<u64>) -> io::Result<()> {
        Ok(())
    }

    fn finish(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Names what it is given.
struct Namer<'a> {
    key: &'a NamingKey,
    /// The number of the page's first cell.
    first: usize,
    names: Mutex<HashMap<usize, ChunkId>>,
}

impl Taker for Namer<'_> {
    fn take(&self, cell: u64, plain: &[u8]) -> io::Result<()> {
        let (place, name) = (to_usize(cell) - self.first, self.key.chunk_id(plain));
        self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(place, name);
        Ok(())
    }
}

/// Keeps what it is given, squeezed where that helps.
#[derive(Default)]
struct Grabber(Mutex<BTreeMap<u64, Grabbed>>);

struct Grabbed {
    plain_len: u32,
    is_squeezed: bool,
    bytes: Vec<u8>,
}

impl Taker for Grabber {
    fn take(&self, cell: u64, plain: &[u8]) -> io::Result<()> {
        let squeezed = zstd::bulk::compress(plain, LEVEL).ok().filter(|z| z.len() < plain.len());
        let grabbed = Grabbed {
            plain_len: to_u32(plain.len()),
            is_squeezed: squeezed.is_some(),
            bytes: squeezed.unwrap_or_else(|| plain.to_vec()),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(cell, grabbed);
        Ok(())
    }
}
