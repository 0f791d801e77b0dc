//! A calendar of integers: dates, offsets of some zones, and policies interpreted over them.
//!
//! Nothing here calls what it is compared with.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_model::policy::{Days, Rule, TimeOfDay, Trigger, Weekday};
use strongroom_model::time::Timestamp;
use strongroom_model::zone::Zone;

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3600;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Chance that repeats itself: SplitMix64.
#[derive(Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end.unsigned_abs()).cast_signed()
    }

    pub(crate) fn small(&mut self, end: u8) -> u8 {
        self.below(i64::from(end)).try_into().unwrap()
    }

    pub(crate) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len().try_into().unwrap())).unwrap()]
    }

    /// True once in `n`.
    pub(crate) fn once_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }
}

/// A date of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ymd(pub(crate) i64, pub(crate) i64, pub(crate) i64);

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date from then on, counted year by year and month by month.
pub(crate) fn day_number(date: Ymd) -> i64 {
    let years: i64 = (1970..date.0).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let months: i64 = (1..date.1).map(|month| days_of_month(date.0, month)).sum();
    years + months + date.2 - 1
}

/// The inverse of [`day_number`].
pub(crate) fn date_of(mut number: i64) -> Ymd {
    let mut year = 1970;
    while number >= if is_leap(year) { 366 } else { 365 } {
        number -= if is_leap(year) { 366 } else { 365 };
        year += 1;
    }
    let mut month = 1;
    while number >= days_of_month(year, month) {
        number -= days_of_month(year, month);
        month += 1;
    }
    Ymd(year, month, number + 1)
}

/// 0 is Sunday; 1970-01-01 was a Thursday.
pub(crate) fn weekday(day: i64) -> i64 {
    (day + 4) % 7
}

/// The `n`th Sunday of a month, from 1; with 5, the last.
fn sunday(year: i64, month: i64, n: i64) -> i64 {
    let first = day_number(Ymd(year, month, 1));
    let sunday = first + (7 - weekday(first)) % 7 + 7 * (n - 1);
    let last = first + days_of_month(year, month) - 1;
    if sunday > last { sunday - 7 } else { sunday }
}

/// Zones whose offsets [`offset`] knows, since 2008.
pub(crate) const ZONES: [&str; 9] = [
    "UTC+00:00",
    "UTC+08:00",
    "UTC-11:30",
    "UTC+14:00",
    "Asia/Kathmandu",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
];

/// Seconds by which a zone's clocks are ahead of UTC at an instant, in seconds since 1970.
/// Sao Paulo is known from 2020 on, when it kept one offset.
pub(crate) fn offset(zone: &str, at: i64) -> i64 {
    let year = date_of(at.div_euclid(DAY)).0;
    let within = |begin: i64, end: i64| at >= begin && at < end;
    match zone {
        "UTC+00:00" => 0,
        "UTC+08:00" => 8 * HOUR,
        "UTC-11:30" => -11 * HOUR - 30 * MINUTE,
        "UTC+14:00" => 14 * HOUR,
        "Asia/Kathmandu" => 5 * HOUR + 45 * MINUTE,
        "America/Sao_Paulo" => -3 * HOUR,
        "Europe/Berlin" => {
            let begin = sunday(year, 3, 5) * DAY + HOUR;
            let end = sunday(year, 10, 5) * DAY + HOUR;
            if within(begin, end) { 2 * HOUR } else { HOUR }
        }
        "America/New_York" => {
            let begin = sunday(year, 3, 2) * DAY + 7 * HOUR;
            let end = sunday(year, 11, 1) * DAY + 6 * HOUR;
            if within(begin, end) { -4 * HOUR } else { -5 * HOUR }
        }
        "Australia/Lord_Howe" => {
            let end = sunday(year, 4, 1) * DAY - 9 * HOUR;
            let begin = sunday(year, 10, 1) * DAY + 2 * HOUR - 10 * HOUR - 30 * MINUTE;
            if within(end, begin) { 10 * HOUR + 30 * MINUTE } else { 11 * HOUR }
        }
        other => panic!("no offsets for {other}"),
    }
}

/// The number of the local day that an instant falls on.
pub(crate) fn local_day(zone: &str, at: i64) -> i64 {
    (at + offset(zone, at)).div_euclid(DAY)
}

/// Whether a trigger fires at an instant in whole seconds.
pub(crate) fn fires(trigger: &Trigger, at: i64) -> bool {
    let day = local_day(trigger.zone.name(), at);
    trigger.rules.iter().any(|rule| {
        let seconds = |time: &TimeOfDay| i64::from(time.hour) * HOUR + i64::from(time.minute) * 60;
        rule.times.iter().any(|time| seconds(time) == at.rem_euclid(DAY)) && is_on(rule, day)
    })
}

fn is_on(rule: &Rule, day: i64) -> bool {
    match &rule.days {
        Days::OfMonth { every } => {
            let mut listed = 1;
            while listed < date_of(day).2 {
                listed += i64::from(*every);
            }
            listed == date_of(day).2
        }
        Days::Weekdays(days) => {
            let name = match weekday(day) {
                0 => Weekday::Sunday,
                1 => Weekday::Monday,
                2 => Weekday::Tuesday,
                3 => Weekday::Wednesday,
                4 => Weekday::Thursday,
                5 => Weekday::Friday,
                _ => Weekday::Saturday,
            };
            days.contains(&name)
        }
        Days::Interval { every, from } => {
            let from = Ymd(from.year().into(), from.month().into(), from.day().into());
            let mut on = day_number(from);
            while on < day {
                on += i64::from(*every);
            }
            on == day
        }
    }
}

/// A trigger of some rules; times are on whole hours unless `minutes`.
pub(crate) fn some_trigger(dice: &mut Dice, near: i64, minutes: bool) -> Trigger {
    let rules = (0..=dice.below(3)).map(|_| some_rule(dice, near, minutes)).collect();
    Trigger { zone: Zone::parse(dice.one_of(&ZONES)).unwrap(), rules }
}

fn some_rule(dice: &mut Dice, near: i64, minutes: bool) -> Rule {
    let minute = |dice: &mut Dice| if minutes { dice.small(60) } else { 0 };
    let times = (0..=dice.below(4))
        .map(|_| TimeOfDay { hour: dice.small(24), minute: minute(dice) })
        .collect();
    let days = match dice.below(3) {
        0 => Days::OfMonth { every: 1 + dice.small(31) },
        1 => {
            let days = Weekday::ALL.into_iter().filter(|_| dice.once_in(3));
            let days: BTreeSet<_> = days.chain([Weekday::Friday]).collect();
            Days::Weekdays(days.into_iter().collect())
        }
        _ => {
            let day = date_of(near.div_euclid(DAY) + dice.below(80) - 60);
            let narrow = |n: i64| i8::try_from(n).unwrap();
            let from = jiff::civil::date(day.0.try_into().unwrap(), narrow(day.1), narrow(day.2));
            Days::Interval { every: 1 + dice.small(30), from }
        }
    };
    Rule { times, days }
}

pub(crate) fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// The names of the periods that an instant falls in: its day, week, month and year.
pub(crate) fn periods(zone: &str, at: i64) -> [i64; 4] {
    let day = local_day(zone, at);
    let Ymd(year, month, _) = date_of(day);
    // The Monday that a week begins with; 1970-01-05 was one.
    let week = (day - 4).div_euclid(7);
    [day, week, year * 12 + month, year]
}

/// How many of each kind of thing, for showing that a test met them.
pub(crate) type Tally = BTreeMap<&'static str, usize>;
