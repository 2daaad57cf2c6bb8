//! The form that is a folder of files.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::{Export, ExportReport, ExportSession};
use crate::error::{Error, Result};
use crate::file::{NewFile, folder_of, sync_folder};
use crate::format::gramjs_store;

impl Export {
    /// Writes a folder beside its place and gives it its name when all is in it.
    pub(super) fn write_folder<'a>(
        &self,
        path: &Path,
        sessions: impl IntoIterator<Item = impl Into<ExportSession<'a>>>,
    ) -> Result<ExportReport> {
        let failed = |source| Error::io("write", path, source);
        if path.symlink_metadata().is_ok() {
            // A folder cannot be replaced in one step, and between two nothing would be there.
            return Err(Error::AlreadyExists { path: path.to_owned() });
        }
        let mut work = self.begin(sessions, &gramjs_store::PLACE)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".tmp")
            .tempdir_in(folder_of(path))
            .map_err(failed)?;
        for session in &mut work.sessions {
            for (name, content) in gramjs_store::files(&name, session, &mut work.lost)? {
                let file = temporary.path().join(name);
                let new = NewFile::empty(&file).map_err(failed)?;
                new.handle().and_then(|mut out| out.write_all(&content)).map_err(failed)?;
                new.put_in_place(&file).map_err(failed)?;
            }
        }
        let report = self.end(work, &gramjs_store::PLACE)?;
        fs::rename(temporary.keep(), path).map_err(failed)?;
        sync_folder(folder_of(path)).map_err(failed)?;
        Ok(report)
    }
}
