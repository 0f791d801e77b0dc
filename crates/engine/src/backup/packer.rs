//! Gathers sealed records into packs and uploads the full ones.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use zstd::bulk::Compressor;

use super::BackupOptions;
use super::stats::{Counters, add};
use crate::crew::Crew;
use crate::error::{Error, Result};
use crate::format::name;
use crate::format::pack::{Codec, Entry, Header, RECORDS_MAX, RecordKind, finish};
use crate::format::page::Location;
use crate::id::{ChunkId, PackId};
use crate::key::{DataKey, Sealer, Suite, WRAPPED_LEN, counter_nonce};
use crate::num::{to_u16, to_u32};
use crate::repository::Repository;
use crate::session::Session;
use crate::store::Created;

/// A pack is full at this length.
const PACK_BYTES: usize = 32 * 1024 * 1024;

/// The pack being filled and what lies in packs that are not uploaded yet.
pub(super) struct Packer<'a> {
    repository: &'a Repository,
    session: &'a Session<'a>,
    suite: Suite,
    data_key: &'a DataKey,
    wrapped_data_key: [u8; WRAPPED_LEN],
    /// Held while a full pack waits for an uploader, so uploaders must never take it.
    state: Mutex<State>,
    /// Content in packs that the index does not know yet. Entries leave after the index has them,
    /// so look here first.
    pending: Mutex<HashMap<ChunkId, Location>>,
}

struct State {
    building: Option<Building>,
    /// Gone once no more packs will come.
    sender: Option<SyncSender<FullPack>>,
}

struct Building {
    pack: PackId,
    sealer: Sealer,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

/// A finished pack on its way to the store.
pub(super) struct FullPack {
    pack: PackId,
    bytes: Bytes,
    ids: Vec<ChunkId>,
}

/// What [`Packer::store`] did.
pub(super) enum Stored {
    /// The content was new.
    New(Location),
    /// The content was there.
    Found(Location),
}

impl<'a> Packer<'a> {
    /// An empty packer and the end where full packs come out.
    pub(super) fn new(
        repository: &'a Repository,
        session: &'a Session<'a>,
        suite: Suite,
        data_key: &'a DataKey,
    ) -> (Self, Mutex<Receiver<FullPack>>) {
        let (sender, receiver) = sync_channel(1);
        let wrapped_data_key =
            repository.keys().wrap_data_key(data_key, repository.vault(), session.id);
        let state = State { building: None, sender: Some(sender) };
        let state = Mutex::new(state);
        let packer = Self {
            repository,
            session,
            suite,
            data_key,
            wrapped_data_key,
            state,
            pending: Mutex::default(),
        };
        (packer, Mutex::new(receiver))
    }

    /// Finds content in the vault or in packs still to be uploaded.
    pub(super) fn find(&self, id: &ChunkId) -> Option<Location> {
        let pending = self.pending().get(id).copied();
        pending.or_else(|| self.repository.index().find(id))
    }

    /// Whether a pack may be relied on.
    pub(super) fn is_usable(&self, pack: PackId) -> bool {
        self.repository.index().is_usable(pack)
    }

    pub(super) fn repository(&self) -> &'a Repository {
        self.repository
    }

    /// Stores content unless another thread just did.
    pub(super) fn store(
        &self,
        kind: RecordKind,
        id: ChunkId,
        plain: &[u8],
        compressor: &mut Compressor<'_>,
    ) -> Result<Stored> {
        let squeezed = compressor.compress(plain).ok().filter(|z| z.len() < plain.len() / 100 * 97);
        let (codec, text) = match squeezed {
            Some(squeezed) => (Codec::Zstd, squeezed),
            None => (Codec::Raw, plain.to_vec()),
        };
        let plain_len = u32::try_from(plain.len())
            .map_err(|_| Error::damaged(&id.to_string(), "a record of 4 GiB"))?;
        let mut state = self.state();
        if let Some(location) = self.find(&id) {
            return Ok(Stored::Found(location));
        }
        let building = state.building.get_or_insert_with(|| self.begin());
        let location = building.append(kind, codec, (id, plain_len), text);
        let is_full = building.is_full();
        self.pending().insert(id, location);
        if is_full {
            self.flush(&mut state);
        }
        Ok(Stored::New(location))
    }

    /// Sends the last pack on its way and says that no more will come.
    pub(super) fn close(&self) {
        let mut state = self.state();
        self.flush(&mut state);
        state.sender = None;
    }

    /// Sends the pack being filled on its way. Waits, with all who want to store, while the
    /// uploaders are busy: that is what bounds memory.
    fn flush(&self, state: &mut MutexGuard<'_, State>) {
        let Some(mut building) = state.building.take() else {
            return;
        };
        let footer_key = self.data_key.footer_key(building.pack);
        finish(&mut building.bytes, &building.entries, &footer_key);
        let ids = building.entries.iter().map(|entry| entry.id).collect();
        let full = FullPack { pack: building.pack, bytes: building.bytes.into(), ids };
        if let Some(sender) = &state.sender {
            // Uploaders leave only after the sender is gone, so nobody refuses.
            let _taken = sender.send(full);
        }
    }

    fn begin(&self) -> Building {
        let pack = PackId::random(self.repository.chance());
        let header = Header {
            suite: self.suite,
            pack,
            vault: self.repository.vault(),
            session: self.session.id,
            key_version: self.repository.key_version(),
            wrapped_data_key: self.wrapped_data_key,
        };
        let mut bytes = Vec::with_capacity(PACK_BYTES + PACK_BYTES / 16);
        bytes.extend_from_slice(&header.encode());
        let sealer = self.data_key.pack_sealer(self.suite, pack);
        Building { pack, sealer, bytes, entries: Vec::new() }
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<ChunkId, Location>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Building {
    fn append(
        &mut self,
        kind: RecordKind,
        codec: Codec,
        (id, plain): (ChunkId, u32),
        mut text: Vec<u8>,
    ) -> Location {
        let ordinal = self.entries.len();
        debug_assert!(ordinal < RECORDS_MAX);
        let mut entry = Entry {
            id,
            offset: to_u32(self.bytes.len()),
            stored: 0,
            plain,
            kind: kind as u8,
            codec: codec as u8,
            crc: 0,
        };
        let aad = entry.aad(self.pack, to_u32(ordinal));
        self.sealer.seal(counter_nonce(to_u32(ordinal)), &aad, &mut text);
        entry.stored = to_u32(text.len());
        entry.crc = crc32fast::hash(&text);
        self.bytes.extend_from_slice(&text);
        self.entries.push(entry);
        Location { pack: self.pack, ordinal: to_u16(ordinal) }
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= PACK_BYTES || self.entries.len() >= RECORDS_MAX
    }
}

/// The uploaders' end.
pub(super) struct Uploads<'a> {
    pub(super) packer: &'a Packer<'a>,
    pub(super) full: Mutex<Receiver<FullPack>>,
    pub(super) counters: &'a Counters,
    pub(super) options: &'a BackupOptions,
}

impl Uploads<'_> {
    /// Uploads packs until no more come; after a failure it only takes them off the workers.
    pub(super) fn work(&self, crew: &Crew) {
        while let Some(full) = self.next() {
            if crew.has_failed() {
                continue;
            }
            if let Err(error) = self.upload(full) {
                crew.fail(error);
            }
        }
    }

    fn next(&self) -> Option<FullPack> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
    }

    fn upload(&self, full: FullPack) -> Result<()> {
        let repository = self.packer.repository;
        let object = name::pack(repository.vault(), full.pack);
        let len = full.bytes.len() as u64;
        // The id is random, so what is there can only be our own try whose answer was lost.
        if repository.store().create(&object, full.bytes.clone())? == Created::Exists
            && repository.store().get(&object)? != full.bytes
        {
            return Err(Error::damaged(&object, "its name was taken by something else"));
        }
        add(&self.counters.stored_bytes, len);
        add(&self.counters.object_count, 1);
        self.options.progress.add_stored(len);
        repository.index().insert(full.pack, full.ids.iter().copied());
        let mut pending = self.packer.pending();
        for id in &full.ids {
            pending.remove(id);
        }
        Ok(())
    }
}
