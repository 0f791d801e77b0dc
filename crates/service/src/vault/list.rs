//! Vaults by what they are: lists, and searches by tags.

use std::collections::BTreeSet;

use strongroom_catalog::{TaggedQuery, Transaction};
use strongroom_model::id::{PolicyId, ProjectId, VaultId};
use strongroom_model::identity::Role;
use strongroom_model::page::{Page, Start};
use strongroom_model::resource::ResourceId;
use strongroom_model::tag::{TagQuery, Tagged};
use strongroom_model::vault::{CloudType, ObjectType, ProtectType, Vault, VaultStatus};

use super::VaultView;
use crate::error::{Error, Result};
use crate::{Caller, Service};

/// The enterprise project that stands for all of them.
const ALL_ENTERPRISE_PROJECTS: &str = "all_granted_eps";

/// A condition on vaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultFilter {
    /// The name contains this.
    NameContains(String),
    /// The name is this.
    Name(String),
    /// It is one of these.
    Ids(Vec<VaultId>),
    /// Its resources are there.
    CloudType(CloudType),
    /// It is for this.
    ProtectType(ProtectType),
    /// It protects such resources.
    ObjectType(ObjectType),
    /// It is in that state.
    Status(VaultStatus),
    /// That policy is applied to it.
    Policy(PolicyId),
    /// It protects any of these.
    Resources(Vec<ResourceId>),
    /// It is in that zone.
    AvailabilityZone(String),
    /// It is in one of those enterprise projects.
    EnterpriseProjects(Vec<String>),
}

/// Which vaults to list, newest first, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct VaultListing {
    /// Conditions that must all hold.
    pub filters: Vec<VaultFilter>,
    /// Where the page starts.
    pub start: Start<VaultId>,
    /// The most items to return.
    pub limit: u32,
}

/// A search for vaults by their tags.
#[derive(Debug, Clone, Default)]
pub struct VaultSearch {
    /// Conditions on the tags.
    pub tags: TagQuery,
    /// Only those without any tag.
    pub is_untagged: bool,
    /// Conditions that must hold besides.
    pub filters: Vec<VaultFilter>,
    /// How many to leave out.
    pub offset: u32,
    /// The most items to return; none to count only.
    pub limit: Option<u32>,
}

impl Service {
    /// A page of the vaults of the caller's project, with the total. Under a condition on the name
    /// those of exactly that name stand first.
    pub async fn list_vaults(
        &self,
        caller: &Caller,
        listing: &VaultListing,
    ) -> Result<Page<VaultView>> {
        let project = caller.project(Role::Reader, "vault:get_all")?;
        self.vaults_of(project, listing).await
    }

    /// As [`Service::list_vaults`] for another project in which the caller's user holds a role. The
    /// project of any other is not found.
    pub async fn list_external_vaults(
        &self,
        caller: &Caller,
        project: &str,
        listing: &VaultListing,
    ) -> Result<Page<VaultView>> {
        caller.project(Role::Reader, "vault:get_external")?;
        let project = self.project(caller, project).await?;
        self.vaults_of(&project.id, listing).await
    }

    async fn vaults_of(
        &self,
        project: &ProjectId,
        listing: &VaultListing,
    ) -> Result<Page<VaultView>> {
        let mut found = self
            .catalog()
            .read(|tx| Box::pin(async move { matching(tx, project, &listing.filters).await }))
            .await?;
        let exact = listing.filters.iter().find_map(|filter| match filter {
            VaultFilter::NameContains(name) => Some(name),
            _ => None,
        });
        found.sort_by_key(|vault| exact.is_some_and(|name| vault.name != *name));
        let total = u64::try_from(found.len()).ok();
        let skipped = match listing.start {
            Start::Offset(offset) => usize::try_from(offset).unwrap_or(usize::MAX),
            Start::After(id) => {
                found.iter().position(|vault| vault.id == id).map_or(found.len(), |at| at + 1)
            }
        };
        let limit = usize::try_from(listing.limit).unwrap_or(usize::MAX);
        let page = found.into_iter().skip(skipped).take(limit).collect();
        Ok(Page { items: self.vault_views(project, page).await?, total })
    }

    /// The vaults of the caller's project whose tags meet a query, with the total.
    pub async fn search_vaults(
        &self,
        caller: &Caller,
        search: &VaultSearch,
    ) -> Result<Page<VaultView>> {
        let project = caller.project(Role::Reader, "tag:get")?;
        let found = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    let mut found = matching(tx, project, &search.filters).await?;
                    let query = TaggedQuery {
                        tags: search.tags.clone(),
                        name: None,
                        offset: 0,
                        limit: u32::MAX,
                    };
                    let rows = tx.tags().find(project, Tagged::Vault, &query).await?.items;
                    let fits = rows.iter().filter(|row| !search.is_untagged || row.tags.is_empty());
                    let fits: BTreeSet<_> = fits.map(|row| row.id.as_str()).collect();
                    found.retain(|vault| fits.contains(vault.id.to_string().as_str()));
                    Ok::<_, Error>(found)
                })
            })
            .await?;
        let total = u64::try_from(found.len()).ok();
        let Some(limit) = search.limit else { return Ok(Page { items: Vec::new(), total }) };
        let [offset, limit] =
            [search.offset, limit].map(|it| usize::try_from(it).unwrap_or(usize::MAX));
        let page = found.into_iter().skip(offset).take(limit).collect();
        Ok(Page { items: self.vault_views(project, page).await?, total })
    }
}

/// The vaults of a project that meet every condition, newest first.
async fn matching(
    tx: &mut Transaction<'_>,
    project: &ProjectId,
    filters: &[VaultFilter],
) -> Result<Vec<Vault>> {
    let mut vaults = tx.vaults().list(project).await?;
    for filter in filters {
        let ids = match filter {
            VaultFilter::Policy(id) => {
                let bound = tx.policies().vaults(*id).await?;
                bound.into_iter().map(|bound| bound.vault_id).collect::<BTreeSet<_>>()
            }
            VaultFilter::Resources(ids) => {
                let mut holders = BTreeSet::new();
                for id in ids {
                    holders.extend(tx.vaults().find_resource(*id).await?.map(|one| one.vault_id));
                }
                holders
            }
            _ => BTreeSet::new(),
        };
        vaults.retain(|vault| meets(vault, filter, &ids));
    }
    Ok(vaults)
}

fn meets(vault: &Vault, filter: &VaultFilter, ids: &BTreeSet<VaultId>) -> bool {
    let terms = &vault.terms;
    match filter {
        VaultFilter::NameContains(part) => vault.name.contains(part.as_str()),
        VaultFilter::Name(name) => vault.name == *name,
        VaultFilter::Ids(ids) => ids.contains(&vault.id),
        VaultFilter::CloudType(kind) => terms.cloud_type == *kind,
        VaultFilter::ProtectType(kind) => terms.protect_type == *kind,
        VaultFilter::ObjectType(kind) => terms.object_type == *kind,
        VaultFilter::Status(status) => vault.status == *status,
        VaultFilter::Policy(_) | VaultFilter::Resources(_) => ids.contains(&vault.id),
        VaultFilter::AvailabilityZone(zone) => terms.availability_zone.as_ref() == Some(zone),
        VaultFilter::EnterpriseProjects(ids) => {
            ids.iter().any(|id| id == ALL_ENTERPRISE_PROJECTS || terms.enterprise_project_id == *id)
        }
    }
}
