//! Instants, days and zones as this dialect writes them.

use strongroom_model::time::Timestamp;

use super::fault::Fault;
use super::fields::Field;

const MICROS_PER_MINUTE: i64 = 60 * 1_000_000;

/// As answers show an instant: UTC, six digits, no zone.
pub(super) fn write(instant: Timestamp) -> String {
    instant.format_naive()
}

/// An instant in a query or body: with `Z` or an offset, or without any for UTC; with or without a
/// fraction.
pub(super) fn instant(field: &Field<'_>) -> Result<Timestamp, Fault> {
    let text = field.string()?;
    Timestamp::parse(text).ok_or_else(|| field.refuse("YYYY-MM-DDTHH:MM:SSZ is needed"))
}

/// A day, `YYYY-MM-DD`: its first instant in UTC.
pub(super) fn day(field: &Field<'_>) -> Result<Timestamp, Fault> {
    let text = field.string()?;
    let is_day = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let first = is_day.then(|| Timestamp::parse(&format!("{text}T00:00:00Z"))).flatten();
    first.ok_or_else(|| field.refuse("YYYY-MM-DD is needed"))
}

/// A zone, `UTC+08:00`: minutes east of Greenwich.
pub(super) fn zone(field: &Field<'_>) -> Result<i64, Fault> {
    zone_minutes(field.string()?).ok_or_else(|| field.refuse("UTC+HH:MM or UTC-HH:MM is needed"))
}

fn zone_minutes(text: &str) -> Option<i64> {
    let rest = text.strip_prefix("UTC")?;
    let (sign, rest) = match rest.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, rest.strip_prefix('+')?),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str, most: i64| -> Option<i64> {
        let is_number = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|number| is_number && *number <= most)
    };
    let total = number(hours, 14)? * 60 + number(minutes, 59)?;
    (total <= 14 * 60).then_some(sign * total)
}

/// The last instant of a day in a zone.
pub(super) fn end_of_day(first_in_utc: Timestamp, zone_minutes: i64) -> Timestamp {
    let day = 24 * 60 * MICROS_PER_MINUTE;
    let shift = zone_minutes * MICROS_PER_MINUTE;
    Timestamp::from_micros(first_in_utc.as_micros().saturating_add(day - 1).saturating_sub(shift))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn c01_instants_are_naive_with_six_digits() {
        let instant = Timestamp::parse("2026-02-03T04:05:06Z").unwrap();
        assert_eq!(write(instant), "2026-02-03T04:05:06.000000");
    }

    #[test]
    fn c41_an_instant_without_a_zone_is_utc() {
        let read = |text: &str| instant(&Field::new("start_time", &json!(text))).ok();
        let expected = Timestamp::parse("2026-02-03T04:05:06Z");
        for text in ["2026-02-03T04:05:06Z", "2026-02-03T04:05:06", "2026-02-03T04:05:06.000000"] {
            assert_eq!(read(text), expected, "{text}");
        }
        for bad in ["", "yesterday", "2026-02-31T00:00:00Z", "0"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_day_ends_where_its_zone_has_midnight() {
        let first = day(&Field::new("d", &json!("2026-02-28"))).unwrap();
        let end = |zone| write(end_of_day(first, zone));
        assert_eq!(end(0), "2026-02-28T23:59:59.999999");
        assert_eq!(end(zone_minutes("UTC+08:00").unwrap()), "2026-02-28T15:59:59.999999");
        assert_eq!(end(zone_minutes("UTC-03:30").unwrap()), "2026-03-01T03:29:59.999999");
        for bad in ["UTC", "UTC+8", "UTC+15:00", "UTC+08:60", "GMT+08:00", "UTC+14:30"] {
            assert_eq!(zone_minutes(bad), None, "{bad}");
        }
        for bad in ["2026-02-30", "2026-2-3", "2026-02-03T00:00:00", "20260203"] {
            assert!(day(&Field::new("d", &json!(bad))).is_err(), "{bad}");
        }
    }
}
