//! Patterns of recurrence: the part of iCalendar's rules (RFC 2445) that a policy understands.
//!
//! Read are rules by the day or by the week, with lists of hours and minutes in UTC. Written are
//! those too, and rules by the month for days that the volume door counts from the first of the
//! month, which nobody can say here but everybody can read.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::civil::Date;
use strongroom_model::policy::{Days, Rule, TimeOfDay, Trigger, Weekday};
use strongroom_model::time::Timestamp;
use strongroom_model::zone::Zone;

use crate::error::{Error, Result};

/// The most patterns of one policy.
const PATTERNS_MAX: usize = 24;

/// The most characters of one pattern.
const LENGTH_MAX: usize = 1024;

/// The days between two runs.
const INTERVALS: RangeInclusive<u8> = 1..=30;

const DAY_MINUTES: i64 = 24 * 60;

/// Each day of the week by its name in a pattern, Monday first.
pub(super) const DAY_NAMES: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];

/// Reads patterns. Intervals of days are counted from `start`, which is one of them.
///
/// # Errors
/// [`Error::Invalid`] with what is wrong with which pattern.
pub fn read(patterns: &[String], start: Date) -> Result<Vec<Rule>> {
    if patterns.is_empty() || patterns.len() > PATTERNS_MAX {
        return Err(invalid(format!("a policy has 1 to {PATTERNS_MAX} patterns")));
    }
    let rule = |text: &String| {
        read_one(text, start).map_err(|why| invalid(format!("'{}': {why}", shortened(text))))
    };
    patterns.iter().map(rule).collect()
}

fn invalid(message: String) -> Error {
    Error::Invalid { field: "pattern", message }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

fn read_one(text: &str, start: Date) -> std::result::Result<Rule, &'static str> {
    let mut parts = split(text)?;
    let mut take = |key: &str| parts.remove(key);
    let frequency = take("FREQ").ok_or("FREQ is missing")?;
    let (interval, weekdays) = (take("INTERVAL"), take("BYDAY"));
    let hours = take("BYHOUR").ok_or("BYHOUR is missing")?;
    let minutes = take("BYMINUTE").ok_or("BYMINUTE is missing")?;
    let wrong = "INTERVAL must be a whole number from 1 to 30";
    let interval = interval.map(|text| number(&text, INTERVALS).ok_or(wrong)).transpose()?;
    let days = match (frequency.as_str(), weekdays) {
        ("WEEKLY", Some(_)) if interval.is_some_and(|weeks| weeks > 1) => {
            return Err("INTERVAL goes with FREQ=DAILY only");
        }
        ("WEEKLY", Some(days)) => Days::Weekdays(read_weekdays(&days)?),
        ("WEEKLY", None) => return Err("FREQ=WEEKLY needs BYDAY"),
        ("DAILY", None) => Days::Interval { every: interval.unwrap_or(1), from: start },
        ("DAILY", Some(_)) => return Err("BYDAY goes with FREQ=WEEKLY only"),
        _ => return Err("FREQ must be DAILY or WEEKLY"),
    };
    if !parts.is_empty() {
        return Err("only FREQ, INTERVAL, BYDAY, BYHOUR and BYMINUTE are understood");
    }
    let hours = numbers(&hours, 0..=23).ok_or("BYHOUR must list hours from 0 to 23")?;
    let minutes = numbers(&minutes, 0..=59).ok_or("BYMINUTE must list minutes from 0 to 59")?;
    let times = hours
        .iter()
        .flat_map(|hour| minutes.iter().map(|minute| TimeOfDay { hour: *hour, minute: *minute }));
    Ok(Rule { times: times.collect(), days })
}

/// Keys and values in capitals. Spaces do not matter, nor does a semicolon at the end.
fn split(text: &str) -> std::result::Result<BTreeMap<String, String>, &'static str> {
    if text.len() > LENGTH_MAX {
        return Err("the pattern is too long");
    }
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let plain = plain.to_ascii_uppercase();
    let mut parts = BTreeMap::new();
    for part in plain.strip_suffix(';').unwrap_or(&plain).split(';') {
        let (key, value) = part.split_once('=').ok_or("it must be KEY=VALUE;KEY=VALUE…")?;
        if parts.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err("a key stands twice");
        }
    }
    Ok(parts)
}

fn read_weekdays(text: &str) -> std::result::Result<Vec<Weekday>, &'static str> {
    let day = |name: &str| weekday(name).ok_or("BYDAY must list days as in MO,TU");
    let mut days = text.split(',').map(day).collect::<std::result::Result<Vec<_>, _>>()?;
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

/// The day of the week of that name.
pub(super) fn weekday(name: &str) -> Option<Weekday> {
    DAY_NAMES.iter().find(|(known, _)| *known == name).map(|(_, day)| *day)
}

fn numbers(text: &str, range: RangeInclusive<u8>) -> Option<Vec<u8>> {
    let all: Option<Vec<_>> = text.split(',').map(|one| number(one, range.clone())).collect();
    let mut all = all?;
    all.sort_unstable();
    all.dedup();
    Some(all)
}

/// One or two digits.
fn number(text: &str, range: RangeInclusive<u8>) -> Option<u8> {
    let is_plain = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok().filter(|number| range.contains(number)) } else { None }
}

/// Patterns that fire when a trigger does. In a zone that changes its offset they hold for the
/// offset that it has at `now`; and so do days that are counted from the first of the month in a
/// zone behind UTC, but for those that fall into the next month there.
pub fn write(trigger: &Trigger, now: Timestamp) -> Vec<String> {
    let offset = offset_minutes(&trigger.zone, now);
    trigger.rules.iter().flat_map(|rule| write_rule(rule, offset)).collect()
}

/// By how many minutes clocks in the zone are ahead of UTC.
fn offset_minutes(zone: &Zone, now: Timestamp) -> i64 {
    let (utc, day) = (Zone::utc(), |zone: &Zone| zone.date(now));
    let minute = |zone: &Zone| {
        let (hour, minute) = zone.hour_minute(now);
        i64::from(hour) * 60 + i64::from(minute)
    };
    let days = day(zone).duration_since(day(&utc)).as_hours() / 24;
    days * DAY_MINUTES + minute(zone) - minute(&utc)
}

/// One pattern for all times of the same minute that lie on the same day of UTC.
fn write_rule(rule: &Rule, offset: i64) -> Vec<String> {
    let mut groups: BTreeMap<(i64, u8), Vec<u8>> = BTreeMap::new();
    for time in &rule.times {
        let minutes = i64::from(time.hour) * 60 + i64::from(time.minute);
        // By how many days the local date is ahead of the date of UTC.
        let ahead = (minutes + offset).div_euclid(DAY_MINUTES);
        groups.entry((ahead, time.minute)).or_default().push(time.hour);
    }
    let pattern = |((ahead, minute), mut hours): ((i64, u8), Vec<u8>)| {
        hours.sort_unstable();
        hours.dedup();
        let days = write_days(&rule.days, ahead);
        format!(
            "{days};BYHOUR={};BYMINUTE={minute:02}",
            listed(&hours, |hour| format!("{hour:02}"))
        )
    };
    groups.into_iter().map(pattern).collect()
}

fn write_days(days: &Days, ahead: i64) -> String {
    match days {
        Days::OfMonth { every: 1 } => "FREQ=DAILY;INTERVAL=1".to_owned(),
        Days::Interval { every, .. } => format!("FREQ=DAILY;INTERVAL={every}"),
        Days::Weekdays(days) => {
            let in_utc: Vec<_> = days.iter().map(|day| earlier(*day, ahead)).collect();
            let names = DAY_NAMES.iter().filter(|(_, day)| in_utc.contains(day));
            let names: Vec<_> = names.map(|(name, _)| *name).collect();
            format!("FREQ=WEEKLY;BYDAY={}", names.join(","))
        }
        Days::OfMonth { every } => {
            let local = (1..=31_i64).step_by(usize::from((*every).max(1)));
            // What comes before the first is the last day of the month before.
            let in_utc = local.map(|day| if day == ahead { -1 } else { day - ahead });
            let in_utc: Vec<_> = in_utc.filter(|day| *day <= 31).collect();
            format!("FREQ=MONTHLY;BYMONTHDAY={}", listed(&in_utc, i64::to_string))
        }
    }
}

fn earlier(day: Weekday, days: i64) -> Weekday {
    let place = Weekday::ALL.iter().position(|one| *one == day).unwrap_or(0);
    let place = (i64::try_from(place).unwrap_or(0) - days).rem_euclid(7);
    Weekday::ALL[usize::try_from(place).unwrap_or(0)]
}

fn listed<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Date {
        Date::constant(2026, 1, 15)
    }

    fn one(pattern: &str) -> Result<Rule> {
        read(&[pattern.to_owned()], start()).map(|mut rules| rules.remove(0))
    }

    fn times(times: &[(u8, u8)]) -> Vec<TimeOfDay> {
        times.iter().map(|(hour, minute)| TimeOfDay { hour: *hour, minute: *minute }).collect()
    }

    #[test]
    fn what_clients_write_is_understood() {
        let all = Days::Weekdays(Weekday::ALL.to_vec());
        let every = |every| Days::Interval { every, from: start() };
        let friday = Days::Weekdays(vec![Weekday::Monday, Weekday::Friday]);
        for (pattern, days, at) in [
            ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=14;BYMINUTE=00", all, vec![(14, 0)]),
            ("FREQ=DAILY;INTERVAL=2;BYHOUR=05;BYMINUTE=00", every(2), vec![(5, 0)]),
            ("FREQ=DAILY;BYHOUR=0;BYMINUTE=7", every(1), vec![(0, 7)]),
            ("byminute=00; byhour = 22 ;byday= fr, mo,FR;freq=weekly;", friday, vec![(22, 0)]),
            (
                "INTERVAL=30;BYMINUTE=30,05;BYHOUR=1,23,1;FREQ=DAILY",
                every(30),
                vec![(1, 5), (1, 30), (23, 5), (23, 30)],
            ),
        ] {
            let rule = one(pattern).unwrap();
            assert_eq!((rule.days, rule.times), (days, times(&at)), "{pattern}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        for (pattern, reason) in [
            ("", "KEY=VALUE"),
            ("nonsense", "KEY=VALUE"),
            (";;", "KEY=VALUE"),
            ("FREQ=DAILY;BYMINUTE=00", "BYHOUR is missing"),
            ("FREQ=DAILY;BYHOUR=00", "BYMINUTE is missing"),
            ("BYHOUR=00;BYMINUTE=00", "FREQ is missing"),
            ("FREQ=WEEKLY;BYHOUR=00;BYMINUTE=00", "needs BYDAY"),
            ("FREQ=WEEKLY;BYDAY=;BYHOUR=00;BYMINUTE=00", "BYDAY must"),
            ("FREQ=WEEKLY;BYDAY=1MO;BYHOUR=00;BYMINUTE=00", "BYDAY must"),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=00;BYMINUTE=00", "DAILY only"),
            ("FREQ=DAILY;BYDAY=MO;BYHOUR=00;BYMINUTE=00", "WEEKLY only"),
            ("FREQ=HOURLY;BYHOUR=00;BYMINUTE=00", "FREQ must be"),
            ("FREQ=MONTHLY;BYMONTHDAY=1;BYHOUR=00;BYMINUTE=00", "FREQ must be"),
            ("FREQ=DAILY;INTERVAL=0;BYHOUR=00;BYMINUTE=00", "INTERVAL must"),
            ("FREQ=DAILY;INTERVAL=31;BYHOUR=00;BYMINUTE=00", "INTERVAL must"),
            ("FREQ=DAILY;BYHOUR=24;BYMINUTE=00", "BYHOUR must"),
            ("FREQ=DAILY;BYHOUR=-1;BYMINUTE=00", "BYHOUR must"),
            ("FREQ=DAILY;BYHOUR=001;BYMINUTE=00", "BYHOUR must"),
            ("FREQ=DAILY;BYHOUR=00;BYMINUTE=60", "BYMINUTE must"),
            ("FREQ=DAILY;BYHOUR=00;BYMINUTE=", "BYMINUTE must"),
            ("FREQ=DAILY;BYHOUR=00;BYMINUTE=00;COUNT=3", "only FREQ"),
            ("FREQ=DAILY;FREQ=DAILY;BYHOUR=00;BYMINUTE=00", "twice"),
        ] {
            let Error::Invalid { field: "pattern", message } = one(pattern).unwrap_err() else {
                panic!("{pattern}");
            };
            assert!(message.contains(reason), "{pattern}: {message}");
        }
        let good = "FREQ=DAILY;BYHOUR=00;BYMINUTE=00".to_owned();
        assert!(read(&vec![good.clone(); 24], start()).is_ok());
        assert!(read(&vec![good; 25], start()).is_err());
        assert!(read(&[], start()).is_err());
        assert!(one(&"x".repeat(2000)).is_err());
    }

    #[test]
    fn what_the_volume_door_says_is_written_in_utc() {
        let now = Timestamp::parse("2026-01-15T08:00:00Z").unwrap();
        let written = |zone: &str, at: &[(u8, u8)], days: Days| {
            let rules = vec![Rule { times: times(at), days }];
            write(&Trigger { zone: Zone::parse(zone).unwrap(), rules }, now)
        };
        let monday = || Days::Weekdays(vec![Weekday::Monday, Weekday::Sunday]);
        assert_eq!(
            written("UTC+08:00", &[(1, 0), (20, 0), (17, 0)], monday()),
            [
                "FREQ=WEEKLY;BYDAY=MO,SU;BYHOUR=01;BYMINUTE=00",
                "FREQ=WEEKLY;BYDAY=SA,SU;BYHOUR=17,20;BYMINUTE=00"
            ]
        );
        let third = Days::OfMonth { every: 10 };
        assert_eq!(
            written("UTC+08:00", &[(20, 0)], third.clone()),
            ["FREQ=MONTHLY;BYMONTHDAY=-1,10,20,30;BYHOUR=20;BYMINUTE=00"]
        );
        assert_eq!(
            written("UTC-08:00", &[(3, 0)], third),
            ["FREQ=MONTHLY;BYMONTHDAY=2,12,22;BYHOUR=03;BYMINUTE=00"]
        );
        let daily = Days::OfMonth { every: 1 };
        assert_eq!(
            written("UTC", &[(3, 0)], daily),
            ["FREQ=DAILY;INTERVAL=1;BYHOUR=03;BYMINUTE=00"]
        );
    }
}
