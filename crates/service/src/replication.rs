//! Copies of backups in other regions. No region is configured: nothing can be copied.

use strongroom_catalog::Transaction;
use strongroom_model::id::VaultId;
use strongroom_model::policy::{Destination, Policy};
use strongroom_model::vault::Vault;

use crate::error::Result;
use crate::{Caller, Refusal, Service};

impl Service {
    /// Begins to copy what a vault holds and the destination has not, on behalf of a policy.
    pub(crate) async fn begin_vault_replication(
        &self,
        _tx: &mut Transaction<'_>,
        _caller: &Caller,
        _vault: &Vault,
        (_policy, destination, _vault_id): (&Policy, &Destination, Option<VaultId>),
    ) -> Result<()> {
        let message = format!("region {} is not one that can be copied to", destination.region);
        Err(Refusal::RegionUnknown.because(message))
    }
}
