//! `check`: the thorough walk over every record.

use std::io::{self, Write};
use std::path::Path;

use serde_json::json;
use tgsession::{CheckReport, ErrorKind, Progress, Source};

use crate::args::Check;
use crate::explain;
use crate::failure::{Failure, Outcome};
use crate::output::{self, one_line};
use crate::progress::{Progress as Counted, Waiting, expected};
use crate::source::{self, Reading};
use crate::words::count;

pub(crate) fn run(args: &Check) -> Outcome {
    let progress = Progress::default();
    let opened = source::open_counted(&args.origin, Reading::Whole, &progress);
    let checked = opened.and_then(|source| {
        let waiting = if source.is_store() {
            Waiting::new("checking", &progress)
        } else {
            Waiting::of_rows("checking", &progress)
        };
        let report = source.check()?;
        drop(waiting);
        Ok((source.path().to_owned(), report, doubts(&source)?))
    });
    match checked {
        Ok((path, report, doubts)) => {
            doubts.iter().for_each(|doubt| output::say(doubt));
            let problems = report.problems.clone();
            show(args, &path, Some((&report, &doubts)), &problems)?;
            if problems.is_empty() {
                return Ok(());
            }
            let problems = count(problems.len() as u64, "problem", "problems");
            let cure = explain::cure_of(&path).map_or_else(String::new, |cure| format!("; {cure}"));
            let path = path.display();
            Err(Failure::Problems(format!("{path}: {problems} in {}{cure}", walked(&report))))
        }
        // What keeps a source from being opened is a problem like others, and a result.
        Err(Failure::Library(error)) if error.kind() == ErrorKind::Damaged => {
            let path = args.origin.source.clone().unwrap_or_default();
            show(args, &path, None, &[explain::chain(&error)])?;
            Err(Failure::Problems(explain::in_words(&error)))
        }
        Err(failure) => Err(failure),
    }
}

/// The result: one problem per line, or that there is none.
fn show(
    args: &Check,
    path: &Path,
    report: Option<(&CheckReport, &[String])>,
    problems: &[String],
) -> io::Result<()> {
    let mut out = output::results();
    let doubts = report.map_or(&[][..], |(_, doubts)| doubts);
    let report = report.map(|(report, _)| report);
    if args.json {
        let result = json!({
            "format": "tgsession-check/1",
            "path": path.to_string_lossy(),
            "whole": problems.is_empty(),
            "sessions": report.map(|report| report.sessions),
            "entities": report.map(|report| report.entities),
            "records": report.map(|report| report.records),
            "problems": problems,
            "notes": doubts,
        });
        writeln!(out, "{result:#}")?;
    } else if let (Some(report), []) = (report, problems) {
        writeln!(out, "whole: {}", walked(report))?;
    }
    if !args.json {
        problems.iter().try_for_each(|problem| writeln!(out, "{}", one_line(problem)))?;
    }
    out.flush()
}

/// Values that no login can have, which a check of the bytes does not find.
fn doubts(source: &Source) -> Outcome<Vec<String>> {
    let mut doubts = Vec::new();
    for name in source.session_names()? {
        // The report has a problem for a session that cannot be read.
        let Ok(mut session) = source.session(&name) else { continue };
        if !source.is_store() {
            let mut progress = Counted::new(expected(&session));
            session.by_ref().for_each(|_| progress.step());
        }
        doubts.extend(session.doubts().iter().map(|doubt| format!("{name}: note: {doubt}")));
    }
    Ok(doubts)
}

fn walked(report: &CheckReport) -> String {
    let parts = [
        count(report.sessions, "session", "sessions"),
        count(report.entities, "entity", "entities"),
        count(report.records, "record", "records"),
    ];
    parts.join(", ")
}
