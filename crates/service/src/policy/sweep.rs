//! Removing what retentions no longer keep, and what has reached its date.

use std::collections::BTreeSet;

use strongroom_catalog::Transaction;
use strongroom_model::backup::Backup;
use strongroom_model::id::{BackupId, PolicyId, VaultId, VolumeId};
use strongroom_model::policy::{PolicyOperation, Retention};
use strongroom_model::resource::ResourceId;
use strongroom_model::time::Timestamp;
use tracing::{error, info};

use super::retention::{Candidate, expired};
use crate::error::{Error, Result};
use crate::jobs::chain;
use crate::{Refusal, Service};

/// Backups that are decided over together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// Those that a policy made of a disk which is bound to it alone.
    Alone(PolicyId, VolumeId),
    /// The others of a disk in a vault.
    Disk(VaultId, ResourceId),
    /// Those of a server in a vault.
    Server(VaultId, ResourceId),
}

impl Service {
    /// Begins the deletion of every automatic backup that its policy no longer keeps, and of every
    /// other whose date is past, and returns how many. Of what was released, or whose policy is
    /// gone, only those go whose own date is past. A removal that was given up is begun again.
    /// Policies that are disabled remove nothing.
    ///
    /// # Errors
    /// The first of the failures, after everything has been seen to.
    pub async fn expire_backups(&self) -> Result<usize> {
        let now = self.now();
        let groups = self
            .catalog()
            .read(|tx| Box::pin(async move { groups_to_sweep(tx, now).await }))
            .await?;
        let (mut count, mut failure) = (0, None);
        for group in groups {
            match self.expire_of(group).await {
                Ok(gone) => count += gone,
                Err(error) => {
                    tell(group, &error);
                    failure = failure.or(Some(error));
                }
            }
        }
        failure.map_or(Ok(count), Err)
    }

    /// Removes what a new automatic backup has displaced. A failure is left to the next sweep.
    pub(crate) async fn expire_after(&self, backup: &Backup) {
        let group = match (backup.origin.server_backup_id, backup.policy_id) {
            (Some(id), _) => match self.group_of_server(id).await {
                Ok(Some(group)) => group,
                Ok(None) => return,
                Err(error) => {
                    error!(backup = %id, error = chain(&error), "cannot expire");
                    return;
                }
            },
            (None, Some(id)) if backup.origin.checkpoint_id.is_none() => {
                Group::Alone(id, backup.volume_id)
            }
            (None, _) if backup.origin.is_automatic => {
                Group::Disk(backup.vault_id, backup.volume_id.into())
            }
            (None, _) => return,
        };
        if let Err(error) = self.expire_of(group).await {
            tell(group, &error);
        }
    }

    async fn group_of_server(&self, id: BackupId) -> Result<Option<Group>> {
        let found: Result<_> = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok(tx.server_backups().find_any(id).await?) }))
            .await;
        let automatic = found?.filter(|backup| backup.is_automatic);
        Ok(automatic.map(|backup| Group::Server(backup.vault_id, backup.server_id.into())))
    }

    async fn expire_of(&self, group: Group) -> Result<usize> {
        let doomed = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    match group {
                        Group::Alone(policy_id, volume_id) => {
                            self.expire_alone(tx, policy_id, volume_id).await
                        }
                        Group::Disk(vault_id, id) => {
                            let disk = tx.backups().of_disk_in(vault_id, id.volume()).await?;
                            self.expire_in_vault(tx, vault_id, disk).await
                        }
                        Group::Server(vault_id, id) => {
                            let server =
                                tx.server_backups().of_server(vault_id, id.server()).await?;
                            self.expire_in_vault(tx, vault_id, server).await
                        }
                    }
                })
            })
            .await;
        match doomed {
            Ok(doomed) => {
                if !doomed.is_empty() {
                    info!(?group, backups = ?doomed, "backups expired");
                    self.nudge();
                }
                Ok(doomed.len())
            }
            Err(Error::Refused { reason: Refusal::Locked, message }) => {
                info!(?group, message, "a lock keeps backups that would have expired");
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// Decides and acts on what one transaction sees.
    async fn expire_alone(
        &self,
        tx: &mut Transaction<'_>,
        policy_id: PolicyId,
        volume_id: VolumeId,
    ) -> Result<Vec<BackupId>> {
        let policy = tx.policies().find_any(policy_id).await?;
        if policy.as_ref().is_some_and(|policy| !policy.is_enabled) {
            return Ok(Vec::new());
        }
        let is_bound = tx.policies().is_bound(policy_id, volume_id).await?;
        let policy = policy.filter(|_| is_bound);
        let retention = policy.as_ref().map(|policy| &policy.retention);
        let backups = tx.backups().of_policy(policy_id, volume_id).await?;
        let mut candidates: Vec<_> = backups.iter().map(candidate).collect();
        let doomed = doomed_by(retention, self.now(), &candidates);
        // What is held changes nothing for the others: only these need to be asked after.
        for one in candidates.iter_mut().filter(|one| doomed.contains(&one.id)) {
            one.is_held = is_held(tx, one.id).await?;
        }
        let mut doomed = doomed_by(retention, self.now(), &candidates);
        let half_removed = backups.iter().filter(|backup| Self::is_half_removed(backup));
        doomed.extend(half_removed.map(|backup| backup.id));
        let mut gone = Vec::new();
        for mut backup in backups.into_iter().filter(|backup| doomed.contains(&backup.id)) {
            if self.is_kept_by_lock(tx, &backup, self.now()).await? {
                continue;
            }
            let caller = self.caller_for(&backup.user_id, &backup.project_id);
            self.begin_deletion(tx, &caller, &mut backup).await?;
            gone.push(backup.id);
        }
        Ok(gone)
    }
}

fn tell(group: Group, error: &Error) {
    error!(?group, error = chain(error), "cannot expire");
}

/// Everything that a policy which is enabled decides over, and everything that has a date which is
/// past.
async fn groups_to_sweep(tx: &mut Transaction<'_>, now: Timestamp) -> Result<BTreeSet<Group>> {
    let mut groups = BTreeSet::new();
    let alone = tx.backups().to_expire(now).await?;
    groups.extend(alone.into_iter().map(|(policy, volume)| Group::Alone(policy, volume)));
    let disks = tx.backups().to_expire_in_vaults(now).await?;
    groups.extend(disks.into_iter().map(|(vault, disk)| Group::Disk(vault, disk.into())));
    let servers = tx.server_backups().to_expire(now).await?;
    groups.extend(servers.into_iter().map(|(vault, one)| Group::Server(vault, one.into())));
    for policy in tx.policies().list_enabled().await? {
        if policy.operation != PolicyOperation::Backup {
            continue;
        }
        let volumes = tx.policies().all_volumes(policy.id).await?;
        groups.extend(volumes.into_iter().map(|volume| Group::Alone(policy.id, volume)));
        for bound in tx.policies().vaults(policy.id).await? {
            let id = bound.vault_id;
            let disks = tx.backups().automatic_in(id).await?;
            groups.extend(disks.into_iter().map(|disk| Group::Disk(id, disk.into())));
            let servers = tx.server_backups().automatic_in(id).await?;
            groups.extend(servers.into_iter().map(|server| Group::Server(id, server.into())));
        }
    }
    Ok(groups)
}

/// What the retention of the policy that applies removes; if none does, what its own date removes.
pub(super) fn doomed_by(
    retention: Option<&Retention>,
    now: Timestamp,
    candidates: &[Candidate],
) -> Vec<BackupId> {
    if let Some(retention) = retention {
        return expired(retention, now, candidates);
    }
    let dated: BTreeSet<_> =
        candidates.iter().filter(|one| is_past(one, now)).map(|one| one.id).collect();
    let mut doomed = expired(&Retention::for_ever(), now, candidates);
    doomed.retain(|id| dated.contains(id));
    doomed
}

/// Whether a backup has reached its date.
pub(super) fn is_past(one: &Candidate, now: Timestamp) -> bool {
    one.expires_at.is_some_and(|at| at <= now)
}

/// What is decided over, of the backup of a disk.
pub(super) fn candidate(backup: &Backup) -> Candidate {
    Candidate {
        id: backup.id,
        created_at: backup.created_at,
        status: backup.status,
        expires_at: backup.expires_at,
        is_held: false,
    }
}

/// Whether another project may use a backup, it is being copied to another region, or a volume is
/// still to be made of it.
pub(super) async fn is_held(tx: &mut Transaction<'_>, id: BackupId) -> Result<bool> {
    let is_shared = tx.shares().exist_of(id).await?;
    let is_copied = tx.replications().is_any_unfinished(id).await?;
    Ok(is_shared || is_copied || tx.volumes().is_any_to_be_made_from(id).await?)
}
