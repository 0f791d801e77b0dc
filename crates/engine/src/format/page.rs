//! Pages: what lies in 1024 consecutive grid cells of a volume.
//!
//! A page names its packs once in a table and its chunks by columns, so that equal stretches of two
//! backups encode to equal bytes and are stored once.

use std::collections::HashMap;

use super::cursor::Cursor;
use super::{Flaw, VERSION, check_version, damaged, unsupported};
use crate::id::{ChunkId, PackId};
use crate::num::{to_u16, to_u32};

const MAGIC: &[u8; 4] = b"SRPG";
/// Grid cells of a page; the last page of a volume has fewer.
pub(crate) const CELLS: usize = 1024;

/// Where a record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Location {
    pub(crate) pack: PackId,
    pub(crate) ordinal: u16,
}

/// What one grid cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Never written; reads as zeros.
    Hole,
    /// Written with zeros.
    Zero,
    /// Content that is stored.
    Chunk(ChunkId, Location),
}

/// Encodes at most [`CELLS`] cells.
pub(crate) fn encode(cells: &[Cell]) -> Vec<u8> {
    debug_assert!(cells.len() <= CELLS);
    let mut packs: Vec<PackId> = Vec::new();
    let mut slots: HashMap<PackId, u16> = HashMap::new();
    let (mut kinds, mut ids) = (Vec::with_capacity(cells.len()), Vec::new());
    let (mut pack_column, mut ordinal_column) = (Vec::new(), Vec::new());
    for cell in cells {
        let Cell::Chunk(id, location) = cell else {
            kinds.push(u8::from(*cell == Cell::Zero));
            continue;
        };
        let slot = *slots.entry(location.pack).or_insert_with(|| {
            packs.push(location.pack);
            to_u16(packs.len() - 1)
        });
        kinds.push(2);
        ids.extend_from_slice(&id.0);
        pack_column.extend_from_slice(&slot.to_le_bytes());
        ordinal_column.extend_from_slice(&location.ordinal.to_le_bytes());
    }
    let mut out = Vec::with_capacity(16 + packs.len() * 16 + kinds.len() + ids.len() * 9 / 8);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(&to_u32(kinds.len()).to_le_bytes());
    out.extend_from_slice(&to_u32(packs.len()).to_le_bytes());
    for pack in &packs {
        out.extend_from_slice(pack.0.as_bytes());
    }
    for column in [kinds, ids, pack_column, ordinal_column] {
        out.extend_from_slice(&column);
    }
    out
}

/// Decodes a page.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Cell>, Flaw> {
    let mut cursor = Cursor::new(bytes);
    if cursor.array::<4>()? != *MAGIC {
        return damaged("it is not a page");
    }
    check_version(cursor.u16()?)?;
    let flags = cursor.u16()?;
    if flags != 0 {
        return unsupported(format!("page flags {flags:#x}"));
    }
    let (count, pack_count) = (cursor.u32()? as usize, cursor.u32()? as usize);
    if count > CELLS || pack_count > RECORD_PACKS_MAX {
        return damaged("its counts are out of range");
    }
    let packs =
        (0..pack_count).map(|_| cursor.uuid().map(PackId)).collect::<Result<Vec<_>, _>>()?;
    let kinds = cursor.take(count)?;
    if let Some(kind) = kinds.iter().find(|kind| **kind > 2) {
        return unsupported(format!("page entries of kind {kind}"));
    }
    let chunks = kinds.iter().filter(|kind| **kind == 2).count();
    let mut ids = Cursor::new(cursor.take(chunks * 32)?);
    let mut pack_column = Cursor::new(cursor.take(chunks * 2)?);
    let mut ordinal_column = Cursor::new(cursor.take(chunks * 2)?);
    cursor.end()?;
    let mut cells = Vec::with_capacity(count);
    for kind in kinds {
        cells.push(match kind {
            0 => Cell::Hole,
            1 => Cell::Zero,
            _ => {
                let id = ChunkId(ids.array()?);
                let Some(pack) = packs.get(usize::from(pack_column.u16()?)) else {
                    return damaged("an entry names a pack outside its table");
                };
                let ordinal = ordinal_column.u16()?;
                Cell::Chunk(id, Location { pack: *pack, ordinal })
            }
        });
    }
    Ok(cells)
}

/// A page cannot need more packs: each entry names a few at most.
const RECORD_PACKS_MAX: usize = 65_535;
