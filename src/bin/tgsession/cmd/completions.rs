//! `completions`: a script with which a shell completes the commands of the tool.

use std::io::Write;

use clap::CommandFactory;

use crate::args::{Cli, Completions};
use crate::failure::Outcome;
use crate::output;

pub(crate) fn run(args: &Completions) -> Outcome {
    // Into memory, as a failure to write it further on would be a panic.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tgsession", &mut script);
    let mut out = output::results();
    out.write_all(&script)?;
    Ok(out.flush()?)
}
