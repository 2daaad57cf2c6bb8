//! Rows of the tables themselves, in one transaction.

use redb::WriteTransaction;

use super::fault::Step;
use super::rows::{Rows, RowsMut, Value, Visit};
use super::tables::{Span, Table};
use crate::record::AccountNo;

/// A transaction as rows, for what is too large to be held in memory.
pub(super) struct Direct<'t> {
    transaction: &'t WriteTransaction,
}

impl<'t> Direct<'t> {
    pub(super) fn new(transaction: &'t WriteTransaction) -> Self {
        Self { transaction }
    }

    pub(super) fn transaction(&self) -> &'t WriteTransaction {
        self.transaction
    }

    /// Fills an empty table with what `source` shows in the order of the keys.
    pub(super) fn fill(
        &self,
        table: Table,
        source: &mut dyn FnMut(Visit<'_>) -> Step<()>,
    ) -> Step<()> {
        table.open_mut(self.transaction, |rows| rows.fill(source))
    }

    /// Removes every row of an account from a table.
    pub(super) fn clear(&self, table: Table, account: AccountNo) -> Step<()> {
        let span = table.span(account);
        table.open_mut(self.transaction, |rows| rows.clear(span.from(), span.to()))
    }
}

impl Rows for Direct<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Step<Option<Value>> {
        table.open_mut(self.transaction, |rows| rows.get(key))
    }

    fn each(&self, table: Table, span: &Span, _: usize, visit: Visit<'_>) -> Step<()> {
        table.open_mut(self.transaction, |rows| rows.each(span.from(), span.to(), visit))
    }
}

impl RowsMut for Direct<'_> {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Step<()> {
        table.open_mut(self.transaction, |rows| rows.put(key, value))
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> Step<()> {
        table.open_mut(self.transaction, |rows| rows.remove(key))
    }
}
