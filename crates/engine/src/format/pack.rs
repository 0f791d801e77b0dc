//! Packs: header, sealed records, padding, footer, trailer.

use strongroom_model::id::VaultId;

use super::cursor::Cursor;
use super::{Flaw, GRID_BYTES_MAX, VERSION, check_version, damaged, unsupported};
use crate::id::{ChunkId, PackId, SessionId};
use crate::key::{KEY_LEN, Suite, TAG_LEN, WRAPPED_LEN};
use crate::num::to_u32;

const MAGIC: &[u8; 8] = b"SRMPACK1";
const MAGIC_END: &[u8; 8] = b"1KCAPMRS";
/// Bytes before the first record.
pub(crate) const HEADER_LEN: usize = 140;
/// Bytes of one footer entry.
pub(crate) const ENTRY_LEN: usize = 52;
/// Bytes of the code behind the entries.
pub(crate) const MAC_LEN: usize = 32;
/// Bytes of the trailer.
pub(crate) const TRAILER_LEN: usize = 24;
/// Every pack is a whole number of these.
pub(crate) const ALIGN: usize = 4096;
/// No pack is longer.
pub(crate) const PACK_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// No pack holds more records: pages name them with 16 bits.
pub(crate) const RECORDS_MAX: usize = 65_535;

/// What stands at the head of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) suite: Suite,
    pub(crate) pack: PackId,
    pub(crate) vault: VaultId,
    pub(crate) session: SessionId,
    pub(crate) key_version: u32,
    pub(crate) wrapped_data_key: [u8; WRAPPED_LEN],
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[self.suite.byte(), 0]);
        out.extend_from_slice(&to_u32(HEADER_LEN).to_le_bytes());
        out.extend_from_slice(self.pack.0.as_bytes());
        out.extend_from_slice(self.vault.0.as_bytes());
        out.extend_from_slice(self.session.0.as_bytes());
        out.extend_from_slice(&self.key_version.to_le_bytes());
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&self.wrapped_data_key);
        out.extend_from_slice(&crc32fast::hash(&out).to_le_bytes());
        debug_assert_eq!(out.len(), HEADER_LEN);
        out
    }

    /// Decodes the first bytes of a pack.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let mut whole = Cursor::new(bytes);
        let body = whole.take(HEADER_LEN - 4)?;
        if crc32fast::hash(body) != whole.u32()? {
            return damaged("the check sum of its header is wrong");
        }
        let mut cursor = Cursor::new(body);
        if cursor.array::<8>()? != *MAGIC {
            return damaged("it is not a pack");
        }
        check_version(cursor.u16()?)?;
        let (suite, flags, len) = (cursor.u8()?, cursor.u8()?, cursor.u32()?);
        let Some(suite) = Suite::from_byte(suite) else {
            return unsupported(format!("cipher suite {suite}"));
        };
        if flags != 0 || len as usize != HEADER_LEN {
            return unsupported(format!("flags {flags:#x}, header of {len} bytes"));
        }
        let pack = PackId(cursor.uuid()?);
        let vault = VaultId(cursor.uuid()?);
        let session = SessionId(cursor.uuid()?);
        let key_version = cursor.u32()?;
        cursor.take(8)?;
        let wrapped_data_key = cursor.array()?;
        Ok(Self { suite, pack, vault, session, key_version, wrapped_data_key })
    }
}

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordKind {
    /// A grid cell of a volume.
    Chunk = 0,
    /// A page of a manifest.
    Page = 1,
}

/// How a record was squeezed before it was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    /// Not at all.
    Raw = 0,
    /// As one zstd frame.
    Zstd = 1,
}

/// One record as the footer describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: ChunkId,
    /// Where the record begins, in bytes from the head of the pack.
    pub(crate) offset: u32,
    /// Length as stored, tag included.
    pub(crate) stored: u32,
    /// Length of the plaintext.
    pub(crate) plain: u32,
    /// See [`RecordKind`]; kept as a byte because a later version may know more.
    pub(crate) kind: u8,
    /// See [`Codec`].
    pub(crate) codec: u8,
    /// CRC-32 of the stored bytes.
    pub(crate) crc: u32,
}

impl Entry {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.0);
        for number in [self.offset, self.stored, self.plain] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&[self.kind, self.codec, 0, 0]);
        out.extend_from_slice(&self.crc.to_le_bytes());
    }

    fn decode(cursor: &mut Cursor<'_>) -> Result<Self, Flaw> {
        let id = ChunkId(cursor.array()?);
        let (offset, stored, plain) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
        let (kind, codec) = (cursor.u8()?, cursor.u8()?);
        cursor.take(2)?;
        Ok(Self { id, offset, stored, plain, kind, codec, crc: cursor.u32()? })
    }

    /// What sealing binds the record to.
    pub(crate) fn aad(&self, pack: PackId, ordinal: u32) -> [u8; 58] {
        let mut aad = [0; 58];
        aad[..16].copy_from_slice(pack.0.as_bytes());
        aad[16..20].copy_from_slice(&ordinal.to_le_bytes());
        aad[20..52].copy_from_slice(&self.id.0);
        aad[52..56].copy_from_slice(&self.plain.to_le_bytes());
        aad[56] = self.codec;
        aad[57] = self.kind;
        aad
    }

    /// The span of the record in the pack.
    pub(crate) fn span(&self) -> std::ops::Range<u64> {
        let start = u64::from(self.offset);
        start..start + u64::from(self.stored)
    }
}

/// Appends padding, footer and trailer to `header ‖ records`, which makes it a pack.
///
/// The footer repeats the header, so that one read of the tail opens a pack.
pub(crate) fn finish(out: &mut Vec<u8>, entries: &[Entry], footer_key: &[u8; KEY_LEN]) {
    let tail = HEADER_LEN + entries.len() * ENTRY_LEN + MAC_LEN + TRAILER_LEN;
    let whole = (out.len() + tail).next_multiple_of(ALIGN);
    out.resize(whole - tail, 0);
    let footer_offset = out.len();
    out.extend_from_within(..HEADER_LEN);
    for entry in entries {
        entry.encode(out);
    }
    let mac = footer_mac(footer_key, &out[footer_offset..]);
    out.extend_from_slice(mac.as_bytes());
    let crc = crc32fast::hash(&out[footer_offset..]);
    for number in [to_u32(entries.len()), to_u32(footer_offset), crc, u32::from(VERSION)] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(MAGIC_END);
    debug_assert!(out.len().is_multiple_of(ALIGN) && out.len() as u64 <= PACK_BYTES_MAX);
}

/// The code over the repeated header and the entries of a footer.
pub(crate) fn footer_mac(key: &[u8; KEY_LEN], footer: &[u8]) -> blake3::Hash {
    blake3::keyed_hash(key, footer)
}

/// The last bytes of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trailer {
    /// Number of records.
    pub(crate) count: u32,
    /// Where the footer begins.
    pub(crate) footer_offset: u32,
    crc: u32,
}

impl Trailer {
    /// Decodes the trailer of a pack of `pack_len` bytes from its last bytes.
    pub(crate) fn decode(tail: &[u8], pack_len: u64) -> Result<Self, Flaw> {
        let Some(bytes) = tail.last_chunk::<TRAILER_LEN>() else {
            return damaged("it is too short");
        };
        let mut cursor = Cursor::new(bytes);
        let (count, footer_offset, crc) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
        let version = cursor.u32()?;
        if cursor.array::<8>()? != *MAGIC_END {
            return damaged("its trailer is missing");
        }
        check_version(u16::try_from(version).unwrap_or(u16::MAX))?;
        let trailer = Self { count, footer_offset, crc };
        let wanted = u64::from(footer_offset) + trailer.tail_len();
        let is_sane = count as usize <= RECORDS_MAX
            && footer_offset as usize >= HEADER_LEN
            && wanted == pack_len
            && pack_len <= PACK_BYTES_MAX;
        if is_sane { Ok(trailer) } else { damaged("its length does not fit its trailer") }
    }

    /// Bytes from the footer to the end of the pack.
    pub(crate) fn tail_len(&self) -> u64 {
        u64::from(self.count) * ENTRY_LEN as u64 + (HEADER_LEN + MAC_LEN + TRAILER_LEN) as u64
    }

    /// Decodes the footer from bytes that end with the end of the pack.
    ///
    /// The code in it is not checked here: that takes a key.
    pub(crate) fn decode_footer<'a>(&self, tail: &'a [u8]) -> Result<Footer<'a>, Flaw> {
        let want = usize::try_from(self.tail_len()).unwrap_or(usize::MAX);
        let Some(start) = tail.len().checked_sub(want) else {
            return damaged("it is too short");
        };
        let body = &tail[start..tail.len() - TRAILER_LEN];
        if crc32fast::hash(body) != self.crc {
            return damaged("the check sum of its footer is wrong");
        }
        let Some((bytes, mac)) = body.split_last_chunk::<MAC_LEN>() else {
            return damaged("it is too short");
        };
        let mut cursor = Cursor::new(bytes);
        let header = Header::decode(cursor.take(HEADER_LEN)?)?;
        let mut entries = Vec::with_capacity(bytes.len() / ENTRY_LEN);
        let mut offset = HEADER_LEN as u64;
        for _ in 0..self.count {
            let entry = Entry::decode(&mut cursor)?;
            let span = entry.span();
            let fits = span.start == offset
                && span.end <= u64::from(self.footer_offset)
                && entry.stored as usize >= TAG_LEN
                && entry.plain <= GRID_BYTES_MAX;
            if !fits {
                return damaged(format!("record {} lies outside", entries.len()));
            }
            offset = span.end;
            entries.push(entry);
        }
        cursor.end()?;
        Ok(Footer { header, entries, bytes, mac: blake3::Hash::from_bytes(*mac) })
    }
}

/// A decoded footer.
#[derive(Debug)]
pub(crate) struct Footer<'a> {
    pub(crate) header: Header,
    pub(crate) entries: Vec<Entry>,
    pub(crate) bytes: &'a [u8],
    pub(crate) mac: blake3::Hash,
}
