//! Firings against the model, and some by hand.

use strongroom_model::policy::{Days, Rule, TimeOfDay, Trigger, Weekday};
use strongroom_model::time::Timestamp;
use strongroom_model::zone::Zone;
use strongroom_service::policy::schedule::{firings_between, next_after};

use super::calendar::{
    DAY, Dice, HOUR, MINUTE, Ymd, ZONES, date_of, day_number, fires, instant, local_day,
    some_trigger,
};

/// Instants from which interesting things are near: changes of offset, leap days, ends of years.
const NEAR: [&str; 10] = [
    "2024-02-25T00:00:00Z",
    "2024-03-05T00:00:00Z",
    "2024-03-25T00:00:00Z",
    "2024-04-01T00:00:00Z",
    "2024-10-01T00:00:00Z",
    "2024-10-22T00:00:00Z",
    "2024-10-29T00:00:00Z",
    "2025-02-25T00:00:00Z",
    "2100-02-25T00:00:00Z",
    "2027-12-28T00:00:00Z",
];

fn seconds(text: &str) -> i64 {
    Timestamp::parse(text).unwrap().as_secs()
}

#[test]
fn the_model_knows_its_calendar() {
    assert_eq!(date_of(day_number(Ymd(2024, 2, 29))), Ymd(2024, 2, 29));
    assert_eq!(day_number(Ymd(2024, 3, 1)), 19_783);
    let mut dice = Dice(4);
    for _ in 0..5000 {
        let at = seconds("2020-01-01T00:00:00Z") + dice.below(12 * 365 * DAY);
        let zone = dice.one_of(&ZONES);
        let date = Zone::parse(zone).unwrap().date(instant(at));
        let Ymd(year, month, day) = date_of(local_day(zone, at));
        let own = format!("{year:04}-{month:02}-{day:02}");
        assert_eq!(date.to_string(), own, "{zone} at {at}");
    }
}

#[test]
fn firings_are_those_of_a_walk_over_every_hour() {
    let mut dice = Dice(1);
    let mut count = 0;
    for _ in 0..3000 {
        let from = seconds(dice.one_of(&NEAR)) + dice.below(4 * DAY);
        let to = from + 20 * DAY;
        let trigger = some_trigger(&mut dice, from, false);
        let walk = (from.div_euclid(HOUR) + 1..=to.div_euclid(HOUR)).map(|hour| hour * HOUR);
        let expected: Vec<_> = walk.filter(|at| fires(&trigger, *at)).map(instant).collect();
        let found = firings_between(&trigger, instant(from), instant(to), usize::MAX);
        assert_eq!(found, expected, "{trigger:?} from {from}");
        count += found.len();
    }
    assert!(count > 10_000, "{count}");
}

#[test]
fn the_next_firing_is_that_of_a_walk_over_every_minute() {
    let mut dice = Dice(2);
    for _ in 0..200 {
        let from = seconds(dice.one_of(&NEAR)) + dice.below(4 * DAY);
        let trigger = some_trigger(&mut dice, from, true);
        let next = next_after(&trigger, instant(from)).unwrap();
        let walk = (from.div_euclid(MINUTE) + 1..).map(|minute| minute * MINUTE);
        let minutes = |at: &i64| {
            // The cheap half of the question first.
            let of_day = at.rem_euclid(DAY) / MINUTE;
            let times = trigger.rules.iter().flat_map(|rule| &rule.times);
            times.into_iter().any(|t| i64::from(t.hour) * 60 + i64::from(t.minute) == of_day)
        };
        let expected = walk.filter(minutes).find(|at| fires(&trigger, *at)).unwrap();
        assert_eq!(next, instant(expected), "{trigger:?} from {from}");
        // Strictly after, to the microsecond.
        let before = Timestamp::from_micros(next.as_micros() - 1);
        assert_eq!(next_after(&trigger, before), Some(next));
        assert!(next_after(&trigger, next).unwrap() > next);
    }
}

fn at_hour(hour: u8) -> Vec<TimeOfDay> {
    vec![TimeOfDay { hour, minute: 0 }]
}

fn trigger(zone: &str, days: Days, hour: u8) -> Trigger {
    let rules = vec![Rule { times: at_hour(hour), days }];
    Trigger { zone: Zone::parse(zone).unwrap(), rules }
}

fn run_days(trigger: &Trigger, from: &str, to: &str) -> Vec<String> {
    let (from, to) = (Timestamp::parse(from).unwrap(), Timestamp::parse(to).unwrap());
    let firings = firings_between(trigger, from, to, 1000);
    firings.iter().map(|at| at.format_rfc3339()[5..13].to_owned()).collect()
}

#[test]
fn days_of_the_month_begin_anew_with_each_month() {
    let every = trigger("UTC", Days::OfMonth { every: 3 }, 5);
    // Made on the second: the first run is on the fourth.
    assert_eq!(
        next_after(&every, instant(seconds("2024-01-02T00:00:00Z"))),
        Timestamp::parse("2024-01-04T05:00:00Z")
    );
    let days = run_days(&every, "2024-01-28T00:00:00Z", "2024-02-05T00:00:00Z");
    assert_eq!(days, ["01-28T05", "01-31T05", "02-01T05", "02-04T05"]);
    let days = run_days(&every, "2024-02-25T06:00:00Z", "2024-03-02T00:00:00Z");
    assert_eq!(days, ["02-28T05", "03-01T05"]);
    let even = trigger("UTC", Days::OfMonth { every: 28 }, 5);
    let days = run_days(&even, "2024-02-02T00:00:00Z", "2024-03-30T00:00:00Z");
    assert_eq!(days, ["02-29T05", "03-01T05", "03-29T05"]);
    let days = run_days(&even, "2023-02-02T00:00:00Z", "2023-03-30T00:00:00Z");
    assert_eq!(days, ["03-01T05", "03-29T05"]);
}

#[test]
fn the_hour_is_in_utc_and_the_day_in_the_zone() {
    let monday = Days::Weekdays(vec![Weekday::Monday]);
    // 22:00 UTC on Sunday is Monday in China all year, and Tuesday is never reached.
    let east = trigger("UTC+08:00", monday.clone(), 22);
    let days = run_days(&east, "2024-06-01T00:00:00Z", "2024-06-12T00:00:00Z");
    assert_eq!(days, ["06-02T22", "06-09T22"]);
    // In Berlin 22:30 UTC is Monday still in winter, and Tuesday in summer.
    let mut berlin = trigger("Europe/Berlin", monday, 22);
    berlin.rules[0].times[0].minute = 30;
    let days = run_days(&berlin, "2024-03-20T00:00:00Z", "2024-04-10T00:00:00Z");
    assert_eq!(days, ["03-25T22", "03-31T22", "04-07T22"]);
}

#[test]
fn an_interval_counts_through_months_from_its_first_day() {
    let from = jiff::civil::date(2024, 2, 27);
    let every = trigger("UTC", Days::Interval { every: 2, from }, 1);
    let days = run_days(&every, "2024-01-01T00:00:00Z", "2024-03-05T00:00:00Z");
    assert_eq!(days, ["02-27T01", "02-29T01", "03-02T01", "03-04T01"]);
    let far = Days::Interval { every: 255, from: jiff::civil::date(2300, 1, 1) };
    let next = next_after(&trigger("UTC+14:00", far, 1), instant(0)).unwrap();
    assert_eq!(next.format_rfc3339(), "2300-01-01T01:00:00Z");
}

#[test]
fn what_never_fires_says_so() {
    let start = instant(seconds("2024-01-01T00:00:00Z"));
    assert_eq!(next_after(&trigger("UTC", Days::Weekdays(vec![]), 1), start), None);
    let no_times = Rule { times: vec![], days: Days::OfMonth { every: 1 } };
    assert_eq!(next_after(&Trigger { zone: Zone::utc(), rules: vec![no_times] }, start), None);
    assert_eq!(next_after(&Trigger { zone: Zone::utc(), rules: vec![] }, start), None);
}

#[test]
fn rules_that_coincide_fire_once() {
    let mut both = trigger("UTC", Days::OfMonth { every: 1 }, 3);
    both.rules.push(both.rules[0].clone());
    let days = run_days(&both, "2024-01-01T00:00:00Z", "2024-01-02T12:00:00Z");
    assert_eq!(days, ["01-01T03", "01-02T03"]);
    assert_eq!(firings_between(&both, instant(0), instant(DAY * 100), 7).len(), 7);
}
