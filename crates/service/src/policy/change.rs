//! What a policy may say, whichever dialect it is said in, and how a change is put on it.

use std::time::Duration;

use jiff::civil::Date;
use strongroom_model::policy::{Days, LongerKept, Picks, Policy, Retention, Rule, Trigger};
use strongroom_model::time::Timestamp;

use super::PolicyChange;
use super::definition::write;
use super::schedule::firings_after;
use crate::error::{Error, Result};

/// Times of day of one rule at most.
const TIMES_MAX: usize = 24;

/// The least time between two runs of one policy, so that there are at most 24 in a day.
const APART_MIN: Duration = Duration::from_secs(3600);

/// How many days show whether runs come too close. Two intervals of at most 30 days that have one
/// day in common have every distance within as many days as both together make.
const SHOWN_DAYS: u64 = 900;

/// As many are enough where there are no intervals.
const SHOWN_DAYS_PLAIN: u64 = 62;

/// Refuses a trigger that never fires, or too often.
pub(super) fn check_trigger(trigger: &Trigger) -> Result<()> {
    if trigger.rules.is_empty() {
        return Err(invalid("trigger", "a policy needs at least one rule"));
    }
    trigger.rules.iter().try_for_each(check_rule)?;
    if comes_too_close(trigger) {
        return Err(invalid("trigger", "at least an hour lies between two runs of a policy"));
    }
    Ok(())
}

fn comes_too_close(trigger: &Trigger) -> bool {
    let intervals = trigger.rules.iter().filter_map(|rule| match &rule.days {
        Days::Interval { from, .. } => Some(*from),
        Days::OfMonth { .. } | Days::Weekdays(_) => None,
    });
    let since = intervals.max();
    let days = if since.is_some() { SHOWN_DAYS } else { SHOWN_DAYS_PLAIN };
    let begin = since.map_or(Timestamp::from_micros(0), midnight);
    let end = begin.plus(Duration::from_secs(days * 24 * 3600));
    let mut before = None;
    firings_after(trigger, begin).take_while(|at| *at <= end).any(|at| {
        let earlier = before.replace(at);
        earlier.is_some_and(|earlier: Timestamp| at.since(earlier) < APART_MIN)
    })
}

/// Just before a date begins anywhere.
fn midnight(date: Date) -> Timestamp {
    let days = date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24;
    Timestamp::from_micros((days - 1).saturating_mul(24 * 3600 * 1_000_000) - 1)
}

fn check_rule(rule: &Rule) -> Result<()> {
    if rule.times.len() > TIMES_MAX {
        return Err(invalid("times", "a rule has 24 times of day at most"));
    }
    if rule.times.is_empty() {
        return Err(invalid("times", "a rule needs at least one time of day"));
    }
    if rule.times.iter().any(|time| time.hour > 23 || time.minute > 59) {
        return Err(invalid("times", "a time of day lies between 00:00 and 23:59"));
    }
    match &rule.days {
        Days::OfMonth { every: 0 } | Days::Interval { every: 0, .. } => {
            Err(invalid("days", "days lie at least one day apart"))
        }
        Days::Weekdays(days) if days.is_empty() => {
            Err(invalid("days", "a rule needs at least one day of the week"))
        }
        _ => Ok(()),
    }
}

/// Refuses a retention that would keep nothing.
pub(super) fn check_retention(retention: &Retention) -> Result<()> {
    match (retention.count, retention.days) {
        (Some(0), _) => Err(invalid("count", "at least one backup is kept")),
        (_, Some(0)) => Err(invalid("days", "backups are kept for at least one day")),
        _ => Ok(()),
    }
}

impl PolicyChange {
    /// Puts the change on a policy and checks what comes of it; tells whether it runs at other
    /// times from now on.
    pub(super) fn apply(&self, policy: &mut Policy, now: Timestamp) -> Result<bool> {
        let before = policy.clone();
        if let Some(name) = &self.name {
            policy.name.clone_from(name);
        }
        policy.is_enabled = self.is_enabled.unwrap_or(policy.is_enabled);
        self.apply_trigger(&mut policy.trigger)?;
        self.apply_retention(&mut policy.retention);
        check_trigger(&policy.trigger)?;
        check_retention(&policy.retention)?;
        if before.trigger != policy.trigger {
            policy.terms.patterns = None;
            policy.terms.trigger_set_at = now;
        }
        if before.retention != policy.retention {
            let said = policy.terms.definition.as_ref();
            policy.terms.definition = said.map(|said| write(&policy.retention, Some(said)));
        }
        Ok((before.is_enabled, before.trigger) != (policy.is_enabled, policy.trigger.clone()))
    }

    fn apply_trigger(&self, trigger: &mut Trigger) -> Result<()> {
        if let Some(new) = &self.trigger {
            trigger.clone_from(new);
        }
        if let Some(zone) = &self.zone {
            trigger.zone.clone_from(zone);
        }
        if self.times.is_none() && self.days.is_none() {
            return Ok(());
        }
        let [rule] = trigger.rules.as_mut_slice() else {
            return Err(invalid("trigger", "only a trigger of one rule can be changed in part"));
        };
        if let Some(times) = &self.times {
            rule.times.clone_from(times);
        }
        if let Some(days) = &self.days {
            rule.days.clone_from(days);
        }
        Ok(())
    }

    fn apply_retention(&self, retention: &mut Retention) {
        if let Some(new) = &self.retention {
            retention.clone_from(new);
        }
        if let Some(zone) = &self.zone {
            retention.zone.clone_from(zone);
        }
        if let Some((count, days)) = self.limit {
            (retention.count, retention.days) = (count, days);
            if days.is_some() {
                // The date would remove what they keep.
                retention.picks = Picks::default();
            } else {
                retention.longer = LongerKept::default();
            }
        }
        if let Some(keeps) = self.keeps_first_of_month {
            retention.keeps_first_of_month = keeps;
        }
    }
}

fn invalid(field: &'static str, message: &str) -> Error {
    Error::Invalid { field, message: message.to_owned() }
}
