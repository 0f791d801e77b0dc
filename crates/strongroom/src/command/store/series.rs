//! Finding backups by name or id over all vaults of a store.

use anyhow::{Context, bail};
use strongroom_engine::{
    BackupEntry, MasterKey, Repository, RepositoryOptions, Store, list_vaults,
};
use strongroom_model::chance::SystemChance;
use strongroom_model::id::{BackupId, VaultId};

use crate::args::Location;
use crate::command::location;
use crate::report::Hint;

/// A store that is open for reading.
pub(super) struct Series {
    /// The vaults that the key opens.
    pub(super) repositories: Vec<Repository>,
    /// The vaults that it does not open, and why.
    pub(super) closed: Vec<(VaultId, strongroom_engine::Error)>,
}

/// A backup and the vault that holds it.
pub(super) struct Found {
    pub(super) repository: Repository,
    pub(super) entry: BackupEntry,
}

/// The name that was given to a backup; empty if none was.
pub(super) fn name(entry: &BackupEntry) -> &str {
    entry.meta.get("name").and_then(|name| name.as_str()).unwrap_or_default()
}

impl Series {
    /// Opens every vault of a store that must be there. Fails if the key opens none of them.
    pub(super) fn open(at: &Location) -> anyhow::Result<Self> {
        let (store, key) = location::open(&at.store, &at.key)?;
        let (mut repositories, mut closed) = (Vec::new(), Vec::new());
        for vault in list_vaults(&store)? {
            match Repository::open(store.clone(), vault, &key, RepositoryOptions::default()) {
                Ok(repository) => repositories.push(repository),
                Err(error) => closed.push((vault, error)),
            }
        }
        if repositories.is_empty() {
            return match closed.into_iter().next() {
                Some((_, error)) => Err(error.into()),
                None => bail!("{} holds no vault", at.store),
            };
        }
        Ok(Self { repositories, closed })
    }

    /// Every readable backup, oldest first; what cannot be read is told on standard error.
    pub(super) fn all(&self) -> anyhow::Result<Vec<Found>> {
        let mut all = Vec::new();
        for (vault, error) in &self.closed {
            eprintln!("warning: vault {vault} is left out: {error}");
        }
        for repository in &self.repositories {
            let listed = strongroom_engine::list(repository)?;
            for problem in listed.problems {
                eprintln!("warning: {problem}");
            }
            let found = |entry| Found { repository: repository.clone(), entry };
            all.extend(listed.backups.into_iter().map(found));
        }
        all.sort_by_key(|found| found.entry.created_at);
        Ok(all)
    }

    /// The newest backup of a name, or the one of an id.
    pub(super) fn find(&self, by_name: Option<&str>, id: Option<&str>) -> anyhow::Result<Found> {
        let wanted = id.map(BackupId::parse).transpose()?;
        let matches = |found: &Found| match wanted {
            Some(id) => found.entry.backup_id == id,
            None => Some(name(&found.entry)) == by_name,
        };
        let newest = self.all()?.into_iter().rev().find(matches);
        newest
            .with_context(|| Hint("`strongroom store ls` lists what is there".to_owned()))
            .with_context(|| format!("no backup {}", id.or(by_name).unwrap_or_default()))
    }
}

/// The vault that the command line writes to: the only one, or the first of a new store.
pub(super) fn default_vault(store: Store, key: &MasterKey) -> anyhow::Result<Repository> {
    let options = RepositoryOptions::default();
    match list_vaults(&store)?.as_slice() {
        [] => {
            let vault = VaultId::random(&SystemChance);
            Ok(Repository::create(store, vault, key, options)?)
        }
        [only] => Ok(Repository::open(store, *only, key, options)?),
        several => bail!(
            "the store holds {} vaults and belongs to a service; back up through that",
            several.len()
        ),
    }
}
