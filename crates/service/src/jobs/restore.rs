//! Reading a backup back onto a volume.

use std::path::PathBuf;
use std::sync::Arc;

use strongroom_catalog::Transaction;
use strongroom_engine::{FileTarget, Progress, Repository, RestoreOptions};
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, VaultId, VolumeId};
use strongroom_model::job::Claim;
use strongroom_model::volume::{Volume, VolumeStatus};
use tokio_util::sync::CancellationToken;

use super::backup::blocking;
use super::failure::{Failure, Work};
use super::supervise::{Watched, aborted};
use crate::{Error, Service};

/// Metadata key that tells which backup a volume was restored from.
const SOURCE_KEY: &str = "src_backup_id";

/// Why a volume was not restored although nothing went wrong.
const UNWANTED: &str = "the volume was deleted or its status was set by hand during the restore";

impl Service {
    /// Writes a backup's bytes over a volume; every one is verified on the way.
    pub(super) async fn read_back(
        &self,
        claim: &Claim,
        id: BackupId,
        volume_id: VolumeId,
        stop: &CancellationToken,
    ) -> Work<()> {
        let (backup, volume, wish) = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    let backup = tx.backups().find_any(id).await?;
                    let wish = match &backup {
                        Some(backup) => self.power_wish(tx, backup).await?,
                        None => None,
                    };
                    Ok::<_, Error>((backup, tx.volumes().find_any(volume_id).await?, wish))
                })
            })
            .await?;
        let still_wanted = |backup: &Backup| {
            backup.status == BackupStatus::Restoring && backup.restore_volume_id == Some(volume_id)
        };
        let (Some(backup), Some(volume)) = (backup.filter(still_wanted), volume) else {
            return Err(aborted());
        };
        if let Some(wish) = &wish {
            self.note_wish(wish).await?;
        }
        let (path, size) = (self.folder().volume(volume_id), volume.size.bytes());
        let file = path.clone();
        self.on_folder(
            move |folder| {
                if file.exists() { Ok(()) } else { folder.create(&file, size) }
            },
        )
        .await?;
        let repository = self.repository(backup.vault_id).await?;
        let progress = Arc::<Progress>::default();
        let watched = Watched {
            backup: Some((id, BackupStatus::Restoring)),
            restores_to: Some(volume_id),
            progress: Arc::clone(&progress),
            ..Watched::alone(claim, stop)
        };
        let options = RestoreOptions { threads: self.settings().threads, progress };
        let target = Target { path, size_bytes: size };
        let restored = self
            .supervise(watched, move || target.restore(&repository, backup.data_id, &options))
            .await;
        if let Err(failure) = restored {
            return Err(self.judge_damage(failure, backup.vault_id).await);
        }
        self.publish_restore(claim, id, volume_id).await
    }

    /// Objects that are missing from a store that is itself missing are not lost: only a store that
    /// still opens its vault can tell.
    async fn judge_damage(&self, failure: Failure, vault: VaultId) -> Failure {
        let Failure::Damaged(reason) = failure else {
            return failure;
        };
        let vaults = self.vaults().clone();
        match blocking(move || vaults.open_anew(vault)).await {
            Ok(_) => Failure::Damaged(reason),
            Err(_) => Failure::Transient(reason),
        }
    }

    /// Says that a volume is restored.
    async fn publish_restore(&self, claim: &Claim, id: BackupId, volume_id: VolumeId) -> Work<()> {
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let backup = tx.backups().find_any(id).await?;
                    let mut backup = backup
                        .filter(|backup| backup.status == BackupStatus::Restoring)
                        .filter(|backup| backup.restore_volume_id == Some(volume_id))
                        .ok_or_else(aborted)?;
                    backup.status = BackupStatus::Available;
                    backup.restore_volume_id = None;
                    self.write_backup(tx, &mut backup).await?;
                    if let Some(mut volume) = tx.volumes().find_any(volume_id).await?
                        && volume.status == VolumeStatus::RestoringBackup
                    {
                        take_over(&mut volume, &backup);
                        self.write_volume(tx, &mut volume).await?;
                        let end = (volume_id, None);
                        self.settle_server_restore(tx, &backup, end).await?;
                        return self.finish(tx, claim).await;
                    }
                    let end = (volume_id, Some(UNWANTED));
                    self.settle_server_restore(tx, &backup, end).await?;
                    self.finish_as(tx, claim, Some(UNWANTED)).await
                })
            })
            .await
    }

    /// The volume's bytes are not to be trusted. The backup is as good as before, unless its own
    /// bytes were found damaged: then it is not available, whatever it was called.
    pub(super) async fn fail_restore(
        &self,
        tx: &mut Transaction<'_>,
        failed: FailedRestore<'_>,
    ) -> crate::Result<()> {
        let FailedRestore { backup_id, volume_id, reason, is_damage } = failed;
        let mut failed = None;
        if let Some(mut backup) = tx.backups().find_any(backup_id).await?
            && backup.restore_volume_id == Some(volume_id)
        {
            if backup.status == BackupStatus::Restoring {
                backup.status =
                    if is_damage { BackupStatus::Error } else { BackupStatus::Available };
            }
            backup.restore_volume_id = None;
            backup.fail_reason = Some(format!("restore to volume {volume_id} failed: {reason}"));
            self.write_backup(tx, &mut backup).await?;
            if is_damage {
                self.mark_whole_damaged(tx, &backup).await?;
            }
            failed = Some(backup);
        }
        if let Some(mut volume) = tx.volumes().find_any(volume_id).await?
            && volume.status == VolumeStatus::RestoringBackup
        {
            // One that existed before holds a mixture; a new one never held anything.
            // A server that has it goes on having it.
            volume.status = match volume.previous_status {
                Some(_) => VolumeStatus::ErrorRestoring,
                None => VolumeStatus::Error,
            };
            volume.previous_status =
                volume.previous_status.filter(|before| *before == VolumeStatus::InUse);
            self.write_volume(tx, &mut volume).await?;
        }
        if let Some(backup) = failed {
            self.settle_server_restore(tx, &backup, (volume_id, Some(reason))).await?;
        }
        Ok(())
    }
}

impl Service {
    /// A server's backup of which a disk is damaged is not available either.
    async fn mark_whole_damaged(
        &self,
        tx: &mut Transaction<'_>,
        part: &Backup,
    ) -> crate::Result<()> {
        let Some(id) = part.origin.server_backup_id else { return Ok(()) };
        if let Some(mut whole) = tx.server_backups().find_any(id).await?
            && whole.status == BackupStatus::Available
        {
            whole.status = BackupStatus::Error;
            whole.fail_reason = Some(format!("the backup of disk {} is damaged", part.volume_id));
            self.write_server_backup(tx, &mut whole).await?;
        }
        Ok(())
    }
}

/// A restore that came to nothing.
pub(super) struct FailedRestore<'a> {
    pub(super) backup_id: BackupId,
    pub(super) volume_id: VolumeId,
    pub(super) reason: &'a str,
    pub(super) is_damage: bool,
}

/// What a restored volume takes over from its backup, besides the bytes.
fn take_over(volume: &mut Volume, backup: &Backup) {
    // A server's disk stays its disk.
    let was_attached = volume.previous_status.take() == Some(VolumeStatus::InUse);
    volume.status = if was_attached { VolumeStatus::InUse } else { VolumeStatus::Available };
    volume.is_bootable = backup.is_bootable;
    volume.metadata.extend(backup.volume_metadata.clone());
    if volume.id != backup.volume_id {
        volume.metadata.insert(SOURCE_KEY.to_owned(), backup.id.to_string());
    }
}

/// A volume's file that a backup is written over.
pub(super) struct Target {
    pub(super) path: PathBuf,
    pub(super) size_bytes: u64,
}

impl Target {
    pub(super) fn restore(
        &self,
        repository: &Repository,
        id: BackupId,
        options: &RestoreOptions,
    ) -> Work<()> {
        let target = FileTarget::open(&self.path, self.size_bytes).map_err(|error| {
            Failure::Permanent(format!("cannot write the volume's file: {error}"))
        })?;
        strongroom_engine::restore(repository, id, &target, options)?;
        Ok(())
    }
}
