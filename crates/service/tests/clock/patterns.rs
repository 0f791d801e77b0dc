//! Patterns of recurrence against a reading of their own, and what is kept for longer.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use strongroom_model::policy::{Days, Retention, Rule, TimeOfDay, Trigger, Weekday};
use strongroom_model::zone::Zone;
use strongroom_service::policy::{definition, longer, pattern, schedule};

use super::calendar::{
    DAY, Dice, HOUR, MINUTE, Tally, Ymd, date_of, day_number, days_of_month, fires, instant,
    local_day, weekday,
};

const NAMES: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

/// Whether a pattern fires at an instant in whole seconds; intervals are counted from day `start`.
fn pattern_fires(text: &str, start: i64, at: i64) -> bool {
    let text = text.replace(' ', "").to_uppercase();
    let parts: BTreeMap<_, _> = text.split(';').filter_map(|part| part.split_once('=')).collect();
    let listed = |key: &str| -> Vec<i64> {
        parts[key].split(',').map(|number| number.parse().unwrap()).collect()
    };
    let day = at.div_euclid(DAY);
    let of_day = at.rem_euclid(DAY);
    let is_time = listed("BYHOUR").contains(&(of_day / HOUR))
        && listed("BYMINUTE").contains(&(of_day % HOUR / MINUTE));
    let is_day = match parts["FREQ"] {
        "DAILY" => {
            let interval = parts.get("INTERVAL").map_or(1, |text| text.parse().unwrap());
            day >= start && (day - start) % interval == 0
        }
        "WEEKLY" => {
            let name = NAMES[usize::try_from(weekday(day)).unwrap()];
            parts["BYDAY"].split(',').any(|one| one == name)
        }
        "MONTHLY" => {
            let Ymd(year, month, number) = date_of(day);
            let last = days_of_month(year, month) == number;
            let days = listed("BYMONTHDAY");
            days.contains(&number) || (last && days.contains(&-1))
        }
        other => panic!("{other}"),
    };
    of_day % MINUTE == 0 && is_time && is_day
}

/// Some pattern as some client might write it.
fn some_pattern(dice: &mut Dice) -> String {
    let number = |dice: &mut Dice, number: i64| {
        if dice.once_in(2) { format!("{number:02}") } else { number.to_string() }
    };
    let hours: Vec<_> = (0..=dice.below(3))
        .map(|_| {
            let hour = dice.below(24);
            number(dice, hour)
        })
        .collect();
    let minute = dice.one_of(&[0, 15, 59]);
    let days = if dice.once_in(2) {
        let days: Vec<_> = (0..=dice.below(3)).map(|_| dice.one_of(&NAMES)).collect();
        vec!["FREQ=WEEKLY".to_owned(), format!("BYDAY={}", days.join(","))]
    } else if dice.once_in(3) {
        vec!["FREQ=DAILY".to_owned()]
    } else {
        vec!["FREQ=DAILY".to_owned(), format!("INTERVAL={}", 1 + dice.below(30))]
    };
    let mut parts = days;
    parts.push(format!("BYHOUR={}", hours.join(",")));
    parts.push(format!("BYMINUTE={}", number(dice, minute)));
    let turns = usize::try_from(dice.below(4)).unwrap() % parts.len();
    parts.rotate_left(turns);
    let glue = dice.one_of(&[";", "; ", " ;"]);
    let text = parts.join(glue);
    if dice.once_in(4) { text.to_lowercase() } else { text }
}

#[test]
fn patterns_fire_when_a_calendar_of_their_own_says() {
    let mut dice = Dice(5);
    let mut tally = Tally::new();
    for round in 0..50 {
        let start = day_number(Ymd(2024, 1, 1)) + dice.below(700);
        let patterns: Vec<_> = (0..=dice.below(3)).map(|_| some_pattern(&mut dice)).collect();
        let Ymd(year, month, day) = date_of(start);
        let narrow = |n: i64| i8::try_from(n).unwrap();
        let date = jiff::civil::date(year.try_into().unwrap(), narrow(month), narrow(day));
        let rules = pattern::read(&patterns, date).unwrap();
        let trigger = Trigger { zone: Zone::utc(), rules };
        let (begin, end) = (start * DAY, (start + 70) * DAY);
        let found = schedule::firings_between(&trigger, instant(begin - 1), instant(end), 10_000);
        let found: Vec<_> = found.iter().map(|at| at.as_secs()).collect();
        let quarter = 15 * MINUTE;
        let expected: Vec<_> = (begin / MINUTE..=end / MINUTE)
            .map(|minute| minute * MINUTE)
            .filter(|at| at % quarter == 0 || at % HOUR == 59 * MINUTE)
            .filter(|at| patterns.iter().any(|text| pattern_fires(text, start, *at)))
            .collect();
        assert_eq!(found, expected, "round {round}: {patterns:?} from {date}");
        *tally.entry("firings").or_default() += found.len();
    }
    assert!(tally["firings"] > 1000, "{tally:?}");
}

#[test]
fn what_the_volume_door_says_is_written_in_patterns_that_fire_at_the_same_time() {
    let mut dice = Dice(6);
    let now = instant(day_number(Ymd(2024, 2, 10)) * DAY);
    let mut tally = Tally::new();
    for round in 0..40 {
        // Behind UTC the last of a month falls into the next one, which no pattern says.
        let ahead = dice.once_in(2);
        let zones = ["UTC+00:00", "UTC+08:00", "UTC+14:00", "Asia/Kathmandu"];
        let zone = if ahead { dice.one_of(&zones) } else { "UTC-11:30" };
        let days = match dice.below(3) {
            0 if ahead => Days::OfMonth { every: 1 + dice.small(30) },
            0 => Days::OfMonth { every: 1 },
            _ => Days::Weekdays((0..=dice.below(4)).map(|_| dice.one_of(&Weekday::ALL)).collect()),
        };
        let time = |dice: &mut Dice| TimeOfDay { hour: dice.small(24), minute: 0 };
        let times = (0..=dice.below(4)).map(|_| time(&mut dice)).collect();
        let rules = vec![Rule { times, days }];
        let trigger = Trigger { zone: Zone::parse(zone).unwrap(), rules };
        let patterns = pattern::write(&trigger, now);
        for hour in 0..400 * 24 {
            let at = now.as_secs() + hour * HOUR;
            let is_said = patterns.iter().any(|text| pattern_fires(text, 0, at));
            assert_eq!(is_said, fires(&trigger, at), "round {round}: {trigger:?} {patterns:?}");
            *tally.entry("firings").or_default() += usize::from(is_said);
        }
    }
    assert!(tally["firings"] > 8000, "{tally:?}");
}

/// So many months later, one day at a time.
fn months_later(day: i64, months: i64) -> i64 {
    let Ymd(year, month, number) = date_of(day);
    let count = year * 12 + month - 1 + months;
    let (year, month) = (count / 12, count % 12 + 1);
    day_number(Ymd(year, month, number.min(days_of_month(year, month))))
}

#[test]
fn the_longest_of_the_rules_sets_the_date() {
    let mut dice = Dice(7);
    let mut tally = Tally::new();
    for round in 0..3000 {
        let days = 1 + dice.below(400);
        let (weeks, months, years) = (1 + dice.below(60), 1 + dice.below(15), 1 + dice.below(3));
        let weekdays = [dice.one_of(&NAMES), dice.one_of(&NAMES)];
        let dates = [dice.one_of(&[1, 15, 28, -1]), 1 + dice.below(28)];
        let zone = dice.one_of(&["UTC+00:00", "UTC+08:00", "UTC-11:30"]);
        let said = json!({"retention_duration_days": days, "timezone": zone,
        "advanced_retention_rules": {
            "weekly_retention_rules":
                {"days_of_week": weekdays, "retention_duration_periods": weeks},
            "monthly_retention_rules": {"retention_type": "MONTHLY",
                "days_of_month": dates, "retention_duration_periods": months},
            "yearly_retention_rules": {"retention_type": "WEEKLY",
                "retention_months": ["FEBRUARY", "DECEMBER"],
                "retention_weeks": ["FIRST", "LAST"], "days_of_week": weekdays,
                "retention_duration_periods": years},
        }});
        let Value::Object(said) = said else { panic!() };
        let known = definition::recognised(&said).unwrap();
        let retention = definition::retention(&known, &Retention::for_ever()).unwrap();
        let at = (day_number(Ymd(2024, 1, 1)) + dice.below(1100)) * DAY + dice.below(DAY);
        let day = local_day(zone, at);
        let Ymd(year, month, number) = date_of(day);
        let from_end = days_of_month(year, month) - number;
        let is_weekday = weekdays.contains(&NAMES[usize::try_from(weekday(day)).unwrap()]);
        let is_date = dates.contains(&number) || (from_end == 0 && dates.contains(&-1));
        let is_week = number <= 7 || from_end < 7;
        let mut longest = day + days;
        if is_weekday {
            longest = longest.max(day + 7 * weeks);
        }
        if is_date {
            longest = longest.max(months_later(day, months));
        }
        if is_weekday && is_week && (month == 2 || month == 12) {
            longest = longest.max(months_later(day, 12 * years));
        }
        *tally.entry(if longest > day + days { "longer" } else { "plain" }).or_default() += 1;
        let expected = instant(at + (longest - day) * DAY);
        let found = longer::expires_at(&retention, instant(at));
        assert_eq!(found, Some(expected), "round {round}: {known:?}");
    }
    assert!(tally.values().all(|count| *count > 300), "{tally:?}");
}
