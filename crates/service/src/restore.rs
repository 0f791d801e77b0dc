//! Restoring a backup onto a volume, existing or new.

use strongroom_catalog::Transaction;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, JobId, ProjectId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::job::{JobKind, Subject};
use strongroom_model::operation::{OperationDetail, OperationKind};
use strongroom_model::quota::Resource;
use strongroom_model::volume::{Volume, VolumeStatus};

use crate::backup::subject;
use crate::error::{Error, Result};
use crate::{Caller, Service};

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
    /// The job that does it.
    pub job_id: JobId,
}

/// Description of a volume that a restore made, as Cinder words it.
const RESTORED_DESCRIPTION: &str = "auto-created_from_restore_from_backup";

impl Service {
    /// Accepts a restore: backup `restoring`, volume `restoring-backup`, work enqueued, at once.
    pub async fn restore_backup(
        &self,
        caller: &Caller,
        id: &str,
        request: RestoreRequest,
    ) -> Result<Restore> {
        let project = caller.project(Role::Member, "backup:restore")?;
        let request = &request;
        let restore = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut backup = self.find_backup(tx, caller, project, id).await?;
                    if backup.status != BackupStatus::Available {
                        return Err(Error::BackupNotRestorable(backup.status));
                    }
                    refuse_part_of_restore(tx, &backup).await?;
                    let volume = match request.volume_id {
                        Some(target) => self.claim_target(tx, project, target, &backup).await?,
                        None => self.make_target(tx, caller, &backup, request).await?,
                    };
                    backup.status = BackupStatus::Restoring;
                    backup.restore_volume_id = Some(volume.id);
                    self.write_backup(tx, &mut backup).await?;
                    let work =
                        JobKind::RestoreBackup { backup_id: backup.id, volume_id: volume.id };
                    let about = Subject { volume_id: Some(volume.id), ..subject(&backup) };
                    let job_id = self.enqueue_about(tx, caller, work, about).await?;
                    let name = volume.name.clone().unwrap_or_default();
                    let target = Some((volume.id.into(), name));
                    let detail = OperationDetail { target, ..OperationDetail::default() };
                    let log = (OperationKind::Restore, job_id, detail);
                    self.log_backup_job(tx, caller, log, &backup).await?;
                    Ok(Restore {
                        job_id,
                        backup_id: backup.id,
                        volume_id: volume.id,
                        volume_name: volume.name.unwrap_or_default(),
                    })
                })
            })
            .await?;
        self.nudge();
        Ok(restore)
    }

    /// An existing volume, checked and marked.
    async fn claim_target(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        target: VolumeId,
        backup: &Backup,
    ) -> Result<Volume> {
        let missing = || Error::VolumeNotFound(target.to_string());
        let mut volume = tx.volumes().find(project, target).await?.ok_or_else(missing)?;
        if volume.status != VolumeStatus::Available {
            return Err(Error::TargetNotAvailable(volume.status));
        }
        if volume.size < backup.size {
            return Err(Error::TargetTooSmall { volume: volume.size, backup: backup.size });
        }
        self.refuse_while_copied(tx, &volume).await?;
        volume.previous_status = Some(volume.status);
        volume.status = VolumeStatus::RestoringBackup;
        self.write_volume(tx, &mut volume).await?;
        Ok(volume)
    }

    /// A new volume of the backup's size.
    async fn make_target(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        backup: &Backup,
        request: &RestoreRequest,
    ) -> Result<Volume> {
        let project = caller.project(Role::Member, "volume:create")?;
        let asked = [(Resource::Volumes, 1), (Resource::Gigabytes, i64::from(backup.size.0))];
        self.check_quota(tx, project, &asked).await?;
        let default_name = || format!("restore_backup_{}", backup.id);
        let volume = Volume {
            id: VolumeId::random(self.chance()),
            project_id: project.clone(),
            user_id: caller.user_id.clone(),
            name: Some(request.name.clone().unwrap_or_else(default_name)),
            description: Some(RESTORED_DESCRIPTION.to_owned()),
            size: backup.size,
            status: VolumeStatus::RestoringBackup,
            previous_status: None,
            is_bootable: false,
            availability_zone: self.settings().availability_zone.clone(),
            metadata: strongroom_model::volume::Metadata::new(),
            snapshot_id: None,
            source_volume_id: None,
            backup_id: None,
            created_at: self.now(),
            updated_at: None,
        };
        tx.volumes().insert(&volume).await?;
        Ok(volume)
    }
}

/// Refuses the backup of a server's disk while that of the server is being restored.
async fn refuse_part_of_restore(tx: &mut Transaction<'_>, backup: &Backup) -> Result<()> {
    let Some(id) = backup.origin.server_backup_id else { return Ok(()) };
    match tx.server_backups().find_any(id).await? {
        Some(whole) if whole.status == BackupStatus::Restoring => {
            Err(Error::BackupNotRestorable(whole.status))
        }
        _ => Ok(()),
    }
}
