//! What the engine's tests share: throw-away vaults, volumes and restores.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::sync::Arc;

use strongroom_engine::*;
use strongroom_model::chance::{Chance as _, SeededChance};
use strongroom_model::id::{BackupId, VaultId};
use strongroom_model::time::{SettableClock, Timestamp};

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
        let clock = Arc::new(SettableClock::new(Timestamp::from_micros(
            1_700_000_000_000_000,
        )));
        let chance = Arc::new(SeededChance::new(42));
        let options = RepositoryOptions {
            clock: Arc::clone(&clock) as _,
            chance: Arc::clone(&chance) as _,
        };
        let vault = VaultId::random(&*chance);
        let repository = Repository::create(store, vault, &key(), options).unwrap();
        Self {
            dir,
            repository,
            clock,
            chance,
        }
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
        BackupOptions::new(
            BackupId::random(&*self.chance),
            SessionId::random(&*self.chance),
        )
    }

    /// Backs `bytes` up and returns the backup's id.
    pub(crate) fn save(&self, bytes: &[u8], parent: Option<BackupId>) -> BackupId {
        let options = BackupOptions {
            parent,
            ..self.fresh()
        };
        backup(
            &self.repository,
            &MemorySource::new(bytes.to_vec()),
            &options,
        )
        .unwrap();
        options.backup_id
    }
}

pub(crate) fn key() -> MasterKey {
    MasterKey::from_bytes([1; 32])
}

/// Bytes that do not compress.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    SeededChance::new(seed).fill(&mut bytes);
    bytes
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
