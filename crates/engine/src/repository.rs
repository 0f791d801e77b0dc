//! A vault in a store: the only door to stored data.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use strongroom_model::chance::{Chance, SystemChance};
use strongroom_model::id::VaultId;
use strongroom_model::time::{Clock, SystemClock};

use crate::error::{Error, Result};
use crate::format::keyfile::KeyFile;
use crate::format::{self, GRID_BYTES, name, record};
use crate::index::Index;
use crate::key::{MasterKey, NamingKey, VaultKey};
use crate::pack::PackCache;
use crate::store::{Created, Store};

/// Where a repository gets time and chance from.
#[derive(Debug, Clone)]
pub struct RepositoryOptions {
    /// Tells the time; used for reports, records and leases, never for safety.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and keys; anything but the system's is for tests.
    pub chance: Arc<dyn Chance>,
}

impl Default for RepositoryOptions {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), chance: Arc::new(SystemChance) }
    }
}

/// An open vault. Clones share its index and caches, and may be used from many threads.
#[derive(Clone)]
pub struct Repository(Arc<Inner>);

struct Inner {
    store: Store,
    vault: VaultId,
    key_version: u32,
    keys: VaultKey,
    options: RepositoryOptions,
    problems: Vec<String>,
    index: Index,
    packs: PackCache,
    /// Whether the store was seen to keep its promise; asked once before the first writing.
    is_probed: AtomicBool,
}

/// The record `vault`.
#[derive(Debug, Serialize, Deserialize)]
struct VaultRecord {
    format: u16,
    grid_bytes: u32,
    /// Features a reader must know; none exist.
    #[serde(default)]
    requires: Vec<String>,
}

impl Repository {
    /// Creates a vault, or finishes a creation of the same vault that was cut short.
    ///
    /// The store is probed first and refused if it overwrites objects.
    pub fn create(
        store: Store,
        vault: VaultId,
        master: &MasterKey,
        options: RepositoryOptions,
    ) -> Result<Self> {
        store.probe(&*options.chance)?;
        let record_name = name::vault(vault);
        if store.size(&record_name).is_ok() {
            return Err(Error::VaultExists(vault));
        }
        let version = 1;
        let fresh = KeyFile {
            vault,
            version,
            master: master.id(),
            wrapped: VaultKey::random(&*options.chance).wrap(
                master,
                &KeyFile::aad(vault, version),
                &*options.chance,
            ),
        };
        let first = name::key(vault, version, 'a');
        let mut bytes = Bytes::from(fresh.encode());
        if store.create(&first, bytes.clone())? == Created::Exists {
            bytes = store.get(&first)?;
        }
        let keys = unwrap_key(&first, &bytes, vault, master)?;
        store.create(&name::key(vault, version, 'b'), bytes)?;
        let body =
            VaultRecord { format: format::VERSION, grid_bytes: GRID_BYTES, requires: vec![] };
        store.create(&record_name, record::encode(&keys.1, &record_name, &body).into())?;
        Ok(Self::with_keys(store, vault, keys, Vec::new(), options))
    }

    /// Opens a vault. Nothing is written.
    ///
    /// One readable copy of the vault's key is enough; what else is wrong with the vault's own
    /// objects is told by [`Self::problems`].
    pub fn open(
        store: Store,
        vault: VaultId,
        master: &MasterKey,
        options: RepositoryOptions,
    ) -> Result<Self> {
        let mut problems = Vec::new();
        let keys = find_key(&store, vault, master, &mut problems)?;
        let record_name = name::vault(vault);
        let read = store.get(&record_name).map_err(Error::from).and_then(|bytes| {
            record::decode::<VaultRecord>(&keys.1, &record_name, &bytes)
                .map_err(|flaw| flaw.at(&record_name))
        });
        match read {
            Ok(record) if record.format != format::VERSION || !record.requires.is_empty() => {
                let detail = format!("format {}, features {:?}", record.format, record.requires);
                return Err(Error::unsupported(&record_name, detail));
            }
            Ok(_) => {}
            Err(e) if e.is_damage() => problems.push(e.to_string()),
            Err(e) => return Err(e),
        }
        Ok(Self::with_keys(store, vault, keys, problems, options))
    }

    fn with_keys(
        store: Store,
        vault: VaultId,
        (key_version, keys): (u32, VaultKey),
        problems: Vec<String>,
        options: RepositoryOptions,
    ) -> Self {
        let (index, packs) = (Index::default(), PackCache::default());
        let is_probed = AtomicBool::new(false);
        Self(Arc::new(Inner {
            is_probed,
            store,
            vault,
            key_version,
            keys,
            options,
            problems,
            index,
            packs,
        }))
    }

    /// The vault's id.
    pub fn vault(&self) -> VaultId {
        self.0.vault
    }

    /// What is wrong with the vault's own objects although it could be opened.
    pub fn problems(&self) -> &[String] {
        &self.0.problems
    }

    /// The store the vault lies in.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The key by which this vault names chunks, for the origin of a replication into this vault.
    ///
    /// It opens nothing. Who has it can tell whether content that he knows bears a name that he
    /// sees, so give it only to those who hand over the content itself.
    pub fn naming_key(&self) -> NamingKey {
        self.keys().naming_key()
    }

    /// Makes sure that the store never overwrites, before anything is decided with its help.
    pub(crate) fn ensure_writable(&self) -> Result<()> {
        if !self.0.is_probed.load(Ordering::Relaxed) {
            self.store().probe(self.chance())?;
            self.0.is_probed.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(crate) fn key_version(&self) -> u32 {
        self.0.key_version
    }

    pub(crate) fn keys(&self) -> &VaultKey {
        &self.0.keys
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.options.clock
    }

    pub(crate) fn chance(&self) -> &dyn Chance {
        &*self.0.options.chance
    }

    pub(crate) fn index(&self) -> &Index {
        &self.0.index
    }

    pub(crate) fn packs(&self) -> &PackCache {
        &self.0.packs
    }

    /// Writes a small record unless its name is taken.
    ///
    /// Every decision is such a record, so this is where a store that went away is noticed: one
    /// that was unmounted leaves an empty folder behind that would take anything.
    pub(crate) fn create_record<T: Serialize>(&self, name: &str, value: &T) -> Result<Created> {
        self.require_present()?;
        Ok(self.store().create(name, record::encode(self.keys(), name, value).into())?)
    }

    /// Errs unless the store holds one of the objects that make the vault.
    fn require_present(&self) -> Result<()> {
        let (vault, version) = (self.vault(), self.key_version());
        let marks =
            [name::vault(vault), name::key(vault, version, 'a'), name::key(vault, version, 'b')];
        for mark in marks {
            match self.store().size(&mark) {
                Err(e) if e.is_missing() => {}
                found => return Ok(found.map(drop)?),
            }
        }
        Err(Error::VaultMissing(vault))
    }

    /// Reads a small record; `None` if there is none.
    pub(crate) fn find_record<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let bytes = match self.store().get(name) {
            Err(e) if e.is_missing() => return Ok(None),
            bytes => bytes?,
        };
        record::decode(self.keys(), name, &bytes).map(Some).map_err(|flaw| flaw.at(name))
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Repository({})", self.vault())
    }
}

/// The vaults of a store, by id; names that are no ids are passed over.
pub fn list_vaults(store: &Store) -> Result<Vec<VaultId>> {
    let mut vaults: Vec<_> =
        store.roots()?.iter().filter_map(|root| VaultId::parse(root).ok()).collect();
    vaults.sort_unstable();
    Ok(vaults)
}

/// Opens the newest copy of the vault's key that the master key opens.
fn find_key(
    store: &Store,
    vault: VaultId,
    master: &MasterKey,
    problems: &mut Vec<String>,
) -> Result<(u32, VaultKey)> {
    let mut first_error = None;
    let mut found = None;
    for object in store.list(&name::keys(vault))?.iter().rev() {
        let opened = store
            .get(&object.name)
            .map_err(Error::from)
            .and_then(|bytes| unwrap_key(&object.name, &bytes, vault, master));
        match opened {
            Ok(keys) if found.is_none() => found = Some(keys),
            Ok(_) => {}
            Err(e @ Error::WrongKey { .. }) => {
                first_error.get_or_insert(e);
            }
            Err(e) => {
                problems.push(e.to_string());
                first_error.get_or_insert(e);
            }
        }
    }
    match (found, first_error) {
        (Some(keys), _) => Ok(keys),
        (None, Some(error)) => Err(error),
        (None, None) => Err(Error::VaultMissing(vault)),
    }
}

fn unwrap_key(
    object: &str,
    bytes: &[u8],
    vault: VaultId,
    master: &MasterKey,
) -> Result<(u32, VaultKey)> {
    let file = KeyFile::decode(bytes).map_err(|flaw| flaw.at(object))?;
    if file.vault != vault {
        return Err(Error::damaged(object, format!("it belongs to vault {}", file.vault)));
    }
    if file.master != master.id() {
        return Err(Error::WrongKey { vault, wanted: file.master, given: master.id() });
    }
    let aad = KeyFile::aad(vault, file.version);
    VaultKey::unwrap(master, &aad, &file.wrapped)
        .map(|keys| (file.version, keys))
        .ok_or_else(|| Error::damaged(object, "the wrapped key does not open"))
}
