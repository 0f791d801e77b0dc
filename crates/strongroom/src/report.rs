//! How a failure is told: the chain of causes once, one hint, and the exit code.
//!
//! Exit codes: 0 success; 1 failure; 2 a store was read and damage was found (also what the
//! parser of the command line returns for wrong usage).

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

/// A sentence that says what to do next, attached to an error as context.
#[derive(Debug)]
pub(crate) struct Hint(pub(crate) String);

impl std::fmt::Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hint: {}", self.0)
    }
}

/// Writes a line to standard output. A reader that went away is no failure.
pub(crate) fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Logs to standard error; `RUST_LOG` chooses what.
pub(crate) fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// Prints the chain of causes and gives the exit code of a failure.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    let (hints, causes): (Vec<_>, Vec<_>) =
        error.chain().map(ToString::to_string).partition(|text| text.starts_with("hint: "));
    eprintln!("error: {}", told_once(causes).join(": "));
    for hint in hints {
        eprintln!("{hint}");
    }
    ExitCode::FAILURE
}

/// Leaves out causes that the one before already tells, as those of some libraries do.
fn told_once(mut causes: Vec<String>) -> Vec<String> {
    causes.dedup_by(|cause, before| before.contains(cause.as_str()));
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        let causes = ["cannot list: GET failed: 404", "GET failed: 404", "404", "other"];
        let told = told_once(causes.map(str::to_owned).to_vec());
        assert_eq!(told, ["cannot list: GET failed: 404", "other"]);
    }
}
