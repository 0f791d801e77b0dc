//! What nobody asks for but must happen: garbage is collected, old rows are dropped.
//!
//! It takes no input, runs on a timer, and finding nothing to do is its usual end.

use std::sync::Arc;
use std::time::Duration;

use strongroom_engine::{GcOptions, GcReport};
use strongroom_model::backup::BackupStatus;
use strongroom_model::id::VaultId;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::backup::blocking;
use super::chain;
use super::failure::Work;
use crate::error::Result;
use crate::{Error, Service};

/// How long finished jobs, and what policies did, are kept.
const JOBS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long the garbage of a vault that was removed is looked for.
const FORMER_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long after a deletion garbage is collected.
const FLOCK: Duration = Duration::from_secs(5);

impl Service {
    pub(super) async fn run_tending(self, stop: CancellationToken) {
        loop {
            let interval = self.settings().gc_interval;
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tokio::time::timeout(interval, self.0.litter.notified()) => {}
            }
            // Deletions come in flocks: one collection for all of them.
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tokio::time::timeout(FLOCK, std::future::pending::<()>()) => {}
            }
            if let Err(error) = self.tend(&stop).await {
                warn!(error = chain(&error), "cannot tend the catalogue");
            }
        }
    }

    /// One round of everything that must happen now and then.
    pub async fn tend(&self, stop: &CancellationToken) -> Result<()> {
        let now = self.now();
        let before = strongroom_model::time::Timestamp::from_micros(
            now.as_micros() - i64::try_from(JOBS_KEPT.as_micros()).unwrap_or(i64::MAX),
        );
        let forgotten = strongroom_model::time::Timestamp::from_micros(
            now.as_micros() - i64::try_from(FORMER_KEPT.as_micros()).unwrap_or(i64::MAX),
        );
        let vaults = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    tx.jobs().purge_finished(before).await?;
                    tx.tasks().purge_finished(before).await?;
                    tx.operations().purge_ended(before).await?;
                    tx.revocations().purge(now).await?;
                    tx.vaults().purge_former(forgotten).await?;
                    let all = tx.vaults().list_all().await?;
                    let mut ids: Vec<_> = all.into_iter().map(|vault| vault.id).collect();
                    ids.extend(tx.vaults().former().await?);
                    Ok::<_, Error>(ids)
                })
            })
            .await?;
        if let Err(error) = self.discard_abandoned().await {
            warn!(error = chain(&error), "cannot look for frozen copies that nobody needs");
        }
        for vault in vaults {
            if stop.is_cancelled() {
                break;
            }
            match self.collect(vault, stop).await {
                Ok(report) if report.blocked.is_empty() => {
                    info!(vault = %vault, ?report, "garbage collected");
                }
                Ok(report) => {
                    error!(vault = %vault, blocked = ?report.blocked, "garbage is not collected");
                }
                Err(failure) => warn!(vault = %vault, ?failure, "cannot collect garbage"),
            }
        }
        Ok(())
    }

    /// Removes the frozen copies of backups that are not being made, as a crash leaves them.
    async fn discard_abandoned(&self) -> Result<()> {
        for id in self.on_folder(|folder| folder.frozen_backups()).await? {
            let backup = self.backup_row(id).await?;
            if backup.is_none_or(|backup| backup.status != BackupStatus::Creating) {
                let path = self.folder().frozen(id);
                self.on_folder(move |folder| folder.delete(&path)).await?;
            }
        }
        Ok(())
    }

    /// Collects garbage in one vault, unless a backup that is listed as available is not there.
    async fn collect(&self, vault: VaultId, stop: &CancellationToken) -> Work<GcReport> {
        let expected = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.backups().data_ids(vault).await?) }))
            .await?;
        let Some(repository) = self.find_repository(vault).await? else {
            return Ok(GcReport::default());
        };
        let expected = expected.into_iter().collect();
        let options = GcOptions { expected, ..GcOptions::default() };
        let progress = Arc::clone(&options.progress);
        let work = blocking(move || strongroom_engine::gc(&repository, &options));
        tokio::pin!(work);
        tokio::select! {
            report = &mut work => report,
            () = stop.cancelled() => {
                progress.cancel();
                work.await
            }
        }
    }
}
