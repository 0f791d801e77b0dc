//! Deletes a backup: a tomb hides it at once, collection frees its room later.

use serde::{Deserialize, Serialize};
use strongroom_model::id::BackupId;
use strongroom_model::time::Timestamp;

use crate::error::Result;
use crate::format::name;
use crate::repository::Repository;

/// The record `tombs/<backup-id>`.
#[derive(Debug, Serialize, Deserialize)]
struct TombRecord {
    backup: BackupId,
    deleted_at: Timestamp,
}

/// Deletes a backup for good; deleting it again, or one that does not exist, is fine.
///
/// Other backups, parents and children alike, are not touched. After `Ok` no list shows it and no
/// session can bring it back.
pub fn delete(repository: &Repository, backup: BackupId) -> Result<()> {
    let tomb = TombRecord { backup, deleted_at: repository.clock().now() };
    repository.create_record(&name::tomb(repository.vault(), backup), &tomb)?;
    Ok(())
}
