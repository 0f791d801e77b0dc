//! Making and removing the files behind volumes and snapshots.

use std::sync::Arc;

use strongroom_catalog::Transaction;
use strongroom_engine::{Progress, RestoreOptions};
use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{BackupId, SnapshotId, VolumeId};
use strongroom_model::job::Claim;
use strongroom_model::snapshot::SnapshotStatus;
use strongroom_model::volume::{Volume, VolumeStatus};
use tokio_util::sync::CancellationToken;

use super::failure::{Failure, Work};
use super::restore::Target;
use super::supervise::Watched;
use crate::{Error, Service};

impl Service {
    /// Makes a volume's bytes.
    pub(super) async fn make_volume(
        &self,
        claim: &Claim,
        id: VolumeId,
        stop: &CancellationToken,
    ) -> Work<()> {
        let volume = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.volumes().find_any(id).await?) }))
            .await?;
        if let Some(volume) = volume.filter(|volume| volume.status == VolumeStatus::Creating) {
            self.fill_volume(claim, &volume, stop).await?;
        }
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    if let Some(mut volume) = tx.volumes().find_any(id).await?
                        && volume.status == VolumeStatus::Creating
                    {
                        volume.status = VolumeStatus::Available;
                        self.write_volume(tx, &mut volume).await?;
                    }
                    self.finish(tx, claim).await
                })
            })
            .await
    }

    async fn fill_volume(
        &self,
        claim: &Claim,
        volume: &Volume,
        stop: &CancellationToken,
    ) -> Work<()> {
        let (path, size) = (self.folder().volume(volume.id), volume.size.bytes());
        let copied = match (volume.snapshot_id, volume.source_volume_id) {
            (Some(snapshot), _) => Some(self.folder().snapshot(snapshot)),
            (None, Some(source)) => Some(self.folder().volume(source)),
            (None, None) => None,
        };
        let file = path.clone();
        self.on_folder(move |folder| match copied {
            Some(from) => folder.copy(&from, &file, size),
            None => folder.create(&file, size),
        })
        .await?;
        match volume.backup_id {
            Some(backup) => {
                self.fill_from_backup(claim, backup, Target { path, size_bytes: size }, stop).await
            }
            None => Ok(()),
        }
    }

    async fn fill_from_backup(
        &self,
        claim: &Claim,
        id: BackupId,
        target: Target,
        stop: &CancellationToken,
    ) -> Work<()> {
        let backup = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.backups().find_any(id).await?) }))
            .await?;
        let usable = |status| matches!(status, BackupStatus::Available | BackupStatus::Restoring);
        let Some(backup) = backup.filter(|backup| usable(backup.status)) else {
            return Err(Failure::Permanent(format!("backup {id} is gone")));
        };
        let repository = self.repository(backup.vault_id).await?;
        let progress = Arc::<Progress>::default();
        let options =
            RestoreOptions { threads: self.settings().threads, progress: Arc::clone(&progress) };
        let watched = Watched { claim, backup: None, shows_progress: false, progress, stop };
        self.supervise(watched, move || target.restore(&repository, backup.data_id, &options)).await
    }

    /// Removes a volume's file, then its row.
    pub(super) async fn remove_volume(&self, claim: &Claim, id: VolumeId) -> Work<()> {
        let path = self.folder().volume(id);
        self.on_folder(move |folder| folder.delete(&path)).await?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    tx.volumes().delete(id).await?;
                    self.finish(tx, claim).await
                })
            })
            .await
    }

    /// Freezes a volume's bytes in a file of their own.
    pub(super) async fn take_snapshot(&self, claim: &Claim, id: SnapshotId) -> Work<()> {
        let snapshot = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.snapshots().find_any(id).await?) }))
            .await?;
        if let Some(snapshot) =
            snapshot.filter(|snapshot| snapshot.status == SnapshotStatus::Creating)
        {
            let (from, to) = (self.folder().volume(snapshot.volume_id), self.folder().snapshot(id));
            let size = snapshot.size.bytes();
            self.on_folder(move |folder| folder.copy(&from, &to, size)).await?;
        }
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    if let Some(mut snapshot) = tx.snapshots().find_any(id).await?
                        && snapshot.status == SnapshotStatus::Creating
                    {
                        snapshot.status = SnapshotStatus::Available;
                        self.write_snapshot(tx, &mut snapshot).await?;
                    }
                    self.finish(tx, claim).await
                })
            })
            .await
    }

    /// Removes a snapshot's file, then its row.
    pub(super) async fn remove_snapshot(&self, claim: &Claim, id: SnapshotId) -> Work<()> {
        let path = self.folder().snapshot(id);
        self.on_folder(move |folder| folder.delete(&path)).await?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    tx.snapshots().delete(id).await?;
                    self.finish(tx, claim).await
                })
            })
            .await
    }

    /// A volume that could not be made.
    pub(super) async fn fail_new_volume(
        &self,
        tx: &mut Transaction<'_>,
        id: VolumeId,
    ) -> crate::Result<()> {
        self.set_volume(tx, id, VolumeStatus::Creating, VolumeStatus::Error).await
    }

    /// A volume that could not be removed.
    pub(super) async fn fail_volume_removal(
        &self,
        tx: &mut Transaction<'_>,
        id: VolumeId,
    ) -> crate::Result<()> {
        self.set_volume(tx, id, VolumeStatus::Deleting, VolumeStatus::ErrorDeleting).await
    }

    async fn set_volume(
        &self,
        tx: &mut Transaction<'_>,
        id: VolumeId,
        from: VolumeStatus,
        to: VolumeStatus,
    ) -> crate::Result<()> {
        if let Some(mut volume) = tx.volumes().find_any(id).await?
            && volume.status == from
        {
            volume.status = to;
            self.write_volume(tx, &mut volume).await?;
        }
        Ok(())
    }

    /// A snapshot that could not be taken or removed.
    pub(super) async fn fail_snapshot(
        &self,
        tx: &mut Transaction<'_>,
        id: SnapshotId,
        was_deleting: bool,
    ) -> crate::Result<()> {
        let (from, to) = if was_deleting {
            (SnapshotStatus::Deleting, SnapshotStatus::ErrorDeleting)
        } else {
            (SnapshotStatus::Creating, SnapshotStatus::Error)
        };
        if let Some(mut snapshot) = tx.snapshots().find_any(id).await?
            && snapshot.status == from
        {
            snapshot.status = to;
            self.write_snapshot(tx, &mut snapshot).await?;
        }
        Ok(())
    }
}
