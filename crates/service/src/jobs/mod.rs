//! Background work: claimed by lease, fenced by number, ended truthfully.
//!
//! A job names rows and holds nothing that a row could give. Whoever claims it reads its rows anew,
//! does the work, and writes the result in one transaction with the end of the job; if the claim
//! was lost meanwhile, that transaction is refused. Work that fails for a passing reason is tried
//! again later; the last failure is written where a user sees it, and what the job held busy is
//! given back.

mod backup;
mod delete;
mod failure;
mod import;
mod policies;
mod receive;
mod replicate;
mod restore;
mod server;
mod status;
mod supervise;
mod tend;
mod vault;
mod volume;

use std::time::Duration;

use strongroom_catalog::Transaction;
use strongroom_model::backup::Backup;
use strongroom_model::id::{BackupId, SnapshotId, VolumeId};
use strongroom_model::job::{Claim, JobKind};
use strongroom_model::snapshot::Snapshot;
use strongroom_model::volume::Volume;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

pub use status::{JobStatus, JobView};

use crate::error::Result;
use crate::{Error, Service};
use failure::{Failure, Work};
use restore::FailedRestore;

/// The longest that an idle worker waits before it looks for jobs whose lease ran out.
const IDLE: Duration = Duration::from_secs(1);

/// Crashes and stops that a job may survive, for each attempt that it may fail.
const CUTS_PER_ATTEMPT: u32 = 10;

impl Service {
    /// Works on jobs until `stop`, then lets the running ones go back to the queue and returns.
    pub async fn run_jobs(self, stop: CancellationToken) {
        let tracker = TaskTracker::new();
        for number in 0..self.settings().workers.max(1) {
            let worker = format!("{}-{number}", self.settings().node);
            tracker.spawn(self.clone().run_worker(worker, stop.clone()));
        }
        tracker.spawn(self.clone().run_policies(stop.clone()));
        tracker.spawn(self.clone().run_tending(stop));
        tracker.close();
        tracker.wait().await;
    }

    /// Works on every job that is due, one after the other, and returns how many. For tests and
    /// tools that want no workers.
    pub async fn run_due_jobs(&self) -> Result<usize> {
        let mut count = 0;
        while self.run_due_job().await? {
            count += 1;
        }
        Ok(count)
    }

    /// Works on the job that has been due for longest; tells whether there was one.
    pub async fn run_due_job(&self) -> Result<bool> {
        let Some(claim) = self.claim("by-hand").await? else { return Ok(false) };
        self.perform(claim, &CancellationToken::new()).await;
        Ok(true)
    }

    /// Gives back every job that another process of this machine had claimed. Only for a process
    /// that knows it is alone: it spares the wait for leases that nobody will renew.
    pub async fn release_claims(&self) -> Result<()> {
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    {
                        tx.jobs().release_all().await?;
                        Ok(())
                    }
                })
            })
            .await
    }

    async fn run_worker(self, worker: String, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // Registered before the look-up, so that no nudge between the two is missed.
            let nudged = self.0.nudge.notified();
            match self.claim(&worker).await {
                Ok(Some(claim)) => {
                    self.perform(claim, &stop).await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => error!(worker, error = chain(&error), "cannot look for jobs"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                _ = tokio::time::timeout(IDLE, nudged) => {}
            }
        }
    }

    async fn claim(&self, worker: &str) -> Result<Option<Claim>> {
        let now = self.now();
        let lease_until = now.plus(self.settings().lease);
        self.catalog()
            .transact(|tx| {
                Box::pin(async move { Ok(tx.jobs().claim(worker, now, lease_until).await?) })
            })
            .await
    }

    /// Does one claimed job and settles how it ended.
    async fn perform(&self, claim: Claim, stop: &CancellationToken) {
        let (id, kind) = (claim.job.id, claim.job.kind.name());
        let request_id = claim.job.request_id.as_str();
        let settled = match self.attempt(&claim, stop).await {
            Ok(()) => {
                info!(%id, kind, request_id, "job done");
                Ok(())
            }
            Err(Failure::Lost) => {
                warn!(%id, kind, request_id, "job was taken over by another worker");
                Ok(())
            }
            Err(Failure::Stopped) => {
                self.postpone(&claim, Duration::ZERO, claim.job.failures).await
            }
            Err(Failure::Later) => self.postpone(&claim, IDLE, claim.job.failures).await,
            Err(Failure::Wait(delay)) => self.postpone(&claim, delay, claim.job.failures).await,
            Err(Failure::Transient(reason))
                if claim.job.failures + 1 < self.settings().attempts_max =>
            {
                warn!(%id, kind, request_id, reason, "job failed and will be tried again");
                let delay = self.settings().retry_delay * 2_u32.pow(claim.job.failures.min(10));
                self.postpone(&claim, delay, claim.job.failures + 1).await
            }
            Err(Failure::Transient(reason) | Failure::Permanent(reason)) => {
                error!(%id, kind, request_id, reason, "job failed");
                self.give_up(&claim, &reason, false).await
            }
            Err(Failure::Damaged(reason)) => {
                error!(%id, kind, request_id, reason, "job found damage");
                self.give_up(&claim, &reason, true).await
            }
        };
        if let Err(error) = settled {
            // The lease runs out, and the next claim reads the rows as they are.
            error!(%id, kind, request_id, error = chain(&error), "cannot settle a job");
        }
    }

    /// Works on a job unless it was cut short so often that it may be what ends the process.
    async fn attempt(&self, claim: &Claim, stop: &CancellationToken) -> Work<()> {
        let attempts = claim.job.attempt;
        // These mostly wait, and repeat what is harmless: they are never given up for that.
        let may_repeat = matches!(
            claim.job.kind,
            JobKind::DeleteBackup { .. }
                | JobKind::ReplicateBackup { .. }
                | JobKind::ReceiveBackup { .. }
                | JobKind::DeleteVault { .. }
                | JobKind::RemoveResources { .. }
        );
        if attempts > self.settings().attempts_max * CUTS_PER_ATTEMPT && !may_repeat {
            let reason = format!("given up after {} attempts that were cut short", attempts - 1);
            return Err(Failure::Permanent(reason));
        }
        self.work(claim, stop).await
    }

    async fn work(&self, claim: &Claim, stop: &CancellationToken) -> Work<()> {
        match claim.job.kind {
            JobKind::CreateVolume { volume_id, share_id } => {
                self.make_volume(claim, volume_id, share_id, stop).await
            }
            JobKind::DeleteVolume { volume_id } => self.remove_volume(claim, volume_id).await,
            JobKind::CreateSnapshot { snapshot_id } => {
                self.take_snapshot(claim, snapshot_id, stop).await
            }
            JobKind::DeleteSnapshot { snapshot_id } => {
                self.remove_snapshot(claim, snapshot_id).await
            }
            JobKind::CreateBackup { backup_id } => self.store_backup(claim, backup_id, stop).await,
            JobKind::RestoreBackup { backup_id, volume_id } => {
                self.read_back(claim, backup_id, volume_id, stop).await
            }
            JobKind::DeleteBackup { backup_id } => self.remove_backup(claim, backup_id).await,
            JobKind::FreezeServer { server_backup_id } => {
                self.freeze_server(claim, server_backup_id, stop).await
            }
            JobKind::ImportBackup { backup_id } => self.adopt_backup(claim, backup_id, stop).await,
            JobKind::ReplicateBackup { replication_id } => {
                self.replicate(claim, replication_id).await
            }
            JobKind::ReceiveBackup { backup_id, replication_id } => {
                self.receive_backup(claim, (backup_id, replication_id), stop).await
            }
            JobKind::DeleteVault { vault_id } => self.remove_vault(claim, vault_id).await,
            JobKind::RemoveResources { vault_id } => self.remove_from_vault(claim, vault_id).await,
        }
    }

    /// Writes the failure where a user sees it, gives back what the job held, and ends the job.
    async fn give_up(&self, claim: &Claim, reason: &str, is_damage: bool) -> Result<()> {
        if let JobKind::CreateVolume { volume_id, share_id: Some(_) } = claim.job.kind {
            self.discard_bytes(claim, volume_id).await?;
        }
        let is_held = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    if !tx.jobs().holds(claim).await? {
                        return Ok(false);
                    }
                    match claim.job.kind {
                        JobKind::CreateVolume { volume_id, share_id } => {
                            self.fail_new_volume(tx, volume_id, share_id.is_some()).await?;
                        }
                        JobKind::DeleteVolume { volume_id } => {
                            self.fail_volume_removal(tx, volume_id).await?;
                        }
                        JobKind::CreateSnapshot { snapshot_id } => {
                            self.fail_snapshot(tx, snapshot_id, false).await?;
                        }
                        JobKind::DeleteSnapshot { snapshot_id } => {
                            self.fail_snapshot(tx, snapshot_id, true).await?;
                        }
                        JobKind::CreateBackup { backup_id }
                        | JobKind::ReceiveBackup { backup_id, .. } => {
                            self.fail_new_backup(tx, backup_id, reason).await?;
                        }
                        JobKind::ReplicateBackup { replication_id } => {
                            self.fail_replication(tx, replication_id, reason).await?;
                        }
                        JobKind::RestoreBackup { backup_id, volume_id } => {
                            let failed = FailedRestore { backup_id, volume_id, reason, is_damage };
                            self.fail_restore(tx, failed).await?;
                        }
                        JobKind::DeleteBackup { backup_id } => {
                            self.fail_backup_removal(tx, backup_id, reason).await?;
                        }
                        JobKind::FreezeServer { server_backup_id } => {
                            self.fail_server_backup(tx, server_backup_id, reason).await?;
                        }
                        JobKind::ImportBackup { backup_id } => {
                            self.fail_record(tx, backup_id, reason).await?;
                        }
                        JobKind::DeleteVault { .. } | JobKind::RemoveResources { .. } => {
                            self.fail_removal(tx, (claim.job.id, &claim.job.kind)).await?;
                        }
                    }
                    tx.jobs().finish(claim, self.now(), Some(reason)).await?;
                    let job = (claim.job.id, &claim.job.kind);
                    self.end_operation_of(tx, job, Some(reason)).await?;
                    Ok::<_, Error>(true)
                })
            })
            .await?;
        // A frozen copy that cannot be removed now is only in the way.
        match claim.job.kind {
            JobKind::CreateBackup { backup_id } if is_held => {
                self.discard_frozen(backup_id).await.ok();
            }
            JobKind::FreezeServer { server_backup_id } if is_held => {
                self.discard_frozen_of_server(server_backup_id).await.ok();
            }
            _ => {}
        }
        Ok(())
    }

    async fn postpone(&self, claim: &Claim, delay: Duration, failures: u32) -> Result<()> {
        let not_before = self.now().plus(delay);
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    tx.jobs().postpone(claim, not_before, failures).await?;
                    Ok::<_, Error>(())
                })
            })
            .await
    }

    /// A backup as it is at this moment.
    async fn backup_row(&self, id: BackupId) -> Result<Option<Backup>> {
        self.catalog()
            .read(|tx| Box::pin(async move { Ok(tx.backups().find_any(id).await?) }))
            .await
    }

    /// A volume as it is at this moment.
    async fn volume_row(&self, id: VolumeId) -> Result<Option<Volume>> {
        self.catalog()
            .read(|tx| Box::pin(async move { Ok(tx.volumes().find_any(id).await?) }))
            .await
    }

    /// A snapshot as it is at this moment.
    async fn snapshot_row(&self, id: SnapshotId) -> Result<Option<Snapshot>> {
        self.catalog()
            .read(|tx| Box::pin(async move { Ok(tx.snapshots().find_any(id).await?) }))
            .await
    }

    /// Ends a job in the transaction that writes its result; refuses both if the claim was lost.
    async fn finish(&self, tx: &mut Transaction<'_>, claim: &Claim) -> Work<()> {
        self.finish_as(tx, claim, None).await
    }

    /// As [`Service::finish`], with why the job did not do what it was to do. That is no failure:
    /// its work was not wanted any more.
    async fn finish_as(
        &self,
        tx: &mut Transaction<'_>,
        claim: &Claim,
        reason: Option<&str>,
    ) -> Work<()> {
        if !tx.jobs().finish(claim, self.now(), reason).await? {
            return Err(Failure::Lost);
        }
        Ok(self.end_operation_of(tx, (claim.job.id, &claim.job.kind), reason).await?)
    }
}

/// An error and its causes on one line; a cause that the one before tells is left out.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.contains(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        cause = error.source();
    }
    text
}
