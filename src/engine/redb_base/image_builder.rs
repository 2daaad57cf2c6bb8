//! Writes a redb database in memory, in one transaction.

use std::io;
use std::mem::ManuallyDrop;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{BackendError, Database, StorageBackend, WriteTransaction};
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
    let write_all = |database: &mut Database| {
        write(database, tables, fill)?;
        while database.compact()? {}
        Ok(())
    };
    used(database, write_all, |database| Ok(database.close()?))
}

fn write(database: &Database, tables: &[Table], fill: Fill<'_>) -> EngineResult<()> {
    let mut transaction = database.begin_write()?;
    // Its commit makes the slot of the header that counts known beyond doubt.
    transaction.set_two_phase_commit(true);
    used(
        transaction,
        |transaction| tables.iter().try_for_each(|table| write_table(transaction, *table, fill)),
        |transaction| Ok(transaction.commit()?),
    )
}

fn write_table(transaction: &WriteTransaction, table: Table, fill: Fill<'_>) -> EngineResult<()> {
    let write = |rows: &mut redb::Table<'_, &[u8], &[u8]>| {
        used(
            rows.upper_bound_mut(Bound::<&[u8]>::Unbounded)?,
            |cursor| {
                fill(table, &mut |key, value| {
                    cursor.insert_before(key, value)?;
                    Ok(true)
                })
            },
            |cursor| Ok(cursor.close()?),
        )
    };
    used(transaction.open_table(definition(table))?, write, |_| Ok(()))
}

/// Calls `work` with a part of redb, and `finish` if `work` succeeds. On an error the part is dropped.
/// On a panic it is not: its destructor may panic too, and a second panic ends the process.
fn used<T>(
    part: T,
    work: impl FnOnce(&mut T) -> EngineResult<()>,
    finish: impl FnOnce(T) -> EngineResult<()>,
) -> EngineResult<()> {
    let mut part = ManuallyDrop::new(part);
    let worked = work(&mut part);
    let part = ManuallyDrop::into_inner(part);
    worked?;
    finish(part)
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

    // No process writes these bytes, so every lock is granted.

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
