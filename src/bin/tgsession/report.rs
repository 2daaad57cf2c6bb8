//! What an export left out, for people and for programs.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tgsession::{Error, Format, Loss};

use crate::cmd::export::Done;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::source::STDIN;
use crate::target::directory_of;

/// One loss on one line.
pub(crate) fn in_words(loss: &Loss) -> String {
    let mut text = loss.what.to_owned();
    if loss.count > 1 {
        text.push_str(&format!(" ({} times)", loss.count));
    }
    text.push_str(": ");
    text.push_str(loss.why);
    if !loss.examples.is_empty() {
        let ids: Vec<_> = loss.examples.iter().map(ToString::to_string).collect();
        let more = if loss.count > ids.len() as u64 { ", ..." } else { "" };
        text.push_str(&format!(" [{}{more}]", ids.join(", ")));
    }
    text
}

/// Where the report of an export goes.
pub(crate) enum Report {
    Output,
    File { path: PathBuf, overwrite: bool },
}

impl Report {
    /// Makes sure that there is a place for the report, before anything is exported.
    pub(crate) fn to(path: &Path, overwrite: bool) -> Outcome<Self> {
        if path.as_os_str() == STDIN {
            return Ok(Self::Output);
        }
        if !overwrite && path.symlink_metadata().is_ok() {
            return Err(Error::AlreadyExists { path: path.to_owned() }.into());
        }
        // Deleted at once, so that an interrupted export leaves nothing.
        tempfile::tempfile_in(directory_of(path)).map_err(|error| refused(path, &error))?;
        Ok(Self::File { path: path.to_owned(), overwrite })
    }

    /// Writes the report of a whole export as JSON.
    pub(crate) fn write(self, source: &str, format: Format, done: &[Done]) -> Outcome {
        let report = json!({
            "format": "tgsession-report/1",
            "source": source,
            "target": format.name(),
            "exports": done.iter().map(export).collect::<Vec<_>>(),
        });
        match self {
            Self::Output => {
                let mut out = output::results();
                writeln!(out, "{report:#}")?;
                Ok(out.flush()?)
            }
            Self::File { path, overwrite } => {
                let placed = put(&path, overwrite, &report);
                placed.map_err(|error| refused(&path, &error))
            }
        }
    }
}

/// For its owner's eyes, as reports name accounts.
fn put(path: &Path, overwrite: bool, report: &Value) -> io::Result<()> {
    let mut new = NamedTempFile::new_in(directory_of(path))?;
    writeln!(new, "{report:#}")?;
    new.as_file().sync_all()?;
    if overwrite {
        new.persist(path)?
    } else {
        new.persist_noclobber(path)?
    };
    Ok(())
}

fn export(done: &Done) -> Value {
    let lost = done.report.lost.iter().map(|loss| {
        json!({
            "what": loss.what,
            "why": loss.why,
            "count": loss.count,
            "examples": loss.examples,
        })
    });
    json!({
        "session": done.name,
        "path": done.path.as_ref().map(|path| path.to_string_lossy()),
        "entities": done.report.entities,
        "filled": done.report.filled,
        "lost": lost.collect::<Vec<_>>(),
    })
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    Failure::Refused(format!("{}: cannot write the report: {error}", path.display()))
}
