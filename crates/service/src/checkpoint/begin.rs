//! Beginning a checkpoint: what can be backed up is begun, what cannot is left out and told.

use std::collections::BTreeSet;
use std::time::Duration;

use strongroom_catalog::Transaction;
use strongroom_model::backup::{BackupStatus, Origin};
use strongroom_model::checkpoint::{Checkpoint, SkippedResource};
use strongroom_model::id::{CheckpointId, ProjectId};
use strongroom_model::identity::Role;
use strongroom_model::operation::{Operation, OperationFault, OperationKind, OperationStatus};
use strongroom_model::policy::{Policy, PolicyOperation};
use strongroom_model::quota::Resource;
use strongroom_model::resource::ResourceKind;
use strongroom_model::time::Timestamp;
use strongroom_model::vault::{Vault, VaultResource};
use strongroom_model::volume::{Volume, VolumeStatus};

use super::view::view_checkpoint;
use super::{CheckpointView, NewCheckpoint, RETENTION_DAYS_MAX};
use crate::backup::{MadeBy, NewBackup};
use crate::error::{Error, Result};
use crate::policy::longer;
use crate::{Caller, Refusal, Service};

/// Why a resource is left out.
pub(super) type Obstacle = (OperationFault, String);

/// A run that is being begun.
pub(super) struct Run<'a> {
    pub(super) caller: &'a Caller,
    pub(super) project: &'a ProjectId,
    pub(super) new: &'a NewCheckpoint,
    pub(super) vault: &'a Vault,
    pub(super) id: CheckpointId,
    pub(super) name: String,
    pub(super) now: Timestamp,
    /// When the backups are removed by their date.
    pub(super) expires_at: Option<Timestamp>,
}

impl Run<'_> {
    pub(super) fn is_automatic(&self) -> bool {
        self.new.is_automatic || self.new.policy.is_some()
    }

    /// What is asked for of a disk.
    pub(super) fn backup_of(&self, volume: &Volume, wants_full: bool) -> NewBackup {
        let made_by = |policy: &super::AutomaticRun| MadeBy {
            policy_id: policy.policy_id,
            expires_at: policy.expires_at,
        };
        let description = Some(self.new.description.clone()).filter(|text| !text.is_empty());
        NewBackup {
            name: Some(self.name.clone()),
            description,
            is_forced: true,
            tags: self.new.policy.as_ref().map(|policy| policy.tags.clone()).unwrap_or_default(),
            wants_full,
            policy: self.new.policy.as_ref().map(made_by),
            expires_at: self.expires_at,
            vault_id: Some(self.vault.id),
            origin: Origin {
                checkpoint_id: Some(self.id),
                is_automatic: self.is_automatic(),
                ..Origin::default()
            },
            ..NewBackup::of(volume.id)
        }
    }
}

impl Service {
    /// Backs up resources of a vault: what can be is begun, what cannot is told.
    ///
    /// # Errors
    /// [`Refusal::NothingToBackUp`] if every resource was left out; then nothing is changed.
    pub async fn create_checkpoint(
        &self,
        caller: &Caller,
        new: NewCheckpoint,
    ) -> Result<CheckpointView> {
        caller.project(Role::Member, "checkpoint:create")?;
        check(&new)?;
        let new = &new;
        let view = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let (checkpoint, begun) = self.begin_run(tx, caller, new).await?;
                    if begun == 0 {
                        return Err(nothing_left(&checkpoint));
                    }
                    view_checkpoint(tx, checkpoint).await
                })
            })
            .await?;
        self.nudge();
        Ok(view)
    }

    /// As [`Service::create_checkpoint`], in the caller's transaction; the workers are still to be
    /// nudged. Each resource that is left out is logged; if all are, no record of the checkpoint is
    /// kept.
    pub(crate) async fn begin_checkpoint(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        new: &NewCheckpoint,
    ) -> Result<Checkpoint> {
        Ok(self.begin_run(tx, caller, new).await?.0)
    }

    /// Begins a run; tells how many backups it began.
    async fn begin_run(
        &self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
        new: &NewCheckpoint,
    ) -> Result<(Checkpoint, usize)> {
        let project = caller.project(Role::Member, "checkpoint:create")?;
        let missing = || Error::VaultNotFound(new.vault_id.to_string());
        let mut vault = tx.vaults().find(project, new.vault_id).await?.ok_or_else(missing)?;
        self.admit_backup(tx, &mut vault).await?;
        let resources = chosen(tx.vaults().resources(vault.id).await?, new)?;
        let (id, now) = (CheckpointId::random(self.chance()), self.now());
        let name = new.name.clone().unwrap_or_else(|| self.run_name(new, &vault));
        let expires_at = self.expiry_of_run(tx, (new, &vault), now).await?;
        let run = Run { caller, project, new, vault: &vault, id, name, now, expires_at };
        let (mut skipped, mut begun) = (Vec::new(), 0);
        for resource in &resources {
            match self.begin_resource(tx, &run, resource).await? {
                None => begun += 1,
                Some(obstacle) => {
                    self.log_skipped(tx, &run, resource, &obstacle).await?;
                    skipped.push(left_out(resource, obstacle));
                }
            }
        }
        let Run { name, .. } = run;
        let checkpoint = Checkpoint {
            id,
            project_id: project.clone(),
            user_id: caller.user_id.clone(),
            vault_id: vault.id,
            policy_id: new.policy.as_ref().map(|policy| policy.policy_id),
            name,
            description: new.description.clone(),
            is_automatic: new.is_automatic || new.policy.is_some(),
            retention_days: new.retention_days,
            skipped,
            created_at: now,
        };
        if begun > 0 {
            tx.checkpoints().insert(&checkpoint).await?;
        }
        Ok((checkpoint, begun))
    }

    /// When the backups of a run are removed by their date. Those of an automatic run by hand are
    /// kept as long as the vault's own policy keeps its backups.
    async fn expiry_of_run(
        &self,
        tx: &mut Transaction<'_>,
        (new, vault): (&NewCheckpoint, &Vault),
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let lifetime = |days| Duration::from_secs(u64::from(days) * 24 * 3600);
        if let Some(policy) = &new.policy {
            return Ok(policy.expires_at);
        }
        if !new.is_automatic {
            return Ok(new.retention_days.map(|days| now.plus(lifetime(days))));
        }
        let policies = self.policies_of_vault(tx, vault.id).await?;
        let of_backups = |(policy, _): &&(Policy, _)| policy.operation == PolicyOperation::Backup;
        let bound = policies.iter().find(of_backups);
        Ok(bound.and_then(|(policy, _)| longer::expires_at(&policy.retention, now)))
    }

    /// Begins the backup of a resource, or says what stands in its way.
    async fn begin_resource(
        &self,
        tx: &mut Transaction<'_>,
        run: &Run<'_>,
        resource: &VaultResource,
    ) -> Result<Option<Obstacle>> {
        if resource.is_removing {
            let message = "the resource is being removed from the vault".to_owned();
            return Ok(Some((OperationFault::Removing, message)));
        }
        match resource.kind {
            ResourceKind::Volume => self.begin_disk(tx, run, resource).await,
            ResourceKind::Server => self.begin_server(tx, run, resource).await,
            kind => {
                let message = format!("a resource of type {} cannot be backed up", kind.as_str());
                Ok(Some((OperationFault::ResourceState, message)))
            }
        }
    }

    async fn begin_disk(
        &self,
        tx: &mut Transaction<'_>,
        run: &Run<'_>,
        resource: &VaultResource,
    ) -> Result<Option<Obstacle>> {
        let Some(volume) = tx.volumes().find(run.project, resource.id.volume()).await? else {
            let message = "the disk does not exist any more".to_owned();
            return Ok(Some((OperationFault::ResourceGone, message)));
        };
        if let Some(obstacle) = self.obstacle_of_disk(tx, &volume).await? {
            return Ok(Some(obstacle));
        }
        if let Some(obstacle) = self.quota_obstacle(tx, run.project, [&volume]).await? {
            return Ok(Some(obstacle));
        }
        let parent = tx.backups().newest_available(run.vault.id, volume.id).await?;
        let earlier = tx.backups().of_volume_in(run.vault.id, volume.id).await?;
        let at_rest = earlier.iter().filter(|one| {
            one.status == BackupStatus::Available && one.origin.server_backup_id.is_none()
        });
        let wants_full = run.wants_full(at_rest.map(|one| one.is_incremental));
        let new = NewBackup {
            is_incremental: parent.is_some() && !wants_full,
            ..run.backup_of(&volume, wants_full)
        };
        self.begin_backup(tx, run.caller, &new).await?;
        Ok(None)
    }

    /// What stands in the way of a backup of a disk, but for the quota.
    pub(super) async fn obstacle_of_disk(
        &self,
        tx: &mut Transaction<'_>,
        volume: &Volume,
    ) -> Result<Option<Obstacle>> {
        let is_being_made = !tx.backups().being_made_of(volume.id).await?.is_empty();
        let obstacle = match volume.status {
            VolumeStatus::BackingUp => OperationFault::Unfinished,
            _ if is_being_made => OperationFault::Unfinished,
            VolumeStatus::RestoringBackup => OperationFault::Restoring,
            VolumeStatus::Available | VolumeStatus::InUse => return Ok(None),
            _ => OperationFault::ResourceState,
        };
        let message = match obstacle {
            OperationFault::Unfinished => {
                format!("an earlier backup of disk {} is not finished", volume.id)
            }
            OperationFault::Restoring => format!("disk {} is being restored", volume.id),
            _ => format!("disk {} is {}", volume.id, volume.status.as_str()),
        };
        Ok(Some((obstacle, message)))
    }

    /// Why backups of these disks would exceed a quota, all taken together.
    pub(super) async fn quota_obstacle<'v>(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        volumes: impl IntoIterator<Item = &'v Volume>,
    ) -> Result<Option<Obstacle>> {
        let mut asked = [(Resource::Backups, 0), (Resource::BackupGigabytes, 0)];
        for volume in volumes {
            asked[0].1 += 1;
            asked[1].1 += i64::from(volume.size.0);
        }
        match self.check_quota(tx, project, &asked).await {
            Ok(()) => Ok(None),
            Err(error @ Error::QuotaExceeded { resource: Resource::Backups, .. }) => {
                Ok(Some((OperationFault::CountQuota, error.to_string())))
            }
            Err(error @ Error::QuotaExceeded { .. }) => {
                Ok(Some((OperationFault::SizeQuota, error.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    /// The made-up name of a run's backups: `manualbk_`, or the vault's prefix and `autobk_` if the
    /// run is automatic, and four hexadecimal characters.
    fn run_name(&self, new: &NewCheckpoint, vault: &Vault) -> String {
        let mut bytes = [0; 2];
        self.chance().fill(&mut bytes);
        let number = u16::from_be_bytes(bytes);
        if new.is_automatic || new.policy.is_some() {
            return format!("{}autobk_{number:04x}", vault.terms.backup_name_prefix);
        }
        format!("manualbk_{number:04x}")
    }

    async fn log_skipped(
        &self,
        tx: &mut Transaction<'_>,
        run: &Run<'_>,
        resource: &VaultResource,
        (fault, message): &Obstacle,
    ) -> Result<()> {
        let place = (run.project, Some(run.vault.id));
        let operation = self.new_operation(tx, run.caller, OperationKind::Backup, place).await?;
        let operation = Operation {
            status: OperationStatus::Skipped,
            checkpoint_id: Some(run.id),
            policy_id: run.new.policy.as_ref().map(|policy| policy.policy_id),
            resource: Some((resource.id, resource.kind, resource.name.clone())),
            fault: Some(*fault),
            message: Some(message.clone()),
            ended_at: Some(run.now),
            ..operation
        };
        Ok(tx.operations().insert(&operation).await?)
    }
}

/// Refuses what contradicts itself.
fn check(new: &NewCheckpoint) -> Result<()> {
    let fault = |message: String| Err(Error::Invalid { field: "retention_days", message });
    match new.retention_days {
        Some(_) if new.is_automatic => {
            fault("the backups of an automatic run are kept as a policy says".to_owned())
        }
        Some(days) if !(1..=RETENTION_DAYS_MAX).contains(&days) => {
            fault(format!("{days} is not between 1 and {RETENTION_DAYS_MAX}"))
        }
        _ => Ok(()),
    }
}

/// The resources of a vault that a run is over. A policy leaves out those that are suspended.
fn chosen(all: Vec<VaultResource>, new: &NewCheckpoint) -> Result<Vec<VaultResource>> {
    let Some(wanted) = &new.resources else {
        let takes_part = |one: &VaultResource| one.auto_protect || new.policy.is_none();
        return Ok(all.into_iter().filter(takes_part).collect());
    };
    let wanted: BTreeSet<_> = wanted.iter().copied().collect();
    let foreign: Vec<_> = wanted
        .iter()
        .filter(|id| all.iter().all(|one| one.id != **id))
        .map(ToString::to_string)
        .collect();
    if !foreign.is_empty() {
        let message = format!("not in vault {}: {}", new.vault_id, foreign.join(", "));
        return Err(Refusal::ResourceNotInVault.because(message));
    }
    Ok(all.into_iter().filter(|one| wanted.contains(&one.id)).collect())
}

fn left_out(resource: &VaultResource, (fault, message): Obstacle) -> SkippedResource {
    SkippedResource {
        id: resource.id,
        kind: resource.kind,
        name: resource.name.clone(),
        fault,
        message,
    }
}

fn nothing_left(checkpoint: &Checkpoint) -> Error {
    let reasons: Vec<_> = checkpoint
        .skipped
        .iter()
        .map(|skipped| format!("{}: {}", skipped.id, skipped.message))
        .collect();
    let message = match reasons.is_empty() {
        true => "the vault has no resources to back up".to_owned(),
        false => format!("every resource was left out: {}", reasons.join("; ")),
    };
    Refusal::NothingToBackUp.because(message)
}
