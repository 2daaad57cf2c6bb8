//! Rows as bytes: what the session code works on, wherever they are kept.

use std::fmt;
use std::ops::{Bound, Deref};
use std::sync::Arc;

use redb::{AccessGuard, Key, Range, ReadOnlyTable, ReadableTable, ReadableTableMetadata};
use zeroize::Zeroizing;

use super::fault::{Fault, Step};
use super::tables::{Span, Table};
use crate::record::RecordError;

/// The bytes of a row that is held in memory. They are wiped when the last holder lets go, since
/// they may be those of a key.
#[derive(Clone)]
pub(super) struct Row(Arc<Zeroizing<Vec<u8>>>);

impl Row {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }
}

impl Deref for Row {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Never the bytes, which may be a key's.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({} bytes)", self.len())
    }
}

/// What a row was found to hold.
pub(super) enum Value {
    Held(Row),
    /// In a page of the engine's.
    Page(AccessGuard<'static, &'static [u8]>),
    Short([u8; 8], usize),
}

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Held(row) => row,
            Self::Page(guard) => guard.value(),
            Self::Short(bytes, len) => bytes.get(..*len).unwrap_or_default(),
        }
    }
}

/// Is shown key and value of a row and says whether to go on.
pub(super) type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Step<bool>;

/// Something that rows are read from.
pub(super) trait Rows {
    fn get(&self, table: Table, key: &[u8]) -> Step<Option<Value>>;

    /// Shows the rows of a span in the order of their keys, at least the first `most` of them:
    /// who will not look at more says so, and is spared what more would cost.
    fn each(&self, table: Table, span: &Span, most: usize, visit: Visit<'_>) -> Step<()>;
}

/// Something that rows are changed in.
pub(super) trait RowsMut: Rows {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Step<()>;

    fn remove(&mut self, table: Table, key: &[u8]) -> Step<()>;
}

/// A table of redb, open for reading.
pub(super) trait Stored: Send + Sync {
    fn get(&self, key: &[u8]) -> Step<Option<Value>>;

    fn each(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, visit: Visit<'_>) -> Step<()>;

    fn count(&self) -> Step<u64>;
}

/// A table of redb, open for writing.
pub(super) trait StoredMut {
    fn get(&self, key: &[u8]) -> Step<Option<Value>>;

    fn each(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, visit: Visit<'_>) -> Step<()>;

    fn put(&mut self, key: &[u8], value: &[u8]) -> Step<()>;

    fn remove(&mut self, key: &[u8]) -> Step<()>;

    fn clear(&mut self, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Step<()>;

    /// Fills an empty table with what `source` shows in the order of the keys, by far the fastest
    /// and densest way.
    fn fill(&mut self, source: &mut dyn FnMut(Visit<'_>) -> Step<()>) -> Step<()>;
}

/// What a table of redb has as a key or as a value: bytes of any length, or of one.
///
/// redb's code is compiled once for each pair of them, so there are few.
pub(super) trait Bytes: redb::Value + Sized + Send + Sync + 'static {
    /// Bytes as redb takes them; a fault where they have another length.
    fn of(bytes: &[u8]) -> Step<Self::SelfType<'_>>;

    fn bytes<'a>(these: &'a Self::SelfType<'_>) -> &'a [u8];

    /// A value that was found.
    fn found(guard: AccessGuard<'static, Self>) -> Value;
}

impl Bytes for &'static [u8] {
    fn of(bytes: &[u8]) -> Step<&[u8]> {
        Ok(bytes)
    }

    fn bytes<'a>(these: &'a &[u8]) -> &'a [u8] {
        these
    }

    fn found(guard: AccessGuard<'static, Self>) -> Value {
        Value::Page(guard)
    }
}

impl<const N: usize> Bytes for &'static [u8; N] {
    fn of(bytes: &[u8]) -> Step<&[u8; N]> {
        bytes.try_into().map_err(|_| Fault::record("in the engine", bytes, RecordError::Key))
    }

    fn bytes<'a>(these: &'a &[u8; N]) -> &'a [u8] {
        these.as_slice()
    }

    fn found(guard: AccessGuard<'static, Self>) -> Value {
        short(guard.value())
    }
}

impl<K: Key + Bytes, V: Bytes> Stored for ReadOnlyTable<K, V> {
    fn get(&self, key: &[u8]) -> Step<Option<Value>> {
        Ok(self.get(K::of(key)?)?.map(V::found))
    }

    fn each(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, visit: Visit<'_>) -> Step<()> {
        show(self.range::<K::SelfType<'_>>((bound::<K>(from)?, bound::<K>(to)?))?, visit)
    }

    fn count(&self) -> Step<u64> {
        Ok(self.len()?)
    }
}

impl<K: Key + Bytes, V: Bytes> StoredMut for redb::Table<'_, K, V> {
    fn get(&self, key: &[u8]) -> Step<Option<Value>> {
        let found = ReadableTable::get(self, K::of(key)?)?;
        Ok(found.map(|value| Value::Held(Row::new(V::bytes(&value.value()).to_vec()))))
    }

    fn each(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, visit: Visit<'_>) -> Step<()> {
        show(self.range::<K::SelfType<'_>>((bound::<K>(from)?, bound::<K>(to)?))?, visit)
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Step<()> {
        self.insert(K::of(key)?, V::of(value)?)?;
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Step<()> {
        redb::Table::remove(self, K::of(key)?)?;
        Ok(())
    }

    fn clear(&mut self, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Step<()> {
        let range = (bound::<K>(from)?, bound::<K>(to)?);
        self.retain_in::<K::SelfType<'_>, _>(range, |_, _| false)?;
        Ok(())
    }

    fn fill(&mut self, source: &mut dyn FnMut(Visit<'_>) -> Step<()>) -> Step<()> {
        let mut cursor = self.upper_bound_mut(Bound::<K::SelfType<'_>>::Unbounded)?;
        source(&mut |key, value| {
            cursor.insert_before(K::of(key)?, V::of(value)?)?;
            Ok(true)
        })?;
        cursor.close()?;
        Ok(())
    }
}

fn show<K: Key + Bytes, V: Bytes>(rows: Range<'_, K, V>, visit: Visit<'_>) -> Step<()> {
    for row in rows {
        let (key, value) = row?;
        if !visit(K::bytes(&key.value()), V::bytes(&value.value()))? {
            break;
        }
    }
    Ok(())
}

/// A value of at most eight bytes.
fn short(value: &[u8]) -> Value {
    let mut bytes = [0; 8];
    let len = value.len().min(bytes.len());
    for (place, byte) in bytes.iter_mut().zip(value) {
        *place = *byte;
    }
    Value::Short(bytes, len)
}

fn bound<K: Bytes>(bound: Bound<&[u8]>) -> Step<Bound<K::SelfType<'_>>> {
    Ok(match bound {
        Bound::Included(key) => Bound::Included(K::of(key)?),
        Bound::Excluded(key) => Bound::Excluded(K::of(key)?),
        Bound::Unbounded => Bound::Unbounded,
    })
}
