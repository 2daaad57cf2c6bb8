//! Open stores and sessions: shared, closed by hand, and refused in a forked child.

use std::mem::{ManuallyDrop, take};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, Weak};

use pyo3::PyResult;
use pyo3::prelude::*;
use tgsession::{Error, Store, StoreSession};

use crate::error::{ClosedError, raised};

/// How many times this process is a forked child. A handle of an older generation is its parent's.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Called by Python in a forked child: from here on inherited handles refuse every call.
///
/// Another thread of the parent may have held a lock at the moment of the fork. In the child that
/// lock is never released, so nothing inherited may be touched.
#[pyfunction]
pub(crate) fn forked_child() {
    GENERATION.fetch_add(1, Ordering::AcqRel);
}

/// A value that is open until it is closed, and usable only in the process that opened it.
pub(crate) struct Slot<T> {
    path: PathBuf,
    generation: u64,
    what: &'static str,
    open: ManuallyDrop<RwLock<Option<T>>>,
}

impl<T> Slot<T> {
    fn new(path: &Path, what: &'static str, value: T) -> Self {
        let open = ManuallyDrop::new(RwLock::new(Some(value)));
        Self { path: path.to_owned(), generation: GENERATION.load(Ordering::Acquire), what, open }
    }

    fn is_ours(&self) -> bool {
        self.generation == GENERATION.load(Ordering::Acquire)
    }

    /// Works with the value, which cannot be closed meanwhile.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&T) -> tgsession::Result<R>) -> PyResult<R> {
        let open = self.read()?;
        let value = open.as_ref().ok_or_else(|| self.closed())?;
        work(value).map_err(raised)
    }

    fn read(&self) -> PyResult<RwLockReadGuard<'_, Option<T>>> {
        if !self.is_ours() {
            return Err(raised(Error::Forked { path: self.path.clone() }));
        }
        Ok(self.open.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn is_open(&self) -> bool {
        self.read().is_ok_and(|open| open.is_some())
    }

    fn closed(&self) -> PyErr {
        let (path, what) = (self.path.display(), self.what);
        ClosedError::new_err(format!("{path}: the {what} was closed; open it again"))
    }

    /// Takes the value out, when no other call works with it any more. In a forked child the value
    /// is the parent's, and stays.
    fn close(&self) -> Option<T> {
        if !self.is_ours() {
            return None;
        }
        self.open.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        // What a parent opened is never dropped by its child: that would wait for threads that the
        // child does not have.
        drop(self.close());
    }
}

/// One open store with the sessions that were opened through it.
pub(crate) struct Opened {
    pub(crate) store: Slot<Store>,
    sessions: Mutex<Vec<Weak<Slot<StoreSession>>>>,
}

impl Opened {
    pub(crate) fn new(store: Store) -> Self {
        let path = store.path().to_owned();
        Self { store: Slot::new(&path, "store", store), sessions: Mutex::default() }
    }

    pub(crate) fn session(&self, name: &str, create: bool) -> PyResult<Arc<Slot<StoreSession>>> {
        let session = self.store.with(|store| match create {
            true => store.session(name),
            false => store.open_session(name),
        })?;
        let slot = Arc::new(Slot::new(self.store.path(), "session", session));
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| session.strong_count() > 0);
        sessions.push(Arc::downgrade(&slot));
        Ok(slot)
    }

    /// Closes every session, then the store. Closing again does nothing.
    pub(crate) fn close(&self) -> PyResult<()> {
        if !self.store.is_ours() {
            return Ok(());
        }
        let Some(store) = self.store.close() else { return Ok(()) };
        let sessions = take(&mut *self.sessions.lock().unwrap_or_else(PoisonError::into_inner));
        for session in sessions.iter().filter_map(Weak::upgrade) {
            drop(session.close());
        }
        store.close().map_err(raised)
    }
}

/// Closes one session; what it wrote is flushed first.
pub(crate) fn close_session(session: &Slot<StoreSession>) -> PyResult<()> {
    use tgsession::Session;
    match session.close() {
        Some(session) => session.flush().map_err(raised),
        None => Ok(()),
    }
}
