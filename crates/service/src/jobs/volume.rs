//! Making and removing the files behind volumes and snapshots.

use std::path::PathBuf;
use std::sync::Arc;

use strongroom_catalog::Transaction;
use strongroom_engine::{Progress, RestoreOptions};
use strongroom_model::backup::BackupStatus;
use strongroom_model::id::{BackupId, ShareId, SnapshotId, VolumeId};
use strongroom_model::job::Claim;
use strongroom_model::snapshot::SnapshotStatus;
use strongroom_model::volume::{Volume, VolumeStatus};
use tokio_util::sync::CancellationToken;

use super::failure::{Failure, Work};
use super::restore::Target;
use super::supervise::{Copy, Watched, require_share};
use crate::{Error, Service};

impl Service {
    /// Makes a volume's bytes. If they are another project's by a share, the volume is made only
    /// while that share lasts: it is looked at before, during and after, the last time in the
    /// transaction that makes the volume available.
    pub(super) async fn make_volume(
        &self,
        claim: &Claim,
        id: VolumeId,
        share: Option<ShareId>,
        stop: &CancellationToken,
    ) -> Work<()> {
        let volume = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    require_share(tx, share).await?;
                    Ok::<_, Failure>(tx.volumes().find_any(id).await?)
                })
            })
            .await?;
        if let Some(volume) = volume.filter(|volume| volume.status == VolumeStatus::Creating) {
            let watched = Watched { share, ..Watched::alone(claim, stop) };
            self.fill_volume(watched, &volume).await?;
        }
        let exists = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    require_share(tx, share).await?;
                    let volume = tx.volumes().find_any(id).await?;
                    let exists = volume.is_some();
                    if let Some(mut volume) = volume
                        && volume.status == VolumeStatus::Creating
                    {
                        volume.status = VolumeStatus::Available;
                        self.write_volume(tx, &mut volume).await?;
                    }
                    self.finish(tx, claim).await?;
                    Ok::<_, Failure>(exists)
                })
            })
            .await?;
        self.keep_if(exists, self.folder().volume(id)).await
    }

    /// Removes a file whose row was deleted while the file was being made.
    async fn keep_if(&self, exists: bool, path: PathBuf) -> Work<()> {
        if exists {
            return Ok(());
        }
        Ok(self.on_folder(move |folder| folder.delete(&path)).await?)
    }

    /// A copy of a volume at rest must not mix states; of one in use it may.
    async fn refuse_torn(&self, is_torn: bool, source: Option<VolumeId>) -> Work<()> {
        let (true, Some(source)) = (is_torn, source) else { return Ok(()) };
        let source = self.volume_row(source).await?;
        if source.is_some_and(|volume| volume.status == VolumeStatus::InUse) {
            return Ok(());
        }
        Err(Failure::Transient("the volume was written to while it was copied".to_owned()))
    }

    async fn fill_volume(&self, watched: Watched<'_>, volume: &Volume) -> Work<()> {
        let (path, size) = (self.folder().volume(volume.id), volume.size.bytes());
        let copied = match (volume.snapshot_id, volume.source_volume_id) {
            (Some(snapshot), _) => Some(self.folder().snapshot(snapshot)),
            (None, Some(source)) => Some(self.folder().volume(source)),
            (None, None) => None,
        };
        match copied {
            Some(from) => {
                let copy = Copy { from, to: path.clone(), size_bytes: size };
                let watched = Watched::alone(watched.claim, watched.stop);
                let is_torn = self.copy_file(watched, copy).await?;
                self.refuse_torn(is_torn, volume.source_volume_id).await?;
            }
            None => {
                let file = path.clone();
                self.on_folder(move |folder| folder.create(&file, size)).await?;
            }
        }
        match volume.backup_id {
            Some(backup) => {
                self.fill_from_backup(watched, backup, Target { path, size_bytes: size }).await
            }
            None => Ok(()),
        }
    }

    async fn fill_from_backup(
        &self,
        watched: Watched<'_>,
        id: BackupId,
        target: Target,
    ) -> Work<()> {
        let backup = self.backup_row(id).await?;
        let usable = |status| matches!(status, BackupStatus::Available | BackupStatus::Restoring);
        let Some(backup) = backup.filter(|backup| usable(backup.status)) else {
            return Err(Failure::Permanent(format!("backup {id} is gone")));
        };
        let repository = self.repository(backup.vault_id).await?;
        let progress = Arc::<Progress>::default();
        let options =
            RestoreOptions { threads: self.settings().threads, progress: Arc::clone(&progress) };
        let watched = Watched { progress, ..watched };
        self.supervise(watched, move || target.restore(&repository, backup.data_id, &options)).await
    }

    /// Removes a volume's file, then its row, if that is still wanted; with its doomed snapshots.
    pub(super) async fn remove_volume(&self, claim: &Claim, id: VolumeId) -> Work<()> {
        let volume = self.volume_row(id).await?;
        let is_wanted = volume.is_some_and(|volume| volume.status == VolumeStatus::Deleting);
        let doomed = if is_wanted { self.doomed_snapshots(id).await? } else { Vec::new() };
        if is_wanted {
            let snapshots = doomed.iter().map(|snapshot| self.folder().snapshot(*snapshot));
            for path in snapshots.chain([self.folder().volume(id)]) {
                self.on_folder(move |folder| folder.delete(&path)).await?;
            }
        }
        let doomed = &doomed;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    if is_wanted {
                        for snapshot in doomed {
                            tx.snapshots().delete(*snapshot).await?;
                        }
                        tx.volumes().delete(id).await?;
                    }
                    self.finish(tx, claim).await
                })
            })
            .await
    }

    /// The snapshots that are asked to go, too. Their own jobs may not have come to it yet, and who
    /// sees that the volume is gone shall not find them.
    async fn doomed_snapshots(&self, volume: VolumeId) -> Work<Vec<SnapshotId>> {
        let snapshots = self
            .catalog()
            .read(|tx| {
                Box::pin(async move { Ok::<_, Failure>(tx.snapshots().of_volume(volume).await?) })
            })
            .await?;
        let doomed = snapshots.into_iter().filter(|it| it.status == SnapshotStatus::Deleting);
        Ok(doomed.map(|snapshot| snapshot.id).collect())
    }

    /// Freezes a volume's bytes in a file of their own.
    pub(super) async fn take_snapshot(
        &self,
        claim: &Claim,
        id: SnapshotId,
        stop: &CancellationToken,
    ) -> Work<()> {
        let snapshot = self.snapshot_row(id).await?;
        if let Some(snapshot) =
            snapshot.filter(|snapshot| snapshot.status == SnapshotStatus::Creating)
        {
            let (from, to) = (self.folder().volume(snapshot.volume_id), self.folder().snapshot(id));
            let size = snapshot.size.bytes();
            let copy = Copy { from, to, size_bytes: size };
            let is_torn = self.copy_file(Watched::alone(claim, stop), copy).await?;
            self.refuse_torn(is_torn, Some(snapshot.volume_id)).await?;
        }
        let exists = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let snapshot = tx.snapshots().find_any(id).await?;
                    let exists = snapshot.is_some();
                    if let Some(mut snapshot) = snapshot
                        && snapshot.status == SnapshotStatus::Creating
                    {
                        snapshot.status = SnapshotStatus::Available;
                        self.write_snapshot(tx, &mut snapshot).await?;
                    }
                    self.finish(tx, claim).await?;
                    Ok::<_, Failure>(exists)
                })
            })
            .await?;
        self.keep_if(exists, self.folder().snapshot(id)).await
    }

    /// Removes a snapshot's file, then its row, if that is still wanted.
    pub(super) async fn remove_snapshot(&self, claim: &Claim, id: SnapshotId) -> Work<()> {
        let snapshot = self.snapshot_row(id).await?;
        let is_wanted = snapshot.is_some_and(|found| found.status == SnapshotStatus::Deleting);
        if is_wanted {
            let path = self.folder().snapshot(id);
            self.on_folder(move |folder| folder.delete(&path)).await?;
        }
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    if is_wanted {
                        tx.snapshots().delete(id).await?;
                    }
                    self.finish(tx, claim).await
                })
            })
            .await
    }

    /// A volume that could not be made. One without its bytes is an error even if its status was
    /// changed by hand meanwhile, unless it goes.
    pub(super) async fn fail_new_volume(
        &self,
        tx: &mut Transaction<'_>,
        id: VolumeId,
        is_emptied: bool,
    ) -> crate::Result<()> {
        let Some(mut volume) = tx.volumes().find_any(id).await? else {
            return Ok(());
        };
        let goes = matches!(volume.status, VolumeStatus::Deleting | VolumeStatus::ErrorDeleting);
        if volume.status == VolumeStatus::Creating || (is_emptied && !goes) {
            volume.status = VolumeStatus::Error;
            self.write_volume(tx, &mut volume).await?;
        }
        Ok(())
    }

    /// Discards the bytes of a volume that must not be handed over, if the job is still this
    /// worker's.
    pub(super) async fn discard_bytes(&self, claim: &Claim, id: VolumeId) -> crate::Result<()> {
        let lease_until = self.now().plus(self.settings().lease);
        let (is_held, volume) = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let is_held = tx.jobs().renew(claim, lease_until).await?;
                    Ok::<_, Error>((is_held, tx.volumes().find_any(id).await?))
                })
            })
            .await?;
        if !is_held {
            return Ok(());
        }
        let path = self.folder().volume(id);
        self.on_folder(move |folder| match volume {
            Some(volume) => folder.empty(&path, volume.size.bytes()),
            None => folder.delete(&path),
        })
        .await
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
