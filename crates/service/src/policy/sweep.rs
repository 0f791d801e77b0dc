//! Removing what retentions no longer keep.

use strongroom_catalog::Transaction;
use strongroom_model::backup::Backup;
use strongroom_model::id::{BackupId, PolicyId, VolumeId};
use tracing::{error, info};

use super::retention::{Candidate, expired};
use crate::Service;
use crate::error::{Error, Result};
use crate::jobs::chain;

impl Service {
    /// Begins the deletion of every automatic backup that its policy no longer keeps, and returns
    /// how many. Policies that are disabled remove nothing, nor do disks that were released.
    ///
    /// # Errors
    /// The first of the failures, after every disk has been seen to.
    pub async fn expire_backups(&self) -> Result<usize> {
        let disks = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    let mut disks = Vec::new();
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
        let Some(policy) = policy.filter(|policy| policy.is_enabled) else {
            return Ok(Vec::new());
        };
        if !tx.policies().is_bound(policy_id, volume_id).await? {
            return Ok(Vec::new());
        }
        let backups = tx.backups().of_policy(policy_id, volume_id).await?;
        let mut candidates: Vec<_> = backups.iter().map(candidate).collect();
        let doomed = expired(&policy.retention, self.now(), &candidates);
        // What is held changes nothing for the others: only these need to be asked after.
        for one in candidates.iter_mut().filter(|one| doomed.contains(&one.id)) {
            one.is_held = is_held(tx, one.id).await?;
        }
        let doomed = expired(&policy.retention, self.now(), &candidates);
        let caller = self.caller_for(&policy);
        for mut backup in backups.into_iter().filter(|backup| doomed.contains(&backup.id)) {
            self.begin_deletion(tx, &caller, &mut backup).await?;
        }
        Ok(doomed)
    }
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
