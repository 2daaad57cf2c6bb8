//! `dump`: everything a source holds, as `tgsession-dump/1`, never more than a row in memory.

use std::io::Write;

use tgsession::SourceSession;
use tgsession::dump::Writer;

use crate::args::Dump;
use crate::failure::Outcome;
use crate::output;
use crate::progress::{Progress, expected};
use crate::source::{self, Reading};

pub(crate) fn run(args: &Dump) -> Outcome {
    let source = source::open_corrected(
        &args.origin,
        Reading::salvage(args.damage.salvage),
        &args.corrections,
    )?;
    source::say_if_decrypted(&source, &args.origin);
    let names = match &args.session {
        Some(name) => vec![name.clone()],
        None => source.session_names()?,
    };
    let path = source.path().display().to_string();
    let cure = "choose one with --session";
    source::refuse_for_several(&args.corrections, &path, names.len(), cure)?;
    let mut dump = Writer::new(output::results(), &source.format(), args.secrets.into());
    let mut notes = Vec::new();
    for name in &names {
        let mut session = source.session(name)?;
        write(&mut dump, &mut session)?;
        let whose = if names.len() > 1 { format!("{name}: ") } else { String::new() };
        notes.extend(session.notes().iter().map(|note| format!("{whose}{note}")));
    }
    Ok(dump.end(&notes)?.flush()?)
}

fn write<W: Write>(dump: &mut Writer<W>, session: &mut SourceSession<'_>) -> Outcome {
    dump.begin_unproven(session.name(), session.account(), &session.unproven_keys())?;
    let mut progress = Progress::beside_output(expected(session));
    for entity in session.by_ref() {
        dump.entity(&entity?)?;
        progress.step();
    }
    Ok(dump.finish(session.account())?)
}
