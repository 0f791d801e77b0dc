//! Lists of saved points.

use strongroom_catalog::{SavedQuery, Transaction};
use strongroom_model::id::{BackupId, ProjectId, VaultId};
use strongroom_model::identity::Role;
use strongroom_model::page::{Page, SortBy, Start};

use super::view::{SavedView, add_progress, add_replications, add_vault_terms};
use super::{Ownership, SavedFilter, SavedKey};
use crate::error::{Error, Result};
use crate::vault::vault_used_bytes;
use crate::{Caller, Service};

/// Which vaults of the project the listed points are in; all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VaultChoice {
    /// That vault.
    pub id: Option<VaultId>,
    /// Vaults of that enterprise project.
    pub enterprise_project_id: Option<String>,
    /// Vaults that are filled to that percentage of their size, or beyond.
    pub used_percent: Option<u8>,
}

/// Which saved points to list, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct SavedListing {
    /// Whose.
    pub ownership: Ownership,
    /// The backup of a server whose disks' backups are listed; what stands by itself if none.
    pub parent: Option<BackupId>,
    /// In which vaults.
    pub vaults: VaultChoice,
    /// Conditions that must all hold.
    pub filters: Vec<SavedFilter>,
    /// The order; newest first if empty.
    pub sort: Vec<SortBy<SavedKey>>,
    /// Where the page starts.
    pub start: Start<BackupId>,
    /// The most items to return.
    pub limit: u32,
    /// Whether copies in other regions are looked up.
    pub with_replications: bool,
}

impl Service {
    /// A page of backups of disks and of servers, and how many there are. A marker that names
    /// nothing gives an empty page: what it named may be gone.
    pub async fn saved_points(
        &self,
        caller: &Caller,
        listing: SavedListing,
    ) -> Result<Page<SavedView>> {
        let project = caller.project(Role::Reader, "saved:get_all")?;
        let listing = &listing;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let query = query(tx, project, listing).await?;
                    let (items, total) = match tx.saved().list(&query).await {
                        Err(strongroom_catalog::Error::MarkerNotFound(_)) => {
                            let counted = SavedQuery { limit: 0, start: Start::default(), ..query };
                            (Vec::new(), tx.saved().list(&counted).await?.total)
                        }
                        page => page.map(|page| (page.items, page.total))?,
                    };
                    let items =
                        items.into_iter().map(|(saved, share)| SavedView::new(saved, share));
                    let mut items: Vec<_> = items.collect();
                    add_vault_terms(tx, &mut items).await?;
                    for view in &mut items {
                        add_progress(tx, view).await?;
                        if listing.with_replications {
                            add_replications(tx, view).await?;
                        }
                    }
                    Ok::<_, Error>(Page { items, total })
                })
            })
            .await
    }
}

/// What the catalogue is asked.
async fn query(
    tx: &mut Transaction<'_>,
    project: &ProjectId,
    listing: &SavedListing,
) -> Result<SavedQuery> {
    let mut filters = listing.filters.clone();
    if let Some(ids) = chosen_vaults(tx, project, &listing.vaults).await? {
        filters.push(SavedFilter::Vaults(ids));
    }
    Ok(SavedQuery {
        project: project.clone(),
        ownership: listing.ownership,
        parent: listing.parent,
        filters,
        sort: listing.sort.clone(),
        start: listing.start.clone(),
        limit: listing.limit,
        with_total: true,
    })
}

/// The vaults that are chosen; `None` if nothing was said about them.
pub(crate) async fn chosen_vaults(
    tx: &mut Transaction<'_>,
    project: &ProjectId,
    choice: &VaultChoice,
) -> Result<Option<Vec<VaultId>>> {
    if choice.enterprise_project_id.is_none() && choice.used_percent.is_none() {
        return Ok(choice.id.map(|id| vec![id]));
    }
    let mut chosen = Vec::new();
    for vault in tx.vaults().list(project).await? {
        let is_named = choice.id.is_none_or(|id| vault.id == id);
        let wanted = choice.enterprise_project_id.as_ref();
        let fits = wanted.is_none_or(|wanted| vault.terms.enterprise_project_id == *wanted);
        if !is_named || !fits {
            continue;
        }
        if let Some(percent) = choice.used_percent {
            let used = u128::from(vault_used_bytes(tx, vault.id).await?);
            if used * 100 < u128::from(vault.size.bytes()) * u128::from(percent) {
                continue;
            }
        }
        chosen.push(vault.id);
    }
    Ok(Some(chosen))
}
