//! Restoring a backup onto a volume, existing or new.

use strongroom_model::id::{BackupId, VolumeId};

use crate::{Caller, Service, error::Result};

/// Where to restore to.
#[derive(Debug, Clone, Default)]
pub struct RestoreRequest {
    /// An existing volume; a new one is made without it.
    pub volume_id: Option<VolumeId>,
    /// Name of the new volume; `restore_backup_ID` without it.
    pub name: Option<String>,
}

/// What a restore was started as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    /// The backup that is read.
    pub backup_id: BackupId,
    /// The volume that is written.
    pub volume_id: VolumeId,
    /// That volume's name; empty if it has none.
    pub volume_name: String,
}

impl Service {
    /// Accepts a restore: backup `restoring`, volume `restoring-backup`, work enqueued, at once.
    pub async fn restore_backup(
        &self,
        caller: &Caller,
        id: &str,
        request: RestoreRequest,
    ) -> Result<Restore> {
        unimplemented!("{caller:?} {id} {request:?}")
    }
}
