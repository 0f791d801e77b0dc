//! Every rule of Strongroom.
//!
//! A front door translates its dialect into calls on [`Service`] and the answers back; the rules —
//! who may, in which state, within which quota, what happens next — are decided here and nowhere
//! else, and this is the only crate that begins a transaction. [`Service`] is a cheap clone.
//!
//! Each function of a noun's file does: authorise, read, decide, write, enqueue. The work itself
//! is done by [`jobs`], which tell the truth about its end whatever happens in between.

pub mod agent;
pub mod backup;
pub mod caller;
pub mod checkpoint;
pub mod error;
pub mod folder;
mod growth;
pub mod identity;
pub mod jobs;
pub mod member;
pub mod metadata;
pub mod operation;
pub mod operation_log;
pub mod policy;
pub mod protectable;
pub mod quota;
pub mod record;
pub mod recovery;
pub mod refusal;
pub mod replication;
pub mod restore;
pub mod saved;
mod seal;
pub mod secret;
pub mod servers;
pub mod settings;
pub mod share;
pub mod snapshot;
pub mod tag;
pub mod task;
pub mod vault;
mod vaults;
pub mod volume;

use std::sync::{Arc, OnceLock};

use strongroom_catalog::Transaction;
use strongroom_model::chance::Chance;
use strongroom_model::id::JobId;
use strongroom_model::job::{Job, JobKind, Subject};
use strongroom_model::time::{Clock, Timestamp};
use tokio::sync::Notify;

pub use caller::{Caller, CallerScope};
pub use error::{Error, Kind, Result};
pub use refusal::Refusal;
pub use settings::Settings;
pub use strongroom_catalog::Catalog;
pub use strongroom_engine::{MasterKey, Store};

use folder::VolumeFolder;
use replication::{Origins, Peers};
use seal::Sealer;
use secret::TokenKey;
use servers::ServerFolder;
use vaults::Vaults;

/// The id of the domain that the first start makes, as Keystone has it.
pub const DEFAULT_DOMAIN_ID: &str = "default";

/// What a [`Service`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// What exists and in which state.
    pub catalog: Catalog,
    /// Where backups are stored.
    pub store: Store,
    /// The key that wraps the keys of vaults.
    pub master_key: MasterKey,
    /// The folder of volumes.
    pub folder: VolumeFolder,
    /// The inventory of servers.
    pub servers: ServerFolder,
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// Where ids, salts and secrets come from.
    pub chance: Arc<dyn Chance>,
}

/// The rules over one catalogue, one store and one folder of volumes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Service(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalog: Catalog,
    vaults: Vaults,
    folder: VolumeFolder,
    servers: ServerFolder,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    settings: Settings,
    token_key: TokenKey,
    /// Keeps the secrets of access keys.
    sealer: Sealer,
    /// Verified against when a user does not exist, so that its absence takes as long to find out.
    decoy_hash: String,
    /// Tells idle workers of this node that a job was enqueued.
    nudge: Notify,
    /// Tells that there is garbage to collect.
    litter: Notify,
    /// Tells that the next run of some policy changed.
    alarm: Notify,
    /// The other regions, once they are known.
    peers: OnceLock<Peers>,
    /// Backups that other regions are reading.
    origins: Origins,
}

impl Service {
    /// Puts the parts together. Fetches, or on the first start draws, the secret of tokens.
    pub async fn open(parts: Parts, settings: Settings) -> Result<Self> {
        let secret = identity::token_secret(&parts.catalog, parts.chance.as_ref()).await?;
        let decoy = secret::generate_password(parts.chance.as_ref());
        let decoy_hash = secret::hash_password(&decoy, parts.chance.as_ref())?;
        let vaults = Vaults::new(
            parts.store,
            parts.master_key,
            Arc::clone(&parts.clock),
            Arc::clone(&parts.chance),
        );
        Ok(Self(Arc::new(Inner {
            catalog: parts.catalog,
            vaults,
            folder: parts.folder,
            servers: parts.servers,
            clock: parts.clock,
            chance: parts.chance,
            settings,
            token_key: TokenKey::derive(&secret),
            sealer: Sealer::derive(&secret),
            decoy_hash,
            nudge: Notify::new(),
            litter: Notify::new(),
            alarm: Notify::new(),
            peers: OnceLock::new(),
            origins: Origins::default(),
        })))
    }

    /// Tells the service of the other regions, once.
    pub fn connect_peers(&self, peers: Peers) {
        // A second set would be ignored; there is one start.
        self.0.peers.get_or_init(|| peers);
    }

    pub(crate) fn peers(&self) -> Option<&Peers> {
        self.0.peers.get()
    }

    /// What the operator tuned.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Where volumes lie.
    pub fn folder(&self) -> &VolumeFolder {
        &self.0.folder
    }

    /// Where the documents of servers lie.
    pub fn server_folder(&self) -> &ServerFolder {
        &self.0.servers
    }

    /// The present instant by this service's clock.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// A fresh id for a request: `req-` and a UUID.
    pub fn request_id(&self) -> String {
        format!("req-{}", self.chance().uuid())
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    pub(crate) fn vaults(&self) -> &Vaults {
        &self.0.vaults
    }

    pub(crate) fn chance(&self) -> &dyn Chance {
        self.0.chance.as_ref()
    }

    pub(crate) fn token_key(&self) -> &TokenKey {
        &self.0.token_key
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    pub(crate) fn decoy_hash(&self) -> &str {
        &self.0.decoy_hash
    }

    /// Wakes the workers of this node.
    pub(crate) fn nudge(&self) {
        self.0.nudge.notify_waiters();
    }

    /// Adds a job in the caller's transaction, so that a change and its work stand or fall together.
    pub(crate) async fn enqueue(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        kind: JobKind,
    ) -> Result<()> {
        self.enqueue_about(tx, caller, kind, Subject::default()).await?;
        Ok(())
    }

    /// As [`Service::enqueue`], for a job that a user may ask after.
    pub(crate) async fn enqueue_about(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        kind: JobKind,
        subject: Subject,
    ) -> Result<JobId> {
        let now = self.now();
        let id = JobId::random(self.chance());
        let job = Job {
            id,
            kind,
            subject,
            attempt: 0,
            failures: 0,
            not_before: now,
            lease_until: None,
            worker: None,
            request_id: caller.request_id.clone(),
            created_at: now,
        };
        tx.jobs().enqueue(&job).await?;
        Ok(id)
    }

    /// Does blocking work on the folder of volumes on a thread that may block.
    pub(crate) async fn on_folder<T: Send + 'static>(
        &self,
        work: impl FnOnce(&VolumeFolder) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let folder = self.folder().clone();
        tokio::task::spawn_blocking(move || work(&folder)).await.map_err(Error::internal)?.map_err(
            |source| Error::Unavailable { what: "the folder of volumes", source: source.into() },
        )
    }
}
