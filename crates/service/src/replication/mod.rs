//! Replication between regions: a backup is copied into a vault of another Strongroom.
//!
//! The region that has the backup *offers* it; the one that is to have the copy makes rows for it and
//! pulls the bytes by a job of its own, an ordinary backup session whose source is the other region.
//! `source` is what the offering end does, `destination` the other, [`Peer`] the way between them.
//! Both ends keep a record of the same id. Whatever is cut is gone on with; only a copy whose every
//! chunk was verified under its own vault's key becomes `available`.

mod destination;
mod offer;
mod seal;
mod serve;
mod source;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strongroom_model::id::{BackupId, CheckpointId, ReplicationId};
use strongroom_model::replication::ReplicationStatus;

pub use offer::{Offer, OfferedBackup, OfferedDisk, OfferedServer};
pub use seal::{PeerKey, SECRET_MIN, Sealed};
pub(crate) use serve::Origins;
pub use serve::{PartQuestion, PartRequest};
pub use source::{Destination, StartedReplication};
pub use strongroom_engine::{
    CHUNKS_BYTES_MAX, OUTLINE_BYTES_MAX, ReplicaSource, SUMMARY_BYTES_MAX, WireError,
};

/// How long a replication is gone on with while the other region cannot be reached.
pub(crate) const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// What a call to another region gives.
pub type PeerFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, PeerError>> + Send + 'a>>;

/// Why another region did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// It cannot be reached, or not now.
    #[error("region {region} cannot be reached: {reason}")]
    Unreachable {
        /// The region.
        region: String,
        /// Why, without its address.
        reason: String,
    },
    /// It refuses.
    #[error("{message}")]
    Refused {
        /// Why.
        reason: PeerRefusal,
        /// The same as a sentence.
        message: String,
    },
}

/// Why another region refuses an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerRefusal {
    /// The vault does not exist there.
    VaultMissing,
    /// The vault takes no copies of such backups.
    VaultUnfit,
    /// The vault is full.
    VaultFull,
    /// The vault's state does not allow it.
    VaultState,
    /// There is no copy of that replication, or not any more.
    CopyMissing,
    /// Anything else.
    Other,
}

/// How a copy stands at its destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyState {
    /// Where it stands.
    pub status: ReplicationStatus,
    /// Percent that is done.
    pub progress: u8,
    /// Why it failed.
    pub message: Option<String>,
    /// The copy.
    pub destination_backup_id: BackupId,
    /// The copy's checkpoint.
    pub destination_checkpoint_id: CheckpointId,
}

/// Another region, and the way to it.
pub trait Peer: Send + Sync + Debug {
    /// Asks whether an offer would be taken.
    fn check(&self, offer: Offer) -> PeerFuture<'_, ()>;

    /// Makes an offer. Making it again does nothing and tells how the copy stands.
    fn offer(&self, offer: Offer) -> PeerFuture<'_, CopyState>;

    /// How the copy stands that was offered under that id.
    fn state(&self, id: ReplicationId) -> PeerFuture<'_, CopyState>;

    /// The bytes of a part of a replication that this region was offered. What it returns blocks.
    fn part(&self, request: PartRequest) -> Arc<dyn ReplicaSource>;
}

/// The other regions by name.
#[derive(Debug, Clone, Default)]
pub struct Peers(BTreeMap<String, Arc<dyn Peer>>);

impl Peers {
    /// These regions.
    pub fn of(peers: impl IntoIterator<Item = (String, Arc<dyn Peer>)>) -> Self {
        Self(peers.into_iter().collect())
    }

    /// The way to a region.
    pub fn get(&self, region: &str) -> Option<&Arc<dyn Peer>> {
        self.0.get(region)
    }

    /// The names of the regions, in order.
    pub fn regions(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
