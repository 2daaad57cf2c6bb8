//! One row, decoded when asked.

use std::cell::{Cell as StdCell, OnceCell};

use super::page::Cell;
use super::payload::Payload;
use super::record::{HeaderCursor, Record};
use super::table::Slot;
use super::{Affinity, Database, SqliteError, Table, Value};

/// A row of a table.
///
/// It borrows the database. A row longer than its page is put together the first time a
/// column beyond the page is asked for.
///
/// ```
/// use tgsession::sqlite::{Database, OpenOptions, Value};
///
/// let path = "tests/fixtures/telethon/plain_1.45.0.session";
/// let db = Database::open(path.as_ref(), &OpenOptions::new())?;
/// let version = db.table("version").ok_or("there is no table version")?;
/// let row = db.rows(version).next().ok_or("there is no row")??;
/// assert_eq!(row.get(0)?, Value::Integer(8));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Row<'a> {
    db: &'a Database,
    table: &'a Table,
    rowid: i64,
    payload: Payload<'a>,
    /// How far the header has been read, so that columns in order cost one step each.
    place: StdCell<HeaderCursor>,
    whole: OnceCell<Vec<u8>>,
}

impl<'a> Row<'a> {
    #[inline]
    pub(super) fn new(
        db: &'a Database,
        table: &'a Table,
        cell: &Cell<'a>,
    ) -> Result<Self, SqliteError> {
        let found = if table.without_rowid() {
            Payload::of_index(cell, &db.local).map(|payload| (payload, 0))
        } else {
            Payload::of_table(cell, &db.local)
        };
        let (payload, rowid) = found.ok_or_else(|| cell.outside())?;
        let (place, whole) = (StdCell::default(), OnceCell::new());
        Ok(Self { db, table, rowid, payload, place, whole })
    }

    /// The rowid; `None` in a `WITHOUT ROWID` table.
    #[must_use]
    pub fn rowid(&self) -> Option<i64> {
        (!self.table.without_rowid()).then_some(self.rowid)
    }

    /// The value of a column, by its index in [`Table::columns`].
    ///
    /// The `INTEGER PRIMARY KEY` is the rowid. A row written before its column was added has
    /// the column's `DEFAULT`. An integer in a column of real affinity is a real.
    ///
    /// # Errors
    ///
    /// If the record is damaged up to this column, or there is no such column.
    #[inline]
    pub fn get(&self, column: usize) -> Result<Value<'_>, SqliteError> {
        let Some(found) = self.table.columns.get(column) else {
            return Err(self.no_such(column));
        };
        let Slot::Field(field) = found.slot else {
            return Ok(Value::Integer(self.rowid));
        };
        let value = match self.field(field)? {
            Some(value) => value,
            None => found.default.value(self.db.encoding()),
        };
        match value {
            #[expect(clippy::cast_precision_loss, reason = "SQLite casts it in the same way")]
            Value::Integer(value) if found.affinity == Affinity::Real => {
                Ok(Value::Real(value as f64))
            }
            value => Ok(value),
        }
    }

    /// A field of the record, `None` if the record is shorter than that.
    #[inline]
    pub(super) fn field(&self, field: u16) -> Result<Option<Value<'_>>, SqliteError> {
        let record =
            if self.payload.is_local() { self.payload.record() } else { self.far_record()? };
        let mut place = self.place.get();
        let found = match place.seek(&record, field) {
            Ok(found) => found,
            Err(flaw) => return Err(flaw.on(self.payload.page())),
        };
        self.place.set(place);
        let Some(found) = found else { return Ok(None) };
        match record.value(found, self.db.encoding()) {
            None => Ok(self.whole()?.value(found, self.db.encoding())),
            value => Ok(value),
        }
    }

    /// As much of a record with overflow as is at hand, at least its header.
    #[inline(never)]
    fn far_record(&self) -> Result<Record<'_>, SqliteError> {
        let record = self.payload.record();
        if self.whole.get().is_none() && record.header_is_local() {
            return Ok(record);
        }
        self.whole()
    }

    #[cold]
    fn whole(&self) -> Result<Record<'_>, SqliteError> {
        let bytes = match self.whole.get() {
            Some(bytes) => bytes,
            None => {
                let whole = self.payload.assemble(&self.db.pages, &self.db.local)?;
                self.whole.get_or_init(|| whole)
            }
        };
        Ok(self.payload.record_of(bytes))
    }

    #[cold]
    fn no_such(&self, column: usize) -> SqliteError {
        let number = |n| u32::try_from(n).unwrap_or(u32::MAX);
        let columns = number(self.table.columns.len());
        SqliteError::NoSuchColumn { column: number(column), columns }
    }
}
