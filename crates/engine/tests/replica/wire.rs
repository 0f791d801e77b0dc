//! Two vaults, and a wire between them that counts, cuts and lies when told.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::sync::Mutex;

use strongroom_engine::*;
use strongroom_model::id::BackupId;
use strongroom_testkit::volume::noise;

use crate::common::Fragile;

/// The vault that has backups, and the one that is to have copies.
pub(crate) struct Pair {
    pub(crate) near: Fragile,
    pub(crate) far: Fragile,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self { near: Fragile::seeded(42), far: Fragile::seeded(43) }
    }

    /// The other end of the wire.
    pub(crate) fn origin(&self, backup: BackupId, base: Option<BackupId>) -> Origin {
        let naming = self.far.open_sound().naming_key();
        Origin::open(&self.near.open_sound(), backup, base, naming).unwrap()
    }

    pub(crate) fn receive(
        &self,
        backup: BackupId,
        base: Option<BackupId>,
        options: &BackupOptions,
    ) -> Result<ReceiveReport> {
        receive(&self.far.open(), &self.origin(backup, base), options)
    }

    /// Copies a backup and returns the copy's id.
    pub(crate) fn copy(
        &self,
        backup: BackupId,
        base: Option<BackupId>,
        parent: Option<BackupId>,
    ) -> BackupId {
        let options = self.far.fresh(parent);
        self.receive(backup, base, &options).unwrap();
        options.backup_id
    }
}

/// Numbers that are the same for the same seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        let bytes = noise(self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15), 8);
        u64::from_le_bytes(bytes.try_into().unwrap()) % end
    }
}

/// A volume of holes with some data in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sparse {
    pub(crate) size_bytes: u64,
    /// Data by the offset of its first byte.
    pub(crate) data: BTreeMap<u64, Vec<u8>>,
}

impl Sparse {
    pub(crate) fn new(size_bytes: u64, data: &[(u64, Vec<u8>)]) -> Self {
        Self { size_bytes, data: data.iter().cloned().collect() }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(self.size_bytes).unwrap()];
        self.read_at(0, &mut bytes).unwrap();
        bytes
    }
}

impl VolumeSource for Sparse {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn extents(&self, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        let extents = self.data.iter().map(|(start, bytes)| *start..start + bytes.len() as u64);
        let within = extents.map(|e| e.start.max(range.start)..e.end.min(range.end));
        Ok(within.filter(|e| e.start < e.end).collect())
    }

    fn read_at(&self, offset_bytes: u64, buf: &mut [u8]) -> io::Result<()> {
        let range = offset_bytes..offset_bytes + buf.len() as u64;
        for extent in self.extents(range)? {
            let (start, bytes) = self.data.range(..=extent.start).next_back().unwrap();
            let place = |at: u64, from: u64| usize::try_from(at - from).unwrap();
            buf[place(extent.start, offset_bytes)..place(extent.end, offset_bytes)]
                .copy_from_slice(&bytes[place(extent.start, *start)..place(extent.end, *start)]);
        }
        Ok(())
    }

    fn has_changed(&self) -> io::Result<bool> {
        Ok(false)
    }
}

/// How often each chunk lies in the packs of a vault, read from their open footers.
pub(crate) fn stored_chunks(vault: &Fragile) -> BTreeMap<Vec<u8>, u64> {
    let mut found = BTreeMap::new();
    for pack in vault.objects("packs") {
        let bytes = vault.sound.get(&pack).unwrap();
        let number = |at: usize| {
            usize::try_from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap()
        };
        let (count, footer) = (number(bytes.len() - 24), number(bytes.len() - 20));
        let entries = bytes[footer + 140..].chunks(52).take(count);
        for entry in entries.filter(|entry| entry[44] == 0) {
            *found.entry(entry[..32].to_vec()).or_default() += 1;
        }
    }
    found
}

/// The numbers of the cells of a page's outline that hold a chunk with a name, and where in the
/// outline the two ids stand.
pub(crate) fn named_cells(outline: &[u8]) -> BTreeMap<usize, usize> {
    let count = usize::from(u16::from_le_bytes([outline[15], outline[16]]));
    let base_count = usize::from(u16::from_le_bytes([outline[17], outline[18]]));
    let mut at = 19 + count + base_count;
    let mut named = BTreeMap::new();
    for (place, kind) in outline[19..19 + count].iter().enumerate() {
        if *kind == 2 {
            named.insert(place, at);
        }
        at += match kind {
            2 => 64,
            3 => 32,
            _ => 0,
        };
    }
    named
}

/// Where the payloads of an answer with chunks stand.
pub(crate) fn payloads(chunks: &[u8]) -> Vec<Range<usize>> {
    let mut at = 8;
    let mut found = Vec::new();
    while at < chunks.len() - 4 {
        let len = u32::from_le_bytes(chunks[at + 13..at + 17].try_into().unwrap());
        let end = at + 17 + usize::try_from(len).unwrap();
        found.push(at + 17..end);
        at = end;
    }
    found
}

/// Makes the check sum of an answer right again.
pub(crate) fn resummed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 4);
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// Cells with data that differ.
pub(crate) fn changed_cells(old: &[u8], new: &[u8]) -> BTreeSet<usize> {
    let old: Vec<_> = old.chunks(1 << 18).collect();
    let cells = new.chunks(1 << 18).enumerate();
    let changed = cells.filter(|(place, cell)| old.get(*place) != Some(cell));
    changed.filter(|(_, cell)| cell.iter().any(|byte| *byte != 0)).map(|(place, _)| place).collect()
}

/// What is done to an answer on its way.
pub(crate) type Tamper = Box<dyn Fn(Answer) -> Result<Vec<u8>, WireError> + Send + Sync>;

/// An answer on its way, with its number counted from 1.
pub(crate) struct Answer {
    pub(crate) call: u64,
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// A wire that does something to answers and counts the cells that came over it.
pub(crate) struct Wire<'a> {
    pub(crate) origin: &'a dyn ReplicaSource,
    tamper: Tamper,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: u64,
    /// How often each cell was delivered.
    cells: BTreeMap<u64, u64>,
}

impl<'a> Wire<'a> {
    pub(crate) fn new(origin: &'a dyn ReplicaSource, tamper: Tamper) -> Self {
        Self { origin, tamper, state: Mutex::default() }
    }

    /// A wire that only counts.
    pub(crate) fn honest(origin: &'a dyn ReplicaSource) -> Self {
        Self::new(origin, Box::new(|answer| Ok(answer.bytes)))
    }

    /// A wire whose call number `at`, counted from 1, and all later ones get no answer.
    pub(crate) fn cut_at(origin: &'a dyn ReplicaSource, at: u64) -> Self {
        Self::new(
            origin,
            Box::new(move |answer| match answer.call {
                call if call >= at => Err(WireError::Cut("cut as planned".to_owned())),
                _ => Ok(answer.bytes),
            }),
        )
    }

    pub(crate) fn calls(&self) -> u64 {
        self.state.lock().unwrap().calls
    }

    /// How often each cell was delivered.
    pub(crate) fn cells(&self) -> BTreeMap<u64, u64> {
        self.state.lock().unwrap().cells.clone()
    }

    fn pass(
        &self,
        kind: &'static str,
        answer: Result<Vec<u8>, WireError>,
        cells: &[u64],
    ) -> Result<Vec<u8>, WireError> {
        let call = {
            let mut state = self.state.lock().unwrap();
            state.calls += 1;
            state.calls
        };
        let bytes = (self.tamper)(Answer { call, kind, bytes: answer? })?;
        for cell in cells {
            *self.state.lock().unwrap().cells.entry(*cell).or_default() += 1;
        }
        Ok(bytes)
    }
}

impl ReplicaSource for Wire<'_> {
    fn summary(&self) -> Result<Vec<u8>, WireError> {
        self.pass("summary", self.origin.summary(), &[])
    }

    fn outline(&self, page: u64, with_base: bool) -> Result<Vec<u8>, WireError> {
        self.pass("outline", self.origin.outline(page, with_base), &[])
    }

    fn chunks(&self, cells: &[u64]) -> Result<Vec<u8>, WireError> {
        self.pass("chunks", self.origin.chunks(cells), cells)
    }
}
