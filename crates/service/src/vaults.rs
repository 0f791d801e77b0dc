//! Vaults in the store: opened once, kept open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use strongroom_catalog::Transaction;
use strongroom_engine::{MasterKey, Repository, RepositoryOptions, Store};
use strongroom_model::chance::Chance;
use strongroom_model::id::{ProjectId, VaultId};
use strongroom_model::time::Clock;
use strongroom_model::vault::{DEFAULT_VAULT_NAME, Vault};

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
        Self {
            store,
            master_key: Arc::new(master_key),
            clock,
            chance,
            open,
        }
    }

    /// The repository of a vault; made in the store if it is not there. Blocks.
    pub(crate) fn repository(&self, id: VaultId) -> strongroom_engine::Result<Repository> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(repository) = open.get(&id) {
            return Ok(repository.clone());
        }
        let repository = match self.open_anew(id) {
            Err(strongroom_engine::Error::VaultMissing(_)) => {
                Repository::create(self.store.clone(), id, &self.master_key, self.options())?
            }
            opened => opened?,
        };
        open.insert(id, repository.clone());
        Ok(repository)
    }

    /// Opens a vault that must be there, without regard to what is open. Blocks.
    pub(crate) fn open_anew(&self, id: VaultId) -> strongroom_engine::Result<Repository> {
        Repository::open(self.store.clone(), id, &self.master_key, self.options())
    }

    fn options(&self) -> RepositoryOptions {
        RepositoryOptions {
            clock: Arc::clone(&self.clock),
            chance: Arc::clone(&self.chance),
        }
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
        let vaults = self.vaults().clone();
        tokio::task::spawn_blocking(move || vaults.repository(id))
            .await
            .map_err(Error::internal)?
            .map_err(|source| Error::Unavailable {
                what: "the store",
                source: source.into(),
            })
    }

    /// The project's default vault; its row is made at the first backup.
    pub(crate) async fn default_vault(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
    ) -> Result<Vault> {
        if let Some(vault) = tx
            .vaults()
            .find_by_name(project, DEFAULT_VAULT_NAME)
            .await?
        {
            return Ok(vault);
        }
        let vault = Vault {
            id: VaultId::random(self.chance()),
            project_id: project.clone(),
            name: DEFAULT_VAULT_NAME.to_owned(),
            created_at: self.now(),
        };
        tx.vaults().insert(&vault).await?;
        Ok(vault)
    }
}
