//! What nobody asks for but must happen: garbage is collected, old rows are dropped.
//!
//! It takes no input, runs on a timer, and finding nothing to do is its usual end.

use std::time::Duration;

use strongroom_engine::GcOptions;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::backup::blocking;
use super::chain;
use crate::error::Result;
use crate::{Error, Service};

/// How long finished jobs are kept.
const JOBS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

impl Service {
    pub(super) async fn run_tending(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tokio::time::timeout(self.settings().gc_interval, std::future::pending::<()>()) => {}
            }
            if let Err(error) = self.tend().await {
                warn!(error = chain(&error), "cannot tend the catalogue");
            }
        }
    }

    /// One round of everything that must happen now and then.
    pub async fn tend(&self) -> Result<()> {
        let now = self.now();
        let before = strongroom_model::time::Timestamp::from_micros(
            now.as_micros() - i64::try_from(JOBS_KEPT.as_micros()).unwrap_or(i64::MAX),
        );
        let vaults = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    tx.jobs().purge_finished(before).await?;
                    tx.revocations().purge(now).await?;
                    Ok::<_, Error>(tx.vaults().list_all().await?)
                })
            })
            .await?;
        for vault in vaults {
            let vaults = self.vaults().clone();
            let collected = blocking(move || {
                strongroom_engine::gc(&vaults.repository(vault.id)?, &GcOptions::default())
            })
            .await;
            match collected {
                Ok(report) => info!(vault = %vault.id, ?report, "garbage collected"),
                Err(failure) => warn!(vault = %vault.id, ?failure, "cannot collect garbage"),
            }
        }
        Ok(())
    }
}
