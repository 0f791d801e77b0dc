//! Long work on a thread of its own, watched from here: the lease is renewed, progress is shown,
//! and the work is cancelled when its reason is gone.

use std::sync::Arc;
use std::time::Duration;

use strongroom_engine::Progress;
use strongroom_model::backup::BackupStatus;
use strongroom_model::id::BackupId;
use strongroom_model::job::Claim;
use tokio_util::sync::CancellationToken;

use super::failure::{Failure, Work};
use crate::{Error, Service};

/// How often long work is looked at.
const TICK: Duration = Duration::from_millis(500);

/// What is watched while work runs.
pub(super) struct Watched<'a> {
    /// The job.
    pub(super) claim: &'a Claim,
    /// The backup that must keep its status for the work to make sense, and that status.
    pub(super) backup: Option<(BackupId, BackupStatus)>,
    /// Whether the backup's progress is shown.
    pub(super) shows_progress: bool,
    /// How far the work has come, and the way to cancel it when its reason is gone.
    pub(super) progress: Arc<Progress>,
    /// This process is being stopped.
    pub(super) stop: &'a CancellationToken,
}

impl Service {
    /// Runs `work` on a thread that may block. When the lease is lost, the backup's status changes
    /// under it or the process stops, the work is cancelled, waited for, and its result dropped.
    pub(super) async fn supervise<T: Send + 'static>(
        &self,
        watched: Watched<'_>,
        work: impl FnOnce() -> Work<T> + Send + 'static,
    ) -> Work<T> {
        let mut task = tokio::task::spawn_blocking(work);
        let mut verdict = None;
        let result = loop {
            tokio::select! {
                result = &mut task => break result,
                () = watched.stop.cancelled(), if verdict.is_none() => {
                    verdict = Some(Failure::Stopped);
                }
                () = tick() => {
                    if verdict.is_none() {
                        verdict = self.look(&watched).await.err();
                    }
                }
            }
            if verdict.is_some() {
                watched.progress.cancel();
            }
        };
        match verdict {
            Some(failure) => Err(failure),
            None => result.map_err(|error| Failure::Permanent(error.to_string()))?,
        }
    }

    /// One look at running work: renews the lease, shows progress, checks that it still makes sense.
    async fn look(&self, watched: &Watched<'_>) -> Work<()> {
        let lease_until = self.now().plus(self.settings().lease);
        let percent = percent(&watched.progress);
        let seen = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    if !tx.jobs().renew(watched.claim, lease_until).await? {
                        return Ok::<_, Error>(Err(Failure::Lost));
                    }
                    let Some((id, status)) = watched.backup else {
                        return Ok(Ok(()));
                    };
                    match tx.backups().find_any(id).await? {
                        Some(backup) if backup.status == status => {}
                        _ => return Ok(Err(aborted())),
                    }
                    if watched.shows_progress {
                        tx.backups().set_progress(id, percent, Some(watched.claim)).await?;
                    }
                    Ok(Ok(()))
                })
            })
            .await;
        // A catalogue that cannot be reached for a moment is no reason to drop the work: if the
        // lease runs out meanwhile, the end of the job will be refused.
        seen.unwrap_or(Ok(()))
    }
}

/// The backup's status was changed by hand while a job worked on it.
pub(super) fn aborted() -> Failure {
    Failure::Permanent("aborted: the status of the backup was changed".to_owned())
}

/// Never quite done: only the end of the job makes it 100.
fn percent(progress: &Progress) -> u8 {
    let (done, total) = (u128::from(progress.done_bytes()), u128::from(progress.total_bytes()));
    u8::try_from((done * 100).checked_div(total).unwrap_or(0)).unwrap_or(99).min(99)
}

async fn tick() {
    // A timer that nothing else ends: waiting on nothing, with a deadline.
    let _elapsed = tokio::time::timeout(TICK, std::future::pending::<()>()).await;
}
