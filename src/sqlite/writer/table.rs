//! A table as it is written.

use std::io::{Seek, Write};

use zeroize::Zeroizing;

use super::super::sql::CreateTable;
use super::super::{Affinity, Encoding, Value};
use super::cell::MOST_BYTES;
use super::index::Keys;
use super::tree::TableTree;
use super::{DatabaseWriter, WriteError, record};

/// A table that is being written; made by [`DatabaseWriter::table`].
///
/// Without [`Self::finish`] the whole database cannot be finished.
///
/// ```
/// use tgsession::sqlite::Value;
/// use tgsession::sqlite::writer::{DatabaseWriter, WriteError, WriterOptions};
///
/// let mut db = DatabaseWriter::new(std::io::Cursor::new(Vec::new()), &WriterOptions::new())?;
/// let mut people = db.table("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)", &[])?;
/// people.row(2, &[Value::Null, Value::from("Ada")])?;
/// let refused = people.row(1, &[Value::Null, Value::from("Grace")]);
/// assert!(refused.is_err(), "rowids rise");
/// people.finish()?;
/// # db.finish()?;
/// # Ok::<(), WriteError>(())
/// ```
#[derive(Debug)]
pub struct TableWriter<'a, W> {
    db: &'a mut DatabaseWriter<W>,
    table: CreateTable,
    /// Its entry in the schema; those of its indexes follow.
    entry: usize,
    tree: TableTree,
    keys: Vec<Keys>,
    /// The last rowid.
    last: Option<i64>,
    record: Zeroizing<Vec<u8>>,
}

impl<'a, W: Write + Seek> TableWriter<'a, W> {
    pub(super) fn new(
        db: &'a mut DatabaseWriter<W>,
        table: CreateTable,
        entry: usize,
        keys: Vec<Keys>,
    ) -> Self {
        let tree = TableTree::new(db.sink.page_size());
        Self { db, table, entry, tree, keys, last: None, record: Zeroizing::default() }
    }

    /// Appends a row: a value for each column in the order of `CREATE TABLE`. That of the
    /// `INTEGER PRIMARY KEY` is the rowid or [`Value::Null`].
    ///
    /// Values are stored as they are given, but for an integer in a column of real affinity, which
    /// becomes a real, and a NaN, which is `NULL`, both as with SQLite. What else SQLite would have
    /// changed to suit its column is refused, as its own checks call that damage; a real that is
    /// whole stays a real where SQLite would have made an integer of it, to which it is equal. `NOT NULL`, `CHECK` and foreign keys are not looked at.
    ///
    /// # Errors
    ///
    /// If the row cannot be the next one of this table. It is as if it had not been given then,
    /// unless the error is [`WriteError::Io`] or [`WriteError::Full`].
    pub fn row(&mut self, rowid: i64, values: &[Value<'_>]) -> Result<(), WriteError> {
        self.check(rowid, values)?;
        let Self { table, keys, record, .. } = self;
        let alias = table.rowid;
        let columns = values.iter().zip(&table.columns).enumerate();
        let stored = columns.map(|(column, (value, def))| match value {
            _ if alias == Some(column) => Value::Null,
            value => settled(*value, def.affinity),
        });
        record::encode(stored, record);
        if self.record.len() > MOST_BYTES {
            return Err(self.too_long(rowid));
        }
        let value = |column| match (values.get(column), table.columns.get(column)) {
            (Some(value), Some(def)) if alias != Some(column) => settled(*value, def.affinity),
            _ => Value::Integer(rowid),
        };
        if let Some(failed) = keys.iter_mut().position(|keys| !keys.add(rowid, value)) {
            keys.iter_mut().take(failed).for_each(Keys::forget_last);
            return Err(self.too_long(rowid));
        }
        self.tree.push(&mut self.db.sink, rowid, &self.record)?;
        self.last = Some(rowid);
        Ok(())
    }

    /// Ends the table, then sorts and writes its indexes.
    ///
    /// # Errors
    ///
    /// [`WriteError::NotUnique`], or what the output says.
    pub fn finish(self) -> Result<(), WriteError> {
        let db = self.db;
        let mut roots = vec![self.tree.finish(&mut db.sink)?];
        for keys in self.keys {
            roots.push(keys.write(&mut db.sink)?);
        }
        for (entry, root) in db.entries.iter_mut().skip(self.entry).zip(roots) {
            entry.root = Some(root);
        }
        Ok(())
    }

    /// What makes a row impossible in this table, or SQLite find fault with it.
    fn check(&self, rowid: i64, values: &[Value<'_>]) -> Result<(), WriteError> {
        let table = || self.table.name.clone();
        if self.last.is_some_and(|last| last >= rowid) {
            return Err(WriteError::OutOfOrder { table: table(), rowid });
        }
        let (found, columns) = (values.len(), self.table.columns.len());
        if found != columns {
            return Err(WriteError::ColumnCount { table: table(), rowid, found, columns });
        }
        for (column, (value, def)) in values.iter().zip(&self.table.columns).enumerate() {
            let good = match value {
                Value::Null => true,
                value if self.table.rowid == Some(column) => *value == Value::Integer(rowid),
                value => is_settled(*value, def.affinity),
            };
            if !good {
                return Err(WriteError::Value { table: table(), rowid, column });
            }
        }
        Ok(())
    }

    fn too_long(&self, rowid: i64) -> WriteError {
        WriteError::TooLong { table: self.table.name.clone(), rowid }
    }
}

/// The value as it is stored. In a column of real affinity, SQLite compares reals.
#[expect(clippy::cast_precision_loss, reason = "SQLite casts it in the same way")]
fn settled(value: Value<'_>, affinity: Affinity) -> Value<'_> {
    match value {
        Value::Integer(value) if affinity == Affinity::Real => Value::Real(value as f64),
        value => value,
    }
}

/// Whether SQLite would have left the value alone in a column of this affinity ("Datatypes in
/// SQLite", section 3), but for numbers that are whole.
fn is_settled(value: Value<'_>, affinity: Affinity) -> bool {
    match (value, affinity) {
        (Value::Text(text), _) if text.encoding() != Encoding::Utf8 => false,
        (Value::Text(_), Affinity::Text | Affinity::Blob) => true,
        (Value::Text(text), _) => !is_number(text.as_bytes()),
        (Value::Integer(_), Affinity::Text) => false,
        (Value::Real(value), Affinity::Text) => value.is_nan(),
        _ => true,
    }
}

/// Whether all of a text is a decimal number, with spaces around it at most.
fn is_number(text: &[u8]) -> bool {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !space(byte)).unwrap_or_default();
    let end = text.iter().rposition(|byte| !space(byte)).map_or(0, |last| last + 1);
    let inner = text.get(start..end).unwrap_or_default();
    // Rust also accepts "inf" and "nan" as numbers; they have other letters.
    let digits = inner.iter().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let inner = std::str::from_utf8(inner).unwrap_or_default();
    digits && inner.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_a_number_is_known() {
        for text in ["0", "-1", "+1.5", " 12\n", "1e5", ".5", "5.", "1E-3", "00017"] {
            assert!(is_number(text.as_bytes()), "{text}");
        }
        for text in ["", " ", "+", "1 2", "0x10", "inf", "nan", "1e", "e5", "12a", "\u{661}"] {
            assert!(!is_number(text.as_bytes()), "{text}");
        }
    }
}
