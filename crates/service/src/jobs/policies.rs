//! The clock's hand: policies run when they are due, and what they no longer keep is removed.

use std::time::Duration;

use strongroom_model::time::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::chain;
use crate::Service;
use crate::error::Result;

/// The longest wait in real time, so that a clock that jumps is noticed.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(2);

/// The shortest wait: what fails at once is not tried all the time.
const LOOK_AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// How often everything is looked through for backups that are no longer kept.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

impl Service {
    pub(super) async fn run_policies(self, stop: CancellationToken) {
        let mut swept_at: Option<Timestamp> = None;
        while !stop.is_cancelled() {
            if let Err(error) = self.run_due_policies().await {
                warn!(error = chain(&error), "cannot run every policy that is due");
            }
            let now = self.now();
            let is_fresh = |at: Timestamp| at <= now && now.since(at) < SWEEP_EVERY;
            if !swept_at.is_some_and(is_fresh) {
                swept_at = Some(now);
                if let Err(error) = self.reckon_runs().await {
                    warn!(error = chain(&error), "cannot look through the policies");
                }
                if let Err(error) = self.expire_backups().await {
                    warn!(error = chain(&error), "cannot remove every backup that has expired");
                }
            }
            let wait = self.wait_for_policies().await;
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tokio::time::timeout(wait, self.0.alarm.notified()) => {}
            }
        }
    }

    /// How long nothing needs to be looked at.
    async fn wait_for_policies(&self) -> Duration {
        let next: Result<_> = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok(tx.policies().next_run_at().await?) }))
            .await;
        let next = next.ok().flatten().map(|next| next.since(self.now()));
        next.unwrap_or(LOOK_AT_LEAST_EVERY).clamp(LOOK_AT_MOST_EVERY, LOOK_AT_LEAST_EVERY)
    }
}
