//! Sharing backups with other projects.

use strongroom_model::backup::Backup;
use strongroom_model::id::ProjectId;
use strongroom_model::page::{Page, SortBy};
use strongroom_model::share::Share;

pub use strongroom_catalog::{ShareFilter, ShareKey};

use crate::error::Result;
use crate::{Caller, Service};

/// A share and the backup that is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedBackup {
    /// The share.
    pub share: Share,
    /// The backup.
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

impl Service {
    /// Shares an available backup of the caller's project with others, in the order of `with`.
    /// A share that exists is returned as it is.
    pub async fn share_backup(
        &self,
        _caller: &Caller,
        _backup: &str,
        _with: &[ProjectId],
    ) -> Result<Vec<Share>> {
        todo!()
    }

    /// A page of the shares by or with the caller's project.
    pub async fn shares(
        &self,
        _caller: &Caller,
        _listing: ShareListing,
    ) -> Result<Page<SharedBackup>> {
        todo!()
    }

    /// One share by or with the caller's project.
    pub async fn share(&self, _caller: &Caller, _id: &str) -> Result<SharedBackup> {
        todo!()
    }

    /// Ends a share by the caller's project.
    pub async fn end_share(&self, _caller: &Caller, _id: &str) -> Result<()> {
        todo!()
    }

    /// Ends every share of a backup of the caller's project; not found if there is none.
    pub async fn end_shares_of(&self, _caller: &Caller, _backup: &str) -> Result<()> {
        todo!()
    }
}
