//! Saved points, whatever was saved: backups of disks and of servers as one noun.
//!
//! A list of them has what stands by itself. The backups of a server's disks belong to that of the
//! server and come with it; by their own ids they can be read, and nothing else.

use strongroom_catalog::Transaction;
use strongroom_model::id::{BackupId, ProjectId};

pub use strongroom_model::saved::Saved;

use crate::error::{Error, Result};
use crate::{Caller, Service};

impl Service {
    /// A backup of a disk or of a server that is the caller's: its project's own, or any for a cloud
    /// admin. `id` is text as it came; what is no UUID is not found.
    pub(crate) async fn find_saved(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        project: &ProjectId,
        id: &str,
    ) -> Result<Saved> {
        let missing = || Error::BackupNotFound(id.to_owned());
        let parsed = BackupId::parse(id).map_err(|_| missing())?;
        let found = find_any(tx, parsed).await?;
        found
            .filter(|saved| saved.project_id() == project || caller.is_cloud_admin)
            .ok_or_else(missing)
    }
}

/// The backup of that id, of a disk or of a server, whoever owns it.
pub(crate) async fn find_any(tx: &mut Transaction<'_>, id: BackupId) -> Result<Option<Saved>> {
    if let Some(backup) = tx.backups().find_any(id).await? {
        return Ok(Some(Saved::Disk(backup)));
    }
    Ok(tx.server_backups().find_any(id).await?.map(Saved::Server))
}
