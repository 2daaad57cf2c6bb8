//! All rows of a table, in key order.

use std::iter::FusedIterator;

use super::tree::TreeCursor;
use super::{Database, Row, SqliteError, Table};

/// The rows of a table; made by [`Database::rows`]. An error is the last item.
///
/// ```
/// use tgsession::sqlite::{Database, OpenOptions};
///
/// let path = "tests/fixtures/telethon/plain_1.45.0.session";
/// let db = Database::open(path.as_ref(), &OpenOptions::new())?;
/// let entities = db.table("entities").ok_or("there is no table entities")?;
/// let mut rowids = Vec::new();
/// for row in db.rows(entities) {
///     rowids.extend(row?.rowid());
/// }
/// assert!(rowids.is_sorted());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    db: &'a Database,
    table: &'a Table,
    walk: Option<TreeCursor<'a>>,
    /// Why there is no walk, until it has been said.
    failed: Option<SqliteError>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(db: &'a Database, table: &'a Table) -> Self {
        let (walk, failed) = match TreeCursor::new(&db.pages, table.root, table.kind()) {
            Ok(walk) => (Some(walk), None),
            Err(error) => (None, Some(error)),
        };
        Self { db, table, walk, failed }
    }

    #[inline]
    fn step(&mut self) -> Result<Option<Row<'a>>, SqliteError> {
        let Some(walk) = &mut self.walk else {
            return self.failed.take().map_or(Ok(None), Err);
        };
        match walk.next()? {
            Some(cell) => Row::new(self.db, self.table, &cell).map(Some),
            None => Ok(None),
        }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, SqliteError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if !matches!(step, Ok(Some(_))) {
            self.walk = None;
        }
        step.transpose()
    }
}

impl FusedIterator for Rows<'_> {}
