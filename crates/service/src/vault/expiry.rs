//! The dates of all backups of a vault at once.

use strongroom_model::id::OperationId;
use strongroom_model::identity::Role;
use strongroom_model::operation::{OperationDetail, OperationKind};
use strongroom_model::time::Timestamp;

use super::resources::require_usable;
use crate::error::{Error, Result};
use crate::{Caller, Service};

/// The date that the backups of a vault shall have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiryChange {
    /// The day that was named, as `YYYY-MM-DD`.
    pub day: String,
    /// The instant at which that day ends where the caller is.
    pub date: Timestamp,
}

/// What came of setting the dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryOutcome {
    /// How many backups have the date now; disks of servers do not count.
    pub affected: u64,
    /// The operation that tells of it.
    pub operation_id: OperationId,
}

impl Service {
    /// Gives every backup of a vault a date, but those that are being removed. In a locked vault
    /// only those that have an earlier date get it.
    pub async fn set_vault_expiry(
        &self,
        caller: &Caller,
        id: &str,
        change: &ExpiryChange,
    ) -> Result<ExpiryOutcome> {
        let project = caller.project(Role::Member, "vault:update_expiration")?;
        let now = self.now();
        if change.date <= now {
            let message = "the day is past".to_owned();
            return Err(Error::Invalid { field: "expect_expiration_date", message });
        }
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let vault = self.find_vault(tx, project, id).await?;
                    require_usable(&vault)?;
                    let how = (vault.is_locked, now);
                    let affected = tx.vaults().set_expiry(vault.id, change.date, how).await?;
                    let place = (project, Some(vault.id));
                    let kind = OperationKind::UpdateExpirationTime;
                    let mut operation = self.new_operation(tx, caller, kind, place).await?;
                    operation.detail = OperationDetail {
                        total: Some(affected),
                        expiration_day: Some(change.day.clone()),
                        ..OperationDetail::default()
                    };
                    tx.operations().insert(&operation).await?;
                    tx.operations().end_one(operation.id, now, Ok(())).await?;
                    Ok(ExpiryOutcome { affected, operation_id: operation.id })
                })
            })
            .await
    }
}
