//! Runs as the tables that they stand for.

use std::ops::Bound;
use std::sync::Arc;

use super::super::fault::{Fault, Step};
use super::super::rows::{Stored, Value, Visit};
use super::super::tables::Table;
use super::Runs;
use crate::record::{AccountNo, PeerKey, TextKey};
use crate::run::{Index, Key};

/// The table of entities.
pub(in crate::store) struct EntityRows(pub(in crate::store) Arc<Runs>);

/// The table of usernames, or of phones.
pub(in crate::store) struct IndexRows(pub(in crate::store) Arc<Runs>, pub(in crate::store) Index);

impl Stored for EntityRows {
    fn get(&self, key: &[u8]) -> Step<Option<Value>> {
        match key.try_into() {
            Ok(key) => self.0.get(key),
            Err(_) => Ok(None),
        }
    }

    fn each(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, visit: Visit<'_>) -> Step<()> {
        self.0.each(from, to, visit)
    }

    fn count(&self, account: AccountNo) -> Step<Option<u64>> {
        self.0.count(account)
    }
}

impl Stored for IndexRows {
    fn get(&self, key: &[u8]) -> Step<Option<Value>> {
        let Self(runs, index) = self;
        let Ok((account, text)) = TextKey::parts(key) else { return Ok(None) };
        let Ok(text) = std::str::from_utf8(text) else { return Ok(None) };
        let holder = runs.holder(*index, account, text)?;
        Ok(holder.and_then(|(key, _)| owner_row(&key)).map(|row| Value::inline(&row)))
    }

    /// There are no rows to walk over, only records that show texts.
    fn each(&self, _: Bound<&[u8]>, _: Bound<&[u8]>, _: Visit<'_>) -> Step<()> {
        Err(Fault::index(self.1.table().name(), &[], "runs have no rows of it"))
    }

    fn count(&self, _: AccountNo) -> Step<Option<u64>> {
        Ok(None)
    }
}

/// The row of an index that names this entity.
fn owner_row(key: &Key) -> Option<[u8; 8]> {
    Some(PeerKey::peer(key)?.marked().to_le_bytes())
}

impl Index {
    /// The table that it stands for.
    pub(in crate::store) fn table(self) -> Table {
        match self {
            Self::Usernames => Table::Usernames,
            Self::Phones => Table::Phones,
        }
    }
}
