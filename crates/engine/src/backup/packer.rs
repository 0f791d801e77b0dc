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

/// How packs are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) suite: Suite,
    /// A pack is full at this length.
    pub(crate) pack_bytes: usize,
    /// Full packs that may wait for an uploader.
    pub(crate) queued_packs: usize,
}

/// The pack being filled and what lies in packs that are not uploaded yet.
pub(crate) struct Packer<'a> {
    repository: &'a Repository,
    session: &'a Session<'a>,
    suite: Suite,
    data_key: &'a DataKey,
    wrapped_data_key: [u8; WRAPPED_LEN],
    /// Held while a full pack waits for an uploader, so uploaders must never take it.
    state: Mutex<State>,
    /// A pack is full at this length.
    pack_bytes: usize,
    /// Content in packs that the index does not know yet, with its plain length. Entries leave after the index has them,
    /// so look here first.
    pending: Mutex<HashMap<ChunkId, (Location, u32)>>,
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
pub(crate) struct FullPack {
    pack: PackId,
    bytes: Bytes,
    /// Content and its plain length.
    records: Vec<(ChunkId, u32)>,
}

/// What [`Packer::store`] did.
pub(crate) enum Stored {
    /// The content was new.
    New(Location),
    /// The content was there.
    Found(Location),
}

impl<'a> Packer<'a> {
    /// An empty packer and the end where full packs come out.
    pub(crate) fn new(
        repository: &'a Repository,
        session: &'a Session<'a>,
        data_key: &'a DataKey,
        shape: Shape,
    ) -> (Self, Mutex<Receiver<FullPack>>) {
        let (sender, receiver) = sync_channel(shape.queued_packs);
        let wrapped_data_key =
            repository.keys().wrap_data_key(data_key, repository.vault(), session.id);
        let state = State { building: None, sender: Some(sender) };
        let state = Mutex::new(state);
        let packer = Self {
            repository,
            session,
            suite: shape.suite,
            data_key,
            wrapped_data_key,
            state,
            pack_bytes: shape.pack_bytes,
            pending: Mutex::default(),
        };
        (packer, Mutex::new(receiver))
    }

    /// Finds content in the vault or in packs still to be uploaded.
    pub(crate) fn find(&self, id: &ChunkId) -> Option<Location> {
        self.find_sized(id).map(|(location, _)| location)
    }

    /// Finds content and its plain length.
    pub(crate) fn find_sized(&self, id: &ChunkId) -> Option<(Location, u32)> {
        let pending = self.pending().get(id).copied();
        let index = self.repository.index();
        pending.or_else(|| index.find(id).map(|location| (location, index.plain_len(id))))
    }

    /// Whether a pack may be relied on.
    pub(crate) fn is_usable(&self, pack: PackId) -> bool {
        self.repository.index().is_usable(pack)
    }

    pub(crate) fn repository(&self) -> &'a Repository {
        self.repository
    }

    /// Stores content unless another thread just did.
    pub(crate) fn store(
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
        let is_full = building.is_full(self.pack_bytes);
        self.pending().insert(id, (location, plain_len));
        if is_full {
            self.flush(&mut state);
        }
        Ok(Stored::New(location))
    }

    /// Sends the last pack on its way and says that no more will come.
    pub(crate) fn close(&self) {
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
        let records = building.entries.iter().map(|entry| (entry.id, entry.plain)).collect();
        let full = FullPack { pack: building.pack, bytes: building.bytes.into(), records };
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
        let mut bytes = Vec::with_capacity(self.pack_bytes + self.pack_bytes / 16);
        bytes.extend_from_slice(&header.encode());
        let sealer = self.data_key.pack_sealer(self.suite, pack);
        Building { pack, sealer, bytes, entries: Vec::new() }
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<ChunkId, (Location, u32)>> {
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

    fn is_full(&self, pack_bytes: usize) -> bool {
        self.bytes.len() >= pack_bytes || self.entries.len() >= RECORDS_MAX
    }
}

/// The uploaders' end.
pub(crate) struct Uploads<'a> {
    pub(crate) packer: &'a Packer<'a>,
    pub(crate) full: Mutex<Receiver<FullPack>>,
    pub(crate) counters: &'a Counters,
    pub(crate) options: &'a BackupOptions,
}

impl Uploads<'_> {
    /// Uploads packs until no more come; after a failure it only takes them off the workers, unless
    /// what they hold saves the next attempt work.
    pub(crate) fn work(&self, crew: &Crew) {
        while let Some(full) = self.next() {
            if crew.has_failed() && !crew.is_worth_saving() {
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
        repository.index().insert(full.pack, full.records.iter().copied());
        let mut pending = self.packer.pending();
        for (id, _) in &full.records {
            pending.remove(id);
        }
        Ok(())
    }
}
