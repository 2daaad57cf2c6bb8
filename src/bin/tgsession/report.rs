//! What an export left out, for people and for programs.

use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::json;
use tgsession::{Form, Loss};

use crate::cmd::export::{Done, create};
use crate::failure::{Failure, Outcome};

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

/// Writes the report of a whole export as JSON.
pub(crate) fn write(path: &Path, source: &str, form: Form, done: &[Done]) -> Outcome {
    let exports: Vec<_> = done
        .iter()
        .map(|done| {
            let lost: Vec<_> = done
                .report
                .lost
                .iter()
                .map(|loss| {
                    json!({
                        "what": loss.what,
                        "why": loss.why,
                        "count": loss.count,
                        "examples": loss.examples,
                    })
                })
                .collect();
            json!({
                "session": done.name,
                "path": done.path.as_ref().map(|path| path.to_string_lossy()),
                "entities": done.report.entities,
                "filled": done.report.filled,
                "lost": lost,
            })
        })
        .collect();
    let report = json!({
        "format": "tgsession-report/1",
        "source": source,
        "target": form.name(),
        "exports": exports,
    });
    let written = create(path).map(BufWriter::new).and_then(|mut out| {
        serde_json::to_writer_pretty(&mut out, &report)?;
        out.write_all(b"\n")?;
        out.flush()
    });
    written.map_err(|error| {
        Failure::Refused(format!("{}: cannot write the report: {error}", path.display()))
    })
}
