//! Members: projects that a backup is offered to, and what they make of the offer.
//!
//! A member is a share that its receiver takes into a vault of its own or declines. The owner offers
//! and ends; the receiver decides, and of all members sees only itself. What the volume door shared
//! is a member that has taken the backup into no vault.

use strongroom_catalog::{MemberQuery, Transaction};
use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{BackupId, ProjectId, ShareId, VaultId};
use strongroom_model::identity::Role;
use strongroom_model::page::{Page, SortBy, Start};
use strongroom_model::saved::Saved;
use strongroom_model::share::{Share, ShareStatus};
use strongroom_model::vault::{ProtectType, VaultStatus};

pub use strongroom_catalog::{MemberFilter, MemberKey};

use crate::error::{Error, Result};
use crate::saved::find_any;
use crate::{Caller, Refusal, Service};

/// The most members of a backup.
pub const MEMBERS_MAX: usize = 10;

/// Which members of a backup to list, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct MemberListing {
    /// Conditions that must all hold.
    pub filters: Vec<MemberFilter>,
    /// The order; newest first if empty.
    pub sort: Vec<SortBy<MemberKey>>,
    /// Where the page starts.
    pub start: Start<ShareId>,
    /// The most items to return.
    pub limit: u32,
}

/// What a receiver makes of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberChange {
    /// Where the share stands from now on.
    pub status: ShareStatus,
    /// The vault that the backup is taken into.
    pub vault_id: Option<VaultId>,
}

impl Service {
    /// Offers a backup that stands by itself to other projects, in their order.
    pub async fn add_members(
        &self,
        caller: &Caller,
        backup: &str,
        with: &[ProjectId],
    ) -> Result<Vec<Share>> {
        let project = caller.project(Role::Member, "member:create")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let saved = self.find_offered(tx, project, backup).await?;
                    let mut members = tx.shares().of_backup(saved.id()).await?;
                    let before = members.len();
                    for receiver in with {
                        refuse_receiver(tx, &saved, receiver).await?;
                        if members.iter().any(|share| share.to_project_id == *receiver) {
                            let message = format!("the backup is shared with project {receiver}");
                            return Err(Refusal::AlreadyShared.because(message));
                        }
                        if members.len() >= MEMBERS_MAX {
                            let message =
                                format!("{MEMBERS_MAX} members are all that a backup may have");
                            return Err(Refusal::TooManyMembers.because(message));
                        }
                        let share = self.new_offer(&saved, receiver);
                        tx.shares().insert(&share).await?;
                        members.push(share);
                    }
                    Ok(members.split_off(before))
                })
            })
            .await
    }

    /// The backup that is to be offered: the caller's own, whole and available.
    async fn find_offered(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        id: &str,
    ) -> Result<Saved> {
        let (saved, share) = self.find_readable(tx, project, id).await?;
        if share.is_some() {
            let message = "a backup that was received by a share cannot be shared on";
            return Err(Refusal::ReceivedShare.because(message));
        }
        if let Some(parent) = saved.parent_id() {
            let message = format!("the backup is shared with backup {parent} only");
            return Err(Refusal::NotShareable.because(message));
        }
        match saved.status() {
            BackupStatus::Available => Ok(saved),
            other => Err(Error::BackupNotShareable(other)),
        }
    }

    fn new_offer(&self, saved: &Saved, receiver: &ProjectId) -> Share {
        Share {
            id: ShareId::random(self.chance()),
            backup_id: saved.id(),
            from_project_id: saved.project_id().clone(),
            to_project_id: receiver.clone(),
            status: ShareStatus::Pending,
            vault_id: None,
            created_at: self.now(),
            updated_at: None,
        }
    }

    /// A page of the members of a backup: all for its owner, itself for a member.
    pub async fn members(
        &self,
        caller: &Caller,
        backup: &str,
        listing: MemberListing,
    ) -> Result<Page<Share>> {
        let project = caller.project(Role::Reader, "member:get_all")?;
        let listing = &listing;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let (saved, own) = self.find_with_members(tx, project, backup).await?;
                    let mut query = MemberQuery {
                        backup_id: saved.id(),
                        filters: listing.filters.clone(),
                        sort: listing.sort.clone(),
                        start: listing.start.clone(),
                        limit: listing.limit,
                    };
                    if own.is_some() {
                        query.filters.push(MemberFilter::To(project.clone()));
                    }
                    let counted =
                        MemberQuery { limit: 0, start: Start::default(), ..query.clone() };
                    match tx.shares().members(query).await {
                        // What the marker named may be gone.
                        Err(strongroom_catalog::Error::MarkerNotFound(_)) => {
                            Ok(tx.shares().members(counted).await?)
                        }
                        page => Ok::<_, Error>(page?),
                    }
                })
            })
            .await
    }

    /// One member of a backup; for a member only itself. `member` is the id of its project or of
    /// the share.
    pub async fn member(&self, caller: &Caller, backup: &str, member: &str) -> Result<Share> {
        let project = caller.project(Role::Reader, "member:get")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let (saved, own) = self.find_with_members(tx, project, backup).await?;
                    match own {
                        Some(own) if is_named(&own, member) => Ok(own),
                        Some(_) => Err(missing(member)),
                        None => find_member(tx, &saved, member).await,
                    }
                })
            })
            .await
    }

    /// Takes or declines an offer; only the member itself may.
    pub async fn change_member(
        &self,
        caller: &Caller,
        backup: &str,
        member: &str,
        change: MemberChange,
    ) -> Result<Share> {
        let project = caller.project(Role::Member, "member:update")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let (saved, own) = self.find_with_members(tx, project, backup).await?;
                    let own = match own {
                        Some(own) => Some(own),
                        // A cloud admin's project may be a member of what the admin can see anyway.
                        None => tx.shares().find_with(saved.id(), project).await?,
                    };
                    let own = own.filter(|own| is_named(own, member));
                    let mut share = own.ok_or(Error::Forbidden("member:update"))?;
                    if share.status == ShareStatus::Accepted
                        && change.status == ShareStatus::Pending
                    {
                        let message = "a share that was taken can only be declined";
                        return Err(Refusal::MemberValue.because(message));
                    }
                    share.vault_id = match change.status {
                        ShareStatus::Accepted => {
                            Some(self.place_for(tx, project, &saved, change.vault_id).await?)
                        }
                        _ => None,
                    };
                    share.status = change.status;
                    share.updated_at = Some(self.now());
                    tx.shares().update(&share).await?;
                    Ok(share)
                })
            })
            .await
    }

    /// The receiver's vault that a share is taken into.
    async fn place_for(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        saved: &Saved,
        wanted: Option<VaultId>,
    ) -> Result<VaultId> {
        let unnamed =
            || Refusal::MemberValue.because("the vault to take the backup into is needed");
        let wanted = wanted.ok_or_else(unnamed)?;
        let vault = self.find_vault(tx, project, &wanted.to_string()).await?;
        if !matches!(vault.status, VaultStatus::Available | VaultStatus::Lock) {
            let message = format!("vault {} is {}", vault.id, vault.status.as_str());
            return Err(Refusal::MemberVaultState.because(message));
        }
        let (_, kind) = saved.resource();
        let is_fit =
            vault.terms.protect_type == ProtectType::Backup && kind.fits(vault.terms.object_type);
        if !is_fit {
            let message = format!("vault {} does not take backups of this kind", vault.id);
            return Err(Refusal::MemberVaultUnfit.because(message));
        }
        Ok(vault.id)
    }

    /// Ends a share of the caller's own backup. Volumes that are being made by it fail.
    pub async fn remove_member(&self, caller: &Caller, backup: &str, member: &str) -> Result<()> {
        let project = caller.project(Role::Member, "member:delete")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let saved = self.find_saved(tx, project, backup).await?;
                    let share = find_member(tx, &saved, member).await?;
                    tx.shares().delete(share.id).await?;
                    Ok(())
                })
            })
            .await
    }

    /// A backup and, unless it is the caller's own, the share with the caller's project, in whatever
    /// state: one that was declined can still be taken.
    async fn find_with_members(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        id: &str,
    ) -> Result<(Saved, Option<Share>)> {
        let found = self.find_saved(tx, project, id).await;
        let not_own = match found {
            Ok(saved) => return Ok((saved, None)),
            Err(error) => error,
        };
        let Ok(parsed) = BackupId::parse(id) else { return Err(not_own) };
        let Some(share) = tx.shares().find_with(parsed, project).await? else {
            return Err(not_own);
        };
        let saved = find_any(tx, parsed).await?.ok_or(not_own)?;
        Ok((saved, Some(share)))
    }
}

/// Refuses a project that a backup cannot be shared with.
async fn refuse_receiver(
    tx: &mut Transaction<'_>,
    saved: &Saved,
    receiver: &ProjectId,
) -> Result<()> {
    if receiver == saved.project_id() {
        return Err(Error::ShareWithOwner);
    }
    if tx.projects().find(receiver).await?.is_none() {
        let message = format!("project {receiver} does not exist");
        return Err(Refusal::MemberInvalid.because(message));
    }
    Ok(())
}

async fn find_member(tx: &mut Transaction<'_>, saved: &Saved, member: &str) -> Result<Share> {
    let members = tx.shares().of_backup(saved.id()).await?;
    members.into_iter().find(|share| is_named(share, member)).ok_or_else(|| missing(member))
}

fn is_named(share: &Share, member: &str) -> bool {
    share.to_project_id.as_str() == member || ShareId::parse(member).is_ok_and(|id| id == share.id)
}

fn missing(member: &str) -> Error {
    Refusal::MemberMissing.because(format!("member {member} could not be found"))
}
