//! Rows of the tables themselves, in one transaction.

use std::ops::Bound;
use std::sync::Arc;

use redb::{ReadableTable, WriteTransaction};

use super::buffer::{Entry, Layer};
use super::fault::Step;
use super::rows::{Row, Rows, RowsMut, Stored, Value, Visit, show};
use super::runs::{Edit, EntityRows, IndexRows, Merge};
use super::tables::{Span, Table};
use super::view::Merged;
use crate::record::AccountNo;
use crate::run::Index;

/// A transaction as rows, for what is too large to be held in memory.
pub(super) struct Direct<'t, 'i> {
    transaction: &'t WriteTransaction,
    runs: &'t mut Edit<'i>,
    /// Changes of entities that are to lie over the runs.
    changes: Layer,
}

impl<'t, 'i> Direct<'t, 'i> {
    pub(super) fn new(transaction: &'t WriteTransaction, runs: &'t mut Edit<'i>) -> Self {
        Self { transaction, runs, changes: Layer::default() }
    }

    /// The runs, to put a whole one over them. Nothing may be put into a table of redb's while it is
    /// being built.
    pub(super) fn runs(&mut self) -> &mut Edit<'i> {
        self.runs
    }

    /// Fills an empty table with what `source` shows in the order of the keys.
    pub(super) fn fill(
        &mut self,
        table: Table,
        source: &mut dyn FnMut(Visit<'_>) -> Step<()>,
    ) -> Step<()> {
        match table {
            Table::Entities => self.runs.fill(source),
            // Runs find them by themselves.
            Table::Usernames | Table::Phones => Ok(()),
            _ => {
                let mut rows = table.open_mut(self.transaction)?;
                let mut cursor = rows.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
                source(&mut |key, value| {
                    cursor.insert_before(key, value)?;
                    Ok(true)
                })?;
                cursor.close()?;
                Ok(())
            }
        }
    }

    /// Removes every row of an account from a table. What runs have of an account that is not
    /// there any more counts for nothing, and its number is not given to another.
    pub(super) fn clear(&mut self, table: Table, account: AccountNo) -> Step<()> {
        if table.is_in_runs() {
            self.runs.remove(account);
            return Ok(());
        }
        let span = table.span(account);
        let mut rows = table.open_mut(self.transaction)?;
        rows.retain_in::<&[u8], _>((span.from(), span.to()), |_, _| false)?;
        Ok(())
    }

    /// Brings the changes of entities into a run of their own.
    pub(super) fn settle(&mut self) -> Step<()> {
        self.runs.bring(&std::mem::take(&mut self.changes), Merge::Seldom)
    }

    /// Brings everything to where it stays.
    pub(super) fn finish(mut self) -> Step<()> {
        self.settle()?;
        self.runs.limit()
    }

    fn stored(&self, table: Table) -> Option<Box<dyn Stored>> {
        let runs = || Arc::new(self.runs.runs.clone());
        Some(match table {
            Table::Entities => Box::new(EntityRows(runs())),
            Table::Usernames => Box::new(IndexRows(runs(), Index::Usernames)),
            Table::Phones => Box::new(IndexRows(runs(), Index::Phones)),
            _ => return None,
        })
    }

    fn change(&mut self, table: Table, key: &[u8], change: Option<Row>) {
        self.changes.put(table, key.into(), Entry { change, batch: 0 });
    }
}

impl Rows for Direct<'_, '_> {
    fn get(&self, table: Table, key: &[u8]) -> Step<Option<Value>> {
        if let Some(entry) = self.changes.get(table, key) {
            return Ok(entry.change.clone().map(Value::Held));
        }
        match self.stored(table) {
            Some(rows) => rows.get(key),
            None => {
                let rows = table.open_mut(self.transaction)?;
                Ok(rows.get(key)?.map(|value| Value::Held(Row::new(value.value().to_vec()))))
            }
        }
    }

    fn each(&self, table: Table, span: &Span, _: usize, visit: Visit<'_>) -> Step<()> {
        let Some(rows) = self.stored(table) else {
            let rows = table.open_mut(self.transaction)?;
            return show(rows.range::<&[u8]>((span.from(), span.to()))?, visit);
        };
        let changes = self.changes.range(table, span);
        let changes = changes.map(|(key, entry)| (Arc::clone(key), entry.change.clone()));
        Merged::over(Some(rows.as_ref()), changes.collect(), span).each(visit).map(drop)
    }
}

impl RowsMut for Direct<'_, '_> {
    fn set(&mut self, table: Table, key: &[u8], value: &[u8]) -> Step<()> {
        if table.is_in_runs() {
            self.change(table, key, Some(Row::new(value.to_vec())));
        } else {
            table.open_mut(self.transaction)?.insert(key, value)?;
        }
        Ok(())
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> Step<()> {
        if table.is_in_runs() {
            self.change(table, key, None);
        } else {
            table.open_mut(self.transaction)?.remove(key)?;
        }
        Ok(())
    }
}
