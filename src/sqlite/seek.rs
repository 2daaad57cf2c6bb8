//! One row by its key.

use std::cmp::Ordering;

use super::page::{Kind, Page};
use super::table::Order;
use super::{Database, Row, SqliteError, Table, Value, bytes, tree};

/// Goes down a table tree by rowid.
pub(super) fn by_rowid<'a>(
    db: &'a Database,
    table: &'a Table,
    rowid: i64,
) -> Result<Option<Row<'a>>, SqliteError> {
    let mut page = root(db, table)?;
    for depth in 1.. {
        let at = lower_bound(&page, |index| Ok(key(&page, index)?.cmp(&rowid)))?;
        if page.leaf {
            let hit = at < page.count() && key(&page, at)? == rowid;
            return hit.then(|| Row::new(db, table, &page.cell(at)?)).transpose();
        }
        if page.count() == 0 && page.no != 1 {
            return Err(SqliteError::NoCells { page: page.no });
        }
        page = tree::child(&db.pages, page.child(at)?, Kind::Table, depth)?;
    }
    Ok(None)
}

/// Goes down the tree of a `WITHOUT ROWID` table to the first row whose key begins with `value`.
pub(super) fn by_key<'a>(
    db: &'a Database,
    table: &'a Table,
    value: i64,
    order: Order,
) -> Result<Option<Row<'a>>, SqliteError> {
    let mut page = root(db, table)?;
    let mut best = None;
    for depth in 1.. {
        let row = |index| Row::new(db, table, &page.cell(index)?);
        let at = lower_bound(&page, |index| {
            let found = compare(row(index)?.field(0)?.unwrap_or(Value::Null), value);
            Ok(if order == Order::Ascending { found } else { found.reverse() })
        })?;
        if at < page.count() {
            let found = row(at)?;
            if found.field(0)?.is_some_and(|key| compare(key, value).is_eq()) {
                best = Some(found);
            }
        }
        if page.leaf {
            break;
        }
        page = tree::child(&db.pages, page.child(at)?, Kind::Index, depth)?;
    }
    Ok(best)
}

fn root<'a>(db: &'a Database, table: &Table) -> Result<Page<'a>, SqliteError> {
    Page::parse(table.root, db.pages.page(table.root)?, table.kind())
}

/// The rowid of a cell of a table tree.
fn key(page: &Page<'_>, index: usize) -> Result<i64, SqliteError> {
    let cell = page.cell(index)?;
    let rest = match page.leaf {
        true => bytes::varint(cell.bytes).and_then(|(_, len)| cell.bytes.get(len..)),
        false => Some(cell.bytes),
    };
    let key = rest.and_then(bytes::varint).ok_or_else(|| cell.outside())?;
    Ok(key.0.cast_signed())
}

/// The first cell that is not less than what is sought.
fn lower_bound(
    page: &Page<'_>,
    compare: impl Fn(usize) -> Result<Ordering, SqliteError>,
) -> Result<usize, SqliteError> {
    let (mut low, mut high) = (0, page.count());
    while low < high {
        let middle = usize::midpoint(low, high);
        match compare(middle)? {
            Ordering::Less => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// SQLite's order: `NULL`, numbers, texts, blobs.
fn compare(key: Value<'_>, value: i64) -> Ordering {
    match key {
        Value::Null => Ordering::Less,
        Value::Integer(key) => key.cmp(&value),
        Value::Real(key) => compare_real(key, value),
        Value::Text(_) | Value::Blob(_) => Ordering::Greater,
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "outside the range of i64 the first two arms have answered; within it, the whole \
              part is exact and the fraction breaks the tie"
)]
fn compare_real(key: f64, value: i64) -> Ordering {
    match key {
        _ if key < i64::MIN as f64 => Ordering::Less,
        _ if key >= -(i64::MIN as f64) => Ordering::Greater,
        _ => (key.floor() as i64).cmp(&value).then(key.fract().total_cmp(&0.0)),
    }
}
