//! Changes of rows as the content of log records.

use zeroize::Zeroizing;

use super::error::{EngineError, EngineResult};
use super::memtable::RowChanged;
use super::rows::{RowValue, Table};
use crate::record::{RecordError, RowChange, changes};

/// Changes as the content of a record.
pub(crate) fn content_of(rows: &[RowChanged]) -> Zeroizing<Vec<u8>> {
    let mut content = Zeroizing::new(Vec::with_capacity(content_len(rows)));
    for (table, key, change) in rows {
        RowChange { table: *table as u8, key, value: change.as_deref() }.write(&mut content);
    }
    content
}

/// How long that is.
pub(crate) fn content_len(rows: &[RowChanged]) -> usize {
    let len = |(table, key, change): &RowChanged| {
        RowChange { table: *table as u8, key, value: change.as_deref() }.len()
    };
    rows.iter().map(len).sum()
}

/// The changes of a record's content.
pub(crate) fn rows_of(content: &[u8]) -> EngineResult<Vec<RowChanged>> {
    let row = |change: Result<RowChange<'_>, RecordError>| {
        let RowChange { table, key, value } =
            change.map_err(|error| EngineError::record("log", &[], error))?;
        let unknown = || EngineError::record("log", key, RecordError::Value { field: "table" });
        let table = Table::of(table).ok_or_else(unknown)?;
        let fits = table.key_len().is_none_or(|len| len == key.len());
        if !fits || value.zip(table.value_len()).is_some_and(|(v, len)| v.len() != len) {
            return Err(EngineError::record("log", key, RecordError::Key));
        }
        Ok((table, key.into(), value.map(|value| RowValue::of(table, value))))
    };
    changes(content).map(row).collect()
}
