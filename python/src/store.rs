//! `NativeStore`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tgsession::{Store, StoreKey, StoreOptions};
use zeroize::Zeroizing;

use crate::error::raised;
use crate::handle::Opened;
use crate::session::NativeSession;

/// The key of an encrypted store: text is a passphrase, 32 bytes are a raw key.
#[derive(FromPyObject)]
enum Key {
    #[pyo3(annotation = "str")]
    Passphrase(String),
    #[pyo3(annotation = "bytes")]
    Raw(Vec<u8>),
}

impl Key {
    fn into_store_key(self) -> PyResult<StoreKey> {
        match self {
            Self::Passphrase(text) => Ok(StoreKey::passphrase(Zeroizing::new(text).as_bytes())),
            Self::Raw(bytes) => {
                let bytes = Zeroizing::new(bytes);
                let key = bytes.as_slice().try_into().map_err(|_| {
                    let what = "a raw key has 32 bytes, and a passphrase is a str";
                    PyValueError::new_err(format!("{what}; the key has {} bytes", bytes.len()))
                })?;
                Ok(StoreKey::raw(key))
            }
        }
    }
}

/// One store.
#[pyclass(frozen, module = "tgsession_store._native")]
pub(crate) struct NativeStore {
    pub(crate) opened: Arc<Opened>,
}

#[pymethods]
impl NativeStore {
    /// Opens or makes the store at a path. Seconds as Python has them.
    #[staticmethod]
    #[pyo3(signature = (path, mode, flush_interval = None, wait = None, key = None))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        mode: &str,
        flush_interval: Option<f64>,
        wait: Option<f64>,
        key: Option<Key>,
    ) -> PyResult<Self> {
        let mut options = Store::options();
        if let Some(key) = key {
            options = options.key(&key.into_store_key()?);
        }
        if let Some(interval) = flush_interval {
            options = options.flush_interval(duration("flush_interval", interval)?);
        }
        if let Some(wait) = wait {
            options = options.wait(duration("wait", wait)?);
        }
        let open: fn(&StoreOptions, &PathBuf) -> tgsession::Result<Store> = match mode {
            "open" => |options, path| options.open(path),
            "create" => |options, path| options.create(path),
            "open_or_create" => |options, path| options.open_or_create(path),
            "read_only" => |options, path| options.open_read_only(path),
            _ => return Err(PyValueError::new_err(format!("there is no mode {mode:?}"))),
        };
        let store = py.detach(|| open(&options, &path)).map_err(raised)?;
        Ok(Self { opened: Arc::new(Opened::new(store)) })
    }

    #[getter]
    fn path(&self) -> PathBuf {
        self.opened.store.path().to_owned()
    }

    #[getter]
    fn encrypted(&self) -> PyResult<bool> {
        self.opened.store.with(|store| Ok(store.is_encrypted()))
    }

    #[getter]
    fn closed(&self) -> bool {
        !self.opened.store.is_open()
    }

    fn sessions(&self) -> PyResult<Vec<String>> {
        self.opened.store.with(Store::list)
    }

    fn session(&self, py: Python<'_>, name: &str, create: bool) -> PyResult<NativeSession> {
        let session = py.detach(|| self.opened.session(name, create))?;
        Ok(NativeSession { session })
    }

    fn rename(&self, py: Python<'_>, name: &str, to: &str) -> PyResult<()> {
        py.detach(|| self.opened.store.with(|store| store.rename(name, to)))
    }

    fn remove(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        py.detach(|| self.opened.store.with(|store| store.remove(name)))
    }

    /// Sessions, entities, records, problems.
    fn check(&self, py: Python<'_>) -> PyResult<(u64, u64, u64, Vec<String>)> {
        let report = py.detach(|| self.opened.store.with(Store::check))?;
        Ok((report.sessions, report.entities, report.records, report.problems))
    }

    fn backup(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.opened.store.with(|store| store.backup(path)))
    }

    fn compact(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.opened.store.with(Store::compact))
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        // Closing one handle of several flushes.
        py.detach(|| self.opened.store.with(|store| store.clone().close()))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.opened.close())
    }
}

impl Drop for NativeStore {
    fn drop(&mut self) {
        // Without the interpreter lock: closing may wait for the disk.
        Python::try_attach(|py| py.detach(|| drop(self.opened.close())));
    }
}

fn duration(what: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        PyValueError::new_err(format!("{what} is {seconds}, and must be 0 or more seconds"))
    })
}
