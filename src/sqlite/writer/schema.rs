//! The rows of `sqlite_schema` (file format, section 2.6), and page 1, where their tree begins.

use std::io::{Seek, Write};

use zeroize::Zeroizing;

use super::super::Value;
use super::cell::MOST_BYTES;
use super::page::{Page, PageType};
use super::sink::Sink;
use super::tree::{Root, TableTree};
use super::{WriteError, WriterOptions, header, record};

/// A row of the schema.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// The table it belongs to; for a table, itself.
    pub(super) table: String,
    /// `None` while its b-tree is not written; 0 if it has none.
    pub(super) root: Option<u32>,
    /// `None` for an automatic index.
    pub(super) sql: Option<String>,
}

/// What an [`Entry`] is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Table,
    Index,
    View,
    Trigger,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Index => "index",
            Self::View => "view",
            Self::Trigger => "trigger",
        }
    }
}

/// Writes the schema but for page 1, and makes that.
pub(super) fn first_page<W: Write + Seek>(
    sink: &mut Sink<W>,
    entries: &[Entry],
    options: &WriterOptions,
) -> Result<Vec<u8>, WriteError> {
    let mut tree = TableTree::new(sink.page_size());
    let mut record = Zeroizing::default();
    for (rowid, entry) in (1..).zip(entries) {
        entry.encode(&mut record)?;
        tree.push(sink, rowid, &record)?;
    }
    let Root { mut page, mut right } = tree.root(sink)?;
    if page.room() < header::SIZE {
        // A page 1 without cells may stand above a root for which the header leaves no room.
        right = sink.page(&mut page, right)?;
        page = Page::new(PageType::TableInterior, sink.page_size());
    }
    let mut first = Vec::with_capacity(sink.page_size());
    first.extend(header::encode(options, sink.count()));
    page.put(right, &mut first, header::SIZE);
    Ok(first)
}

impl Entry {
    fn encode(&self, to: &mut Zeroizing<Vec<u8>>) -> Result<(), WriteError> {
        let Some(root) = self.root else {
            return Err(WriteError::Unfinished { name: self.name.clone() });
        };
        let values = [
            Value::from(self.kind.name()),
            Value::from(self.name.as_str()),
            Value::from(self.table.as_str()),
            Value::Integer(root.into()),
            self.sql.as_deref().map_or(Value::Null, Value::from),
        ];
        record::encode(values.into_iter(), to);
        if to.len() > MOST_BYTES {
            return Err(WriteError::TooLong { table: "sqlite_schema".to_owned(), rowid: 0 });
        }
        Ok(())
    }
}
