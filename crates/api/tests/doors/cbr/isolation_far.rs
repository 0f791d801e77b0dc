//! Another region, in which no vault is ever found.

use std::sync::Arc;

use strongroom_model::id::ReplicationId;
use strongroom_service::Service;
use strongroom_service::replication::{
    CopyState, Offer, PartRequest, Peer, PeerError, PeerFuture, PeerRefusal, Peers, ReplicaSource,
};

/// Its name.
pub(super) const FAR: &str = "far";

#[derive(Debug)]
struct FarRegion;

fn refused<T>(message: String) -> PeerFuture<'static, T> {
    Box::pin(async { Err(PeerError::Refused { reason: PeerRefusal::VaultMissing, message }) })
}

impl Peer for FarRegion {
    fn check(&self, offer: Offer) -> PeerFuture<'_, ()> {
        refused(format!("vault {} does not exist", offer.destination_vault_id))
    }

    fn offer(&self, offer: Offer) -> PeerFuture<'_, CopyState> {
        refused(format!("vault {} does not exist", offer.destination_vault_id))
    }

    fn state(&self, id: ReplicationId) -> PeerFuture<'_, CopyState> {
        refused(format!("replication {id} does not exist"))
    }

    fn part(&self, _: PartRequest) -> Arc<dyn ReplicaSource> {
        unreachable!("nothing is ever offered to this region")
    }
}

/// Lets a service know of the region.
pub(super) fn connect(service: &Service) {
    let region: Arc<dyn Peer> = Arc::new(FarRegion);
    service.connect_peers(Peers::of([(FAR.to_owned(), region)]));
}
