//! Time zones: where a day, a week and a month begin.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A time zone by its name: `UTC`, `UTC+08:00` or a place such as `Europe/Berlin`, whose rules come
/// with the program. It is written as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(String);

/// The text names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a time zone")]
pub struct InvalidZone(pub String);

impl Zone {
    /// Coordinated universal time, as `UTC+00:00`.
    pub fn utc() -> Self {
        Self("UTC+00:00".to_owned())
    }

    /// The zone of that name.
    pub fn parse(name: &str) -> Result<Self, InvalidZone> {
        rules(name).map(|_| Self(name.to_owned())).ok_or_else(|| InvalidZone(name.to_owned()))
    }

    /// The name as it was given.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The day that an instant falls on here.
    pub fn date(&self, at: Timestamp) -> Date {
        let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
        rules(&self.0).unwrap_or(TimeZone::UTC).to_datetime(at).date()
    }

    /// The hour and minute that an instant shows here.
    pub fn hour_minute(&self, at: Timestamp) -> (i8, i8) {
        let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
        let time = rules(&self.0).unwrap_or(TimeZone::UTC).to_datetime(at).time();
        (time.hour(), time.minute())
    }
}

impl TryFrom<String> for Zone {
    type Error = InvalidZone;

    fn try_from(name: String) -> Result<Self, InvalidZone> {
        Self::parse(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0
    }
}

fn rules(name: &str) -> Option<TimeZone> {
    match name.strip_prefix("UTC") {
        Some("") => Some(TimeZone::UTC),
        Some(offset) => fixed(offset),
        None => TimeZone::get(name).ok(),
    }
}

/// `+HH:MM` or `-HH:MM`, at most 14 hours from UTC.
fn fixed(text: &str) -> Option<TimeZone> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let two = |digits: &str| {
        let fits = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        if fits { digits.parse::<i32>().ok() } else { None }
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let total = hours * 60 + minutes;
    if minutes > 59 || total > 14 * 60 {
        return None;
    }
    Some(TimeZone::fixed(Offset::from_seconds(sign * total * 60).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(zone: &str, at: &str) -> String {
        Zone::parse(zone).unwrap().date(Timestamp::parse(at).unwrap()).to_string()
    }

    #[test]
    fn a_day_begins_where_the_zone_says() {
        assert_eq!(day("UTC+08:00", "2024-02-28T16:00:00Z"), "2024-02-29");
        assert_eq!(day("UTC+08:00", "2024-02-28T15:59:59Z"), "2024-02-28");
        assert_eq!(day("UTC-11:30", "2024-03-01T11:00:00Z"), "2024-02-29");
        // In Berlin the clocks went forward on 2024-03-31 at 01:00 UTC.
        assert_eq!(day("Europe/Berlin", "2024-03-30T23:00:00Z"), "2024-03-31");
        assert_eq!(day("Europe/Berlin", "2024-03-31T22:00:00Z"), "2024-04-01");
    }

    #[test]
    fn names_are_kept_and_nonsense_is_refused() {
        for name in ["UTC", "UTC+00:00", "UTC-03:30", "UTC+14:00", "Asia/Shanghai"] {
            assert_eq!(Zone::parse(name).unwrap().name(), name);
        }
        for bad in ["", "UTC+8", "UTC+08:60", "UTC+14:01", "UTC 08:00", "UTC+0８:00", "Nowhere/At"]
        {
            assert_eq!(Zone::parse(bad), Err(InvalidZone(bad.to_owned())));
        }
    }
}
