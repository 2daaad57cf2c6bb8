//! Writes the man page of the tool, made from its command line, to standard output:
//!
//! ```text
//! cargo run -F cli --example man > tgsession.1
//! ```
//!
//! It is no command of the tool, whose binary is to stay small.

#[allow(dead_code, reason = "only the parser is used")]
#[path = "../src/bin/tgsession/args/mod.rs"]
mod args;

use std::io::{self, Write};

use clap::CommandFactory;

fn main() -> io::Result<()> {
    let mut tool = args::Cli::command();
    tool.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(tool.clone()).render(&mut page)?;
    sections(&tool, &mut page)?;
    io::stdout().lock().write_all(&page)
}

/// A section for each command, and for each command of a command.
fn sections(of: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    for command in of.get_subcommands().filter(|command| command.get_name() != "help") {
        let man = clap_mangen::Man::new(command.clone());
        writeln!(
            page,
            ".SH \"{}\"",
            command.get_display_name().unwrap_or_default().replace('-', " ").to_uppercase()
        )?;
        man.render_synopsis_section(page)?;
        man.render_description_section(page)?;
        man.render_options_section(page)?;
        man.render_extra_section(page)?;
        sections(command, page)?;
    }
    Ok(())
}
