//! Rules that keep the backups of some days for longer: how they are read, and the date that comes
//! of them.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::civil::Date;
use serde_json::{Map, Value};
use strongroom_model::policy::{
    KeptMonthly, KeptWeekly, KeptYearly, LongerKept, MonthDays, Retention, Weekday,
};
use strongroom_model::time::Timestamp;
use strongroom_model::zone::Zone;

use super::definition::invalid;
use super::pattern::weekday;
use crate::error::Result;

const RULES: &str = "advanced_retention_rules";
const PERIODS: &str = "retention_duration_periods";

const MONTHS: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];

const WEEKS: [(&str, i8); 5] =
    [("FIRST", 1), ("SECOND", 2), ("THIRD", 3), ("FOURTH", 4), ("LAST", -1)];

/// When a backup that is begun at an instant expires by its retention: the latest of the dates that
/// its days and the rules for longer say. None if its days are not limited.
pub fn expires_at(retention: &Retention, at: Timestamp) -> Option<Timestamp> {
    let days = |days: u32| at.plus(Duration::from_secs(u64::from(days) * 24 * 3600));
    let base = days(retention.days?);
    let zone = &retention.zone;
    let date = zone.date(at);
    let longer = &retention.longer;
    let weekly = longer.weekly.as_ref().filter(|rule| rule.days.contains(&Weekday::of(date)));
    let monthly = longer.monthly.as_ref().filter(|rule| is_on(&rule.on, date));
    let is_month = |rule: &&KeptYearly| rule.in_months.contains(&date.month().unsigned_abs());
    let yearly = longer.yearly.as_ref().filter(is_month).filter(|rule| is_on(&rule.on, date));
    let dates = [
        weekly.map(|rule| days(u32::from(rule.weeks) * 7)),
        monthly.map(|rule| months_later(zone, at, i32::from(rule.months))),
        yearly.map(|rule| months_later(zone, at, i32::from(rule.years) * 12)),
    ];
    dates.into_iter().flatten().fold(base, Timestamp::max).into()
}

/// The same day and time so many months later, or the last day of that month if it is shorter.
fn months_later(zone: &Zone, at: Timestamp, months: i32) -> Timestamp {
    let date = zone.date(at);
    let count = i32::from(date.year()) * 12 + i32::from(date.month()) - 1 + months;
    let year = i16::try_from(count.div_euclid(12)).unwrap_or(i16::MAX);
    let month = i8::try_from(count.rem_euclid(12)).unwrap_or(0) + 1;
    // Beyond the calendar's end nothing expires in anybody's time.
    let Ok(first) = Date::new(year, month, 1) else { return Timestamp::from_micros(i64::MAX) };
    let day = date.day().min(first.days_in_month());
    let later = first.with().day(day).build().unwrap_or(first);
    let days = later.duration_since(date).as_hours() / 24;
    at.plus(Duration::from_secs(days.unsigned_abs() * 24 * 3600))
}

fn is_on(on: &MonthDays, date: Date) -> bool {
    let is_last = |days: i8| date.day() > date.days_in_month() - days;
    match on {
        MonthDays::Dates(dates) => {
            dates.contains(&date.day()) || (dates.contains(&-1) && is_last(1))
        }
        MonthDays::Weekdays { weeks, days } => {
            let week = (date.day() - 1) / 7 + 1;
            let is_week = weeks.contains(&week) || (weeks.contains(&-1) && is_last(7));
            is_week && days.contains(&Weekday::of(date))
        }
    }
}

/// Reads the rules. One whose periods are -1, or that has none, is off.
pub(super) fn read(value: &Value) -> Result<LongerKept> {
    let Value::Object(rules) = value else { return Err(invalid(RULES, "must be an object")) };
    Ok(LongerKept {
        weekly: rule(rules, "weekly_retention_rules", 1..=5200, |rule, weeks| {
            Ok(KeptWeekly { days: weekdays(rule)?, weeks })
        })?,
        monthly: rule(rules, "monthly_retention_rules", 1..=1200, |rule, months| {
            Ok(KeptMonthly { on: month_days(rule)?, months })
        })?,
        yearly: rule(rules, "yearly_retention_rules", 1..=100, |rule, years| {
            let in_months = words(rule, "retention_months", month)?;
            Ok(KeptYearly { in_months, on: month_days(rule)?, years })
        })?,
    })
}

/// The rule of that key, made of its members and the number of its periods; none if it is off.
fn rule<T>(
    rules: &Map<String, Value>,
    key: &str,
    range: RangeInclusive<u16>,
    make: impl Fn(&Map<String, Value>, u16) -> Result<T>,
) -> Result<Option<T>> {
    match rules.get(key).filter(|rule| !rule.is_null()) {
        None => Ok(None),
        Some(Value::Object(rule)) => {
            periods(rule, range)?.map(|periods| make(rule, periods)).transpose()
        }
        Some(_) => Err(invalid(RULES, "must hold objects")),
    }
}

fn periods(rule: &Map<String, Value>, range: RangeInclusive<u16>) -> Result<Option<u16>> {
    let Some(value) = rule.get(PERIODS).filter(|value| !value.is_null()) else { return Ok(None) };
    let (least, most) = (range.start(), range.end());
    let wrong = || invalid(PERIODS, &format!("must be -1 or from {least} to {most}"));
    match value.as_i64() {
        Some(-1) => Ok(None),
        Some(number) => {
            let number = u16::try_from(number).ok().filter(|number| range.contains(number));
            number.map(Some).ok_or_else(wrong)
        }
        None => Err(wrong()),
    }
}

fn month_days(rule: &Map<String, Value>) -> Result<MonthDays> {
    match rule.get("retention_type").and_then(Value::as_str) {
        Some("MONTHLY") => {
            let is_day = |day: &i64| *day == -1 || (1..=28).contains(day);
            let day = |value: &Value| i8::try_from(value.as_i64().filter(is_day)?).ok();
            Ok(MonthDays::Dates(items(rule, "days_of_month", day)?))
        }
        Some("WEEKLY") => {
            let week = |word: &str| WEEKS.iter().find(|(name, _)| *name == word).map(|(_, n)| *n);
            let weeks = words(rule, "retention_weeks", week)?;
            Ok(MonthDays::Weekdays { weeks, days: weekdays(rule)? })
        }
        _ => Err(invalid("retention_type", "must be WEEKLY or MONTHLY")),
    }
}

fn weekdays(rule: &Map<String, Value>) -> Result<Vec<Weekday>> {
    words(rule, "days_of_week", weekday)
}

fn month(word: &str) -> Option<u8> {
    let place = MONTHS.iter().position(|name| *name == word)?;
    u8::try_from(place + 1).ok()
}

fn words<T>(
    rule: &Map<String, Value>,
    key: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>> {
    items(rule, key, |value| read(value.as_str()?))
}

fn items<T>(
    rule: &Map<String, Value>,
    key: &'static str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>> {
    let list = rule.get(key).and_then(Value::as_array).filter(|list| list.len() <= 31);
    let items: Option<Vec<_>> = list.and_then(|list| list.iter().map(read).collect());
    items.ok_or_else(|| invalid(key, "must be a list of what the contract names"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept_until(rules: &Value, at: &str) -> String {
        let longer = read(rules).unwrap();
        let retention = Retention { days: Some(7), longer, ..Retention::for_ever() };
        expires_at(&retention, Timestamp::parse(at).unwrap()).unwrap().format_rfc3339()
    }

    fn all() -> Value {
        json!({
            "weekly_retention_rules": {"days_of_week": ["SU"], "retention_duration_periods": 5},
            "monthly_retention_rules": {"retention_type": "MONTHLY", "days_of_month": [1, -1],
                "retention_duration_periods": 12},
            "yearly_retention_rules": {"retention_type": "WEEKLY", "retention_weeks": ["LAST"],
                "days_of_week": ["FR"], "retention_months": ["FEBRUARY"],
                "retention_duration_periods": 10},
        })
    }

    #[test]
    fn the_longest_of_all_rules_holds() {
        for (made, until) in [
            ("2024-02-05T03:00:00Z", "2024-02-12T03:00:00Z"),
            ("2024-02-04T03:00:00Z", "2024-03-10T03:00:00Z"),
            ("2024-02-01T03:00:00Z", "2025-02-01T03:00:00Z"),
            // The last day of a month in a year in which it is shorter.
            ("2024-02-29T03:00:00Z", "2025-02-28T03:00:00Z"),
            ("2024-02-23T03:00:00Z", "2034-02-23T03:00:00Z"),
            // The last Friday of another month, and not the last of this one.
            ("2024-03-29T03:00:00Z", "2024-04-05T03:00:00Z"),
            ("2024-02-16T03:00:00Z", "2024-02-23T03:00:00Z"),
        ] {
            assert_eq!(kept_until(&all(), made), until, "{made}");
        }
        let mut off = all();
        off["yearly_retention_rules"]["days_of_week"] = json!([]);
        assert_eq!(kept_until(&off, "2024-02-23T03:00:00Z"), "2024-03-01T03:00:00Z");
        let mut off = all();
        off["yearly_retention_rules"]["retention_duration_periods"] = json!(-1);
        assert_eq!(kept_until(&off, "2024-02-23T03:00:00Z"), "2024-03-01T03:00:00Z");
        let ever = Retention { longer: read(&all()).unwrap(), ..Retention::for_ever() };
        assert_eq!(expires_at(&ever, Timestamp::from_micros(0)), None);
    }

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        for (rule, key, value) in [
            ("weekly_retention_rules", "days_of_week", json!(["MONDAY"])),
            ("weekly_retention_rules", "days_of_week", json!("MO")),
            ("weekly_retention_rules", "retention_duration_periods", json!(0)),
            ("weekly_retention_rules", "retention_duration_periods", json!(5201)),
            ("weekly_retention_rules", "retention_duration_periods", json!("1")),
            ("monthly_retention_rules", "retention_type", json!("DAILY")),
            ("monthly_retention_rules", "days_of_month", json!([29])),
            ("monthly_retention_rules", "days_of_month", json!([0])),
            ("yearly_retention_rules", "retention_months", json!(["MAI"])),
            ("yearly_retention_rules", "retention_weeks", json!(["FIFTH"])),
            ("yearly_retention_rules", "retention_weeks", json!(null)),
        ] {
            let mut rules = all();
            rules[rule][key] = value.clone();
            assert!(read(&rules).is_err(), "{rule} {key} {value}");
        }
        assert!(read(&json!([])).is_err());
        assert!(read(&json!({"weekly_retention_rules": 7})).is_err());
        assert_eq!(read(&json!({"weekly_retention_rules": {}})).unwrap(), LongerKept::default());
    }
}
