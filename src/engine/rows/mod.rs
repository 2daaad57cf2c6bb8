//! Rows as bytes, wherever they are stored.

mod key;
mod row_map;
mod row_value;
mod table;

use std::ops::{Bound, Deref};

use redb::AccessGuard;

use super::error::EngineResult;
use crate::record::AccountNo;

pub(crate) use self::key::RowKey;
pub(crate) use self::row_map::RowMap;
pub(crate) use self::row_value::RowValue;
pub(crate) use self::table::{
    Span, TABLES, Table, append_entity, decoded, encoded, get, owned_by, owner,
};

/// A row of up to this many bytes is copied, not shared.
const INLINE: usize = 118;

/// The bytes of a row that was found.
pub(crate) enum RowBytes {
    Held(RowValue),
    /// In a page of the base.
    Base(AccessGuard<'static, &'static [u8]>),
    Inline([u8; INLINE], u8),
}

impl RowBytes {
    /// A copy of these bytes.
    pub(crate) fn inline(bytes: &[u8]) -> Self {
        let mut place = [0; INLINE];
        match place.get_mut(..bytes.len()) {
            Some(inline) => {
                inline.copy_from_slice(bytes);
                Self::Inline(place, bytes.len() as u8)
            }
            None => Self::Held(RowValue::of(Table::Entities, bytes)),
        }
    }

    /// A copy of a record.
    pub(crate) fn record(tag: u8, payload: &[u8]) -> Self {
        let mut place = [0; INLINE];
        match place.get_mut(..=payload.len()).and_then(|place| place.split_first_mut()) {
            Some((first, rest)) => {
                *first = tag;
                rest.copy_from_slice(payload);
                Self::Inline(place, payload.len() as u8 + 1)
            }
            None => Self::Held(RowValue::of(Table::Entities, &[&[tag], payload].concat())),
        }
    }
}

impl Deref for RowBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Held(row) => row,
            Self::Base(guard) => guard.value(),
            Self::Inline(bytes, len) => bytes.get(..usize::from(*len)).unwrap_or_default(),
        }
    }
}

/// Takes key and value of a row and says whether to go on.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> EngineResult<bool>;

/// A set of rows that can be read.
pub(crate) trait Rows {
    fn get(&self, table: Table, key: &[u8]) -> EngineResult<Option<RowBytes>>;

    /// Visits the rows of a span in the order of their keys. `most` is a hint: a caller that stops
    /// after this many rows is spared the cost of more.
    fn each(&self, table: Table, span: &Span, most: usize, visit: Visit<'_>) -> EngineResult<()>;
}

/// A set of rows that can be changed.
pub(crate) trait RowsMut: Rows {
    /// Puts a row. If the same row is there already, nothing changes.
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> EngineResult<()> {
        self.set(table, key, value)
    }

    /// Puts a row without a look at what is there.
    fn set(&mut self, table: Table, key: &[u8], value: &[u8]) -> EngineResult<()>;

    fn remove(&mut self, table: Table, key: &[u8]) -> EngineResult<()>;
}

/// A table below the memtables.
pub(crate) trait TableReader: std::fmt::Debug + Send + Sync {
    fn get(&self, key: &[u8]) -> EngineResult<Option<RowBytes>>;

    fn each(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, visit: Visit<'_>) -> EngineResult<()>;

    /// How many rows an account has, if that is known without a count.
    fn count(&self, account: AccountNo) -> EngineResult<Option<u64>>;
}
