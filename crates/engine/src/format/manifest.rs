//! Manifests: the root of one backup.
//!
//! The fixed header is readable without keys and bound to the sealed body; the body is a row of
//! sections, of which a reader may skip those it does not know unless they are marked critical.

use strongroom_model::id::{BackupId, VaultId};
use strongroom_model::time::Timestamp;
use uuid::Uuid;

use super::cursor::Cursor;
use super::page::{CELLS, Location};
use super::{Flaw, GRID_BYTES_MAX, VERSION, check_version, damaged, unsupported};
use crate::id::{ChunkId, Digest, PackId, SessionId};
use crate::key::{DataKey, Suite, VaultKey, WRAPPED_LEN};
use crate::num::to_u32;

const MAGIC: &[u8; 8] = b"SRMMANI1";
/// Bytes before the sealed body.
pub(crate) const HEADER_LEN: usize = 180;
/// A reader that does not know a section with this bit must refuse the manifest.
const CRITICAL: u32 = 1 << 31;
const META: u32 = 1;
const STATS: u32 = 2;
const PAGES: u32 = 3 | CRITICAL;
const PAGE_REF_LEN: usize = 56;

/// Where a page lies; a page of nothing but holes lies nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageRef {
    pub(crate) id: ChunkId,
    pub(crate) location: Location,
}

/// The root of one backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) suite: Suite,
    pub(crate) vault: VaultId,
    pub(crate) backup: BackupId,
    pub(crate) parent: Option<BackupId>,
    pub(crate) session: SessionId,
    pub(crate) created_at: Timestamp,
    pub(crate) size_bytes: u64,
    pub(crate) grid_bytes: u32,
    pub(crate) key_version: u32,
    /// JSON of the caller.
    pub(crate) meta: Vec<u8>,
    /// JSON of the engine's statistics.
    pub(crate) stats: Vec<u8>,
    /// One for each 1024 grid cells; `None` where all of them are holes.
    pub(crate) pages: Vec<Option<PageRef>>,
}

impl Manifest {
    /// The hash over size, grid and page table that stands in the commit record.
    pub(crate) fn root(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"strongroom v1 root");
        hasher.update(&self.size_bytes.to_le_bytes());
        hasher.update(&self.grid_bytes.to_le_bytes());
        hasher.update(&self.encode_pages());
        Digest(*hasher.finalize().as_bytes())
    }

    /// Seals the manifest into its stored bytes.
    pub(crate) fn seal(&self, keys: &VaultKey, data_key: &DataKey) -> Vec<u8> {
        let mut body = Vec::new();
        for (tag, bytes) in
            [(META, &self.meta), (STATS, &self.stats), (PAGES, &self.encode_pages())]
        {
            body.extend_from_slice(&tag.to_le_bytes());
            body.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            body.extend_from_slice(bytes);
        }
        let wrapped = keys.wrap_data_key(data_key, self.vault, self.session);
        let mut out = self.encode_header(&wrapped, body.len() as u64 + 16);
        data_key.manifest_sealer(self.suite, self.session).seal([0; 12], &out, &mut body);
        out.extend_from_slice(&body);
        out
    }

    fn encode_header(&self, wrapped: &[u8; WRAPPED_LEN], body_len: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[self.suite.byte(), 0]);
        out.extend_from_slice(&to_u32(HEADER_LEN).to_le_bytes());
        let parent = self.parent.map_or(Uuid::nil(), |parent| parent.0);
        for id in [self.vault.0, self.backup.0, parent, self.session.0] {
            out.extend_from_slice(id.as_bytes());
        }
        out.extend_from_slice(&self.created_at.as_micros().to_le_bytes());
        out.extend_from_slice(&self.size_bytes.to_le_bytes());
        out.extend_from_slice(&self.grid_bytes.to_le_bytes());
        out.extend_from_slice(&self.key_version.to_le_bytes());
        out.extend_from_slice(wrapped);
        out.extend_from_slice(&body_len.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&crc32fast::hash(&out).to_le_bytes());
        debug_assert_eq!(out.len(), HEADER_LEN);
        out
    }

    fn encode_pages(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.pages.len() * PAGE_REF_LEN);
        for page in &self.pages {
            let Some(page) = page else {
                out.extend_from_slice(&[0; PAGE_REF_LEN]);
                continue;
            };
            out.extend_from_slice(&page.id.0);
            out.extend_from_slice(page.location.pack.0.as_bytes());
            out.extend_from_slice(&u32::from(page.location.ordinal).to_le_bytes());
            out.extend_from_slice(&[0; 4]);
        }
        out
    }

    /// Opens stored bytes.
    pub(crate) fn open(keys: &VaultKey, bytes: &[u8]) -> Result<Self, Flaw> {
        let Some((header, sealed)) = bytes.split_at_checked(HEADER_LEN) else {
            return damaged("it is too short");
        };
        let (mut manifest, wrapped, body_len) = Self::decode_header(header)?;
        if sealed.len() as u64 != body_len {
            return damaged("its length does not fit its header");
        }
        let data_key = keys.unwrap_data_key(&wrapped, manifest.vault, manifest.session);
        let Some(data_key) = data_key else {
            return damaged("its data key does not open");
        };
        let mut body = sealed.to_vec();
        let sealer = data_key.manifest_sealer(manifest.suite, manifest.session);
        if sealer.open([0; 12], header, &mut body).is_none() {
            return damaged("its body does not open");
        }
        manifest.decode_body(&body)?;
        Ok(manifest)
    }

    /// Decodes the header; the sections are still empty.
    fn decode_header(header: &[u8]) -> Result<(Self, [u8; WRAPPED_LEN], u64), Flaw> {
        let mut cursor = Cursor::new(header);
        let body = cursor.take(HEADER_LEN - 4)?;
        if crc32fast::hash(body) != cursor.u32()? {
            return damaged("the check sum of its header is wrong");
        }
        let mut cursor = Cursor::new(body);
        if cursor.array::<8>()? != *MAGIC {
            return damaged("it is not a manifest");
        }
        check_version(cursor.u16()?)?;
        let (suite, flags, len) = (cursor.u8()?, cursor.u8()?, cursor.u32()?);
        let Some(suite) = Suite::from_byte(suite) else {
            return unsupported(format!("cipher suite {suite}"));
        };
        if flags != 0 || len as usize != HEADER_LEN {
            return unsupported(format!("flags {flags:#x}, header of {len} bytes"));
        }
        let vault = VaultId(cursor.uuid()?);
        let backup = BackupId(cursor.uuid()?);
        let parent = Some(cursor.uuid()?).filter(|id| !id.is_nil()).map(BackupId);
        let session = SessionId(cursor.uuid()?);
        let created_at = Timestamp::from_micros(cursor.i64()?);
        let (size_bytes, grid_bytes) = (cursor.u64()?, cursor.u32()?);
        let key_version = cursor.u32()?;
        let wrapped = cursor.array()?;
        let body_len = cursor.u64()?;
        if !grid_bytes.is_power_of_two() || !(4096..=GRID_BYTES_MAX).contains(&grid_bytes) {
            return unsupported(format!("a grid of {grid_bytes} bytes"));
        }
        let (meta, stats, pages) = (Vec::new(), Vec::new(), Vec::new());
        let manifest = Self {
            suite,
            vault,
            backup,
            parent,
            session,
            created_at,
            size_bytes,
            grid_bytes,
            key_version,
            meta,
            stats,
            pages,
        };
        Ok((manifest, wrapped, body_len))
    }

    fn decode_body(&mut self, body: &[u8]) -> Result<(), Flaw> {
        let mut cursor = Cursor::new(body);
        let mut has_pages = false;
        while cursor.remaining() > 0 {
            let (tag, len) = (cursor.u32()?, cursor.u64()?);
            let bytes = cursor.take(usize::try_from(len).unwrap_or(usize::MAX))?;
            match tag {
                META => self.meta = bytes.to_vec(),
                STATS => self.stats = bytes.to_vec(),
                PAGES => {
                    self.pages = decode_pages(bytes)?;
                    has_pages = true;
                }
                _ if tag & CRITICAL != 0 => return unsupported(format!("section {tag:#x}")),
                _ => {}
            }
        }
        if !has_pages || self.pages.len() as u64 != page_count(self.size_bytes, self.grid_bytes) {
            return damaged("its page table does not fit its size");
        }
        Ok(())
    }
}

/// How many pages a volume has.
pub(crate) fn page_count(size_bytes: u64, grid_bytes: u32) -> u64 {
    size_bytes.div_ceil(u64::from(grid_bytes) * CELLS as u64)
}

fn decode_pages(bytes: &[u8]) -> Result<Vec<Option<PageRef>>, Flaw> {
    let mut cursor = Cursor::new(bytes);
    let mut pages = Vec::with_capacity(bytes.len() / PAGE_REF_LEN);
    while cursor.remaining() > 0 {
        let id = ChunkId(cursor.array()?);
        let pack = PackId(cursor.uuid()?);
        let (ordinal, flags) = (cursor.u32()?, cursor.u32()?);
        if flags != 0 {
            return unsupported(format!("page flags {flags:#x}"));
        }
        let Ok(ordinal) = u16::try_from(ordinal) else {
            return damaged("a page lies outside its pack");
        };
        let is_hole = id.0 == [0; 32];
        pages.push((!is_hole).then_some(PageRef { id, location: Location { pack, ordinal } }));
    }
    Ok(pages)
}
