//! When a policy runs: instants from rules, no more.
//!
//! A rule's times of day are UTC, so that a run is at the same instant all year round. Which day
//! that instant belongs to is looked up in the trigger's zone. Where the zone changes its offset,
//! one local day may therefore have no such instant, or two.

use jiff::civil::Date;
use strongroom_model::policy::{Days, Rule, Trigger, Weekday};
use strongroom_model::time::Timestamp;

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// How many days without a firing are searched before a trigger is taken for one that never fires.
/// The longest interval is 255 days, of which a change of offset may swallow one.
const BARREN_DAYS: i64 = 4 * 255;

/// The first instant after `t` at which some rule fires; none if no rule ever does.
pub fn next_after(trigger: &Trigger, t: Timestamp) -> Option<Timestamp> {
    firings_after(trigger, t).next()
}

/// The instants after `from` and up to `to` at which rules fire, in order, at most `limit`.
pub fn firings_between(
    trigger: &Trigger,
    from: Timestamp,
    to: Timestamp,
    limit: usize,
) -> Vec<Timestamp> {
    firings_after(trigger, from).take_while(|at| *at <= to).take(limit).collect()
}

/// Every instant after `t` at which some rule fires, in order. It ends where the calendar does; it
/// is empty if no rule ever fires.
pub fn firings_after(trigger: &Trigger, t: Timestamp) -> impl Iterator<Item = Timestamp> {
    let today = t.as_micros().div_euclid(DAY);
    let begin = trigger.rules.iter().filter_map(first_day).min();
    let first = begin.map_or(i64::MAX, |begin| begin.max(today));
    let mut barren = 0;
    (first..i64::MAX)
        .map(move |day| {
            let firings = firings_on(trigger, day);
            barren = if firings.is_empty() { barren + 1 } else { 0 };
            (barren, firings)
        })
        .take_while(|(barren, _)| *barren < BARREN_DAYS)
        .flat_map(|(_, firings)| firings)
        .skip_while(move |at| *at <= t)
}

/// A day of UTC before which a rule does not fire; none if it never does.
fn first_day(rule: &Rule) -> Option<i64> {
    match &rule.days {
        _ if rule.times.is_empty() => None,
        Days::Weekdays(days) if days.is_empty() => None,
        Days::Interval { from, .. } => {
            // A zone is less than a day ahead.
            Some(days_between(Date::constant(1970, 1, 1), *from) - 1)
        }
        Days::OfMonth { .. } | Days::Weekdays(_) => Some(i64::MIN),
    }
}

/// The firings within one day of UTC, which is counted from the epoch.
fn firings_on(trigger: &Trigger, day: i64) -> Vec<Timestamp> {
    let mut firings: Vec<_> = trigger
        .rules
        .iter()
        .flat_map(|rule| {
            rule.times.iter().filter_map(move |time| {
                let minutes = i64::from(time.hour) * 60 + i64::from(time.minute);
                let at = day.checked_mul(DAY)?.checked_add(minutes * MINUTE)?;
                let at = Timestamp::from_micros(at);
                rule_has_day(rule, trigger.zone.date(at)).then_some(at)
            })
        })
        .collect();
    firings.sort_unstable();
    firings.dedup();
    firings
}

fn rule_has_day(rule: &Rule, date: Date) -> bool {
    match &rule.days {
        Days::OfMonth { every } => (date.day().unsigned_abs() - 1).is_multiple_of((*every).max(1)),
        Days::Weekdays(days) => days.contains(&Weekday::of(date)),
        Days::Interval { every, from } => {
            let days = days_between(*from, date);
            days >= 0 && days % i64::from((*every).max(1)) == 0
        }
    }
}

fn days_between(earlier: Date, later: Date) -> i64 {
    later.duration_since(earlier).as_hours() / 24
}
