//! Restoring what vaults keep: the backup of a disk onto a disk, that of a server onto disks of a
//! server.
//!
//! What is written onto is checked and marked here, all of it or none; the bytes are brought back by
//! the same jobs that restore single backups. The whole is one operation, which ends with the last
//! of them.

mod disk;
mod server;
mod settle;

use strongroom_catalog::Transaction;
use strongroom_model::id::{BackupId, OperationId, ServerId, VaultId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::resource::ResourceId;
use strongroom_model::saved::Saved;
use strongroom_model::vault::VaultStatus;

use crate::error::{Error, Result};
use crate::{Caller, Refusal, Service};

/// What a backup is to be restored onto.
#[derive(Debug, Clone, Default)]
pub struct RecoveryRequest {
    /// The server, for the backup of one.
    pub server_id: Option<ServerId>,
    /// The disk, for the backup of one.
    pub volume_id: Option<VolumeId>,
    /// Either, by the id of the resource.
    pub resource_id: Option<ResourceId>,
    /// Which disk of the server gets the bytes of which disk's backup; each its own if none are
    /// said.
    pub mappings: Vec<DiskMapping>,
    /// Whether the server is to be on afterwards.
    pub power_on: bool,
}

/// One disk's backup and the disk that it is restored onto.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskMapping {
    /// The backup, which belongs to that of the server.
    pub backup_id: BackupId,
    /// The disk.
    pub volume_id: VolumeId,
}

impl Service {
    /// Accepts a restore of a backup that stands by itself, and gives the operation that tells how
    /// it ends. `id` is text as it came.
    pub async fn recover(
        &self,
        caller: &Caller,
        id: &str,
        request: RecoveryRequest,
    ) -> Result<OperationId> {
        let project = caller.project(Role::Member, "saved:restore")?;
        let request = &request;
        let operation = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let (saved, share) = self.find_readable(tx, project, id).await?;
                    refuse_no_whole(&saved, share.is_some())?;
                    check_vault(tx, saved.vault_id()).await?;
                    match saved {
                        Saved::Disk(backup) => {
                            self.begin_disk_recovery(tx, caller, backup, request).await
                        }
                        Saved::Server(backup) => {
                            self.begin_server_recovery(tx, caller, backup, request).await
                        }
                    }
                })
            })
            .await?;
        self.nudge();
        Ok(operation)
    }
}

/// Refuses what is only part of a whole, or another project's.
fn refuse_no_whole(saved: &Saved, is_received: bool) -> Result<()> {
    let id = saved.id();
    if let Some(parent) = saved.parent_id() {
        let message = format!("backup {id} belongs to backup {parent}, which is restored as one");
        return Err(Refusal::TargetForeign.because(message));
    }
    if is_received {
        let message = format!("backup {id} is another project's and only restored by that");
        return Err(Refusal::TargetForeign.because(message));
    }
    Ok(())
}

/// Refuses a vault whose backups cannot be read now.
async fn check_vault(tx: &mut Transaction<'_>, id: VaultId) -> Result<()> {
    let missing = || Error::VaultNotFound(id.to_string());
    let vault = tx.vaults().find_any(id).await?.ok_or_else(missing)?;
    if matches!(vault.status, VaultStatus::Available | VaultStatus::Lock) {
        return Ok(());
    }
    let message = format!("vault {id} is {}", vault.status.as_str());
    Err(Refusal::VaultStateForRestore.because(message))
}

/// What is restored onto: named by its own key, or as a resource, but not as two.
fn target(
    own: Option<ResourceId>,
    other: Option<ResourceId>,
    field: &'static str,
) -> Result<ResourceId> {
    let fault = |message: &str| Error::Invalid { field, message: message.to_owned() };
    match (own, other) {
        (Some(own), Some(other)) if own != other => Err(fault("resource_id names something else")),
        (Some(target), _) | (None, Some(target)) => Ok(target),
        (None, None) => Err(fault("what to restore onto is not said")),
    }
}
