//! Restoring the backup of a disk, and what every disk that is written onto must be like.

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{JobId, OperationId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::job::{JobKind, Subject};
use strongroom_model::operation::{OperationDetail, OperationKind};
use strongroom_model::volume::{Volume, VolumeStatus};

use super::{RecoveryRequest, target};
use crate::backup::subject;
use crate::error::{Error, Result};
use crate::volume::is_attached;
use crate::{Caller, Refusal, Service};

impl Service {
    /// Begins to restore the backup of a disk; the operation has the id of the job that does it.
    pub(super) async fn begin_disk_recovery(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        mut backup: Backup,
        request: &RecoveryRequest,
    ) -> Result<OperationId> {
        if backup.status != BackupStatus::Available {
            return Err(Error::BackupNotRestorable(backup.status));
        }
        let own = request.volume_id.map(Into::into);
        let target = target(own, request.resource_id, "volume_id")?.volume();
        let volume = self.find_target(tx, caller, target).await?;
        if is_attached(&volume) {
            return Err(unfit(&volume));
        }
        let volume = self.claim_disk(tx, volume, &backup).await?;
        let job_id = self.begin_read_back(tx, caller, &mut backup, &volume).await?;
        let target = Some((volume.id.into(), volume.name.unwrap_or_default()));
        let detail = OperationDetail { target, ..OperationDetail::default() };
        self.log_backup_job(tx, caller, (OperationKind::Restore, job_id, detail), &backup).await?;
        Ok(OperationId(job_id.0))
    }

    /// A disk of the caller's project that is to be written onto.
    pub(super) async fn find_target(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        id: VolumeId,
    ) -> Result<Volume> {
        let project = caller.project(Role::Member, "saved:restore")?;
        let missing = || Error::VolumeNotFound(id.to_string());
        tx.volumes().find(project, id).await?.ok_or_else(missing)
    }

    /// Checks that a disk can be written onto and marks it. A disk that an earlier restore has
    /// spoilt can be: it has nothing to lose.
    pub(super) async fn claim_disk(
        &self,
        tx: &mut Transaction<'_>,
        mut volume: Volume,
        backup: &Backup,
    ) -> Result<Volume> {
        match volume.status {
            VolumeStatus::Available | VolumeStatus::InUse | VolumeStatus::ErrorRestoring => {}
            VolumeStatus::BackingUp => {
                let message = format!("disk {} is being backed up", volume.id);
                return Err(Refusal::TargetBeingBackedUp.because(message));
            }
            VolumeStatus::RestoringBackup => {
                let message = format!("disk {} is being restored", volume.id);
                return Err(Refusal::TargetBeingRestored.because(message));
            }
            _ => return Err(unfit(&volume)),
        }
        if volume.size < backup.size {
            return Err(Error::TargetTooSmall { volume: volume.size, backup: backup.size });
        }
        match self.refuse_while_copied(tx, &volume).await {
            Err(Error::VolumeBusy { .. }) => {
                let message = format!("disk {} is being copied", volume.id);
                return Err(Refusal::TargetDiskState.because(message));
            }
            outcome => outcome?,
        }
        let is_attached = is_attached(&volume);
        let before = if is_attached { VolumeStatus::InUse } else { VolumeStatus::Available };
        volume.previous_status = Some(before);
        volume.status = VolumeStatus::RestoringBackup;
        self.write_volume(tx, &mut volume).await?;
        Ok(volume)
    }

    /// Marks a disk's backup as being read and enqueues the work.
    pub(super) async fn begin_read_back(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        backup: &mut Backup,
        volume: &Volume,
    ) -> Result<JobId> {
        backup.status = BackupStatus::Restoring;
        backup.restore_volume_id = Some(volume.id);
        self.write_backup(tx, backup).await?;
        let work = JobKind::RestoreBackup { backup_id: backup.id, volume_id: volume.id };
        let about = Subject { volume_id: Some(volume.id), ..subject(backup) };
        self.enqueue_about(tx, caller, work, about).await
    }
}

fn unfit(volume: &Volume) -> Error {
    let message = format!("disk {} is {}", volume.id, volume.status.as_str());
    Refusal::TargetDiskState.because(message)
}
