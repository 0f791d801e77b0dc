//! A saved point as callers see it: with its parts, its copies, and where it is kept for them.

use std::collections::BTreeMap;

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::VaultId;
use strongroom_model::identity::Role;
use strongroom_model::replication::Replication;
use strongroom_model::saved::Saved;
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::share::Share;
use strongroom_model::vault::ConsistentLevel;

use crate::error::Result;
use crate::operation_log::progress;
use crate::{Caller, Service, share};

/// A saved point with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// It; without what is only its owner's if it was received.
    pub saved: Saved,
    /// The vault that keeps it for the caller: for a receiver its own, once it has taken it.
    pub vault_id: Option<VaultId>,
    /// The enterprise project of that vault.
    pub enterprise_project_id: String,
    /// Whether the vault in which it was made wants applications to be brought to rest for a
    /// backup, which takes an agent in the server.
    pub wants_application_consistency: bool,
    /// The share by which the caller has it, if it is not the caller's own.
    pub share: Option<Share>,
    /// The backups of the server's disks, where they were asked for.
    pub children: Vec<Backup>,
    /// Percent of its work that is done, while it is being made.
    pub progress: Option<u8>,
    /// Its copies in other regions, where they were asked for; none for a receiver.
    pub replications: Vec<Replication>,
}

impl SavedView {
    /// It with nothing looked up yet.
    pub(super) fn new(saved: Saved, share: Option<Share>) -> Self {
        let (saved, vault_id) = match &share {
            None => {
                let vault_id = saved.vault_id();
                (saved, Some(vault_id))
            }
            Some(share) => (as_received(saved), share.vault_id),
        };
        let enterprise_project_id = "0".to_owned();
        let progress = match &saved {
            Saved::Disk(backup) if backup.status == BackupStatus::Creating => Some(backup.progress),
            _ => None,
        };
        let (children, replications) = (Vec::new(), Vec::new());
        Self {
            saved,
            vault_id,
            enterprise_project_id,
            wants_application_consistency: false,
            share,
            children,
            progress,
            replications,
        }
    }
}

impl Service {
    /// One backup of a disk or of a server, with its parts and its copies: one of the caller's, or
    /// one that is offered to it or was taken by it.
    pub async fn saved(&self, caller: &Caller, id: &str) -> Result<SavedView> {
        let project = caller.project(Role::Reader, "saved:get")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let (saved, share) = self.find_readable(tx, project, id).await?;
                    view_whole(tx, saved, share).await
                })
            })
            .await
    }
}

/// A saved point with its parts and its copies.
pub(super) async fn view_whole(
    tx: &mut Transaction<'_>,
    saved: Saved,
    share: Option<Share>,
) -> Result<SavedView> {
    let mut view = SavedView::new(saved, share);
    if let Saved::Server(backup) = &view.saved {
        let children = tx.backups().of_server_backup(backup.id).await?;
        let is_received = view.share.is_some();
        view.progress = is_being_made(backup).then(|| progress(&children));
        let child = |child| if is_received { share::as_received(child) } else { child };
        view.children = children.into_iter().map(child).collect();
    }
    add_replications(tx, &mut view).await?;
    add_vault_terms(tx, std::slice::from_mut(&mut view)).await?;
    Ok(view)
}

/// Looks up how far servers' backups have come that are being made.
pub(super) async fn add_progress(tx: &mut Transaction<'_>, view: &mut SavedView) -> Result<()> {
    if let Saved::Server(backup) = &view.saved
        && is_being_made(backup)
    {
        let children = tx.backups().of_server_backup(backup.id).await?;
        view.progress = Some(progress(&children));
    }
    Ok(())
}

fn is_being_made(backup: &ServerBackup) -> bool {
    backup.status == BackupStatus::Creating
}

/// Looks up the copies of one's own.
pub(super) async fn add_replications(tx: &mut Transaction<'_>, view: &mut SavedView) -> Result<()> {
    if view.share.is_none() {
        view.replications = tx.replications().of_backup(view.saved.id()).await?;
    }
    Ok(())
}

/// Looks up what the vaults say about their backups, each vault once.
pub(super) async fn add_vault_terms(
    tx: &mut Transaction<'_>,
    views: &mut [SavedView],
) -> Result<()> {
    let mut known = BTreeMap::new();
    for view in views {
        let made_in = view.saved.vault_id();
        for id in view.vault_id.into_iter().chain([made_in]) {
            if let std::collections::btree_map::Entry::Vacant(place) = known.entry(id) {
                let vault = tx.vaults().find_any(id).await?;
                place.insert(vault.map(|vault| vault.terms));
            }
        }
        let terms_of = |id: VaultId| known.get(&id).and_then(Option::as_ref);
        if let Some(terms) = view.vault_id.and_then(terms_of) {
            view.enterprise_project_id.clone_from(&terms.enterprise_project_id);
        }
        let level = terms_of(made_in).map(|terms| terms.consistent_level);
        view.wants_application_consistency = level == Some(ConsistentLevel::Application);
    }
    Ok(())
}

/// What those see of a backup with whom it is shared: neither who made it and by which policy, nor
/// until when its owner keeps it, nor what becomes of it.
fn as_received(saved: Saved) -> Saved {
    match saved {
        Saved::Disk(backup) => Saved::Disk(share::as_received(backup)),
        Saved::Server(backup) => Saved::Server(ServerBackup {
            policy_id: None,
            expires_at: None,
            fail_reason: None,
            restore_server_id: None,
            ..backup
        }),
    }
}
