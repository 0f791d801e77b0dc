//! Instants: UTC, in whole microseconds, and the clock that tells them.
//!
//! How an instant is written differs by dialect and is the front doors' work, which they do with
//! the `format_*` functions here.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A UTC instant in microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant that lies `micros` microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant moved into the future; it stops at the end of time instead of wrapping.
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// Time that passed since `earlier`; zero if `earlier` is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `2013-06-27T08:48:03.000000`: six digits, no zone; native volume and backup objects.
    pub fn format_naive(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S.%6f")
    }

    /// `2013-06-27T08:48:03.000000Z`: six digits and `Z`; Keystone tokens.
    pub fn format_utc_micros(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S.%6fZ")
    }

    /// `2016-12-03T06:24:34.467`: three digits, no zone; tasks of vendor policies.
    pub fn format_naive_millis(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S.%3f")
    }

    /// `2016-01-28T16:14:09.466Z`: three digits and `Z`; vendor jobs.
    pub fn format_utc_millis(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S.%3fZ")
    }

    /// `2013-06-27T08:48:03Z`: RFC 3339 in whole seconds; exported backup records.
    pub fn format_rfc3339(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%SZ")
    }

    /// Reads any ISO 8601 instant; one without a zone is taken as UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let zoned = text.parse::<jiff::Timestamp>().ok();
        let instant = zoned.or_else(|| {
            let civil = text.parse::<jiff::civil::DateTime>().ok()?;
            Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
        })?;
        Some(Self(instant.as_microsecond()))
    }

    fn format(self, pattern: &str) -> String {
        jiff::Timestamp::from_microsecond(self.0)
            .map(|t| t.strftime(pattern).to_string())
            .unwrap_or_default()
    }
}

/// Tells the time. Everything that needs an instant takes one of these.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The wall clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place where time comes from"
        )]
        let now = jiff::Timestamp::now();
        Timestamp(now.as_microsecond())
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct SettableClock(AtomicI64);

impl SettableClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.0, Ordering::SeqCst);
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_gets_its_own_spelling() {
        let t = Timestamp::parse("2013-06-27T08:48:03.012345Z").unwrap();
        assert_eq!(t.format_naive(), "2013-06-27T08:48:03.012345");
        assert_eq!(t.format_utc_micros(), "2013-06-27T08:48:03.012345Z");
        assert_eq!(t.format_utc_millis(), "2013-06-27T08:48:03.012Z");
        assert_eq!(t.format_naive_millis(), "2013-06-27T08:48:03.012");
        assert_eq!(t.format_rfc3339(), "2013-06-27T08:48:03Z");
    }

    #[test]
    fn naive_text_is_utc() {
        let naive = Timestamp::parse("2020-02-29T00:00:00.5");
        assert_eq!(naive, Timestamp::parse("2020-02-29T00:00:00.500000Z"));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn the_settable_clock_moves_only_when_told() {
        let clock = SettableClock::new(Timestamp::from_micros(5));
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.now().as_micros(), 2_000_005);
        assert_eq!(clock.now().since(Timestamp::from_micros(5)), Duration::from_secs(2));
    }
}
