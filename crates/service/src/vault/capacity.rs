//! How full vaults are, and what follows from it.

use strongroom_catalog::{Transaction, VaultWarning};
use strongroom_model::id::VaultId;
use strongroom_model::size::GiB;
use strongroom_model::vault::{ChargingMode, ProtectType, VAULT_SIZE_MAX, Vault, VaultStatus};
use tracing::{error, info, warn};

use crate::error::Result;
use crate::jobs::chain;
use crate::{Refusal, Service};

/// Bytes that the backups of a vault added to the store.
pub(crate) async fn vault_used_bytes(tx: &mut Transaction<'_>, id: VaultId) -> Result<u64> {
    Ok(tx.vaults().used_bytes(id).await?)
}

impl Service {
    /// Refuses a backup that the vault cannot take: in its state, of its kind, or because it is
    /// full. A full vault that may grow grows first, by a quarter at a time.
    pub(crate) async fn admit_backup(
        &self,
        tx: &mut Transaction<'_>,
        vault: &mut Vault,
    ) -> Result<()> {
        let status = vault.status;
        if !matches!(status, VaultStatus::Available | VaultStatus::Lock) {
            let message = format!("a vault that is {} takes no backups", status.as_str());
            return Err(Refusal::VaultStateForBackup.because(message));
        }
        if vault.terms.protect_type != ProtectType::Backup {
            let message = "only copies and backups of other sites go into this vault";
            return Err(Refusal::VaultUnfitForBackup.because(message));
        }
        // A vault of the maximal size has no limit that could be met: measuring it is spared.
        if vault.size >= VAULT_SIZE_MAX {
            return Ok(());
        }
        let used = vault_used_bytes(tx, vault.id).await?;
        if used < vault.size.bytes() {
            return Ok(());
        }
        if !may_grow(vault) {
            let message = format!("the vault's {} GiB are used up", vault.size.0);
            return Err(Refusal::VaultFull.because(message));
        }
        vault.size = grown(vault.size, used);
        tx.vaults().update(vault).await?;
        Ok(())
    }

    /// Sees to a vault into which bytes have come: lets it grow if it is full, and warns once if it
    /// is filled beyond its threshold. A failure is left to the next time.
    pub(crate) async fn watch_vault(&self, id: VaultId) {
        match self.measure_vault(id).await {
            Ok(Some(Watched::Grown(size))) => info!(vault = %id, size = size.0, "vault grown"),
            Ok(Some(Watched::Warned(percent))) => {
                warn!(vault = %id, percent, "vault is filled beyond its threshold");
            }
            Ok(None) => {}
            Err(error) => error!(vault = %id, error = chain(&error), "cannot measure a vault"),
        }
    }

    async fn measure_vault(&self, id: VaultId) -> Result<Option<Watched>> {
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let Some(mut vault) = tx.vaults().find_any(id).await? else {
                        return Ok(None);
                    };
                    if vault.size >= VAULT_SIZE_MAX {
                        return Ok(None);
                    }
                    let used = vault_used_bytes(tx, id).await?;
                    if used >= vault.size.bytes() && may_grow(&vault) {
                        vault.size = grown(vault.size, used);
                        tx.vaults().update(&vault).await?;
                        self.note_filling(tx, &vault, used).await?;
                        return Ok(Some(Watched::Grown(vault.size)));
                    }
                    Ok(self.note_filling(tx, &vault, used).await?.map(Watched::Warned))
                })
            })
            .await
    }

    /// Keeps the warning of a vault true; tells the percentage if it is new.
    pub(crate) async fn note_filling(
        &self,
        tx: &mut Transaction<'_>,
        vault: &Vault,
        used: u64,
    ) -> Result<Option<u64>> {
        let percent = percent_of(used, vault.size);
        if !vault.terms.is_notifying || percent < u64::from(vault.terms.threshold) {
            tx.vaults().unwarn(vault.id).await?;
            return Ok(None);
        }
        let warning = VaultWarning { vault_id: vault.id, percent, warned_at: self.now() };
        Ok(tx.vaults().warn(&warning).await?.then_some(percent))
    }
}

/// What came of a look at a vault.
enum Watched {
    Grown(GiB),
    Warned(u64),
}

/// Vaults that were paid for in advance do not grow by themselves.
fn may_grow(vault: &Vault) -> bool {
    vault.terms.auto_expand
        && vault.terms.charging_mode == ChargingMode::PostPaid
        && vault.size < VAULT_SIZE_MAX
}

/// The size of a full vault after it has grown, by a quarter at a time, until it is not full.
fn grown(size: GiB, used: u64) -> GiB {
    let mut size = size;
    while size.bytes() <= used && size < VAULT_SIZE_MAX {
        size = GiB(size.0.saturating_add(size.0.div_ceil(4).max(1))).min(VAULT_SIZE_MAX);
    }
    size
}

fn percent_of(used: u64, size: GiB) -> u64 {
    let percent = u128::from(used) * 100 / u128::from(size.bytes().max(1));
    u64::try_from(percent).unwrap_or(u64::MAX)
}

/// Bytes in whole MiB, rounded up.
pub const fn whole_mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_vault_grows_by_quarters_until_it_is_not() {
        assert_eq!(grown(GiB(10), GiB(10).bytes()), GiB(13));
        assert_eq!(grown(GiB(1), GiB(1).bytes()), GiB(2));
        assert_eq!(grown(GiB(100), GiB(130).bytes()), GiB(157));
        assert_eq!(grown(GiB(10), GiB(10).bytes() - 1), GiB(10));
        assert_eq!(grown(VAULT_SIZE_MAX, u64::MAX), VAULT_SIZE_MAX);
    }

    #[test]
    fn use_is_told_in_whole_units_and_percent() {
        assert_eq!((whole_mib(0), whole_mib(1), whole_mib(1 << 20)), (0, 1, 1));
        assert_eq!(percent_of(GiB(8).bytes(), GiB(10)), 80);
        assert_eq!(percent_of(GiB(8).bytes() - 1, GiB(10)), 79);
    }
}
