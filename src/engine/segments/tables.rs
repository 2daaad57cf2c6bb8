//! The segments as the tables that they stand for.

use std::ops::Bound;
use std::sync::Arc;

use super::super::error::{EngineError, EngineResult};
use super::super::rows::Table;
use super::super::rows::{RowBytes, TableReader, Visit};
use super::Segments;
use crate::record::{AccountNo, PeerKey, TextKey};
use crate::segment::{IndexKind, Key};

/// The table of entities.
#[derive(Debug)]
pub(crate) struct EntityTable(pub(crate) Arc<Segments>);

/// The table of usernames, or of phones.
#[derive(Debug)]
pub(crate) struct IndexTable(pub(crate) Arc<Segments>, pub(crate) IndexKind);

impl Segments {
    /// The row of a table that segments stand for.
    pub(crate) fn row(&self, table: Table, key: &[u8]) -> EngineResult<Option<RowBytes>> {
        match table {
            Table::Usernames => self.index_row(IndexKind::Usernames, key),
            Table::Phones => self.index_row(IndexKind::Phones, key),
            _ => key.try_into().map_or(Ok(None), |key| self.get(key)),
        }
    }

    fn index_row(&self, index: IndexKind, key: &[u8]) -> EngineResult<Option<RowBytes>> {
        let Ok((account, text)) = TextKey::parts(key) else { return Ok(None) };
        let Ok(text) = std::str::from_utf8(text) else { return Ok(None) };
        let holder = self.holder(index, account, text)?;
        Ok(holder.and_then(|(key, _)| owner_row(&key)).map(|row| RowBytes::inline(&row)))
    }
}

impl TableReader for EntityTable {
    fn get(&self, key: &[u8]) -> EngineResult<Option<RowBytes>> {
        self.0.row(Table::Entities, key)
    }

    fn each(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, visit: Visit<'_>) -> EngineResult<()> {
        self.0.each(from, to, visit)
    }

    fn count(&self, account: AccountNo) -> EngineResult<Option<u64>> {
        self.0.count(account)
    }
}

impl TableReader for IndexTable {
    fn get(&self, key: &[u8]) -> EngineResult<Option<RowBytes>> {
        self.0.index_row(self.1, key)
    }

    /// Segments have no index rows, only records and hashes.
    fn each(&self, _: Bound<&[u8]>, _: Bound<&[u8]>, _: Visit<'_>) -> EngineResult<()> {
        Err(EngineError::index(table_of(self.1).name(), &[], "segments have no rows of it"))
    }

    fn count(&self, _: AccountNo) -> EngineResult<Option<u64>> {
        Ok(None)
    }
}

/// The row of an index that names this entity.
fn owner_row(key: &Key) -> Option<[u8; 8]> {
    Some(PeerKey::peer(key)?.marked().to_le_bytes())
}

/// The table that an index of segments stands for.
pub(crate) const fn table_of(index: IndexKind) -> Table {
    match index {
        IndexKind::Usernames => Table::Usernames,
        IndexKind::Phones => Table::Phones,
    }
}
