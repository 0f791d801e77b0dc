//! The log of operations as callers see it.

use strongroom_catalog::{OperationQuery, Transaction};
use strongroom_model::backup::Backup;
use strongroom_model::id::OperationId;
use strongroom_model::identity::Role;
use strongroom_model::operation::{Operation, OperationKind, OperationStatus};
use strongroom_model::page::{Page, Start};

pub use strongroom_catalog::OperationFilter;

use crate::error::{Error, Result};
use crate::saved::{VaultChoice, chosen_vaults};
use crate::{Caller, Service};

/// Which operations to list, newest first, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct OperationListing {
    /// In which vaults.
    pub vaults: VaultChoice,
    /// Conditions that must all hold.
    pub filters: Vec<OperationFilter>,
    /// Where the page starts.
    pub start: Start<OperationId>,
    /// The most items to return.
    pub limit: u32,
}

impl Service {
    /// A page of the operations of the caller's project, and how many there are. A marker that names
    /// nothing gives an empty page: what it named may be forgotten.
    pub async fn operations(
        &self,
        caller: &Caller,
        listing: OperationListing,
    ) -> Result<Page<Operation>> {
        let project = caller.project(Role::Reader, "operation:get_all")?;
        let listing = &listing;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let mut filters = listing.filters.clone();
                    if let Some(ids) = chosen_vaults(tx, project, &listing.vaults).await? {
                        filters.push(OperationFilter::Vaults(ids));
                    }
                    let query = OperationQuery {
                        project: project.clone(),
                        filters,
                        start: listing.start.clone(),
                        limit: listing.limit,
                        with_total: true,
                    };
                    let mut page = match tx.operations().list(query.clone()).await {
                        Err(strongroom_catalog::Error::MarkerNotFound(_)) => {
                            let start = Start::default();
                            let counted = OperationQuery { limit: 0, start, ..query };
                            tx.operations().list(counted).await?
                        }
                        page => page?,
                    };
                    for operation in &mut page.items {
                        add_progress(tx, operation).await?;
                    }
                    Ok::<_, Error>(page)
                })
            })
            .await
    }

    /// One operation of the caller's project. `id` is text as it came; what is no UUID is not found.
    pub async fn operation(&self, caller: &Caller, id: &str) -> Result<Operation> {
        let project = caller.project(Role::Reader, "operation:get")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let missing = || Error::OperationNotFound(id.to_owned());
                    let parsed = OperationId::parse(id).map_err(|_| missing())?;
                    let found = tx.operations().find(project, parsed).await?;
                    let mut operation = found.ok_or_else(missing)?;
                    add_progress(tx, &mut operation).await?;
                    Ok(operation)
                })
            })
            .await
    }
}

/// How far a backup that is being made has come stands in its own row, of a server in those of its
/// disks.
async fn add_progress(tx: &mut Transaction<'_>, operation: &mut Operation) -> Result<()> {
    let is_making = operation.kind == OperationKind::Backup
        && operation.status == OperationStatus::Running
        && operation.progress == 0;
    let Some(id) = operation.backup_id.filter(|_| is_making) else { return Ok(()) };
    let disks = match tx.backups().find_any(id).await? {
        Some(backup) => vec![backup],
        None => tx.backups().of_server_backup(id).await?,
    };
    operation.progress = progress(&disks);
    Ok(())
}

/// Percent of some disks, each by its size.
pub(crate) fn progress(disks: &[Backup]) -> u8 {
    let sum = |part: fn(&Backup) -> u64| disks.iter().map(part).sum::<u64>();
    let done = sum(|disk| u64::from(disk.size.0) * u64::from(disk.progress));
    let all = sum(|disk| u64::from(disk.size.0));
    u8::try_from(done.checked_div(all).unwrap_or(0)).unwrap_or(100).min(100)
}
