//! `check`: the thorough walk over every record.

use std::io::Write;

use tgsession::CheckReport;

use crate::args::Check;
use crate::failure::{Failure, Outcome};
use crate::output::{self, one_line};
use crate::source::{self, Reading};
use crate::words::count;

pub(crate) fn run(args: &Check) -> Outcome {
    let source = source::open(&args.origin, Reading::Whole)?;
    let report = source.check()?;
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
    let path = source.path().display();
    Err(Failure::Problems(format!("{path}: {problems} in {}", walked(&report))))
}

fn walked(report: &CheckReport) -> String {
    let parts = [
        count(report.sessions, "session", "sessions"),
        count(report.entities, "entity", "entities"),
        count(report.records, "record", "records"),
    ];
    parts.join(", ")
}
