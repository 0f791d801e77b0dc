//! Times of day and zones as the vendor's policies write them.

use serde_json::Value;
use strongroom_model::policy::TimeOfDay;
use strongroom_model::time::Timestamp;
use strongroom_model::zone::Zone;

use super::vendor_body::refuse;
use crate::fault::Fault;

/// The most times of day of one policy.
const TIMES_MAX: usize = 24;

const MINUTE_MICROS: i64 = 60_000_000;
const DAY_MICROS: i64 = 24 * 60 * MINUTE_MICROS;

fn wrong_times() -> Fault {
    let message = "'start_time' must be 1 to 24 different whole hours of UTC, as in \
        '01:00,13:00', ascending by local time.";
    refuse("AutoBackup.0103", message)
}

/// Reads `HH:00,HH:00…`, in the order in which they are given.
pub(super) fn read(value: &Value) -> Result<Vec<TimeOfDay>, Fault> {
    let text = value.as_str().ok_or_else(wrong_times)?;
    let times: Option<Vec<_>> = text.split(',').map(read_time).collect();
    times.filter(|times| times.len() <= TIMES_MAX).ok_or_else(wrong_times)
}

fn read_time(text: &str) -> Option<TimeOfDay> {
    let hour = text.strip_suffix(":00")?;
    let is_whole = hour.len() == 2 && hour.bytes().all(|byte| byte.is_ascii_digit());
    let hour = if is_whole { hour.parse().ok()? } else { return None };
    (hour < 24).then_some(TimeOfDay { hour, minute: 0 })
}

/// Refuses times that do not ascend by local time, or are not different.
pub(super) fn check_order(times: &[TimeOfDay], zone: &Zone, now: Timestamp) -> Result<(), Fault> {
    let local: Vec<_> = times.iter().map(|time| local_time(*time, zone, now)).collect();
    match local.is_sorted_by(|one, next| one < next) {
        true => Ok(()),
        false => Err(wrong_times()),
    }
}

/// Writes times, ascending by local time so that what is shown can be sent back.
pub(super) fn write(mut times: Vec<TimeOfDay>, zone: &Zone, now: Timestamp) -> String {
    times.sort_by_key(|time| (local_time(*time, zone, now), *time));
    times.dedup();
    let texts = times.iter().map(|time| format!("{:02}:{:02}", time.hour, time.minute));
    texts.collect::<Vec<_>>().join(",")
}

/// What a clock in the zone shows at a time of this day.
fn local_time(time: TimeOfDay, zone: &Zone, now: Timestamp) -> (i8, i8) {
    let minutes = i64::from(time.hour) * 60 + i64::from(time.minute);
    let today = now.as_micros().div_euclid(DAY_MICROS) * DAY_MICROS;
    zone.hour_minute(Timestamp::from_micros(today + minutes * MINUTE_MICROS))
}

/// Reads `UTC+HH:MM` or `UTC-HH:MM`.
pub(super) fn read_zone(value: &Value) -> Result<Zone, Fault> {
    let named = value.as_str().filter(|name| is_offset(name));
    named.and_then(|name| Zone::parse(name).ok()).ok_or_else(|| {
        let message = "'time_zone' must be an offset of at most 14 hours, as in 'UTC+08:00'.";
        refuse("AutoBackup.0226", message)
    })
}

fn is_offset(name: &str) -> bool {
    name.strip_prefix("UTC").is_some_and(|offset| !offset.is_empty())
}

/// Writes a zone as an offset. That of a place is the one which it has at this moment.
pub(super) fn write_zone(zone: &Zone, now: Timestamp) -> String {
    if is_offset(zone.name()) {
        return zone.name().to_owned();
    }
    let minute_of_day = |zone: &Zone| {
        let (hour, minute) = zone.hour_minute(now);
        i64::from(hour) * 60 + i64::from(minute)
    };
    let utc = Zone::utc();
    let days = match zone.date(now).cmp(&utc.date(now)) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    };
    let offset = days * 24 * 60 + minute_of_day(zone) - minute_of_day(&utc);
    let sign = if offset < 0 { '-' } else { '+' };
    format!("UTC{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn times_are_different_whole_hours_in_local_order() {
        let (utc, now) = (Zone::utc(), at("2024-01-31T10:00:00Z"));
        let all: Vec<_> = (0..24).map(|hour| format!("{hour:02}:00")).collect();
        for good in ["00:00", "23:00", "01:00,13:00", &all.join(",")] {
            let times = read(&json!(good)).unwrap();
            check_order(&times, &utc, now).unwrap();
            assert_eq!(write(times, &utc, now), good);
        }
        for bad in [
            "",
            ",",
            "1:00",
            "24:00",
            "01:30",
            "01:00,",
            "01:00 ",
            "01:00, 02:00",
            "+1:00",
            "01:00:00",
            "0١:00",
        ] {
            assert_eq!(read(&json!(bad)).unwrap_err().code, Some("AutoBackup.0103"), "{bad}");
        }
        for bad in ["01:00,01:00", "13:00,01:00"] {
            assert!(check_order(&read(&json!(bad)).unwrap(), &utc, now).is_err(), "{bad}");
        }
        assert!(read(&json!(vec!["01:00"; 25].join(","))).is_err());
    }

    #[test]
    fn the_day_begins_where_the_zone_says() {
        let (zone, now) = (Zone::parse("UTC+08:00").unwrap(), at("2024-01-31T10:00:00Z"));
        let times = read(&json!("16:00,23:00,15:00")).unwrap();
        check_order(&times, &zone, now).unwrap();
        let sorted = read(&json!("15:00,16:00,23:00")).unwrap();
        assert!(check_order(&sorted, &zone, now).is_err());
        assert_eq!(write(sorted, &zone, now), "16:00,23:00,15:00");
    }

    #[test]
    fn zones_are_offsets() {
        for good in ["UTC+00:00", "UTC-03:30", "UTC+14:00"] {
            assert_eq!(read_zone(&json!(good)).unwrap().name(), good);
        }
        for bad in
            [json!("UTC"), json!("Europe/Berlin"), json!("UTC+15:00"), json!(8), json!("+08:00")]
        {
            assert_eq!(read_zone(&bad).unwrap_err().code, Some("AutoBackup.0226"), "{bad}");
        }
    }

    #[test]
    fn a_place_is_shown_by_its_present_offset() {
        let shown = |name: &str, now| write_zone(&Zone::parse(name).unwrap(), at(now));
        assert_eq!(shown("UTC", "2024-01-31T10:00:00Z"), "UTC+00:00");
        assert_eq!(shown("Europe/Berlin", "2024-01-31T23:30:00Z"), "UTC+01:00");
        assert_eq!(shown("Europe/Berlin", "2024-06-30T10:00:00Z"), "UTC+02:00");
        assert_eq!(shown("America/St_Johns", "2024-01-01T01:00:00Z"), "UTC-03:30");
        assert_eq!(shown("UTC-03:30", "2024-01-01T01:00:00Z"), "UTC-03:30");
    }
}
