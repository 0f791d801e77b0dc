//! Policies whose time has come.

use std::time::Duration;

use strongroom_catalog::Transaction;
use strongroom_model::id::{PolicyId, RunId};
use strongroom_model::policy::{Policy, Trigger};
use strongroom_model::task::TaskFault;
use strongroom_model::time::Timestamp;
use tracing::{error, warn};

use super::schedule::{firings_after, next_after};
use super::start::{Begun, Run};
use super::vault_run::{Attempt, RefusedVaults};
use crate::Service;
use crate::error::{Error, Result};
use crate::jobs::chain;

/// How far back each missed run is recorded: as long as tasks are kept.
const RECORDED_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// How far a clock may be set back before next runs are reckoned anew.
const PASSED_OVER: Duration = Duration::from_secs(3600);

/// How far back missed runs are counted. No interval is longer than 255 days.
const COUNTED_FOR: Duration = Duration::from_secs(800 * 24 * 3600);

/// Firings that nothing makes up for.
#[derive(Debug)]
struct Missed {
    /// Those of the last 30 days, in order.
    recent: Vec<Timestamp>,
    /// How many lie before those.
    earlier: usize,
}

impl Missed {
    fn of(firings: Vec<Timestamp>, now: Timestamp) -> Self {
        let is_recent = |at: &Timestamp| *at >= before(now, RECORDED_FOR);
        let (mut recent, mut earlier): (Vec<_>, Vec<_>) = firings.into_iter().partition(is_recent);
        if recent.is_empty() {
            // None is passed over in silence: the latest stands for all.
            recent.extend(earlier.pop());
        }
        Self { recent, earlier: earlier.len() }
    }
}

/// The firings from `seen`, which is the next run that was noted, up to `now`.
fn firings_due(trigger: &Trigger, seen: Timestamp, now: Timestamp) -> Vec<Timestamp> {
    let begin = seen.max(before(now, COUNTED_FOR));
    let just_before = Timestamp::from_micros(begin.as_micros().saturating_sub(1));
    firings_after(trigger, just_before).take_while(|at| *at <= now).collect()
}

impl Service {
    /// Begins the run of every policy whose time has come and returns how many. One that was missed
    /// is made up for once; that no other node begins the same one is certain.
    ///
    /// # Errors
    /// The first of the failures, after every policy has been seen to.
    pub async fn run_due_policies(&self) -> Result<usize> {
        let now = self.now();
        let due = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.policies().list_due(now).await?) }))
            .await?;
        let (mut count, mut failure) = (0, None);
        for policy in &due {
            match self.run_due(policy).await {
                Ok(is_begun) => count += usize::from(is_begun),
                Err(error) => {
                    error!(policy = %policy.id, error = chain(&error), "cannot run a policy");
                    failure = failure.or(Some(error));
                }
            }
        }
        self.nudge();
        failure.map_or(Ok(count), Err)
    }

    /// Begins the run of one policy unless somebody was quicker; tells whether it did.
    async fn run_due(&self, seen: &Policy) -> Result<bool> {
        let Some(seen_at) = seen.next_run_at else { return Ok(false) };
        let mut refused = RefusedVaults::new();
        loop {
            let known = &refused;
            let begun = self
                .catalog()
                .transact(|tx| {
                    Box::pin(async move { self.begin_due(tx, (seen.id, seen_at), known).await })
                })
                .await;
            match begun {
                Ok(is_begun) => return Ok(is_begun),
                Err(halt) => halt.note(&mut refused)?,
            }
        }
    }

    async fn begin_due(
        &self,
        tx: &mut Transaction<'_>,
        (id, seen_at): (PolicyId, Timestamp),
        refused: &RefusedVaults,
    ) -> Attempt<bool> {
        let Some(policy) = tx.policies().find_any(id).await? else {
            return Ok(false);
        };
        let now = self.now();
        if now < seen_at {
            // The clock was set back meanwhile: what is to come is not begun.
            return Ok(false);
        }
        let next = next_after(&policy.trigger, now);
        if !tx.policies().set_next_run(policy.id, seen_at, next).await? {
            return Ok(false);
        }
        let mut due = firings_due(&policy.trigger, seen_at, now);
        let latest = due.pop().unwrap_or(seen_at);
        self.note_missed(tx, &policy, &Missed::of(due, now)).await?;
        self.start_run(tx, (&policy, latest), refused).await?;
        Ok(true)
    }

    /// Reckons the next run anew where it lies further ahead than the trigger says, as after the
    /// clock was ahead and put right; returns how many there were. An hour is passed over, so that a
    /// clock that is set back a little repeats nothing.
    pub async fn reckon_runs(&self) -> Result<usize> {
        let count = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let now = self.now();
                    let mut count = 0;
                    for policy in tx.policies().list_enabled().await? {
                        let Some(seen) = policy.next_run_at else { continue };
                        let latest = next_after(&policy.trigger, now.plus(PASSED_OVER));
                        if latest.is_some_and(|latest| seen > latest) {
                            let next = next_after(&policy.trigger, now);
                            let is_set = tx.policies().set_next_run(policy.id, seen, next).await?;
                            count += usize::from(is_set);
                        }
                    }
                    Ok::<_, Error>(count)
                })
            })
            .await?;
        if count > 0 {
            warn!(count, "policies were waiting for a time far ahead: was the clock set back?");
        }
        Ok(count)
    }

    /// Notes as missed what was due and will not be made up for, because the policy is changed.
    pub(super) async fn note_overdue(
        &self,
        tx: &mut Transaction<'_>,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<()> {
        match policy.next_run_at {
            Some(seen) if seen <= now => {
                let due = firings_due(&policy.trigger, seen, now);
                self.note_missed(tx, policy, &Missed::of(due, now)).await
            }
            _ => Ok(()),
        }
    }

    /// A skipped task for each disk and each firing that is recorded, and a skipped operation for
    /// each vault.
    async fn note_missed(
        &self,
        tx: &mut Transaction<'_>,
        policy: &Policy,
        missed: &Missed,
    ) -> Result<()> {
        if missed.recent.is_empty() && missed.earlier == 0 {
            return Ok(());
        }
        let (recent, earlier) = (missed.recent.len(), missed.earlier);
        warn!(policy = %policy.id, recent, earlier, "runs of a policy were missed");
        let message = |n| missed_message(if n == 0 { earlier } else { 0 });
        let messages: Vec<_> = (0..recent).map(message).collect();
        self.log_missed_on_vaults(tx, policy, &messages).await?;
        let volumes = tx.policies().volumes(policy.id).await?;
        let mut tasks = Vec::new();
        for (due_at, message) in missed.recent.iter().zip(&messages) {
            let run = Run { policy, id: RunId::random(self.chance()), due_at: *due_at };
            tasks.extend(volumes.iter().map(|volume| {
                let begun = Begun::Skipped(TaskFault::Missed, message.clone());
                self.task(&run, *volume, self.backup_name(), begun)
            }));
        }
        Ok(tx.tasks().insert_all(&tasks).await?)
    }
}

fn missed_message(earlier: usize) -> String {
    let mut text = "the run was not begun at its time".to_owned();
    if earlier > 0 {
        text.push_str(&format!(", nor were {earlier} more before the last 30 days"));
    }
    text
}

fn before(now: Timestamp, duration: Duration) -> Timestamp {
    let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_sub(micros))
}

#[cfg(test)]
mod tests {
    use strongroom_model::policy::{Days, Rule, TimeOfDay};
    use strongroom_model::zone::Zone;

    use super::*;

    #[test]
    fn what_is_overdue_is_split_at_thirty_days() {
        let rule = Rule {
            times: vec![TimeOfDay { hour: 0, minute: 0 }],
            days: Days::OfMonth { every: 1 },
        };
        let trigger = Trigger { zone: Zone::utc(), rules: vec![rule] };
        let at = |text| Timestamp::parse(text).unwrap();
        let overdue = |from, to| Missed::of(firings_due(&trigger, at(from), at(to)), at(to));
        let one = overdue("2024-05-01T00:00:00Z", "2024-05-01T00:00:00Z");
        assert_eq!((one.recent.len(), one.earlier), (1, 0));
        let many = overdue("2024-03-01T00:00:00Z", "2024-05-01T12:00:00Z");
        // 30 days back from noon begins with the second of April.
        assert_eq!((many.recent.len(), many.earlier), (30, 32));
        assert_eq!(many.recent.last(), Some(&at("2024-05-01T00:00:00Z")));
        // Every thirty days, and all of it long ago: one is recorded all the same.
        let rare = Rule { days: Days::OfMonth { every: 30 }, ..trigger.rules[0].clone() };
        let rare = Trigger { rules: vec![rare], ..trigger.clone() };
        let firings = firings_due(&rare, at("2024-01-31T00:00:00Z"), at("2024-02-15T00:00:00Z"));
        let long_ago = Missed::of(firings, at("2024-03-25T00:00:00Z"));
        assert_eq!((long_ago.recent.len(), long_ago.earlier), (1, 1));
        let ages = overdue("1990-03-01T00:00:00Z", "2024-05-01T12:00:00Z");
        assert_eq!((ages.recent.len(), ages.earlier), (30, 770));
    }
}
