//! Where a checkpoint stands, reckoned from its backups.

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::checkpoint::Checkpoint;
use strongroom_model::id::{BackupId, CheckpointId};
use strongroom_model::identity::Role;
use strongroom_model::resource::{ResourceId, ResourceKind};
use strongroom_model::server_backup::ServerBackup;
use strongroom_model::size::GiB;
use strongroom_model::vault::{ProtectStatus, Vault};

use crate::error::{Error, Result};
use crate::{Caller, Service};

/// Bytes in a MiB.
const MIB: u64 = 1 << 20;

/// Where a checkpoint stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointStatus {
    /// Some of its backups are being made.
    Protecting,
    /// All of its backups can be read back.
    Available,
    /// A backup of it could not be made.
    Error,
    /// All that is left of it is being removed.
    Deleting,
    /// A backup of it could not be removed.
    ErrorDeleting,
}

impl CheckpointStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Protecting => "protecting",
            Self::Available => "available",
            Self::Error => "error",
            Self::Deleting => "deleting",
            Self::ErrorDeleting => "error-deleting",
        }
    }

    /// What backups in these states make of their checkpoint.
    fn of(statuses: &[BackupStatus]) -> Self {
        let any = |status| statuses.contains(&status);
        if any(BackupStatus::Creating) {
            Self::Protecting
        } else if statuses.iter().all(|status| *status == BackupStatus::Deleting) {
            Self::Deleting
        } else if any(BackupStatus::ErrorDeleting) {
            Self::ErrorDeleting
        } else if any(BackupStatus::Error) {
            Self::Error
        } else {
            Self::Available
        }
    }
}

/// A resource that a checkpoint backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointResource {
    /// The resource.
    pub id: ResourceId,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name when it was backed up.
    pub name: String,
    /// How its backup in this checkpoint stands.
    pub status: ProtectStatus,
    /// Its size when it was backed up.
    pub size: GiB,
    /// What the vault's backups of it occupy, in MiB rounded up.
    pub backup_mib: u64,
    /// How many backups of it the vault keeps.
    pub backup_count: u64,
}

/// A checkpoint as callers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointView {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Its vault.
    pub vault: Vault,
    /// Where it stands.
    pub status: CheckpointStatus,
    /// What it backed up.
    pub resources: Vec<CheckpointResource>,
}

impl Service {
    /// A checkpoint of the caller's project, as long as one of its backups is left. A backup that
    /// was made by itself is one too. `id` is text as it came.
    pub async fn checkpoint(&self, caller: &Caller, id: &str) -> Result<CheckpointView> {
        let project = caller.project(Role::Reader, "checkpoint:get")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let missing = || Error::CheckpointNotFound(id.to_owned());
                    let parsed = CheckpointId::parse(id).map_err(|_| missing())?;
                    let found = find_checkpoint(tx, parsed).await?;
                    let found = found.filter(|found| found.project_id == *project);
                    view_checkpoint(tx, found.ok_or_else(missing)?).await
                })
            })
            .await
    }
}

/// The checkpoint of that id, also if it is no more than a backup that was made by itself.
async fn find_checkpoint(tx: &mut Transaction<'_>, id: CheckpointId) -> Result<Option<Checkpoint>> {
    if let Some(found) = tx.checkpoints().find_any(id).await? {
        return Ok(Some(found));
    }
    let alone = tx.backups().find_any(BackupId(id.0)).await?;
    Ok(alone.filter(|backup| backup.checkpoint_id() == id).map(alone_as_checkpoint))
}

fn alone_as_checkpoint(backup: Backup) -> Checkpoint {
    Checkpoint {
        id: backup.checkpoint_id(),
        project_id: backup.project_id,
        user_id: backup.user_id,
        vault_id: backup.vault_id,
        policy_id: backup.policy_id,
        name: backup.name.unwrap_or_default(),
        description: backup.description.unwrap_or_default(),
        is_automatic: backup.origin.is_automatic,
        retention_days: None,
        skipped: Vec::new(),
        created_at: backup.created_at,
    }
}

/// A checkpoint with how it stands; one that has lost its last backup is not found.
pub(super) async fn view_checkpoint(
    tx: &mut Transaction<'_>,
    checkpoint: Checkpoint,
) -> Result<CheckpointView> {
    let missing = || Error::CheckpointNotFound(checkpoint.id.to_string());
    let vault = tx.vaults().find_any(checkpoint.vault_id).await?.ok_or_else(missing)?;
    let (disks, servers) = backups_of(tx, checkpoint.id).await?;
    if disks.is_empty() && servers.is_empty() {
        return Err(missing());
    }
    let of_disks = disks.iter().map(|backup| backup.status);
    let statuses: Vec<_> = of_disks.chain(servers.iter().map(|backup| backup.status)).collect();
    let mut resources = Vec::new();
    for backup in &servers {
        resources.push(server_resource(tx, backup).await?);
    }
    for backup in &disks {
        resources.push(disk_resource(tx, backup).await?);
    }
    let status = CheckpointStatus::of(&statuses);
    Ok(CheckpointView { checkpoint, vault, status, resources })
}

/// The backups of a checkpoint: of disks by themselves, and of servers.
async fn backups_of(
    tx: &mut Transaction<'_>,
    id: CheckpointId,
) -> Result<(Vec<Backup>, Vec<ServerBackup>)> {
    let mut disks = tx.backups().of_checkpoint(id).await?;
    disks.retain(|backup| backup.origin.server_backup_id.is_none());
    if let Some(alone) = tx.backups().find_any(BackupId(id.0)).await?
        && alone.origin.checkpoint_id.is_none()
    {
        disks.push(alone);
    }
    Ok((disks, tx.server_backups().of_checkpoint(id).await?))
}

async fn disk_resource(tx: &mut Transaction<'_>, backup: &Backup) -> Result<CheckpointResource> {
    let mut all = tx.backups().of_volume_in(backup.vault_id, backup.volume_id).await?;
    all.retain(|other| other.origin.server_backup_id.is_none());
    Ok(CheckpointResource {
        id: backup.volume_id.into(),
        kind: ResourceKind::Volume,
        name: backup.origin.volume_name.clone().unwrap_or_default(),
        status: protect_status(backup.status),
        size: backup.size,
        backup_mib: mib(&all),
        backup_count: all.len() as u64,
    })
}

async fn server_resource(
    tx: &mut Transaction<'_>,
    backup: &ServerBackup,
) -> Result<CheckpointResource> {
    let all = tx.server_backups().of_server(backup.vault_id, backup.server_id).await?;
    let mut disks = Vec::new();
    for one in &all {
        disks.extend(tx.backups().of_server_backup(one.id).await?);
    }
    Ok(CheckpointResource {
        id: backup.server_id.into(),
        kind: ResourceKind::Server,
        name: backup.server_name.clone(),
        status: protect_status(backup.status),
        size: backup.size,
        backup_mib: mib(&disks),
        backup_count: all.len() as u64,
    })
}

fn mib(backups: &[Backup]) -> u64 {
    let measured = backups.iter().filter_map(|backup| backup.measured.as_ref());
    measured.map(|measured| measured.stored_bytes).sum::<u64>().div_ceil(MIB)
}

const fn protect_status(status: BackupStatus) -> ProtectStatus {
    match status {
        BackupStatus::Creating => ProtectStatus::Protecting,
        BackupStatus::Error | BackupStatus::ErrorDeleting => ProtectStatus::Error,
        BackupStatus::Restoring => ProtectStatus::Restoring,
        BackupStatus::Available | BackupStatus::Deleting => ProtectStatus::Available,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_what_is_left_names_the_whole() {
        use BackupStatus::{Available, Creating, Deleting, Error, ErrorDeleting, Restoring};
        let of = CheckpointStatus::of;
        assert_eq!(of(&[Available, Creating, Error]), CheckpointStatus::Protecting);
        assert_eq!(of(&[Available, Error]), CheckpointStatus::Error);
        assert_eq!(of(&[Available, Deleting, Restoring]), CheckpointStatus::Available);
        assert_eq!(of(&[Deleting, Deleting]), CheckpointStatus::Deleting);
        assert_eq!(of(&[Deleting, ErrorDeleting]), CheckpointStatus::ErrorDeleting);
    }
}
