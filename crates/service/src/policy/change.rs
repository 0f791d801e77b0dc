//! What a policy may say, whichever dialect it is said in, and how a change is put on it.

use std::collections::BTreeSet;

use strongroom_model::policy::{Days, Policy, Retention, Rule, Trigger};

use super::PolicyChange;
use crate::error::{Error, Result};

/// Runs of one policy in a day at most.
const RUNS_PER_DAY_MAX: usize = 24;

/// Refuses a trigger that never fires, or too often.
pub(super) fn check_trigger(trigger: &Trigger) -> Result<()> {
    if trigger.rules.is_empty() {
        return Err(invalid("trigger", "a policy needs at least one rule"));
    }
    trigger.rules.iter().try_for_each(check_rule)?;
    let times: BTreeSet<_> = trigger.rules.iter().flat_map(|rule| &rule.times).collect();
    if times.len() > RUNS_PER_DAY_MAX {
        return Err(invalid("trigger", "a policy runs at 24 times of day at most"));
    }
    Ok(())
}

fn check_rule(rule: &Rule) -> Result<()> {
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
    pub(super) fn apply(&self, policy: &mut Policy) -> Result<bool> {
        let before = (policy.is_enabled, policy.trigger.clone());
        if let Some(name) = &self.name {
            policy.name.clone_from(name);
        }
        policy.is_enabled = self.is_enabled.unwrap_or(policy.is_enabled);
        self.apply_trigger(&mut policy.trigger)?;
        self.apply_retention(&mut policy.retention);
        check_trigger(&policy.trigger)?;
        check_retention(&policy.retention)?;
        Ok(before != (policy.is_enabled, policy.trigger.clone()))
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
        }
        if let Some(keeps) = self.keeps_first_of_month {
            retention.keeps_first_of_month = keeps;
        }
    }
}

fn invalid(field: &'static str, message: &str) -> Error {
    Error::Invalid { field, message: message.to_owned() }
}
