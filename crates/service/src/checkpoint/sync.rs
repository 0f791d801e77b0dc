//! Bringing in what another site has backed up.

use strongroom_model::id::OperationId;
use strongroom_model::identity::Role;
use strongroom_model::vault::ProtectType;

use crate::error::Result;
use crate::{Caller, Refusal, Service};

impl Service {
    /// Always refused: no vault here is filled by another site.
    pub async fn sync_vault(&self, caller: &Caller, vault: &str) -> Result<OperationId> {
        let project = caller.project(Role::Member, "checkpoint:sync")?;
        let vault = self
            .catalog()
            .read(|tx| Box::pin(async move { self.find_vault(tx, project, vault).await }))
            .await?;
        let message = match vault.terms.protect_type {
            ProtectType::Hybrid => "no other site is connected",
            _ => "the vault is not one for backups of another site",
        };
        Err(Refusal::SyncUnsupported.because(message))
    }
}
