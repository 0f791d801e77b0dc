//! What goes over the wire: summaries, outlines and chunks, as bytes.
//!
//! Each answer is `magic 4 ‖ version 2 ‖ … ‖ CRC-32 of all before`. The check sum is against accidents;
//! against lies there are the content roots and the ids. Decoders take any bytes without a panic and
//! allocate no more than a few times what they were given.

use super::root::{Content, page_digest};
use crate::format::cursor::Cursor;
use crate::format::page::CELLS;
use crate::format::{Flaw, GRID_BYTES, damaged, unsupported};
use crate::id::{ChunkId, Digest};
use crate::num::{to_u16, to_u32};

/// The version of the wire written here and the only one read.
const VERSION: u16 = 1;
/// No request for chunks may name more cells.
pub const CELLS_PER_REQUEST_MAX: usize = 32;
/// No summary is longer, in bytes.
pub const SUMMARY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// No outline is longer, in bytes.
pub const OUTLINE_BYTES_MAX: usize = 128 * 1024;
/// No answer with chunks is longer, in bytes.
pub const CHUNKS_BYTES_MAX: usize = CELLS_PER_REQUEST_MAX * (GRID_BYTES as usize + 64) + 64;
/// Pages of a base behind the end of the backup; with more, the base is not used.
pub(super) const TAIL_MAX: usize = 100_000;

/// What there is to be received: `"SRRS" ‖ version 2 ‖ size 8 ‖ grid 4 ‖ content root 32 ‖ 0`, or `1`
/// instead of the `0` and then `size of the base 8 ‖ its content root 32 ‖ n 4 ‖ n digests of 32`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) size_bytes: u64,
    pub(super) grid_bytes: u32,
    /// The content root.
    pub(super) root: Digest,
    pub(super) base: Option<BaseSummary>,
}

/// The base that the outlines can refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BaseSummary {
    pub(super) size_bytes: u64,
    pub(super) root: Digest,
    /// Digests of the base's pages behind the last page of the backup.
    pub(super) tail: Vec<Digest>,
}

/// What lies in one page: `"SRRO" ‖ version 2 ‖ page 8 ‖ 1 ‖ digest 32` if all of it is as in the base,
/// else `… ‖ 0 ‖ cells c 2 ‖ cells of the base b 2 ‖ c kinds ‖ b kinds ‖ ids`.
///
/// Kinds: 0 never written, 1 zeros, 2 chunk, 3 the same chunk in both. Ids, in the order of the kinds:
/// for a cell of kind 2 its id in the origin and its name, of kind 3 its id in the origin; for a cell
/// of the base of kind 2 its id in the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) page: u64,
    pub(super) body: Body,
}

/// What an outline says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// All cells are as in the base; this is the digest of both.
    Same(Digest),
    /// The cells, and what the base has at the same places; no base cells where none were asked for.
    Cells { cells: Vec<OutlineCell>, base: Vec<BaseCell> },
}

/// A cell of the backup. `own` is a chunk's id in the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutlineCell {
    Hole,
    Zero,
    /// A chunk, and its name under the key of the asking vault.
    Chunk {
        own: ChunkId,
        name: ChunkId,
    },
    /// The same chunk as in the base.
    Same {
        own: ChunkId,
    },
}

/// A cell of the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BaseCell {
    Hole,
    Zero,
    Chunk(ChunkId),
    /// The same chunk as in the backup.
    Same,
}

/// A chunk on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WireChunk<'a> {
    /// The number of its cell in the volume.
    pub(super) cell: u64,
    pub(super) plain_len: u32,
    /// Whether `bytes` are one zstd frame.
    pub(super) is_squeezed: bool,
    pub(super) bytes: &'a [u8],
}

impl Summary {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = begin(*b"SRRS");
        out.extend_from_slice(&self.size_bytes.to_le_bytes());
        out.extend_from_slice(&self.grid_bytes.to_le_bytes());
        out.extend_from_slice(&self.root.0);
        out.push(u8::from(self.base.is_some()));
        if let Some(base) = &self.base {
            out.extend_from_slice(&base.size_bytes.to_le_bytes());
            out.extend_from_slice(&base.root.0);
            out.extend_from_slice(&to_u32(base.tail.len()).to_le_bytes());
            base.tail.iter().for_each(|page| out.extend_from_slice(&page.0));
        }
        end(out)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let mut cursor = open(bytes, *b"SRRS", SUMMARY_BYTES_MAX)?;
        let (size_bytes, grid_bytes) = (cursor.u64()?, cursor.u32()?);
        let root = Digest(cursor.array()?);
        let base = match cursor.u8()? {
            0 => None,
            1 => {
                let (size_bytes, root) = (cursor.u64()?, Digest(cursor.array()?));
                let count = cursor.u32()? as usize;
                if count > TAIL_MAX {
                    return damaged("its base is far larger than the backup");
                }
                let tail = (0..count).map(|_| cursor.array().map(Digest));
                Some(BaseSummary { size_bytes, root, tail: tail.collect::<Result<_, _>>()? })
            }
            _ => return damaged("its base is neither there nor not"),
        };
        cursor.end()?;
        Ok(Self { size_bytes, grid_bytes, root, base })
    }
}

impl Outline {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = begin(*b"SRRO");
        out.extend_from_slice(&self.page.to_le_bytes());
        match &self.body {
            Body::Same(digest) => {
                out.push(1);
                out.extend_from_slice(&digest.0);
            }
            Body::Cells { cells, base } => {
                out.push(0);
                out.extend_from_slice(&to_u16(cells.len()).to_le_bytes());
                out.extend_from_slice(&to_u16(base.len()).to_le_bytes());
                encode_cells(&mut out, cells, base);
            }
        }
        end(out)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let mut cursor = open(bytes, *b"SRRO", OUTLINE_BYTES_MAX)?;
        let page = cursor.u64()?;
        let body = match cursor.u8()? {
            0 => {
                let counts = (cursor.u16()?.into(), cursor.u16()?.into());
                decode_cells(&mut cursor, counts)?
            }
            1 => Body::Same(Digest(cursor.array()?)),
            _ => return damaged("it is of an unknown kind"),
        };
        cursor.end()?;
        Ok(Self { page, body })
    }
}

impl Body {
    /// The digest of the backup's page.
    pub(super) fn digest(&self) -> Digest {
        match self {
            Self::Same(digest) => *digest,
            Self::Cells { cells, .. } => page_digest(cells.iter().map(OutlineCell::content)),
        }
    }

    /// The digest of the base's page.
    pub(super) fn base_digest(&self) -> Digest {
        let (cells, base) = match self {
            Self::Same(digest) => return *digest,
            Self::Cells { cells, base } => (cells, base),
        };
        page_digest(base.iter().enumerate().map(|(place, cell)| match cell {
            BaseCell::Hole => Content::Hole,
            BaseCell::Zero => Content::Zero,
            BaseCell::Chunk(id) => Content::Chunk(*id),
            BaseCell::Same => cells.get(place).map_or(Content::Hole, OutlineCell::content),
        }))
    }

    /// Whether it refers to the base.
    pub(super) fn needs_base(&self) -> bool {
        match self {
            Self::Same(_) => true,
            Self::Cells { cells, .. } => {
                cells.iter().any(|cell| matches!(cell, OutlineCell::Same { .. }))
            }
        }
    }
}

impl OutlineCell {
    fn content(&self) -> Content {
        match self {
            Self::Hole => Content::Hole,
            Self::Zero => Content::Zero,
            Self::Chunk { own, .. } | Self::Same { own } => Content::Chunk(*own),
        }
    }
}

/// Columns: kinds, kinds of the base, ids in the order of the kinds.
fn encode_cells(out: &mut Vec<u8>, cells: &[OutlineCell], base: &[BaseCell]) {
    let mut ids = Vec::new();
    for cell in cells {
        out.push(match cell {
            OutlineCell::Hole => 0,
            OutlineCell::Zero => 1,
            OutlineCell::Chunk { own, name } => {
                ids.extend_from_slice(&own.0);
                ids.extend_from_slice(&name.0);
                2
            }
            OutlineCell::Same { own } => {
                ids.extend_from_slice(&own.0);
                3
            }
        });
    }
    for cell in base {
        out.push(match cell {
            BaseCell::Hole => 0,
            BaseCell::Zero => 1,
            BaseCell::Chunk(id) => {
                ids.extend_from_slice(&id.0);
                2
            }
            BaseCell::Same => 3,
        });
    }
    out.extend_from_slice(&ids);
}

fn decode_cells(
    cursor: &mut Cursor<'_>,
    (count, base_count): (usize, usize),
) -> Result<Body, Flaw> {
    if count > CELLS || base_count > CELLS {
        return damaged("it has too many cells");
    }
    let (kinds, base_kinds) = (cursor.take(count)?, cursor.take(base_count)?);
    let mut cells = Vec::with_capacity(count);
    for (place, kind) in kinds.iter().enumerate() {
        let is_same = base_kinds.get(place) == Some(&3);
        cells.push(match kind {
            0 => OutlineCell::Hole,
            1 => OutlineCell::Zero,
            2 => {
                let (own, name) = (ChunkId(cursor.array()?), ChunkId(cursor.array()?));
                OutlineCell::Chunk { own, name }
            }
            3 if is_same => OutlineCell::Same { own: ChunkId(cursor.array()?) },
            _ => return damaged("it has a cell of an unknown kind"),
        });
    }
    let mut base = Vec::with_capacity(base_count);
    for (place, kind) in base_kinds.iter().enumerate() {
        let is_same = kinds.get(place) == Some(&3);
        base.push(match kind {
            0 => BaseCell::Hole,
            1 => BaseCell::Zero,
            2 => BaseCell::Chunk(ChunkId(cursor.array()?)),
            3 if is_same => BaseCell::Same,
            _ => return damaged("it has a cell of the base of an unknown kind"),
        });
    }
    Ok(Body::Cells { cells, base })
}

/// Encodes an answer with chunks, at most [`CELLS_PER_REQUEST_MAX`]: `"SRRC" ‖ version 2 ‖ n 2`, then for
/// each `cell 8 ‖ plain length 4 ‖ codec 1 ‖ length 4 ‖ bytes`; codec 0 raw, 1 one zstd frame.
pub(super) fn encode_chunks<'a>(chunks: impl ExactSizeIterator<Item = WireChunk<'a>>) -> Vec<u8> {
    let mut out = begin(*b"SRRC");
    out.extend_from_slice(&to_u16(chunks.len()).to_le_bytes());
    for chunk in chunks {
        out.extend_from_slice(&chunk.cell.to_le_bytes());
        out.extend_from_slice(&chunk.plain_len.to_le_bytes());
        out.push(u8::from(chunk.is_squeezed));
        out.extend_from_slice(&to_u32(chunk.bytes.len()).to_le_bytes());
        out.extend_from_slice(chunk.bytes);
    }
    end(out)
}

/// Decodes an answer with chunks; the chunks are still squeezed.
pub(super) fn decode_chunks(bytes: &[u8]) -> Result<Vec<WireChunk<'_>>, Flaw> {
    let mut cursor = open(bytes, *b"SRRC", CHUNKS_BYTES_MAX)?;
    let count = usize::from(cursor.u16()?);
    if count > CELLS_PER_REQUEST_MAX {
        return damaged("it has too many chunks");
    }
    let mut chunks = Vec::with_capacity(count);
    for _ in 0..count {
        let (cell, plain_len) = (cursor.u64()?, cursor.u32()?);
        let is_squeezed = match cursor.u8()? {
            0 => false,
            1 => true,
            _ => return damaged("it has a chunk of an unknown codec"),
        };
        let len = cursor.u32()? as usize;
        chunks.push(WireChunk { cell, plain_len, is_squeezed, bytes: cursor.take(len)? });
    }
    cursor.end()?;
    Ok(chunks)
}

impl WireChunk<'_> {
    /// The plaintext, which must have `plain_len` bytes and no more than a grid cell.
    pub(super) fn plain(&self) -> Result<Vec<u8>, Flaw> {
        if self.plain_len > GRID_BYTES {
            return damaged("a chunk is longer than a cell");
        }
        let plain_len = self.plain_len as usize;
        let plain = if self.is_squeezed {
            zstd::bulk::decompress(self.bytes, plain_len)
                .map_err(|_| Flaw::Damaged("a chunk does not decompress".to_owned()))?
        } else {
            self.bytes.to_vec()
        };
        if plain.len() != plain_len {
            return damaged("a chunk has another length than it says");
        }
        Ok(plain)
    }
}

fn begin(magic: [u8; 4]) -> Vec<u8> {
    let mut out = magic.to_vec();
    out.extend_from_slice(&VERSION.to_le_bytes());
    out
}

fn end(mut out: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

/// Whether an answer arrived as it was sent, as far as its check sum tells.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    bytes
        .split_last_chunk::<4>()
        .is_some_and(|(body, sum)| crc32fast::hash(body) == u32::from_le_bytes(*sum))
}

/// Checks length, sum, magic and version.
fn open(bytes: &[u8], magic: [u8; 4], len_max: usize) -> Result<Cursor<'_>, Flaw> {
    if bytes.len() > len_max {
        return damaged(format!("it has {} bytes, at most {len_max} are allowed", bytes.len()));
    }
    if !is_whole(bytes) {
        return damaged("its check sum is wrong");
    }
    let mut cursor = Cursor::new(&bytes[..bytes.len() - 4]);
    if cursor.array()? != magic {
        return damaged("it is an answer to something else");
    }
    let version = cursor.u16()?;
    if version != VERSION {
        return unsupported(format!("wire version {version}, this program speaks {VERSION}"));
    }
    Ok(cursor)
}
