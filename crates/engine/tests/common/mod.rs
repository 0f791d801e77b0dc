//! What the engine's tests share: throw-away vaults, volumes and restores.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::sync::Arc;

use strongroom_engine::*;
use strongroom_model::chance::SeededChance;
use strongroom_model::id::{BackupId, VaultId};
use strongroom_model::time::{SettableClock, Timestamp};
use strongroom_testkit::store::FaultyStore;

/// A vault in a folder that goes away, with a clock that stands still and seeded chance.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) repository: Repository,
    pub(crate) clock: Arc<SettableClock>,
    pub(crate) chance: Arc<SeededChance>,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::folder(&dir.path().join("store")).unwrap();
        let clock = Arc::new(SettableClock::new(Timestamp::from_micros(1_700_000_000_000_000)));
        let chance = Arc::new(SeededChance::new(42));
        let options =
            RepositoryOptions { clock: Arc::clone(&clock) as _, chance: Arc::clone(&chance) as _ };
        let vault = VaultId::random(&*chance);
        let repository = Repository::create(store, vault, &key(), options).unwrap();
        Self { dir, repository, clock, chance }
    }

    /// The same vault, opened again with nothing in memory.
    pub(crate) fn reopened(&self) -> Repository {
        self.try_reopen().unwrap()
    }

    pub(crate) fn try_reopen(&self) -> Result<Repository> {
        let store = self.repository.store().clone();
        Repository::open(store, self.repository.vault(), &key(), self.options())
    }

    pub(crate) fn options(&self) -> RepositoryOptions {
        RepositoryOptions {
            clock: Arc::clone(&self.clock) as _,
            chance: Arc::clone(&self.chance) as _,
        }
    }

    /// Options for a fresh backup.
    pub(crate) fn fresh(&self) -> BackupOptions {
        BackupOptions::new(BackupId::random(&*self.chance), SessionId::random(&*self.chance))
    }

    /// Backs `bytes` up and returns the backup's id.
    pub(crate) fn save(&self, bytes: &[u8], parent: Option<BackupId>) -> BackupId {
        let options = BackupOptions { parent, ..self.fresh() };
        backup(&self.repository, &MemorySource::new(bytes.to_vec()), &options).unwrap();
        options.backup_id
    }
}

pub(crate) fn key() -> MasterKey {
    MasterKey::from_bytes([1; 32])
}

pub(crate) fn try_restore(repository: &Repository, backup: BackupId) -> Result<Vec<u8>> {
    let entry = find(repository, backup)?.ok_or(Error::BackupMissing(backup))?;
    let target = MemoryTarget::new(usize::try_from(entry.size_bytes).unwrap());
    restore(repository, backup, &target, &RestoreOptions::default())?;
    Ok(target.into_bytes())
}

pub(crate) fn restored(repository: &Repository, backup: BackupId) -> Vec<u8> {
    try_restore(repository, backup).unwrap()
}

/// A vault in memory behind a store that can be broken, and a second way in that cannot.
pub(crate) struct Fragile {
    pub(crate) faulty: Arc<FaultyStore>,
    pub(crate) store: Store,
    pub(crate) sound: Store,
    pub(crate) vault: VaultId,
    pub(crate) clock: Arc<SettableClock>,
    pub(crate) chance: Arc<SeededChance>,
}

impl Fragile {
    pub(crate) fn new() -> Self {
        Self::seeded(42)
    }

    /// A vault whose ids and keys follow from `seed`.
    pub(crate) fn seeded(seed: u64) -> Self {
        let inner = Arc::new(object_store::memory::InMemory::new());
        let faulty = FaultyStore::new(Arc::clone(&inner) as _);
        let store = Store::objects(Arc::clone(&faulty) as _).unwrap();
        let sound = Store::objects(inner).unwrap();
        let clock = Arc::new(SettableClock::new(Timestamp::from_micros(1_700_000_000_000_000)));
        let chance = Arc::new(SeededChance::new(seed));
        let vault = VaultId::random(&*chance);
        let this = Self { faulty, store, sound, vault, clock, chance };
        Repository::create(this.sound.clone(), vault, &key(), this.options()).unwrap();
        this
    }

    pub(crate) fn options(&self) -> RepositoryOptions {
        RepositoryOptions {
            clock: Arc::clone(&self.clock) as _,
            chance: Arc::clone(&self.chance) as _,
        }
    }

    /// The vault through the store that breaks, with nothing in memory.
    pub(crate) fn open(&self) -> Repository {
        Repository::open(self.store.clone(), self.vault, &key(), self.options()).unwrap()
    }

    /// The vault through the store that does not break.
    pub(crate) fn open_sound(&self) -> Repository {
        Repository::open(self.sound.clone(), self.vault, &key(), self.options()).unwrap()
    }

    pub(crate) fn fresh(&self, parent: Option<BackupId>) -> BackupOptions {
        let session = SessionId::random(&*self.chance);
        let options = BackupOptions::new(BackupId::random(&*self.chance), session);
        BackupOptions { parent, threads: 1, ..options }
    }

    pub(crate) fn save(&self, bytes: &[u8], parent: Option<BackupId>) -> BackupId {
        let options = self.fresh(parent);
        let source = MemorySource::new(bytes.to_vec());
        backup(&self.open_sound(), &source, &options).unwrap();
        options.backup_id
    }

    pub(crate) fn objects(&self, folder: &str) -> Vec<String> {
        let listed = self.sound.list(&format!("{}/{folder}", self.vault)).unwrap();
        listed.into_iter().map(|object| object.name).collect()
    }

    /// Lets every lease run out, collects, and proves that what is left is whole.
    pub(crate) fn tidy(&self) {
        self.clock.advance(std::time::Duration::from_secs(7200));
        for _ in 0..2 {
            let report = gc(&self.open_sound(), &GcOptions::default()).unwrap();
            assert!(report.blocked.is_empty(), "{:?}", report.blocked);
        }
        let options = VerifyOptions { depth: VerifyDepth::Data, ..Default::default() };
        let report = verify(&self.open_sound(), &options).unwrap();
        assert!(report.is_clean(), "{:?}", report.findings);
    }
}
