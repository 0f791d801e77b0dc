//! Orders: nothing is bought here, so that what an order would do is done at once.

use strongroom_model::id::VaultId;
use strongroom_model::identity::Role;
use strongroom_model::size::GiB;
use strongroom_model::vault::ChargingMode;

use crate::error::{Error, Result};
use crate::{Caller, Service};

impl Service {
    /// Notes that vaults would be paid for in advance: all of them or none. One that would be does
    /// not grow by itself any more.
    pub async fn prepay_vaults(&self, caller: &Caller, ids: &[VaultId]) -> Result<()> {
        let project = caller.project(Role::Member, "vault:change_charge_mode")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    for id in ids {
                        let id = id.to_string();
                        let mut vault = self.find_vault(tx, project, &id).await?;
                        super::resources::require_usable(&vault)?;
                        vault.terms.charging_mode = ChargingMode::PrePaid;
                        vault.terms.auto_expand = false;
                        tx.vaults().update(&vault).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await
    }

    /// Gives a vault the size that was ordered.
    pub async fn order_size(&self, caller: &Caller, id: &str, size: GiB) -> Result<()> {
        let project = caller.project(Role::Member, "vault:update")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut vault = self.find_vault(tx, project, id).await?;
                    self.resize(tx, &mut vault, size).await?;
                    self.write_vault(tx, &vault).await
                })
            })
            .await
    }
}
