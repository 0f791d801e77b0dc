//! Vaults in the store: opened once, kept open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strongroom_catalog::Transaction;
use strongroom_engine::{MasterKey, Repository, RepositoryOptions, Store};
use strongroom_model::chance::Chance;
use strongroom_model::id::{ProjectId, VaultId};
use strongroom_model::time::Clock;
use strongroom_model::vault::Vault;

use crate::Service;
use crate::error::{Error, Result};

/// The vaults of one store. Cheap to clone; clones share what is open.
#[derive(Debug, Clone)]
pub(crate) struct Vaults {
    store: Store,
    master_key: Arc<MasterKey>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    /// Repositories keep their index of chunks between backups.
    open: Arc<Mutex<HashMap<VaultId, Repository>>>,
}

impl Vaults {
    pub(crate) fn new(
        store: Store,
        master_key: MasterKey,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> Self {
        let open = Arc::default();
        Self { store, master_key: Arc::new(master_key), clock, chance, open }
    }

    /// The repository of a vault that must be in the store. Blocks.
    pub(crate) fn repository(&self, id: VaultId) -> strongroom_engine::Result<Repository> {
        if let Some(repository) = self.opened().get(&id) {
            return Ok(repository.clone());
        }
        // Without the lock: a store that is slow to answer must not hold up the other vaults.
        let repository = self.open_anew(id)?;
        Ok(self.opened().entry(id).or_insert(repository).clone())
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<VaultId, Repository>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a vault in the store. Blocks.
    fn make(&self, id: VaultId) -> strongroom_engine::Result<()> {
        Repository::create(self.store.clone(), id, &self.master_key, self.options()).map(drop)
    }

    /// Opens a vault that must be there, without regard to what is open. Blocks.
    pub(crate) fn open_anew(&self, id: VaultId) -> strongroom_engine::Result<Repository> {
        Repository::open(self.store.clone(), id, &self.master_key, self.options())
    }

    fn options(&self) -> RepositoryOptions {
        RepositoryOptions { clock: Arc::clone(&self.clock), chance: Arc::clone(&self.chance) }
    }

    /// Id of the key that wraps the vaults' keys.
    pub(crate) fn master_key_id(&self) -> String {
        self.master_key.id().to_string()
    }

    /// Every vault that the store holds. Blocks.
    pub(crate) fn stored(&self) -> strongroom_engine::Result<Vec<VaultId>> {
        strongroom_engine::list_vaults(&self.store)
    }
}

impl Service {
    /// The repository of a vault, opened on a thread that may block.
    pub(crate) async fn repository(&self, id: VaultId) -> Result<Repository> {
        self.on_store(move |vaults| vaults.repository(id)).await
    }

    /// The repository of a vault that is about to get a backup: made in the store if it never held
    /// one.
    pub(crate) async fn repository_to_fill(&self, id: VaultId) -> Result<Repository> {
        match self.find_repository(id).await? {
            Some(repository) => Ok(repository),
            None => {
                self.on_store(move |vaults| vaults.make(id)).await?;
                self.repository(id).await
            }
        }
    }

    /// The repository of a vault; `None` if it was never made. A vault that holds backups and is
    /// not there is unavailable, not missing: its store went away.
    pub(crate) async fn find_repository(&self, id: VaultId) -> Result<Option<Repository>> {
        let has_bytes = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.backups().has_bytes(id).await?) }))
            .await?;
        self.on_store(move |vaults| match vaults.repository(id) {
            Err(strongroom_engine::Error::VaultMissing(_)) if !has_bytes => Ok(None),
            opened => opened.map(Some),
        })
        .await
    }

    async fn on_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Vaults) -> strongroom_engine::Result<T> + Send + 'static,
    ) -> Result<T> {
        let vaults = self.vaults().clone();
        tokio::task::spawn_blocking(move || work(&vaults))
            .await
            .map_err(Error::internal)?
            .map_err(|source| Error::Unavailable { what: "the store", source: source.into() })
    }

    /// The project's default vault; its row is made at the first backup.
    pub(crate) async fn default_vault(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
    ) -> Result<Vault> {
        if let Some(vault) = tx.vaults().find_default(project).await? {
            return Ok(vault);
        }
        let id = VaultId::random(self.chance());
        let vault = Vault::default_of(id, project.clone(), self.now());
        tx.vaults().insert(&vault).await?;
        Ok(vault)
    }
}
