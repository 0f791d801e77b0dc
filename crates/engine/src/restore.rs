//! Restores a backup: by page, grouped by pack, in coalesced reads, every chunk proven.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use strongroom_model::id::BackupId;

use crate::crew::{Crew, thread_count};
use crate::error::{Error, Result};
use crate::format::manifest::Manifest;
use crate::format::name;
use crate::format::pack::{Entry, RecordKind};
use crate::format::page::{CELLS, Cell, Location};
use crate::id::{ChunkId, Digest, PackId};
use crate::list::cell_count;
use crate::num::to_usize;
use crate::pack::OpenPack;
use crate::progress::Progress;
use crate::repository::Repository;
use crate::target::RestoreTarget;

/// Records closer together than this are fetched with one read.
const GAP_BYTES: u64 = 1024 * 1024;
/// One read fetches no more than this, and no more plain bytes than this.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
/// Chunks that follow each other are written together up to this.
const WRITE_BYTES: usize = 4 * 1024 * 1024;

/// How to restore.
#[derive(Debug, Clone, Default)]
pub struct RestoreOptions {
    /// Threads; 0 for one per core, never more than 8.
    pub threads: usize,
    /// Counters to watch and the way to cancel.
    pub progress: Arc<Progress>,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// The backup.
    pub backup_id: BackupId,
    /// Size of the volume.
    pub size_bytes: u64,
    /// Bytes of content written.
    pub written_bytes: u64,
    /// Bytes that read as zeros.
    pub zero_bytes: u64,
    /// Bytes read from the store, besides footers.
    pub fetched_bytes: u64,
    /// The root hash of what was restored.
    pub root: Digest,
}

/// Writes a backup to `target` and makes it durable.
///
/// Every chunk is decrypted, hashed and compared with its id before it is written. After an error
/// the target is not restored: it holds some of the backup and must not be used.
pub fn restore(
    repository: &Repository,
    backup: BackupId,
    target: &dyn RestoreTarget,
    options: &RestoreOptions,
) -> Result<RestoreReport> {
    let manifest = repository.load_manifest(backup)?;
    let (target_bytes, volume_bytes) = (target.size_bytes(), manifest.size_bytes);
    if target_bytes < volume_bytes {
        return Err(Error::TargetTooSmall { target_bytes, volume_bytes });
    }
    options.progress.begin(volume_bytes);
    let run = Run {
        repository,
        manifest: &manifest,
        target,
        progress: &options.progress,
        written_bytes: AtomicU64::new(0),
        fetched_bytes: AtomicU64::new(0),
    };
    let crew = Crew::new(manifest.pages.len() as u64);
    std::thread::scope(|scope| {
        for _ in 0..thread_count(options.threads) {
            scope.spawn(|| crew.work(|number| run.page(to_usize(number))));
        }
    });
    crew.finish()?;
    target.finish().map_err(|source| Error::Target { offset_bytes: volume_bytes, source })?;
    let written_bytes = run.written_bytes.into_inner();
    Ok(RestoreReport {
        backup_id: backup,
        size_bytes: volume_bytes,
        written_bytes,
        zero_bytes: volume_bytes - written_bytes,
        fetched_bytes: run.fetched_bytes.into_inner(),
        root: manifest.root(),
    })
}

/// Writes the chunks at the wanted places of page `number`, which holds `cells`, to `target`, each
/// proven like those of a restore.
pub(crate) fn read_chunks(
    repository: &Repository,
    manifest: &Manifest,
    (number, cells): (usize, &[Cell]),
    is_wanted: impl Fn(usize) -> bool,
    target: &dyn RestoreTarget,
) -> Result<()> {
    let run = Run {
        repository,
        manifest,
        target,
        progress: &Progress::default(),
        written_bytes: AtomicU64::new(0),
        fetched_bytes: AtomicU64::new(0),
    };
    let base = (number * CELLS) as u64 * u64::from(manifest.grid_bytes);
    run.chunks(cells, base, is_wanted)
}

/// One restore in progress.
struct Run<'a> {
    repository: &'a Repository,
    manifest: &'a Manifest,
    target: &'a dyn RestoreTarget,
    progress: &'a Progress,
    written_bytes: AtomicU64,
    fetched_bytes: AtomicU64,
}

/// Where each wanted record of one pack goes: ordinal to id and places in the page.
type Wanted = BTreeMap<u16, (ChunkId, Vec<usize>)>;

impl Run<'_> {
    fn page(&self, number: usize) -> Result<()> {
        self.progress.check()?;
        let base = (number * CELLS) as u64 * u64::from(self.manifest.grid_bytes);
        let count = cell_count(self.manifest.size_bytes, self.manifest.grid_bytes, number);
        let Some(page) = self.manifest.pages.get(number).copied().flatten() else {
            let end = base + count * u64::from(self.manifest.grid_bytes);
            return self.zero(base..end.min(self.manifest.size_bytes));
        };
        let cells = self.repository.load_whole_page(&page, count)?;
        self.zero_cells(&cells, base)?;
        self.chunks(&cells, base, |_| true)
    }

    /// Restores the chunks at the places of a page that are wanted.
    fn chunks(&self, cells: &[Cell], base: u64, is_wanted: impl Fn(usize) -> bool) -> Result<()> {
        let mut wanted: BTreeMap<PackId, Wanted> = BTreeMap::new();
        for (place, cell) in cells.iter().enumerate().filter(|(place, _)| is_wanted(*place)) {
            if let Cell::Chunk(id, location) = cell {
                let pack = wanted.entry(location.pack).or_default();
                let slot = pack.entry(location.ordinal).or_insert_with(|| (*id, Vec::new()));
                if slot.0 != *id {
                    return Err(misplaced(*id, *location));
                }
                slot.1.push(place);
            }
        }
        for (pack, records) in wanted {
            self.pack(pack, &records, base)?;
        }
        Ok(())
    }

    /// Makes the runs of cells without content read as zeros.
    fn zero_cells(&self, cells: &[Cell], base: u64) -> Result<()> {
        let mut run: Option<Range<u64>> = None;
        for (place, cell) in cells.iter().enumerate() {
            let span = self.span(base, place);
            run = match (run, cell) {
                (Some(run), Cell::Chunk(..)) => {
                    self.zero(run)?;
                    None
                }
                (None, Cell::Chunk(..)) => None,
                (Some(run), _) => Some(run.start..span.end),
                (None, _) => Some(span),
            };
        }
        run.map_or(Ok(()), |run| self.zero(run))
    }

    fn zero(&self, range: Range<u64>) -> Result<()> {
        self.progress.add_done(range.end - range.start);
        if self.target.is_zeroed() {
            return Ok(());
        }
        let offset_bytes = range.start;
        self.target.zero(range).map_err(|source| Error::Target { offset_bytes, source })
    }

    /// Restores what one pack should hold. What it does not hold is looked for elsewhere, because
    /// the same content may have been stored twice.
    fn pack(&self, pack: PackId, wanted: &Wanted, base: u64) -> Result<()> {
        match self.fetch(pack, wanted, base) {
            Err(e) if e.is_damage() => {}
            done => return done,
        }
        for (ordinal, record) in wanted {
            let single = BTreeMap::from([(*ordinal, record.clone())]);
            match self.fetch(pack, &single, base) {
                Err(e) if e.is_damage() => {
                    self.rescue(record, Location { pack, ordinal: *ordinal }, base, e)?;
                }
                done => done?,
            }
        }
        Ok(())
    }

    /// Restores a chunk from any other place that holds it; `error` is what is wrong with `bad`.
    fn rescue(
        &self,
        record: &(ChunkId, Vec<usize>),
        bad: Location,
        base: u64,
        error: Error,
    ) -> Result<()> {
        for place in self.places(&record.0)?.into_iter().filter(|place| *place != bad) {
            let single = BTreeMap::from([(place.ordinal, record.clone())]);
            if self.fetch(place.pack, &single, base).is_ok() {
                return Ok(());
            }
        }
        Err(match error {
            // The pack as a whole is at fault; the chunk that it takes along is what was asked for.
            Error::ChunkDamaged { .. } => error,
            other => Error::ChunkDamaged {
                chunk: record.0,
                pack: bad.pack,
                ordinal: u32::from(bad.ordinal),
                detail: other.to_string(),
            },
        })
    }

    /// All places that hold a chunk. Reads the footers of all packs, which only damage makes
    /// necessary.
    fn places(&self, id: &ChunkId) -> Result<Vec<Location>> {
        let mut found = Vec::new();
        for (pack, len) in self.repository.list_packs()? {
            let open = match self.repository.load_listed_pack(pack, len) {
                Err(e) if e.is_damage() => continue,
                open => open?,
            };
            let holds = |entry: &Entry| entry.id == *id && entry.kind == RecordKind::Chunk as u8;
            let ordinals = (0..=u16::MAX).zip(&open.entries).filter(|(_, entry)| holds(entry));
            found.extend(ordinals.map(|(ordinal, _)| Location { pack, ordinal }));
        }
        Ok(found)
    }

    /// Fetches the wanted records of one pack, in batches of neighbours.
    fn fetch(&self, pack: PackId, wanted: &Wanted, base: u64) -> Result<()> {
        let open = self.repository.open_pack(pack)?;
        let mut batch: Vec<u16> = Vec::new();
        let (mut span, mut plain) = (0..0, 0);
        for (ordinal, (id, places)) in wanted {
            let entry = open.entry(RecordKind::Chunk, *id, *ordinal)?;
            let next = entry.span();
            let cost = u64::from(entry.plain) * places.len() as u64;
            let fits = next.start <= span.end + GAP_BYTES
                && next.end - span.start <= BATCH_BYTES
                && plain + cost <= BATCH_BYTES;
            if !batch.is_empty() && !fits {
                self.batch(&open, &batch, span.clone(), (wanted, base))?;
                batch.clear();
            }
            if batch.is_empty() {
                (span, plain) = (next.start..next.start, 0);
            }
            batch.push(*ordinal);
            span.end = next.end;
            plain += cost;
        }
        self.batch(&open, &batch, span, (wanted, base))
    }

    /// Fetches one span of a pack and writes the records in it.
    fn batch(
        &self,
        open: &OpenPack,
        ordinals: &[u16],
        span: Range<u64>,
        (wanted, base): (&Wanted, u64),
    ) -> Result<()> {
        self.progress.check()?;
        let object = name::pack(self.repository.vault(), open.header.pack);
        let start = span.start;
        let bytes = self.repository.store().get_range(&object, span)?;
        self.fetched_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let mut chunks: Vec<(usize, Arc<Vec<u8>>)> = Vec::new();
        for ordinal in ordinals {
            let Some((id, places)) = wanted.get(ordinal) else {
                continue;
            };
            let record = open.entry(RecordKind::Chunk, *id, *ordinal)?.span();
            let within = to_usize(record.start - start)..to_usize(record.end - start);
            let Some(stored) = bytes.get(within) else {
                return Err(Error::damaged(&object, "it is shorter than its footer says"));
            };
            let plain = Arc::new(open.open_record(self.repository, u32::from(*ordinal), stored)?);
            for place in places {
                let span = self.span(base, *place);
                if plain.len() as u64 != span.end - span.start {
                    let location = Location { pack: open.header.pack, ordinal: *ordinal };
                    return Err(misplaced(*id, location));
                }
                chunks.push((*place, Arc::clone(&plain)));
            }
        }
        chunks.sort_by_key(|(place, _)| *place);
        self.write(&chunks, base)
    }

    /// Writes chunks, those that follow each other together.
    fn write(&self, chunks: &[(usize, Arc<Vec<u8>>)], base: u64) -> Result<()> {
        let mut buf: Vec<u8> = Vec::new();
        let mut offset_bytes = 0;
        for (place, plain) in chunks {
            let at = self.span(base, *place).start;
            if at != offset_bytes + buf.len() as u64 || buf.len() + plain.len() > WRITE_BYTES {
                self.write_at(offset_bytes, &buf)?;
                buf.clear();
                offset_bytes = at;
            }
            buf.extend_from_slice(plain);
        }
        self.write_at(offset_bytes, &buf)
    }

    fn write_at(&self, offset_bytes: u64, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.target
            .write_at(offset_bytes, bytes)
            .map_err(|source| Error::Target { offset_bytes, source })?;
        self.written_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.progress.add_done(bytes.len() as u64);
        Ok(())
    }

    /// The bytes of the volume that the cell at `place` of the page at `base` covers.
    fn span(&self, base: u64, place: usize) -> Range<u64> {
        let start = base + place as u64 * u64::from(self.manifest.grid_bytes);
        start..(start + u64::from(self.manifest.grid_bytes)).min(self.manifest.size_bytes)
    }
}

fn misplaced(chunk: ChunkId, location: Location) -> Error {
    Error::ChunkDamaged {
        chunk,
        pack: location.pack,
        ordinal: u32::from(location.ordinal),
        detail: "it does not belong where the page has it".to_owned(),
    }
}
