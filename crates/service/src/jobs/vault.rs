//! Removing vaults, and resources from vaults, with their backups.

use strongroom_model::id::VaultId;
use strongroom_model::job::Claim;

use super::failure::{Failure, Work};
use crate::Service;
use crate::vault::Remaining;

/// Why a vault was not removed although nothing went wrong.
const UNWANTED: &str = "the vault is not to be removed any more";

impl Service {
    /// Removes a vault once its last backup is gone; until then there is more to wait for.
    pub(super) async fn remove_vault(&self, claim: &Claim, id: VaultId) -> Work<()> {
        let key = (claim.job.id, id);
        let remaining = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let remaining = self.step_vault_deletion(tx, key).await?;
                    match remaining {
                        None => self.finish_as(tx, claim, Some(UNWANTED)).await?,
                        Some(Remaining::Nothing) => self.finish(tx, claim).await?,
                        Some(_) => {}
                    }
                    Ok::<_, Failure>(remaining.unwrap_or(Remaining::Nothing))
                })
            })
            .await?;
        self.go_on_with(remaining)
    }

    /// Removes resources once the last backups of them are gone.
    pub(super) async fn remove_from_vault(&self, claim: &Claim, id: VaultId) -> Work<()> {
        let key = (claim.job.id, id);
        let remaining = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let remaining = self.step_resource_removal(tx, key).await?;
                    if remaining == Remaining::Nothing {
                        self.finish(tx, claim).await?;
                    }
                    Ok::<_, Failure>(remaining)
                })
            })
            .await?;
        self.go_on_with(remaining)
    }

    fn go_on_with(&self, remaining: Remaining) -> Work<()> {
        match remaining {
            Remaining::Nothing => Ok(()),
            Remaining::Going => {
                self.nudge();
                Err(Failure::Later)
            }
            Remaining::Failed(count) => {
                Err(Failure::Permanent(format!("{count} could not be removed")))
            }
        }
    }
}
