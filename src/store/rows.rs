//! Rows as bytes: what the session code works on, wherever they are kept.

use std::fmt;
use std::ops::{Bound, Deref};
use std::sync::Arc;

use redb::{AccessGuard, Range, ReadOnlyTable};
use zeroize::Zeroizing;

use super::fault::Step;
use super::tables::{Span, Table};
use crate::record::AccountNo;

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

/// So many bytes of a row are handed over as they are.
const INLINE: usize = 118;

/// What a row was found to hold.
pub(super) enum Value {
    Held(Row),
    /// In a page of the engine's.
    Page(AccessGuard<'static, &'static [u8]>),
    Inline([u8; INLINE], u8),
}

impl Value {
    /// A copy of these bytes.
    pub(super) fn inline(bytes: &[u8]) -> Self {
        let mut place = [0; INLINE];
        match place.get_mut(..bytes.len()) {
            Some(inline) => {
                inline.copy_from_slice(bytes);
                Self::Inline(place, bytes.len() as u8)
            }
            None => Self::Held(Row::new(bytes.to_vec())),
        }
    }

    /// A copy of a record.
    pub(super) fn record(tag: u8, payload: &[u8]) -> Self {
        let mut place = [0; INLINE];
        match place.get_mut(..=payload.len()).and_then(|place| place.split_first_mut()) {
            Some((first, rest)) => {
                *first = tag;
                rest.copy_from_slice(payload);
                Self::Inline(place, payload.len() as u8 + 1)
            }
            None => Self::Held(Row::new([&[tag], payload].concat())),
        }
    }
}

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Held(row) => row,
            Self::Page(guard) => guard.value(),
            Self::Inline(bytes, len) => bytes.get(..usize::from(*len)).unwrap_or_default(),
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
    /// Puts a row that may stand there already.
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Step<()> {
        self.set(table, key, value)
    }

    /// Puts a row that does not stand there yet: nobody looks.
    fn set(&mut self, table: Table, key: &[u8], value: &[u8]) -> Step<()>;

    fn remove(&mut self, table: Table, key: &[u8]) -> Step<()>;
}

/// A table below the changes in memory, open for reading.
pub(super) trait Stored: Send + Sync {
    fn get(&self, key: &[u8]) -> Step<Option<Value>>;

    fn each(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, visit: Visit<'_>) -> Step<()>;

    /// How many rows an account has, where that can be told without counting them.
    fn count(&self, account: AccountNo) -> Step<Option<u64>>;
}

/// A table of redb, open for writing.
pub(super) type StoredMut<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

impl Stored for ReadOnlyTable<&'static [u8], &'static [u8]> {
    fn get(&self, key: &[u8]) -> Step<Option<Value>> {
        Ok(self.get(key)?.map(Value::Page))
    }

    fn each(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, visit: Visit<'_>) -> Step<()> {
        show(self.range::<&[u8]>((from, to))?, visit)
    }

    fn count(&self, _: AccountNo) -> Step<Option<u64>> {
        Ok(None)
    }
}

/// Shows rows of redb's.
pub(super) fn show(rows: Range<'_, &'static [u8], &'static [u8]>, visit: Visit<'_>) -> Step<()> {
    for row in rows {
        let (key, value) = row?;
        if !visit(key.value(), value.value())? {
            break;
        }
    }
    Ok(())
}
