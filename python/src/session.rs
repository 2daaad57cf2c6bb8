//! `NativeSession`: look-ups, files, life. What changes logins is in `login`, what takes entities in
//! is in `peers`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tgsession::{AccessHash, Entity, Extra, PeerId, SentFile, Session, StoreSession};

use crate::handle::{Slot, close_session};
use crate::values::{EntityRow, address, entity_row, file_key, file_row, peer};

/// One session of a store.
#[pyclass(frozen, module = "tgsession_store._native")]
pub(crate) struct NativeSession {
    pub(crate) session: Arc<Slot<StoreSession>>,
}

impl NativeSession {
    /// Reads with the interpreter lock held: for a single row.
    pub(crate) fn look_up<T>(
        &self,
        work: impl FnOnce(&StoreSession) -> tgsession::Result<T>,
    ) -> PyResult<T> {
        self.session.with(work)
    }

    /// Works without the interpreter lock: for what waits or takes long.
    pub(crate) fn work<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&StoreSession) -> tgsession::Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| self.session.with(work))
    }

    fn row(
        &self,
        find: impl FnOnce(&StoreSession) -> tgsession::Result<Option<Entity>>,
    ) -> PyResult<Option<EntityRow>> {
        Ok(self.look_up(find)?.map(entity_row))
    }

    fn address(
        &self,
        find: impl FnOnce(&StoreSession) -> tgsession::Result<Option<Entity>>,
    ) -> PyResult<Option<(i64, i64)>> {
        Ok(self.look_up(find)?.as_ref().and_then(address))
    }
}

#[pymethods]
impl NativeSession {
    #[getter]
    fn closed(&self) -> bool {
        !self.session.is_open()
    }

    fn name(&self) -> PyResult<String> {
        self.look_up(|session| session.name())
    }

    fn sessions(&self) -> PyResult<Vec<String>> {
        self.look_up(|session| session.list_sessions())
    }

    fn entity(&self, id: i64) -> PyResult<Option<EntityRow>> {
        let Some(id) = PeerId::from_marked(id) else { return Ok(None) };
        self.row(|session| session.entity(id))
    }

    fn by_bare_id(&self, id: i64) -> PyResult<Option<EntityRow>> {
        self.row(|session| session.entity_by_bare_id(id))
    }

    fn by_username(&self, username: &str) -> PyResult<Option<EntityRow>> {
        self.row(|session| session.entity_by_username(username))
    }

    fn by_phone(&self, phone: &str) -> PyResult<Option<EntityRow>> {
        self.row(|session| session.entity_by_phone(phone))
    }

    fn by_name(&self, py: Python<'_>, name: &str) -> PyResult<Option<EntityRow>> {
        Ok(self.work(py, |session| session.entity_by_name(name))?.map(entity_row))
    }

    fn find(&self, py: Python<'_>, text: &str) -> PyResult<Option<EntityRow>> {
        Ok(self.work(py, |session| session.find(text))?.map(entity_row))
    }

    fn entities(
        &self,
        py: Python<'_>,
        after: Option<i64>,
        limit: usize,
    ) -> PyResult<Vec<EntityRow>> {
        let after = after.map(peer).transpose()?;
        let found = self.work(py, |session| session.entities(after, limit))?;
        Ok(found.into_iter().map(entity_row).collect())
    }

    fn entity_count(&self, py: Python<'_>) -> PyResult<u64> {
        self.work(py, |session| session.entity_count())
    }

    fn remove_entity(&self, py: Python<'_>, id: i64) -> PyResult<()> {
        let id = peer(id)?;
        self.work(py, |session| session.remove_entity(id))
    }

    fn address_by_id(&self, id: i64) -> PyResult<Option<(i64, i64)>> {
        let Some(id) = PeerId::from_marked(id) else { return Ok(None) };
        self.address(|session| session.entity(id))
    }

    fn address_by_username(&self, username: &str) -> PyResult<Option<(i64, i64)>> {
        self.address(|session| session.entity_by_username(username))
    }

    fn address_by_phone(&self, phone: &str) -> PyResult<Option<(i64, i64)>> {
        self.address(|session| session.entity_by_phone(phone))
    }

    fn address_by_name(&self, py: Python<'_>, name: &str) -> PyResult<Option<(i64, i64)>> {
        Ok(self.work(py, |session| session.entity_by_name(name))?.as_ref().and_then(address))
    }

    fn sent_file(&self, md5: &[u8], size: i64, photo: bool) -> PyResult<Option<(i64, i64)>> {
        let key = file_key(md5, size, photo)?;
        Ok(self.look_up(|session| session.sent_file(key))?.as_ref().map(file_row))
    }

    fn save_sent_file(
        &self,
        py: Python<'_>,
        md5: &[u8],
        size: i64,
        photo: bool,
        id: i64,
        access_hash: i64,
    ) -> PyResult<()> {
        let key = file_key(md5, size, photo)?;
        let file = SentFile { key, id, access_hash: AccessHash(access_hash) };
        self.work(py, |session| session.save_sent_file(&file))
    }

    fn extra<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let extra = self.look_up(|session| session.extra(name))?;
        Ok(extra.map(|extra| PyBytes::new(py, extra.value())))
    }

    fn extras<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Bound<'py, PyBytes>)>> {
        let extras = self.look_up(|session| session.extras())?;
        let row = |extra: &Extra| (extra.name().to_owned(), PyBytes::new(py, extra.value()));
        Ok(extras.iter().map(row).collect())
    }

    fn set_extra(&self, py: Python<'_>, name: &str, value: Option<&[u8]>) -> PyResult<()> {
        self.work(py, |session| session.set_extra(name, value))
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.work(py, |session| session.flush())
    }

    fn delete(&self, py: Python<'_>) -> PyResult<()> {
        self.work(py, |session| session.delete())
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| close_session(&self.session))
    }
}
