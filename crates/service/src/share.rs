//! Sharing backups with other projects.
//!
//! Whoever a backup is shared with may see it and make volumes of it, and nothing else; both end
//! with the share. [`Service::find_usable_backup`] is the one way to a backup by a share: every
//! other operation finds only what is the caller's own.

use strongroom_catalog::{ShareQuery, Transaction};
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, ProjectId, ShareId};
use strongroom_model::identity::Role;
use strongroom_model::page::{Page, SortBy};
use strongroom_model::share::{Share, ShareStatus};
use strongroom_model::volume::Metadata;

pub use strongroom_catalog::{ShareFilter, ShareKey};

use crate::error::{Error, Result};
use crate::saved::{Saved, share_of};
use crate::{Caller, Refusal, Service};

/// The most projects that one request may name.
pub const RECIPIENTS_MAX: usize = 100;

/// A share and the backup that is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedBackup {
    /// The share.
    pub share: Share,
    /// The backup, without what is only its owner's.
    pub backup: Backup,
}

/// Which shares to list, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct ShareListing {
    /// Those with the caller's project instead of those by it.
    pub to_me: bool,
    /// Conditions that must all hold.
    pub filters: Vec<ShareFilter>,
    /// The order; newest first if empty.
    pub sort: Vec<SortBy<ShareKey>>,
    /// How many to leave out.
    pub offset: u32,
    /// The most items to return.
    pub limit: u32,
    /// Whether to count the whole list.
    pub with_total: bool,
}

impl ShareListing {
    /// What the catalogue is asked: the shares by a project, or those with it.
    fn into_query(self, project: &ProjectId) -> ShareQuery {
        let Self { to_me, mut filters, mut sort, offset, limit, with_total } = self;
        let project = project.to_string();
        // An order by what is not shown would show it.
        sort.retain(|by| !to_me || by.key != ShareKey::FailReason);
        filters.push(if to_me { ShareFilter::To(project) } else { ShareFilter::From(project) });
        // This dialect knows no share that is only offered.
        filters.push(ShareFilter::Taken(ShareStatus::Accepted));
        ShareQuery { filters, sort, offset, limit, with_total }
    }
}

/// A backup that a caller may read.
pub(crate) struct UsableBackup {
    /// The backup; without what is only its owner's if the caller has it by a share.
    pub(crate) backup: Backup,
    /// The share by which the caller has it, if it is not the caller's own.
    pub(crate) share_id: Option<ShareId>,
}

impl Service {
    /// Shares an available backup of the caller's project with others, in the order of `with`.
    /// A share that was taken is returned as it is; one that was not counts as taken from now on.
    pub async fn share_backup(
        &self,
        caller: &Caller,
        backup: &str,
        with: &[ProjectId],
    ) -> Result<Vec<Share>> {
        let project = caller.project(Role::Member, "backup:share")?;
        check_recipients(project, with)?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let missing = || Error::BackupNotFound(backup.to_owned());
                    let id = BackupId::parse(backup).map_err(|_| missing())?;
                    let backup = tx.backups().find(project, id).await?.ok_or_else(missing)?;
                    if backup.status != BackupStatus::Available {
                        return Err(Error::BackupNotShareable(backup.status));
                    }
                    if let Some(parent) = backup.origin.server_backup_id {
                        let message = format!("the backup is shared with backup {parent} only");
                        return Err(Refusal::NotShareable.because(message));
                    }
                    let mut shares = Vec::with_capacity(with.len());
                    for recipient in with {
                        shares.push(self.share_with(tx, &backup, recipient).await?);
                    }
                    Ok(shares)
                })
            })
            .await
    }

    /// The share of a backup with a project: the one there is, or a new one.
    async fn share_with(
        &self,
        tx: &mut Transaction<'_>,
        backup: &Backup,
        recipient: &ProjectId,
    ) -> Result<Share> {
        if let Some(mut share) = tx.shares().find_with(backup.id, recipient).await? {
            if share.status != ShareStatus::Accepted {
                share.status = ShareStatus::Accepted;
                share.updated_at = Some(self.now());
                tx.shares().update(&share).await?;
            }
            return Ok(share);
        }
        let share = Share {
            id: ShareId::random(self.chance()),
            backup_id: backup.id,
            from_project_id: backup.project_id.clone(),
            to_project_id: recipient.clone(),
            status: ShareStatus::Accepted,
            vault_id: None,
            created_at: self.now(),
            updated_at: None,
        };
        tx.shares().insert(&share).await?;
        Ok(share)
    }

    /// A page of the shares by or with the caller's project.
    pub async fn shares(
        &self,
        caller: &Caller,
        listing: ShareListing,
    ) -> Result<Page<SharedBackup>> {
        let project = caller.project(Role::Reader, "backup:get_shares")?;
        let view = if listing.to_me { as_received } else { as_shared };
        let query = listing.into_query(project);
        let query = &query;
        let page = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.shares().list(query).await?) }))
            .await?;
        let items = page.items.into_iter();
        let items = items.map(|(share, backup)| SharedBackup { share, backup: view(backup) });
        Ok(Page { items: items.collect(), total: page.total })
    }

    /// One share by or with the caller's project.
    pub async fn share(&self, caller: &Caller, id: &str) -> Result<SharedBackup> {
        let project = caller.project(Role::Reader, "backup:get_shares")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let missing = || Error::ShareNotFound(id.to_owned());
                    let parsed = ShareId::parse(id).map_err(|_| missing())?;
                    let share = tx.shares().find(parsed).await?;
                    let share = share
                        .filter(|share| {
                            [&share.from_project_id, &share.to_project_id].contains(&project)
                        })
                        .filter(|share| share.status == ShareStatus::Accepted)
                        .ok_or_else(missing)?;
                    let backup = tx.backups().find_any(share.backup_id).await?;
                    let is_mine = share.from_project_id == *project;
                    let view = if is_mine { as_shared } else { as_received };
                    let backup = backup.map(view).ok_or_else(missing)?;
                    Ok(SharedBackup { share, backup })
                })
            })
            .await
    }

    /// Ends a share by the caller's project. Volumes that are being made by it fail.
    pub async fn end_share(&self, caller: &Caller, id: &str) -> Result<()> {
        let project = caller.project(Role::Member, "backup:unshare")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let missing = || Error::ShareNotFound(id.to_owned());
                    let parsed = ShareId::parse(id).map_err(|_| missing())?;
                    let share = tx.shares().find(parsed).await?;
                    share.filter(|share| share.from_project_id == *project).ok_or_else(missing)?;
                    tx.shares().delete(parsed).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Ends every share of a backup of the caller's project; not found if there is none.
    pub async fn end_shares_of(&self, caller: &Caller, backup: &str) -> Result<()> {
        let project = caller.project(Role::Member, "backup:unshare")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let missing = || Error::ShareNotFound(backup.to_owned());
                    let id = BackupId::parse(backup).map_err(|_| missing())?;
                    tx.backups().find(project, id).await?.ok_or_else(missing)?;
                    match tx.shares().delete_of(id).await? {
                        0 => Err(missing()),
                        _ => Ok(()),
                    }
                })
            })
            .await
    }

    /// A backup that the caller may see and make volumes of: its own, or one that was shared with
    /// its project and taken. Whoever took that of a server has those of its disks.
    pub(crate) async fn find_usable_backup(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        project: &ProjectId,
        id: &str,
    ) -> Result<UsableBackup> {
        let missing = || Error::BackupNotFound(id.to_owned());
        let parsed = BackupId::parse(id).map_err(|_| missing())?;
        let backup = tx.backups().find_any(parsed).await?.ok_or_else(missing)?;
        if caller.owns(&backup.project_id) {
            return Ok(UsableBackup { backup, share_id: None });
        }
        let saved = Saved::Disk(backup);
        let share = share_of(tx, &saved, project).await?;
        let share = share.filter(|share| share.status == ShareStatus::Accepted);
        let share_id = Some(share.ok_or_else(missing)?.id);
        let Saved::Disk(backup) = saved else { return Err(missing()) };
        Ok(UsableBackup { backup: as_received(backup), share_id })
    }
}

/// Refuses a list of recipients that no share can be made of.
fn check_recipients(owner: &ProjectId, with: &[ProjectId]) -> Result<()> {
    if !(1..=RECIPIENTS_MAX).contains(&with.len()) {
        let message = format!("1 to {RECIPIENTS_MAX} projects must be named");
        return Err(Error::Invalid { field: "to_project_ids", message });
    }
    if with.contains(owner) {
        return Err(Error::ShareWithOwner);
    }
    Ok(())
}

/// A backup as those see it with whom it is shared: nor why work on it failed, which may name what
/// is its owner's.
pub(crate) fn as_received(backup: Backup) -> Backup {
    Backup { fail_reason: None, ..as_shared(backup) }
}

/// A backup inside a share: neither the name of its key, nor what its owner notes about it and about
/// the volume, nor what becomes of it.
fn as_shared(mut backup: Backup) -> Backup {
    if let Some(measured) = &mut backup.measured {
        measured.master_key_id.clear();
    }
    Backup {
        metadata: Metadata::new(),
        volume_metadata: Metadata::new(),
        restore_volume_id: None,
        policy_id: None,
        expires_at: None,
        ..backup
    }
}
