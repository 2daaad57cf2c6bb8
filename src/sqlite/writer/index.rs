//! Indexes: their keys are gathered in memory while the table is written, then sorted.

use std::io::{Seek, Write};

use zeroize::{Zeroize, Zeroizing};

use super::super::{Value, bytes};
use super::cell::MOST_BYTES;
use super::record::{self, put_varint};
use super::sink::Sink;
use super::tree::IndexTree;
use super::{WriteError, compare};

/// An index of a table that is to be written: ascending, `BINARY`, of whole columns.
///
/// ```
/// use tgsession::sqlite::writer::{DatabaseWriter, Index, WriterOptions};
///
/// let mut db = DatabaseWriter::new(std::io::Cursor::new(Vec::new()), &WriterOptions::new())?;
/// let unique = Index::automatic(&[1]);
/// let by_name = Index::explicit("CREATE INDEX by_name ON people (name)", &[2]);
/// let sql = "CREATE TABLE people (id INTEGER PRIMARY KEY, phone TEXT UNIQUE, name TEXT)";
/// db.table(sql, &[unique, by_name])?.finish()?;
/// # db.finish()?;
/// # Ok::<(), tgsession::sqlite::writer::WriteError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Index<'a> {
    pub(super) sql: Option<&'a str>,
    pub(super) columns: &'a [usize],
}

impl<'a> Index<'a> {
    /// The index that `sql`, a `CREATE INDEX` or `CREATE UNIQUE INDEX`, makes; `columns` are the
    /// positions of its columns in the table, the first is 0.
    ///
    /// That they are the columns which the SQL names is for the caller to see to. SQLite calls a
    /// database malformed where they are not, and also where the SQL has `DESC`, `WHERE`, an
    /// expression, or a collation other than `BINARY`, be it the column's own.
    #[must_use]
    pub fn explicit(sql: &'a str, columns: &'a [usize]) -> Self {
        Self { sql: Some(sql), columns }
    }

    /// The index of a `UNIQUE` constraint, or of a `PRIMARY KEY` that is not the rowid. There is
    /// one for each, in the order of the table's SQL; of two on the same columns, only the first
    /// has one.
    #[must_use]
    pub fn automatic(columns: &'a [usize]) -> Self {
        Self { sql: None, columns }
    }

    /// SQLite's schema begins every such statement with these words.
    pub(super) fn is_unique(&self) -> bool {
        let second = |sql: &str| sql.split_ascii_whitespace().nth(1).map(str::to_ascii_lowercase);
        self.sql.is_none_or(|sql| second(sql).is_some_and(|word| word == "unique"))
    }
}

/// The keys of an index, each as a record with the rowid at its end.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) name: String,
    columns: Vec<usize>,
    unique: bool,
    keys: Zeroizing<Vec<Key>>,
    /// Records, each after its length.
    chunks: Vec<Zeroizing<Vec<u8>>>,
    record: Zeroizing<Vec<u8>>,
}

/// Where a key is.
#[derive(Clone, Copy, Debug)]
struct Key {
    /// Decides most comparisons.
    rank: u64,
    chunk: u32,
    at: u32,
}

impl Zeroize for Key {
    fn zeroize(&mut self) {
        self.rank.zeroize();
    }
}

impl Keys {
    pub(super) fn new(name: String, columns: &[usize], unique: bool) -> Self {
        let (keys, chunks) = (Zeroizing::default(), Vec::new());
        let columns = columns.to_vec();
        Self { name, columns, unique, keys, chunks, record: Zeroizing::default() }
    }

    /// Adds the key of a row, given as a function from column to value. `false`: it is too long.
    pub(super) fn add<'v>(&mut self, rowid: i64, row: impl Fn(usize) -> Value<'v>) -> bool {
        let values = self.columns.iter().map(|column| row(*column));
        let rank = values.clone().next().map_or(0, compare::rank);
        record::encode(values.chain([Value::Integer(rowid)]), &mut self.record);
        if self.record.len() > MOST_BYTES {
            return false;
        }
        let need = self.record.len() + MOST_LENGTH;
        if self.chunks.last().is_none_or(|chunk| chunk.capacity() - chunk.len() < need) {
            self.chunks.push(Zeroizing::new(Vec::with_capacity(need.max(CHUNK))));
        }
        let last = u32::try_from(self.chunks.len()).unwrap_or(u32::MAX) - 1;
        if let Some(chunk) = self.chunks.last_mut() {
            let at = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
            self.keys.push(Key { rank, chunk: last, at });
            put_varint(chunk, self.record.len() as u64);
            chunk.extend_from_slice(&self.record);
        }
        true
    }

    /// Takes the last key back; its bytes stay, and nothing leads to them.
    pub(super) fn forget_last(&mut self) {
        self.keys.pop();
    }

    /// Sorts the keys and writes their tree; its root page.
    pub(super) fn write<W: Write + Seek>(mut self, sink: &mut Sink<W>) -> Result<u32, WriteError> {
        let mut keys = std::mem::take(&mut self.keys);
        let columns = u16::try_from(self.columns.len()).unwrap_or(u16::MAX);
        keys.sort_unstable_by(|a, b| {
            let records =
                || compare::records(self.record(*a), self.record(*b), columns.saturating_add(1));
            a.rank.cmp(&b.rank).then_with(records)
        });
        let mut tree = IndexTree::new(sink.page_size());
        let mut before: Option<Key> = None;
        for key in keys.iter() {
            if let Some(before) = before.filter(|before| self.unique && before.rank == key.rank)
                && compare::same_key(self.record(before), self.record(*key), columns)
            {
                let rowid = compare::integer(self.record(*key), columns);
                return Err(WriteError::NotUnique { index: self.name.clone(), rowid });
            }
            before = Some(*key);
            tree.push(sink, self.record(*key))?;
        }
        tree.finish(sink)
    }

    fn record(&self, key: Key) -> &[u8] {
        let chunk = self.chunks.get(key.chunk as usize).map_or(&[][..], |chunk| chunk);
        let found = chunk.get(key.at as usize..).unwrap_or_default();
        let (len, start) = bytes::varint32(found).unwrap_or_default();
        found.get(start..start + len as usize).unwrap_or_default()
    }
}

const CHUNK: usize = 1 << 18;

/// Bytes of the varint of a length up to [`MOST_BYTES`].
const MOST_LENGTH: usize = 5;
