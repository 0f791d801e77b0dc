//! A clock that can be put ahead, to rehearse in minutes what policies do in weeks.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use strongroom_model::time::{Clock, SystemClock, Timestamp};

/// The machine's clock and what a file says it is to be ahead, such as `8 days` or `90m`. The file
/// is read whenever the time is asked; while it is missing or makes no sense, the last lead that
/// did holds. Time never runs backwards.
#[derive(Debug)]
pub(crate) struct RehearsalClock {
    file: PathBuf,
    lead_micros: AtomicI64,
    latest_micros: AtomicI64,
}

impl RehearsalClock {
    /// The clock that `file` puts ahead.
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file, lead_micros: AtomicI64::new(0), latest_micros: AtomicI64::new(i64::MIN) }
    }

    fn lead(&self) -> Duration {
        let read = fs::read_to_string(&self.file).ok().and_then(|text| parse(text.trim()));
        if let Some(micros) = read {
            self.lead_micros.store(micros, Ordering::Relaxed);
        }
        let micros = self.lead_micros.load(Ordering::Relaxed);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}

impl Clock for RehearsalClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now().plus(self.lead()).as_micros();
        let before = self.latest_micros.fetch_max(now, Ordering::Relaxed);
        Timestamp::from_micros(now.max(before))
    }
}

/// Microseconds of a duration in words; a day has 24 hours. Negative ones make no sense.
fn parse(text: &str) -> Option<i64> {
    let span: Span = text.parse().ok()?;
    let days_of_24_hours = SpanRelativeTo::days_are_24_hours();
    let lead: SignedDuration = span.to_duration(days_of_24_hours).ok()?;
    i64::try_from(lead.as_micros()).ok().filter(|micros| *micros >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_is_said_in_words() {
        assert_eq!(parse("8 days"), Some(8 * 86_400_000_000));
        assert_eq!(parse("1d 2h"), Some(26 * 3_600_000_000));
        assert_eq!(parse("90m"), Some(5_400_000_000));
        for bad in ["", "soon", "-1d", "8"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_file_moves_the_clock_and_never_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ahead");
        let clock = RehearsalClock::new(file.clone());
        let start = clock.now();
        fs::write(&file, "2 days\n").unwrap();
        let ahead = clock.now();
        assert!(ahead.since(start) >= Duration::from_secs(2 * 86_400));
        fs::write(&file, "nonsense").unwrap();
        assert!(clock.now() >= ahead);
        fs::write(&file, "1 day").unwrap();
        assert!(clock.now() >= ahead);
    }
}
