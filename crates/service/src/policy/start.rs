//! One run of a policy: a task for each of its disks, and a backup where that can be.

use strongroom_catalog::Transaction;
use strongroom_model::id::{BackupId, JobId, ProjectId, RunId, TaskId, UserId, VolumeId};
use strongroom_model::identity::Role;
use strongroom_model::policy::Policy;
use strongroom_model::quota::Resource;
use strongroom_model::tag::{Tagged, Tags};
use strongroom_model::task::{Task, TaskFault, TaskStatus};
use strongroom_model::time::Timestamp;
use strongroom_model::volume::{Volume, VolumeStatus};

use super::longer;
use super::vault_run::{Attempt, RefusedVaults};
use crate::backup::{MadeBy, NewBackup};
use crate::error::{Error, Result};
use crate::{Caller, CallerScope, Service};

/// One run, as its tasks see it.
pub(super) struct Run<'p> {
    pub(super) policy: &'p Policy,
    pub(super) id: RunId,
    pub(super) due_at: Timestamp,
}

/// How a task begins: with a backup, or with the reason why there is none.
pub(super) enum Begun {
    Backup(BackupId, JobId),
    Failed(TaskFault, String),
    Skipped(TaskFault, String),
}

impl Begun {
    fn gone() -> Self {
        Self::Skipped(TaskFault::VolumeGone, "the disk does not exist any more".to_owned())
    }
}

impl Service {
    /// Begins what a policy does, on all of its disks and vaults: what stands in the way of one is
    /// its own and hinders no other. The workers are still to be nudged.
    pub(super) async fn start_run(
        &self,
        tx: &mut Transaction<'_>,
        (policy, due_at): (&Policy, Timestamp),
        refused: &RefusedVaults,
    ) -> Attempt<()> {
        let caller = self.caller_for(&policy.user_id, &policy.project_id);
        self.start_on_disks(tx, &caller, policy, due_at).await?;
        self.start_on_vaults(tx, &caller, policy, refused).await
    }

    async fn start_on_disks(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        policy: &Policy,
        due_at: Timestamp,
    ) -> Result<()> {
        let run = Run { policy, id: RunId::random(self.chance()), due_at };
        let tags = tx.tags().get(Tagged::Policy, &policy.id.to_string()).await?;
        let mut disks = Vec::new();
        for volume_id in tx.policies().volumes(policy.id).await? {
            let volume = tx.volumes().find(&policy.project_id, volume_id).await?;
            disks.push((volume_id, volume));
        }
        let all = disks.iter().filter_map(|(_, volume)| volume.as_ref());
        let all_fit = self.quota_fault(tx, &policy.project_id, all).await?.is_none();
        let mut tasks = Vec::new();
        for (volume_id, volume) in disks {
            let name = self.backup_name();
            let new = self.automatic_backup(policy, volume_id, (&name, &tags));
            let begun = match volume {
                Some(volume) => self.begin_task(tx, caller, (&new, &volume), all_fit).await?,
                None => {
                    // Told once: later runs leave it out.
                    tx.policies().note_gone(policy.id, volume_id, self.now()).await?;
                    Begun::gone()
                }
            };
            tasks.push(self.task(&run, volume_id, name, begun));
        }
        Ok(tx.tasks().insert_all(&tasks).await?)
    }

    /// Who a policy acts as: the user who made it, as a member of its project.
    pub(crate) fn caller_for(&self, user_id: &UserId, project_id: &ProjectId) -> Caller {
        Caller {
            user_id: user_id.clone(),
            scope: CallerScope::Project(project_id.clone()),
            role: Some(Role::Member),
            is_cloud_admin: false,
            request_id: self.request_id(),
        }
    }

    /// `autobk_` and four hexadecimal characters.
    pub(super) fn backup_name(&self) -> String {
        let mut bytes = [0; 2];
        self.chance().fill(&mut bytes);
        format!("autobk_{:04x}", u16::from_be_bytes(bytes))
    }

    /// The task of one disk in a run. It has ended unless its backup was begun.
    pub(super) fn task(
        &self,
        run: &Run<'_>,
        volume_id: VolumeId,
        backup_name: String,
        begun: Begun,
    ) -> Task {
        let now = self.now();
        let task = Task {
            id: TaskId::random(self.chance()),
            run_id: run.id,
            policy_id: run.policy.id,
            volume_id,
            due_at: run.due_at,
            status: TaskStatus::Running,
            backup_name,
            backup_id: None,
            job_id: None,
            fault: None,
            message: None,
            created_at: now,
            finished_at: None,
        };
        let ended = |status, fault, message| Task {
            status,
            fault: Some(fault),
            message: Some(message),
            finished_at: Some(now),
            ..task.clone()
        };
        match begun {
            Begun::Backup(backup, job) => {
                Task { backup_id: Some(backup), job_id: Some(job), ..task }
            }
            Begun::Failed(fault, message) => ended(TaskStatus::Failed, fault, message),
            Begun::Skipped(fault, message) => ended(TaskStatus::Skipped, fault, message),
        }
    }

    fn automatic_backup(
        &self,
        policy: &Policy,
        volume_id: VolumeId,
        (name, tags): (&str, &Tags),
    ) -> NewBackup {
        let expires_at = longer::expires_at(&policy.retention, self.now());
        NewBackup {
            name: Some(name.to_owned()),
            is_forced: true,
            tags: tags.clone(),
            policy: Some(MadeBy { policy_id: policy.id, expires_at }),
            ..NewBackup::of(volume_id)
        }
    }

    /// Begins a backup if nothing stands in its way. That is found out beforehand, since what a
    /// refused request has written would be saved with the rest of the run. `fits` tells that the
    /// quota has room for it.
    async fn begin_task(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        (new, volume): (&NewBackup, &Volume),
        fits: bool,
    ) -> Result<Begun> {
        if let Some(obstacle) = self.obstacle(tx, volume).await? {
            return Ok(obstacle);
        }
        if !fits && let Some(fault) = self.quota_fault(tx, &volume.project_id, [volume]).await? {
            return Ok(fault);
        }
        let mut vault = self.default_vault(tx, &volume.project_id).await?;
        match self.admit_backup(tx, &mut vault).await {
            Err(refused @ Error::Refused { .. }) => {
                return Ok(Begun::Failed(TaskFault::BackupFailed, refused.to_string()));
            }
            outcome => outcome?,
        }
        let (backup, job) = self.begin_backup(tx, caller, new).await?;
        Ok(Begun::Backup(backup.id, job))
    }

    /// What stands in the way of a backup of a disk, but for the quota.
    async fn obstacle(&self, tx: &mut Transaction<'_>, volume: &Volume) -> Result<Option<Begun>> {
        let is_being_made = !tx.backups().being_made_of(volume.id).await?.is_empty();
        if volume.status == VolumeStatus::BackingUp || is_being_made {
            let message = "an earlier backup of the disk is not finished".to_owned();
            return Ok(Some(Begun::Skipped(TaskFault::Unfinished, message)));
        }
        if !matches!(volume.status, VolumeStatus::Available | VolumeStatus::InUse) {
            let message = Error::VolumeNotBackupable(volume.status).to_string();
            return Ok(Some(Begun::Failed(TaskFault::VolumeState, message)));
        }
        Ok(None)
    }

    /// Why backups of these disks would exceed a quota, all taken together.
    async fn quota_fault<'v>(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        volumes: impl IntoIterator<Item = &'v Volume>,
    ) -> Result<Option<Begun>> {
        let mut asked = [(Resource::Backups, 0), (Resource::BackupGigabytes, 0)];
        for volume in volumes {
            asked[0].1 += 1;
            asked[1].1 += i64::from(volume.size.0);
        }
        match self.check_quota(tx, project, &asked).await {
            Ok(()) => Ok(None),
            Err(error @ Error::QuotaExceeded { resource, .. }) => {
                let fault = match resource {
                    Resource::Backups => TaskFault::CountQuota,
                    _ => TaskFault::SizeQuota,
                };
                Ok(Some(Begun::Failed(fault, error.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the task whose backup came to nothing, if there is one and it has not ended.
    pub(crate) async fn fail_task_of(
        &self,
        tx: &mut Transaction<'_>,
        backup_id: BackupId,
        reason: &str,
    ) -> Result<()> {
        let fault = Some((TaskFault::BackupFailed, reason));
        tx.tasks().finish_of(backup_id, self.now(), fault).await?;
        Ok(())
    }
}
