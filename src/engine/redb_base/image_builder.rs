//! Writes a redb database in memory, in one transaction.

use std::io;
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
    caught(|| write_into(image.clone(), tables, fill))?;
    let mut image = std::mem::take(&mut *image.lock());
    let len = image.len().next_multiple_of(PAGE);
    resize(&mut image, len);
    Ok(image)
}

fn write_into(image: MemoryImage, tables: &[Table], fill: Fill<'_>) -> EngineResult<()> {
    let mut builder = redb::Builder::new();
    let database = builder.set_cache_size(CACHE).create_with_backend(image)?;
    let mut database = UnlessPanicking(Some(database));
    let Some(open) = &mut database.0 else { return Ok(()) };
    write(open, tables, fill)?;
    while open.compact()? {}
    Ok(database.0.take().map_or(Ok(()), Database::close)?)
}

fn write(database: &Database, tables: &[Table], fill: Fill<'_>) -> EngineResult<()> {
    let mut transaction = UnlessPanicking(Some(database.begin_write()?));
    let Some(open) = &mut transaction.0 else { return Ok(()) };
    // Its commit makes the slot of the header that counts known beyond doubt.
    open.set_two_phase_commit(true);
    for table in tables {
        let mut rows = UnlessPanicking(Some(open.open_table(definition(*table))?));
        let Some(open_rows) = &mut rows.0 else { return Ok(()) };
        let cursor = open_rows.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
        let mut cursor = UnlessPanicking(Some(cursor));
        let Some(open_cursor) = &mut cursor.0 else { return Ok(()) };
        fill(*table, &mut |key, value| {
            open_cursor.insert_before(key, value)?;
            Ok(true)
        })?;
        if let Some(cursor) = cursor.0.take() {
            cursor.close()?;
        }
    }
    Ok(transaction.0.take().map_or(Ok(()), |transaction| transaction.commit())?)
}

/// A part of redb that is not dropped while a panic unwinds: its destructor may panic too, and a
/// second panic ends the process.
struct UnlessPanicking<T>(Option<T>);

impl<T> Drop for UnlessPanicking<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::mem::forget(self.0.take());
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_cannot_be_read_leaves_nothing_of_redb_in_memory() {
        let image = MemoryImage::default();
        let failed = write_into(image.clone(), &[Table::Logins], &mut |_, visit| {
            for row in 0..3_000_u32 {
                visit(&row.to_be_bytes(), &[7; 90])?;
            }
            Err(io::Error::other("a damaged row").into())
        });
        assert!(failed.is_err());
        assert_eq!(Arc::strong_count(&image.0), 1);
    }
}
