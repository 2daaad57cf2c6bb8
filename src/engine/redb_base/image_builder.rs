//! Writes a redb database in memory, in one transaction.

use std::io;
use std::mem::ManuallyDrop;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{BackendError, Database, StorageBackend};
use zeroize::Zeroizing;

use super::{Fill, definition};
use crate::engine::error::{EngineResult, caught};
use crate::engine::rows::Table;
use crate::file::{Bytes, PAGE};

/// redb keeps the whole image in memory anyway while it is written.
const CACHE: usize = 16 << 20;

/// A database with the rows that `fill` gives for each table, in the order of their keys.
///
/// What this module has of it in memory is wiped. The pages that redb keeps while it writes are not:
/// redb frees them as they are.
pub(crate) fn image_of(tables: &[Table], fill: Fill<'_>) -> EngineResult<Zeroizing<Vec<u8>>> {
    let image = MemoryImage::default();
    let backend = image.clone();
    caught(move || {
        // redb must not unwind through its own destructors: a second panic would abort.
        let builder = redb::Builder::new().set_cache_size(CACHE).create_with_backend(backend);
        let mut database = ManuallyDrop::new(builder?);
        write(&database, tables, fill)?;
        while database.compact()? {}
        ManuallyDrop::into_inner(database).close()?;
        Ok(())
    })?;
    let mut image = std::mem::take(&mut *image.lock());
    let len = image.len().next_multiple_of(PAGE);
    resize(&mut image, len);
    Ok(image)
}

fn write(database: &Database, tables: &[Table], fill: Fill<'_>) -> EngineResult<()> {
    let mut transaction = ManuallyDrop::new(database.begin_write()?);
    // Its commit makes the slot of the header that counts known beyond doubt.
    transaction.set_two_phase_commit(true);
    for table in tables {
        let mut rows = ManuallyDrop::new(transaction.open_table(definition(*table))?);
        let mut cursor = ManuallyDrop::new(rows.upper_bound_mut(Bound::<&[u8]>::Unbounded)?);
        fill(*table, &mut |key, value| {
            cursor.insert_before(key, value)?;
            Ok(true)
        })?;
        ManuallyDrop::into_inner(cursor).close()?;
        drop(ManuallyDrop::into_inner(rows));
    }
    ManuallyDrop::into_inner(transaction).commit()?;
    Ok(())
}

/// A database in memory that is being written. Clones share it.
#[derive(Clone, Debug, Default)]
struct MemoryImage(Arc<Mutex<Zeroizing<Vec<u8>>>>);

/// Gives bytes that may hold keys another length. Where they were, nothing of them stays.
pub(super) fn resize(bytes: &mut Zeroizing<Vec<u8>>, len: usize) {
    if len > bytes.capacity() {
        let mut moved = Zeroizing::new(Vec::with_capacity(len.max(2 * bytes.len())));
        moved.extend_from_slice(bytes);
        *bytes = moved;
    }
    bytes.resize(len, 0);
}

impl MemoryImage {
    fn lock(&self) -> MutexGuard<'_, Zeroizing<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for MemoryImage {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        copy(&self.lock(), offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        resize(&mut self.lock(), len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.lock();
        let at = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let place = at.checked_add(data.len()).and_then(|end| bytes.get_mut(at..end));
        place.ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(data);
        Ok(())
    }
}

/// A verified database that is only read.
#[derive(Debug)]
pub(super) struct ImageBytes {
    bytes: Bytes,
    len: usize,
}

impl ImageBytes {
    /// The first `len` bytes of these.
    pub(super) fn new(bytes: Bytes, len: usize) -> Self {
        Self { bytes, len }
    }

    fn all(&self) -> &[u8] {
        self.bytes.all().get(..self.len).unwrap_or_default()
    }
}

impl StorageBackend for ImageBytes {
    fn len(&self) -> io::Result<u64> {
        Ok(self.len as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        copy(self.all(), offset, out)
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    // Nobody writes these bytes, so each lock is free.

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}

fn copy(bytes: &[u8], offset: u64, out: &mut [u8]) -> io::Result<()> {
    let at = usize::try_from(offset).unwrap_or(usize::MAX);
    let there = at.checked_add(out.len()).and_then(|end| bytes.get(at..end));
    out.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
    Ok(())
}
