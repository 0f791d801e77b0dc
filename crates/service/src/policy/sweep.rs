//! Removing what retentions no longer keep.

use std::collections::BTreeSet;

use strongroom_catalog::Transaction;
use strongroom_model::backup::Backup;
use strongroom_model::id::{BackupId, PolicyId, VolumeId};
use strongroom_model::policy::Retention;
use strongroom_model::time::Timestamp;
use tracing::{error, info};

use super::retention::{Candidate, expired};
use crate::Service;
use crate::error::{Error, Result};
use crate::jobs::chain;

impl Service {
    /// Begins the deletion of every automatic backup that its policy no longer keeps, and returns
    /// how many. Of a disk that was released, or whose policy is gone, only those go whose own date
    /// is past. A removal that was given up is begun again. Policies that are disabled remove
    /// nothing.
    ///
    /// # Errors
    /// The first of the failures, after every disk has been seen to.
    pub async fn expire_backups(&self) -> Result<usize> {
        let now = self.now();
        let disks = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    let mut disks: BTreeSet<_> =
                        tx.backups().to_expire(now).await?.into_iter().collect();
                    for policy in tx.policies().list_enabled().await? {
                        let volumes = tx.policies().all_volumes(policy.id).await?;
                        disks.extend(volumes.into_iter().map(|volume| (policy.id, volume)));
                    }
                    Ok::<_, Error>(disks)
                })
            })
            .await?;
        let (mut count, mut failure) = (0, None);
        for (policy_id, volume_id) in disks {
            match self.expire_of(policy_id, volume_id).await {
                Ok(gone) => count += gone,
                Err(error) => {
                    error!(policy = %policy_id, volume = %volume_id, error = chain(&error), "cannot expire");
                    failure = failure.or(Some(error));
                }
            }
        }
        failure.map_or(Ok(count), Err)
    }

    /// Removes what a new automatic backup has displaced. A failure is left to the next sweep.
    pub(crate) async fn expire_after(&self, backup: &Backup) {
        let Some(policy_id) = backup.policy_id else { return };
        if let Err(error) = self.expire_of(policy_id, backup.volume_id).await {
            error!(policy = %policy_id, volume = %backup.volume_id, error = chain(&error), "cannot expire");
        }
    }

    async fn expire_of(&self, policy_id: PolicyId, volume_id: VolumeId) -> Result<usize> {
        let doomed = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move { self.begin_expiry(tx, policy_id, volume_id).await })
            })
            .await?;
        if !doomed.is_empty() {
            info!(policy = %policy_id, volume = %volume_id, backups = ?doomed, "backups expired");
            self.nudge();
        }
        Ok(doomed.len())
    }

    /// Decides and acts on what one transaction sees.
    async fn begin_expiry(
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
        for (one, backup) in candidates.iter_mut().zip(&backups) {
            one.is_held |= self.is_kept_by_lock(tx, backup, self.now()).await?;
        }
        let mut doomed = doomed_by(retention, self.now(), &candidates);
        let kept: BTreeSet<_> =
            candidates.iter().filter(|one| one.is_held).map(|one| one.id).collect();
        let half_removed = backups.iter().filter(|backup| Self::is_half_removed(backup));
        doomed.extend(half_removed.map(|backup| backup.id).filter(|id| !kept.contains(id)));
        let Some(first) = backups.first() else { return Ok(doomed) };
        let caller = self.caller_for(&first.user_id, &first.project_id);
        for mut backup in backups.into_iter().filter(|backup| doomed.contains(&backup.id)) {
            self.begin_deletion(tx, &caller, &mut backup).await?;
        }
        Ok(doomed)
    }
}

/// What the retention of the policy that the disk is bound to removes; if it is bound to it no
/// longer, what its own date removes.
fn doomed_by(
    retention: Option<&Retention>,
    now: Timestamp,
    candidates: &[Candidate],
) -> Vec<BackupId> {
    if let Some(retention) = retention {
        return expired(retention, now, candidates);
    }
    let is_past = |one: &&Candidate| one.expires_at.is_some_and(|at| at <= now);
    let dated: BTreeSet<_> = candidates.iter().filter(is_past).map(|one| one.id).collect();
    let mut doomed = expired(&Retention::for_ever(), now, candidates);
    doomed.retain(|id| dated.contains(id));
    doomed
}

fn candidate(backup: &Backup) -> Candidate {
    Candidate {
        id: backup.id,
        created_at: backup.created_at,
        status: backup.status,
        expires_at: backup.expires_at,
        is_held: false,
    }
}

/// Whether another project may use a backup, or a volume is still to be made of it.
async fn is_held(tx: &mut Transaction<'_>, id: BackupId) -> Result<bool> {
    let is_shared = tx.shares().exist_of(id).await?;
    Ok(is_shared || tx.volumes().is_any_to_be_made_from(id).await?)
}
