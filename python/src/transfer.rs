//! Import, export and dumps.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tgsession::dump::{Secrets, Writer};
use tgsession::{
    DcId, Entities, Error, Export, ExportReport, ExportSession, Format, ReadView, Session, Source,
    SourceOptions, Store,
};

use crate::error::raised;
use crate::store::NativeStore;

/// The names of all formats that sessions can be exported to.
#[pyfunction]
pub(crate) fn formats() -> Vec<&'static str> {
    Format::ALL.into_iter().map(Format::name).collect()
}

/// Name, entities, usernames, phones, notes.
type ImportRow = (String, u64, u64, u64, Vec<String>);

/// What was left out as (field, reason, count), and what was filled in.
type ExportRow = (Vec<(&'static str, &'static str, u64)>, Vec<String>, u64);

fn export_row(report: &ExportReport) -> ExportRow {
    let lost = report.lost.iter().map(|loss| (loss.what, loss.why, loss.count)).collect();
    (lost, report.filled.clone(), report.entities)
}

#[pymethods]
impl NativeStore {
    /// Brings sessions of another file in: one by name, or all.
    #[pyo3(signature = (path, session, name, replace, passphrase))]
    fn import_(
        &self,
        py: Python<'_>,
        path: PathBuf,
        session: Option<&str>,
        name: Option<&str>,
        replace: bool,
        passphrase: Option<&[u8]>,
    ) -> PyResult<Vec<ImportRow>> {
        let mut options = SourceOptions::new();
        if let Some(passphrase) = passphrase {
            options = options.passphrase(passphrase);
        }
        py.detach(|| {
            let source = options.open(&path).map_err(raised)?;
            let names = match session {
                Some(session) => vec![session.to_owned()],
                None => source.session_names().map_err(raised)?,
            };
            if name.is_some() && names.len() != 1 {
                return Err(PyValueError::new_err(format!(
                    "{}: it has {} sessions, which cannot all have one name; choose one with session=",
                    path.display(),
                    names.len()
                )));
            }
            let import = |from: &String| {
                let to = name.unwrap_or(from);
                self.opened.store.with(|store| import_one(store, &source, from, to, replace))
            };
            names.iter().map(import).collect()
        })
    }

    /// Exports sessions to a file, or gives the bytes where `path` is `None`.
    #[pyo3(signature = (names, format, path, api_id, user_id, bot, entities, strict, overwrite, passphrase))]
    #[allow(clippy::too_many_arguments, reason = "the package above gives them names")]
    fn export<'py>(
        &self,
        py: Python<'py>,
        names: Vec<String>,
        format: &str,
        path: Option<PathBuf>,
        api_id: Option<i32>,
        user_id: Option<i64>,
        bot: Option<bool>,
        entities: bool,
        strict: bool,
        overwrite: bool,
        passphrase: Option<&[u8]>,
    ) -> PyResult<(Option<Bound<'py, PyBytes>>, ExportRow)> {
        let format: Format = format
            .parse()
            .map_err(|error: tgsession::UnknownFormat| PyValueError::new_err(error.to_string()))?;
        let mut export = Export::to(format).entities(entities).strict(strict).overwrite(overwrite);
        export = api_id.into_iter().fold(export, Export::api_id);
        export = user_id.into_iter().fold(export, Export::user_id);
        export = bot.into_iter().fold(export, Export::bot);
        export = passphrase.into_iter().fold(export, Export::passphrase);
        let (bytes, report) = py.detach(|| {
            let view = self.opened.store.with(Store::read_view)?;
            let sessions = outgoing(&view, &names)?;
            match &path {
                Some(path) => export.write_file(path, sessions).map(|report| (None, report)),
                None => export.to_bytes(sessions).map(|(bytes, report)| (Some(bytes), report)),
            }
            .map_err(raised)
        })?;
        Ok((bytes.map(|bytes| PyBytes::new(py, &bytes)), export_row(&report)))
    }

    /// Sessions as JSON.
    fn dump(&self, py: Python<'_>, names: Vec<String>, secrets: bool) -> PyResult<String> {
        let bytes = py.detach(|| {
            let view = self.opened.store.with(Store::read_view)?;
            dump(&view, &names, Secrets::from(secrets)).map_err(raised)
        })?;
        String::from_utf8(bytes).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

fn import_one(
    store: &Store,
    source: &Source,
    from: &str,
    to: &str,
    replace: bool,
) -> tgsession::Result<ImportRow> {
    let mut session = source.session(from)?;
    let report =
        if replace { store.replace(to, &mut session)? } else { store.import(to, &mut session)? };
    let mut notes = report.notes;
    notes.extend(session.notes());
    notes.extend(session.doubts());
    Ok((to.to_owned(), report.entities, report.usernames, report.phones, notes))
}

fn outgoing(view: &ReadView, names: &[String]) -> PyResult<Vec<ExportSession<'static>>> {
    let session = |name: &String| {
        let session = view.session(name)?;
        let account = session.account()?;
        Ok(ExportSession::new(name, account, Entities::of(session)))
    };
    names.iter().map(session).collect::<tgsession::Result<_>>().map_err(raised)
}

fn dump(view: &ReadView, names: &[String], secrets: Secrets) -> tgsession::Result<Vec<u8>> {
    let failed = |error: std::io::Error| Error::Other(Box::new(error));
    let mut writer = Writer::new(Vec::new(), "tgsession", secrets);
    for name in names {
        let session = view.session(name)?;
        let account = session.account()?;
        writer.begin_unproven(name, &account, &Vec::<DcId>::new()).map_err(failed)?;
        for entity in Entities::of(session) {
            writer.entity(&entity?).map_err(failed)?;
        }
        writer.finish(&account).map_err(failed)?;
    }
    writer.end(&[]).map_err(failed)
}
