//! Progress for people: a bar on a terminal, a plain line every tenth elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows how far a piece of work has come.
#[derive(Debug)]
pub(crate) struct Meter {
    label: String,
    bar: Option<ProgressBar>,
    last_tenth: u64,
}

impl Meter {
    /// Starts a meter that shows percent.
    pub(crate) fn new(label: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(100);
            if let Ok(style) = ProgressStyle::with_template("{msg:24} {wide_bar} {pos:>3} %") {
                bar.set_style(style);
            }
            bar.set_message(label.to_owned());
            bar
        });
        Self { label: label.to_owned(), bar, last_tenth: 0 }
    }

    /// Moves to `percent`.
    pub(crate) fn set(&mut self, percent: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(percent);
        } else if percent / 10 > self.last_tenth {
            self.last_tenth = percent / 10;
            eprintln!("{}: {} %", self.label, self.last_tenth * 10);
        }
    }

    /// Ends the meter and leaves no trace of the bar.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `1.5 GiB`: bytes in the largest binary unit that fits.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let unit = (count.max(1).ilog2() / 10).min(5);
    if unit == 0 {
        return format!("{count} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let scaled = count as f64 / (1_u64 << (10 * unit)) as f64;
    format!("{scaled:.1} {}", UNITS[unit as usize])
}

/// `950 MiB/s`: bytes per second over a time in microseconds.
pub(crate) fn rate(count: u64, micros: u64) -> String {
    format!(
        "{}/s",
        bytes(
            u64::try_from(u128::from(count) * 1_000_000 / u128::from(micros.max(1)))
                .unwrap_or(u64::MAX)
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(5 << 30), "5.0 GiB");
        assert_eq!(rate(1 << 20, 500_000), "2.0 MiB/s");
    }
}
