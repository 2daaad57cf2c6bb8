//! The command-line tool of tgsession: what a session holds, and how it gets into a store
//! and out of it.
//!
//! Results go to standard output, words for people to standard error.

mod args;
mod cmd;
mod confirm;
mod core_dumps;
mod explain;
mod failure;
mod key;
mod output;
mod panics;
mod progress;
mod query;
mod report;
mod settings;
mod source;
mod target;
mod words;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::failure::Outcome;
use crate::settings::Settings;

fn main() -> ExitCode {
    let Cli { command, quiet, wait } = Cli::parse();
    let (salvage, wait) = (command.salvage(), Duration::from_secs(wait));
    settings::set(Settings { salvage, quiet: quiet || command.json(), wait });
    // The client that `run` starts keeps its own limit.
    if !matches!(command, Command::Run(_)) {
        core_dumps::forbid();
    }
    match panics::contained(|| run(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            failure.exit_code()
        }
    }
}

fn run(command: Command) -> Outcome {
    match command {
        Command::Import(args) => cmd::import::run(&args),
        Command::Export(args) => cmd::export::run(&args),
        Command::Dump(args) => cmd::dump::run(&args),
        Command::Info(args) => cmd::info::run(&args),
        Command::Get(args) => cmd::get::run(args),
        Command::List(args) => cmd::list::run(&args),
        Command::Rename(args) => cmd::rename::run(&args),
        Command::Remove(args) => cmd::remove::run(&args),
        Command::Check(args) => cmd::check::run(&args),
        Command::Compact(args) => cmd::compact::run(&args),
        Command::Backup(args) => cmd::backup::run(&args),
        Command::Repair(args) => cmd::repair::run(&args),
        Command::Encrypt(args) => cmd::encrypt::encrypt(&args),
        Command::Decrypt(args) => cmd::encrypt::decrypt(&args),
        Command::Rekey(args) => cmd::encrypt::rekey(&args),
        Command::Key(command) => cmd::key::run(&command),
        Command::Completions(args) => cmd::completions::run(&args),
        Command::Run(args) => cmd::run::run(&args),
    }
}
