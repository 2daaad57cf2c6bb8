//! `dump`: everything a source holds, as `tgsession-dump/1`, never more than a row in memory.

use std::io::{self, Write};

use tgsession::{Account, SourceSession};

use crate::args::Dump;
use crate::failure::Outcome;
use crate::json::{Guarded, Json, Secrets};
use crate::output;
use crate::progress::Progress;
use crate::source::{self, Reading};

pub(crate) fn run(args: &Dump) -> Outcome {
    let source = source::open(&args.source, Reading::salvage(args.salvage))?;
    let names = match &args.session {
        Some(name) => vec![name.clone()],
        None => source.session_names()?,
    };
    let mut dump = Writer::new(output::results(), source.form(), args.secrets.into());
    let mut notes = Vec::new();
    for name in &names {
        let mut session = source.session(name)?;
        dump.session(&mut session)?;
        let whose = if names.len() > 1 { format!("{name}: ") } else { String::new() };
        notes.extend(session.notes().iter().map(|note| format!("{whose}{note}")));
    }
    Ok(dump.end(&notes)?)
}

/// Writes the document from top to bottom. An error leaves it without its closing brackets, and
/// nobody can take it for whole.
struct Writer<W> {
    out: W,
    form: String,
    secrets: Secrets,
    sessions: usize,
}

impl<W: Write> Writer<W> {
    fn new(out: W, form: String, secrets: Secrets) -> Self {
        Self { out, form, secrets, sessions: 0 }
    }

    /// The head waits for the first session, so that one that cannot be read leaves no output.
    fn head(&mut self) -> io::Result<()> {
        write!(self.out, "{{\n  \"format\": \"tgsession-dump/1\",\n  \"source\": ")?;
        self.form.write(&mut self.out)?;
        write!(self.out, ",\n  \"sessions\": [")
    }

    fn session(&mut self, session: &mut SourceSession<'_>) -> Outcome {
        if self.sessions == 0 {
            self.head()?;
        }
        self.out.write_all(if self.sessions == 0 { b"\n    {" } else { b",\n    {" })?;
        self.sessions += 1;
        self.account(session.name(), session.account())?;
        self.entities(session)?;
        self.list("files", &session.account().sent_files)?;
        Ok(self.out.write_all(b"\n    }")?)
    }

    fn account(&mut self, name: &str, account: &Account) -> io::Result<()> {
        let login = &account.login;
        write!(self.out, "\n      \"name\": ")?;
        name.write(&mut self.out)?;
        self.value("home_dc", &login.home_dc.map(|dc| dc.0))?;
        self.value("test_mode", &login.test_mode)?;
        self.value("api_id", &login.api_id)?;
        self.value("user", &login.user)?;
        self.value("takeout_id", &login.takeout_id)?;
        let guarded: Vec<_> = account.dcs.iter().map(|dc| Guarded(dc, self.secrets)).collect();
        self.list("dcs", &guarded)?;
        self.value("state", &account.update_state)?;
        self.list("channel_states", &account.channel_states)
    }

    fn entities(&mut self, session: &mut SourceSession<'_>) -> Outcome {
        let mut progress = Progress::beside_output(session.entity_count());
        write!(self.out, ",\n      \"entities\": [")?;
        let mut empty = true;
        for entity in session {
            self.row(&Guarded(&entity?, self.secrets), empty)?;
            empty = false;
            progress.step();
        }
        Ok(self.close(empty)?)
    }

    fn list(&mut self, key: &str, rows: &[impl Json]) -> io::Result<()> {
        write!(self.out, ",\n      \"{key}\": [")?;
        for (at, row) in rows.iter().enumerate() {
            self.row(row, at == 0)?;
        }
        self.close(rows.is_empty())
    }

    fn row(&mut self, row: &impl Json, first: bool) -> io::Result<()> {
        self.out.write_all(if first { b"\n        " } else { b",\n        " })?;
        row.write(&mut self.out)
    }

    fn close(&mut self, empty: bool) -> io::Result<()> {
        self.out.write_all(if empty { b"]" } else { b"\n      ]" })
    }

    fn value(&mut self, key: &str, value: &impl Json) -> io::Result<()> {
        write!(self.out, ",\n      \"{key}\": ")?;
        value.write(&mut self.out)
    }

    fn end(mut self, notes: &[String]) -> io::Result<()> {
        if self.sessions == 0 {
            self.head()?;
        }
        self.out.write_all(if self.sessions == 0 { b"],\n" } else { b"\n  ],\n" })?;
        self.out.write_all(b"  \"notes\": [")?;
        for (at, note) in notes.iter().enumerate() {
            self.out.write_all(if at == 0 { b"\n    " } else { b",\n    " })?;
            note.write(&mut self.out)?;
        }
        self.out.write_all(if notes.is_empty() { b"]\n}\n" } else { b"\n  ]\n}\n" })?;
        self.out.flush()
    }
}
