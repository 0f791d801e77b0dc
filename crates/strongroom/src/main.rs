//! The one binary: parse, start logging, run the command, report, exit.

mod args;
mod command;
mod progress;
mod rehearsal;
mod report;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse();
    report::start_logging();
    match command::run(args) {
        Ok(code) => code,
        Err(error) => report::failure(&error),
    }
}
