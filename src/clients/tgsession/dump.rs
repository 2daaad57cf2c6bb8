//! Dumps with secrets, with any number of sessions.

use std::path::Path;

use super::capabilities::{ALL, ENTITIES};
use crate::dump::{self, Secrets, Writer};
use crate::error::Result;
use crate::format::{Capabilities, Known, Parsed, Target, Writing, damaged, written};

pub(super) const FORMAT: &str = "json";

/// Reads the text; `None` where it is another text.
pub(super) fn read_text(path: &Path, text: &str, _: Known<'_>) -> Option<Result<Parsed>> {
    let is_dump = text.starts_with('{') && dump::looks_like(text);
    is_dump.then(|| dump::read(text).map_err(|why| damaged(path, why)))
}

/// A dump, written.
pub(super) struct DumpFile;

impl Target for DumpFile {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn capabilities(&self) -> &'static Capabilities {
        const CAPABILITIES: Capabilities = Capabilities { many: true, ..ALL };
        &CAPABILITIES
    }

    fn write(&self, work: Writing<'_, '_>) -> Result<()> {
        let Writing { sessions, lost, out } = work;
        let mut dump = Writer::new(out, "tgsession export", Secrets::Shown);
        for session in sessions {
            written(dump.begin(&session.name, &session.account))?;
            while let Some(entity) = session.entity(&ENTITIES, lost) {
                written(dump.entity(&entity?))?;
            }
            written(dump.finish(&session.account))?;
        }
        written(dump.end(&[]).map(drop))
    }
}
