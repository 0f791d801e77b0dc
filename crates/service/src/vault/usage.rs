//! How much a project stores: in all, and of each resource.

use strongroom_catalog::{StoredResource, VaultWarning};
use strongroom_model::identity::Role;
use strongroom_model::page::Page;
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::size::GiB;

use crate::error::Result;
use crate::{Caller, Service};

/// Size and use of a project's vaults together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultSummary {
    /// Their sizes, in GiB.
    pub size_gib: u64,
    /// What their backups occupy, in GiB rounded up.
    pub used_gib: u64,
}

/// Which resources to list with what is stored of them.
#[derive(Debug, Clone, Default)]
pub struct StorageListing {
    /// Only this one.
    pub resource_id: Option<ResourceId>,
    /// Only those of this kind.
    pub kind: Option<ResourceKind>,
    /// How many to leave out.
    pub offset: u32,
    /// The most items to return.
    pub limit: u32,
}

impl Service {
    /// Size and use of the vaults of the caller's project together.
    pub async fn vault_summary(&self, caller: &Caller) -> Result<VaultSummary> {
        let project = caller.project(Role::Reader, "vault:get_all")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let vaults = tx.vaults().list(project).await?;
                    let (mut size_gib, mut used) = (0, 0_u64);
                    for vault in &vaults {
                        size_gib += u64::from(vault.size.0);
                        used = used.saturating_add(tx.vaults().used_bytes(vault.id).await?);
                    }
                    Ok(VaultSummary { size_gib, used_gib: u64::from(GiB::holding(used).0) })
                })
            })
            .await
    }

    /// What is stored of each resource of the caller's project: servers, then disks by themselves;
    /// with the total.
    pub async fn storage_usage(
        &self,
        caller: &Caller,
        listing: &StorageListing,
    ) -> Result<Page<StoredResource>> {
        let project = caller.project(Role::Reader, "vault:get_usage")?;
        let mut stored = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok(tx.vaults().stored_of_project(project).await?) }))
            .await
            .map_err(|error: crate::Error| error)?;
        stored.retain(|one| {
            listing.resource_id.is_none_or(|id| one.id == id)
                && listing.kind.is_none_or(|kind| one.kind == kind)
        });
        let total = u64::try_from(stored.len()).ok();
        let [offset, limit] =
            [listing.offset, listing.limit].map(|it| usize::try_from(it).unwrap_or(usize::MAX));
        let items = stored.into_iter().skip(offset).take(limit).collect();
        Ok(Page { items, total })
    }

    /// The vaults that are filled beyond their threshold, whosever they are (admin).
    pub async fn vault_warnings(&self, caller: &Caller) -> Result<Vec<VaultWarning>> {
        caller.require_cloud_admin("vault:get_warnings")?;
        self.catalog().read(|tx| Box::pin(async move { Ok(tx.vaults().warnings().await?) })).await
    }
}
