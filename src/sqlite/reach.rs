//! What of a damaged b-tree can still be reached, and which of its rows are whole.

use std::collections::HashSet;

use super::page::Page;
use super::{Affinity, Database, Row, Table, Value};

/// The pages of a table that its root leads to; what is damaged is stepped over.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// In key order, those with rows on them.
    pub(super) pages: Vec<u32>,
    /// Pages that were pointed to and are no pages of this tree.
    pub(super) lost: u32,
}

impl Reach {
    /// Pages in `seen` belong to another tree already, or were met before.
    pub(super) fn of(db: &Database, table: &Table, seen: &mut HashSet<u32>) -> Self {
        let mut reach = Self::default();
        let mut todo = vec![table.root];
        while let Some(no) = todo.pop() {
            if seen.contains(&no) {
                reach.lost += 1;
                continue;
            }
            let Some(page) = page(db, table, no) else {
                reach.lost += 1;
                continue;
            };
            seen.insert(no);
            if page.leaf || table.without_rowid() {
                reach.pages.push(no);
            }
            if !page.leaf {
                todo.extend((0..=page.count()).rev().filter_map(|index| page.child(index).ok()));
            }
        }
        reach
    }
}

/// A page of a table's tree.
pub(super) fn page<'a>(db: &'a Database, table: &Table, no: u32) -> Option<Page<'a>> {
    Page::parse_what_is_left(no, db.pages.page(no).ok()?, table.kind())
}

/// All rows on a page that have a cell.
pub(super) fn rows_on<'a>(
    db: &'a Database,
    table: &'a Table,
    no: u32,
) -> impl Iterator<Item = Option<Row<'a>>> {
    let cells = page(db, table, no).into_iter();
    cells.flat_map(move |page| {
        (0..page.count()).map(move |index| Row::new(db, table, &page.cell(index).ok()?).ok())
    })
}

/// All rows that a table's root leads to.
pub(super) fn rows<'a>(db: &'a Database, table: &'a Table) -> impl Iterator<Item = Row<'a>> {
    let reach = Reach::of(db, table, &mut HashSet::new());
    reach.pages.into_iter().flat_map(move |no| rows_on(db, table, no)).flatten()
}

/// Whether every field of a row can be read, and the table has room for all of them.
pub(super) fn is_whole(row: &Row<'_>, table: &Table) -> bool {
    fields(row).is_some_and(|fields| fields > 0 && fields <= table.columns().len())
}

/// How many fields a row has, if all of them can be read.
pub(super) fn fields(row: &Row<'_>) -> Option<usize> {
    let mut fields = 0;
    while row.field(fields).ok()?.is_some() {
        fields = fields.checked_add(1)?;
    }
    Some(fields.into())
}

/// How badly a row without an owner fits a rowid table; `None` if it cannot be one of its rows.
pub(super) fn misfit(row: &Row<'_>, table: &Table) -> Option<usize> {
    let mut misfit =
        table.columns().len().checked_sub(fields(row).filter(|fields| *fields > 0)?)?;
    for (field, column) in (0..).zip(table.columns()) {
        let value = row.field(field).ok()?.unwrap_or(Value::Null);
        match (column.affinity(), value) {
            (_, Value::Null) => {}
            _ if column.is_rowid() => return None,
            (Affinity::Text, Value::Integer(_) | Value::Real(_)) => return None,
            (Affinity::Integer | Affinity::Real | Affinity::Numeric, Value::Text(_))
            | (Affinity::Text, Value::Blob(_)) => misfit += 1,
            _ => {}
        }
    }
    Some(misfit)
}
