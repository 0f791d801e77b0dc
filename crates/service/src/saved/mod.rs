//! Saved points, whatever was saved: backups of disks and of servers as one noun.
//!
//! A list of them has what stands by itself. The backups of a server's disks belong to that of the
//! server and come with it; by their own ids they can be read, and nothing else.
//!
//! Whoever has one by a share may read it, whether the share is taken yet or not, and sees neither
//! the owner's vault nor what the owner keeps about it.

mod change;
mod documents;
mod list;
mod view;

use strongroom_catalog::Transaction;
use strongroom_model::id::{BackupId, ProjectId};
use strongroom_model::share::{Share, ShareStatus};

pub use strongroom_catalog::{Ownership, SavedFilter, SavedKey};
pub use strongroom_model::saved::Saved;

pub use documents::SavedDocuments;
pub(crate) use list::chosen_vaults;
pub use list::{SavedListing, VaultChoice};
pub use view::SavedView;

use crate::Service;
use crate::error::{Error, Result};

impl Service {
    /// A backup of a disk or of a server that is the project's own, whoever asks: an administrator
    /// reaches no other project through this one. `id` is text as it came; what is no UUID is not
    /// found.
    pub(crate) async fn find_saved(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        id: &str,
    ) -> Result<Saved> {
        let missing = || Error::BackupNotFound(id.to_owned());
        let parsed = BackupId::parse(id).map_err(|_| missing())?;
        let found = find_any(tx, parsed).await?;
        found.filter(|saved| saved.project_id() == project).ok_or_else(missing)
    }

    /// A backup that the project may read: its own, or one that is offered to it or was taken by
    /// it, with the share.
    pub(crate) async fn find_readable(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        id: &str,
    ) -> Result<(Saved, Option<Share>)> {
        let missing = || Error::BackupNotFound(id.to_owned());
        let parsed = BackupId::parse(id).map_err(|_| missing())?;
        let saved = find_any(tx, parsed).await?.ok_or_else(missing)?;
        if saved.project_id() == project {
            return Ok((saved, None));
        }
        let share = share_of(tx, &saved, project).await?;
        let share = share.filter(|share| share.status != ShareStatus::Rejected);
        Ok((saved, Some(share.ok_or_else(missing)?)))
    }
}

/// The backup of that id, of a disk or of a server, whoever owns it.
pub(crate) async fn find_any(tx: &mut Transaction<'_>, id: BackupId) -> Result<Option<Saved>> {
    if let Some(backup) = tx.backups().find_any(id).await? {
        return Ok(Some(Saved::Disk(backup)));
    }
    Ok(tx.server_backups().find_any(id).await?.map(Saved::Server))
}

/// The share of a backup with a project; the backup of a server's disk is shared with that of the
/// server.
pub(crate) async fn share_of(
    tx: &mut Transaction<'_>,
    saved: &Saved,
    project: &ProjectId,
) -> Result<Option<Share>> {
    if let Some(share) = tx.shares().find_with(saved.id(), project).await? {
        return Ok(Some(share));
    }
    match saved.parent_id() {
        Some(parent) => Ok(tx.shares().find_with(parent, project).await?),
        None => Ok(None),
    }
}
