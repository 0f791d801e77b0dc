//! Reads packs: opens their footers, then single records or whole stretches of them.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::format::pack::{Codec, Entry, Header, RecordKind, Trailer, footer_mac};
use crate::format::page::Location;
use crate::format::{Flaw, damaged, name};
use crate::id::{ChunkId, PackId};
use crate::key::{Sealer, counter_nonce};
use crate::repository::Repository;

/// One read of this many bytes finds the whole footer of most packs.
const TAIL_BYTES: u64 = 64 * 1024;
/// How many open packs are remembered; their footers are about 16 KiB each.
const CACHED_MAX: usize = 512;

/// A pack whose footer was read and authenticated.
pub(crate) struct OpenPack {
    pub(crate) header: Header,
    pub(crate) entries: Vec<Entry>,
    sealer: Sealer,
}

impl OpenPack {
    /// Opens a pack from bytes that end with its end; `None` if more of the tail is needed.
    pub(crate) fn from_tail(
        repository: &Repository,
        pack: PackId,
        tail: &[u8],
        pack_len: u64,
    ) -> Result<Option<Self>, Flaw> {
        let trailer = Trailer::decode(tail, pack_len)?;
        if trailer.tail_len() > tail.len() as u64 {
            return Ok(None);
        }
        let footer = trailer.decode_footer(tail)?;
        let header = footer.header;
        if header.pack != pack || header.vault != repository.vault() {
            return damaged("it is another pack");
        }
        let data_key = repository.keys().unwrap_data_key(
            &header.wrapped_data_key,
            header.vault,
            header.session,
        );
        let Some(data_key) = data_key else {
            return damaged("its data key does not open");
        };
        if footer_mac(&data_key.footer_key(pack), footer.bytes) != footer.mac {
            return damaged("the code of its footer is wrong");
        }
        let sealer = data_key.pack_sealer(header.suite, pack);
        Ok(Some(Self { header, entries: footer.entries, sealer }))
    }

    /// The entry of a record that must hold `id`.
    pub(crate) fn entry(&self, kind: RecordKind, id: ChunkId, ordinal: u16) -> Result<&Entry> {
        let entry = self.entries.get(usize::from(ordinal));
        entry.filter(|e| e.id == id && e.kind == kind as u8).ok_or_else(|| Error::ChunkDamaged {
            chunk: id,
            pack: self.header.pack,
            ordinal: u32::from(ordinal),
            detail: "the pack holds something else there".to_owned(),
        })
    }

    /// Opens a stored record and proves that its content is what the entry's id says.
    pub(crate) fn open_record(
        &self,
        repository: &Repository,
        ordinal: u32,
        stored: &[u8],
    ) -> Result<Vec<u8>> {
        let pack = self.header.pack;
        let Some(entry) = self.entries.get(ordinal as usize) else {
            return Err(Error::damaged(&pack.to_string(), format!("it has no record {ordinal}")));
        };
        let fail = |detail: &str| Error::ChunkDamaged {
            chunk: entry.id,
            pack,
            ordinal,
            detail: detail.to_owned(),
        };
        let mut text = stored.to_vec();
        let opened = self.sealer.open(counter_nonce(ordinal), &entry.aad(pack, ordinal), &mut text);
        if opened.is_none() {
            return Err(fail("it does not open"));
        }
        let plain_len = entry.plain as usize;
        let plain = match entry.codec {
            c if c == Codec::Raw as u8 => text,
            c if c == Codec::Zstd as u8 => zstd::bulk::decompress(&text, plain_len)
                .map_err(|_| fail("it does not decompress"))?,
            other => {
                let detail = format!("record {ordinal} has codec {other}");
                return Err(Error::unsupported(&name::pack(repository.vault(), pack), detail));
            }
        };
        let id = match entry.kind {
            k if k == RecordKind::Chunk as u8 => repository.keys().chunk_id(&plain),
            k if k == RecordKind::Page as u8 => repository.keys().page_id(&plain),
            other => {
                let detail = format!("record {ordinal} is of kind {other}");
                return Err(Error::unsupported(&name::pack(repository.vault(), pack), detail));
            }
        };
        if plain.len() != plain_len || id != entry.id {
            return Err(fail("its content has another id"));
        }
        Ok(plain)
    }
}

impl fmt::Debug for OpenPack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenPack({}, {} records)", self.header.pack, self.entries.len())
    }
}

/// Open packs, the latest ones.
#[derive(Debug, Default)]
pub(crate) struct PackCache(Mutex<Cached>);

#[derive(Debug, Default)]
struct Cached {
    open: HashMap<PackId, Arc<OpenPack>>,
    /// Oldest first.
    order: VecDeque<PackId>,
}

impl PackCache {
    fn find(&self, pack: PackId) -> Option<Arc<OpenPack>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).open.get(&pack).cloned()
    }

    fn keep(&self, open: &Arc<OpenPack>) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = open.header.pack;
        if cached.open.insert(id, Arc::clone(open)).is_none() {
            cached.order.push_back(id);
        }
        if cached.order.len() > CACHED_MAX {
            let oldest = cached.order.pop_front();
            oldest.and_then(|id| cached.open.remove(&id));
        }
    }
}

impl Repository {
    /// Opens a pack, from memory if it was open lately.
    pub(crate) fn open_pack(&self, pack: PackId) -> Result<Arc<OpenPack>> {
        if let Some(open) = self.packs().find(pack) {
            return Ok(open);
        }
        let open = Arc::new(self.load_pack(pack)?);
        self.packs().keep(&open);
        Ok(open)
    }

    /// Opens a pack by reading its tail.
    pub(crate) fn load_pack(&self, pack: PackId) -> Result<OpenPack> {
        let (tail, len) = self.store().get_tail(&name::pack(self.vault(), pack), TAIL_BYTES)?;
        self.open_tail(pack, &tail, len)
    }

    /// Opens a pack whose length a list told, which saves asking for it.
    pub(crate) fn load_listed_pack(&self, pack: PackId, len: u64) -> Result<OpenPack> {
        let object = name::pack(self.vault(), pack);
        let tail = self.store().get_range(&object, len.saturating_sub(TAIL_BYTES)..len)?;
        self.open_tail(pack, &tail, len)
    }

    fn open_tail(&self, pack: PackId, tail: &[u8], len: u64) -> Result<OpenPack> {
        let object = name::pack(self.vault(), pack);
        let opened = OpenPack::from_tail(self, pack, tail, len).map_err(|flaw| flaw.at(&object))?;
        if let Some(open) = opened {
            return Ok(open);
        }
        let whole = self.store().get_tail(&object, len)?.0;
        OpenPack::from_tail(self, pack, &whole, len)
            .map_err(|flaw| flaw.at(&object))?
            .ok_or_else(|| Error::damaged(&object, "it is too short"))
    }

    /// Reads one record that must hold `id`.
    pub(crate) fn read_record(
        &self,
        kind: RecordKind,
        id: ChunkId,
        location: Location,
    ) -> Result<Vec<u8>> {
        let open = self.open_pack(location.pack)?;
        let span = open.entry(kind, id, location.ordinal)?.span();
        let stored = self.store().get_range(&name::pack(self.vault(), location.pack), span)?;
        open.open_record(self, u32::from(location.ordinal), &stored)
    }
}
