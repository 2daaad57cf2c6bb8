//! `check`: the thorough walk over every record.

use std::io::Write;

use tgsession::{CheckReport, Error, ErrorKind};

use crate::args::Check;
use crate::explain;
use crate::failure::{Failure, Outcome};
use crate::output::{self, one_line};
use crate::source::{self, Reading};
use crate::words::count;

pub(crate) fn run(args: &Check) -> Outcome {
    let opened = source::open(&args.origin, Reading::Whole);
    let checked = opened.and_then(|source| Ok((source.path().to_owned(), source.check()?)));
    let (path, report) = match checked {
        Err(Failure::Library(error)) if error.kind() == ErrorKind::Damaged => {
            return too_damaged(&error);
        }
        checked => checked?,
    };
    let mut out = output::results();
    if report.problems.is_empty() {
        writeln!(out, "whole: {}", walked(&report))?;
        return Ok(out.flush()?);
    }
    for problem in &report.problems {
        writeln!(out, "{}", one_line(problem))?;
    }
    out.flush()?;
    let problems = count(report.problems.len() as u64, "problem", "problems");
    let cure = explain::cure_of(&path).map_or_else(String::new, |cure| format!("; {cure}"));
    let path = path.display();
    Err(Failure::Problems(format!("{path}: {problems} in {}{cure}", walked(&report))))
}

/// What keeps a source from being opened is a problem like others, and a result.
fn too_damaged(error: &Error) -> Outcome {
    let mut out = output::results();
    writeln!(out, "{}", one_line(&explain::chain(error)))?;
    out.flush()?;
    Err(Failure::Problems(explain::in_words(error)))
}

fn walked(report: &CheckReport) -> String {
    let parts = [
        count(report.sessions, "session", "sessions"),
        count(report.entities, "entity", "entities"),
        count(report.records, "record", "records"),
    ];
    parts.join(", ")
}
