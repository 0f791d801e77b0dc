//! Long work on a thread of its own, watched from here: the lease is renewed, progress is shown,
//! and the work is cancelled when its reason is gone.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use strongroom_catalog::Transaction;
use strongroom_engine::Progress;
use strongroom_model::backup::{Backup, BackupStatus};
use strongroom_model::id::{BackupId, ShareId, VolumeId};
use strongroom_model::job::Claim;
use strongroom_model::share::ShareStatus;
use strongroom_model::time::Timestamp;
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
    /// The volume that the backup must still be being restored to, if the work is that.
    pub(super) restores_to: Option<VolumeId>,
    /// The share without which the work must not go on.
    pub(super) share: Option<ShareId>,
    /// Whether the backup's progress is shown.
    pub(super) shows_progress: bool,
    /// How far the work has come, and the way to cancel it when its reason is gone.
    pub(super) progress: Arc<Progress>,
    /// This process is being stopped.
    pub(super) stop: &'a CancellationToken,
}

impl<'a> Watched<'a> {
    /// Work that makes sense whatever else happens.
    pub(super) fn alone(claim: &'a Claim, stop: &'a CancellationToken) -> Self {
        Self {
            claim,
            backup: None,
            restores_to: None,
            share: None,
            shows_progress: false,
            progress: Arc::default(),
            stop,
        }
    }

    /// Work for a backup that is being made.
    pub(super) fn of_backup(
        claim: &'a Claim,
        backup: &Backup,
        stop: &'a CancellationToken,
    ) -> Self {
        let watched = Some((backup.id, BackupStatus::Creating));
        Self { backup: watched, ..Self::alone(claim, stop) }
    }
}

/// A file to be copied.
pub(super) struct Copy {
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
    /// Size of the copy; its end beyond the original is zeros.
    pub(super) size_bytes: u64,
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
        let (mut verdict, mut written) =
            (None, Written { at: Timestamp::from_micros(0), percent: 0 });
        let result = loop {
            tokio::select! {
                result = &mut task => break result,
                () = watched.stop.cancelled(), if verdict.is_none() => {
                    verdict = Some(Failure::Stopped);
                }
                () = tick() => {
                    if verdict.is_none() {
                        verdict = self.look(&watched, &mut written).await.err();
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

    /// Copies a file, however long it takes: the lease is kept, and nobody else starts the same copy.
    /// Returns whether the copy may mix states.
    pub(super) async fn copy_file(&self, watched: Watched<'_>, copy: Copy) -> Work<bool> {
        let folder = self.folder().clone();
        self.supervise(watched, move || {
            folder.copy(&copy.from, &copy.to, copy.size_bytes).map_err(|error| {
                Failure::Permanent(format!("cannot copy the volume's file: {error}"))
            })
        })
        .await
    }

    /// One look at running work: does it still make sense? Writes only what is due: the lease when
    /// a third of it has passed, progress when it has moved.
    async fn look(&self, watched: &Watched<'_>, written: &mut Written) -> Work<()> {
        let (now, percent) = (self.now(), percent(&watched.progress));
        let has_moved = watched.shows_progress && percent != written.percent;
        let is_due = has_moved || now.since(written.at) >= self.settings().lease / 3;
        let seen = if is_due {
            let lease_until = now.plus(self.settings().lease);
            self.catalog()
                .transact(|tx| {
                    Box::pin(async move {
                        if !tx.jobs().renew(watched.claim, lease_until).await? {
                            return Ok::<_, Error>(Err(Failure::Lost));
                        }
                        if let (Some((id, _)), true) = (watched.backup, has_moved) {
                            tx.backups().set_progress(id, percent, Some(watched.claim)).await?;
                        }
                        Ok(still_wanted(tx, watched).await?)
                    })
                })
                .await
        } else {
            self.catalog()
                .read(|tx| {
                    Box::pin(async move { Ok::<_, Error>(still_wanted(tx, watched).await?) })
                })
                .await
        };
        // A catalogue that cannot be reached for a moment is no reason to drop the work: if the
        // lease runs out meanwhile, the end of the job will be refused.
        let Ok(verdict) = seen else { return Ok(()) };
        if is_due {
            *written = Written { at: now, percent };
        }
        verdict
    }
}

/// What was last written of running work.
struct Written {
    at: Timestamp,
    percent: u8,
}

/// Whether the backup that is worked on still has the status that gives the work its reason, and
/// may still be read.
async fn still_wanted(
    tx: &mut Transaction<'_>,
    watched: &Watched<'_>,
) -> strongroom_catalog::Result<Work<()>> {
    if !is_shared(tx, watched.share).await? {
        return Ok(Err(unshared()));
    }
    let Some((id, status)) = watched.backup else { return Ok(Ok(())) };
    let found = tx.backups().find_any(id).await?;
    let is_wanted = found.is_some_and(|backup| {
        let goes_there = watched.restores_to.is_none_or(|to| backup.restore_volume_id == Some(to));
        backup.status == status && goes_there
    });
    Ok(if is_wanted { Ok(()) } else { Err(aborted()) })
}

/// Refuses to go on once the share that the work depends on has ended.
pub(super) async fn require_share(tx: &mut Transaction<'_>, share: Option<ShareId>) -> Work<()> {
    if is_shared(tx, share).await? { Ok(()) } else { Err(unshared()) }
}

async fn is_shared(
    tx: &mut Transaction<'_>,
    share: Option<ShareId>,
) -> strongroom_catalog::Result<bool> {
    let Some(id) = share else { return Ok(true) };
    let found = tx.shares().find(id).await?;
    Ok(found.is_some_and(|share| share.status == ShareStatus::Accepted))
}

fn unshared() -> Failure {
    Failure::Permanent("the backup is no longer shared with this project".to_owned())
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
