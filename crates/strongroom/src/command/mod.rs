//! One file per sub-command.

mod demo;
mod location;
mod server;
mod store;
mod up;

use std::process::ExitCode;

use crate::args::{Args, Command};

/// Runs what was asked for.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Up(up) => up::run(up),
        Command::Store(verb) => store::run(verb),
        Command::Server(verb) => server::run(verb),
    }
}
