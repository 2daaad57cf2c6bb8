//! Rows out of a database that is damaged beyond what SQLite reads.

use std::collections::HashSet;
use std::path::Path;

use super::open::{self, Files};
use super::page::{Kind, Page};
use super::reach::{self, Reach};
use super::{Database, OpenError, OpenOptions, Row, Table, bytes, schema};

/// A damaged database. Its readable rows can be read.
///
/// It gives the rows that a table's root still leads to, whatever else of the tree is damaged, and
/// then those on pages that nothing leads to any more, if they fit one table better than the others.
/// A row is given only if all of its fields can be read. Free pages are left alone, so that deleted
/// rows do not come back; where the list of free pages is damaged too, they cannot be told apart.
///
/// A damaged header is guessed from the pages. A table whose row in the schema is damaged is lost
/// unless it is [expected](OpenOptions::expect_table).
///
/// ```
/// use tgsession::sqlite::{OpenOptions, Salvage};
///
/// let path = "tests/fixtures/telethon/plain_1.45.0.session";
/// let salvage = Salvage::open(path.as_ref(), &OpenOptions::new())?;
/// let entities = salvage.table("entities").ok_or("there is no table entities")?;
/// let rows = salvage.rows(entities).count();
/// println!("{rows} rows, {} damaged pages", salvage.lost().pages);
/// assert!(salvage.is_in_schema(entities));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Salvage {
    db: Database,
    /// For each table, the pages that its root leads to.
    reached: Vec<Reach>,
    /// For each table, pages that lead from nowhere, with the cells to be taken.
    found: Vec<Vec<(u32, usize)>>,
    lost: Lost,
}

/// What a [`Salvage`] could not save, as far as it can be counted.
///
/// ```
/// use tgsession::sqlite::{Lost, OpenOptions, Salvage};
///
/// let path = "tests/fixtures/telethon/plain_1.45.0.session";
/// let salvage = Salvage::open(path.as_ref(), &OpenOptions::new())?;
/// assert_eq!(salvage.lost(), Lost { pages: 0, rows: 0 });
/// # Ok::<(), tgsession::sqlite::OpenError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Lost {
    /// Pages that a table needs and that are damaged, and pages of rows that fit no table.
    pub pages: u32,
    /// Rows on readable pages that are not whole.
    pub rows: u64,
}

impl Salvage {
    /// Reads a file under the same locks as [`Database::open`], and never writes.
    ///
    /// # Errors
    ///
    /// If the file cannot be read at all, or is being written to.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, OpenError> {
        Ok(Self::of(open::gather(path, options)?, options))
    }

    /// The same of bytes that are already here.
    #[must_use]
    pub fn from_bytes(
        main: Vec<u8>,
        wal: Option<Vec<u8>>,
        journal: Option<Vec<u8>>,
        options: &OpenOptions,
    ) -> Self {
        Self::of(Files::owned(main, wal, journal), options)
    }

    fn of(files: Files, options: &OpenOptions) -> Self {
        let (db, counted) = Database::assemble_what_is_left(files, options);
        let found = db.tables().iter().map(|_| Vec::new()).collect();
        let mut salvage = Self { db, reached: Vec::new(), found, lost: Lost::default() };
        let mut seen = HashSet::new();
        // The schema's own pages hold rows as well, and they are no table's.
        Reach::of(&salvage.db, &schema::schema_table(), &mut seen);
        for table in salvage.db.tables() {
            let reach = Reach::of(&salvage.db, table, &mut seen);
            if salvage.is_in_schema(table) {
                salvage.lost.pages += reach.lost;
            }
            salvage.lost.rows += broken(&salvage.db, table, &reach.pages);
            salvage.reached.push(reach);
        }
        salvage.adopt(&seen, counted);
        salvage
    }

    /// The tables that the schema still describes.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        self.db.tables()
    }

    /// Whether the schema describes the table; else it was only
    /// [expected](OpenOptions::expect_table).
    #[must_use]
    pub fn is_in_schema(&self, table: &Table) -> bool {
        table.root != schema::NO_ROOT
    }

    /// A table by name; ASCII letters match in either case.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.db.table(name)
    }

    /// The rows of a table of this database: first those its root leads to, then the others.
    #[must_use]
    pub fn rows<'a>(&'a self, table: &'a Table) -> SalvagedRows<'a> {
        let index = self.tables().iter().position(|own| own.name() == table.name());
        let none = || Vec::new().into_iter();
        let reached = index.and_then(|index| self.reached.get(index));
        let found = index.and_then(|index| self.found.get(index));
        SalvagedRows {
            salvage: self,
            table,
            pages: reached.map_or_else(none, |reach| reach.pages.clone().into_iter()),
            page: none_of_cells(),
            found: found.map_or_else(none_of_cells, |found| found.clone().into_iter()),
        }
    }

    /// How many rows [`rows`](Self::rows) tries to read: rows that are not whole are counted too.
    pub(crate) fn row_count(&self, table: &Table) -> u64 {
        let rows = self.rows(table);
        let on = |no: u32| reach::page(&self.db, table, no).map_or(0, |page| page.count());
        (rows.pages.map(on).sum::<usize>() + rows.found.len()) as u64
    }

    /// Whether this table shows no damage: its root leads to all of its pages, each page has a
    /// valid format, and all rows on them are whole. Without checksums no more can be proven.
    pub(crate) fn is_sound(&self, table: Option<&Table>) -> bool {
        let Some(table) = table else { return false };
        let index = self.tables().iter().position(|own| own.name() == table.name());
        let reached = index.and_then(|index| self.reached.get(index));
        let found = index.and_then(|index| self.found.get(index));
        let (Some(reach), Some(found)) = (reached, found) else { return false };
        let sound = |no: &u32| {
            let page =
                self.db.pages.page(*no).and_then(|page| Page::parse(*no, page, table.kind()));
            page.is_ok_and(|page| page.is_plausible())
        };
        let rows = broken(&self.db, table, &reach.pages);
        reach.lost == 0 && found.is_empty() && rows == 0 && reach.pages.iter().all(sound)
    }

    /// What could not be saved.
    #[must_use]
    pub fn lost(&self) -> Lost {
        self.lost
    }

    /// Gives the leaves that nothing leads to the table they fit best, up to page `last`.
    fn adopt(&mut self, seen: &HashSet<u32>, last: u32) {
        let free = free_pages(&self.db, seen);
        let mut taken: Vec<Option<HashSet<i64>>> = self.found.iter().map(|_| None).collect();
        let lone = |no: &u32| *no <= last && !seen.contains(no) && !free.contains(no);
        let pages: Vec<_> = self.db.pages.numbers().filter(lone).collect();
        for no in pages {
            let Some(cells) = orphan(&self.db, no) else {
                continue;
            };
            let Some(index) = self.owner(no) else {
                self.lost.pages += 1;
                continue;
            };
            let Some(table) = self.db.tables().get(index) else {
                continue;
            };
            let Some(taken) = taken.get_mut(index) else {
                continue;
            };
            let taken = taken.get_or_insert_with(|| self.rowids(index));
            let rows: Vec<_> = reach::rows_on(&self.db, table, no).collect();
            let new = rows.iter().enumerate().filter(|(_, row)| {
                let row = row.as_ref().filter(|row| reach::misfit(row, table).is_some());
                row.and_then(Row::rowid).is_some_and(|rowid| taken.insert(rowid))
            });
            let whole = rows.iter().flatten().filter(|row| reach::is_whole(row, table)).count();
            self.lost.rows += (cells - whole) as u64;
            let new: Vec<_> = new.map(|(cell, _)| (no, cell)).collect();
            if let Some(found) = self.found.get_mut(index) {
                found.extend(new);
            }
        }
    }

    /// The one table that the rows of a page fit best.
    fn owner(&self, no: u32) -> Option<usize> {
        let tables = self.tables().iter().enumerate();
        let tables = tables.filter(|(_, table)| !table.without_rowid());
        let mut fits: Vec<_> = tables
            .filter_map(|(index, table)| {
                let rows: Vec<_> = reach::rows_on(&self.db, table, no).flatten().collect();
                let misfits: Vec<_> =
                    rows.iter().filter_map(|row| reach::misfit(row, table)).collect();
                let most = !misfits.is_empty() && misfits.len() * 2 > rows.len();
                most.then(|| ((rows.len() - misfits.len(), misfits.iter().sum::<usize>()), index))
            })
            .collect();
        fits.sort_unstable();
        match *fits.as_slice() {
            [(_, index)] => Some(index),
            [(best, index), (second, _), ..] if best < second => Some(index),
            _ => None,
        }
    }

    /// The rowids that a table's root leads to.
    fn rowids(&self, index: usize) -> HashSet<i64> {
        let table = self.tables().get(index);
        let rows = table.into_iter().flat_map(|table| self.rows(table));
        rows.filter_map(|row| row.rowid()).collect()
    }
}

/// The rows of a table that are still whole; made by [`Salvage::rows`].
///
/// ```
/// use tgsession::sqlite::{OpenOptions, Salvage, Value};
///
/// let path = "tests/fixtures/telethon/plain_1.45.0.session";
/// let salvage = Salvage::open(path.as_ref(), &OpenOptions::new())?;
/// let version = salvage.table("version").ok_or("there is no table version")?;
/// for row in salvage.rows(version) {
///     assert_eq!(row.get(0)?, Value::Integer(8));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SalvagedRows<'a> {
    salvage: &'a Salvage,
    table: &'a Table,
    pages: std::vec::IntoIter<u32>,
    /// Cells of the current page.
    page: std::vec::IntoIter<(u32, usize)>,
    found: std::vec::IntoIter<(u32, usize)>,
}

impl<'a> SalvagedRows<'a> {
    fn row(&self, (no, index): (u32, usize)) -> Option<Row<'a>> {
        let db = &self.salvage.db;
        let cell = reach::page(db, self.table, no)?.cell(index).ok()?;
        let row = Row::new(db, self.table, &cell).ok()?;
        reach::is_whole(&row, self.table).then_some(row)
    }

    fn place(&mut self) -> Option<(u32, usize)> {
        loop {
            if let Some(place) = self.page.next() {
                return Some(place);
            }
            let Some(no) = self.pages.next() else {
                return self.found.next();
            };
            let count =
                reach::page(&self.salvage.db, self.table, no).map_or(0, |page| page.count());
            self.page = (0..count).map(|index| (no, index)).collect::<Vec<_>>().into_iter();
        }
    }
}

impl<'a> Iterator for SalvagedRows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        loop {
            let place = self.place()?;
            if let Some(row) = self.row(place) {
                return Some(row);
            }
        }
    }
}

fn none_of_cells() -> std::vec::IntoIter<(u32, usize)> {
    Vec::new().into_iter()
}

/// Rows on reached pages that are not whole.
fn broken(db: &Database, table: &Table, pages: &[u32]) -> u64 {
    let rows = pages.iter().flat_map(|no| reach::rows_on(db, table, *no));
    let whole = |row: &Option<Row<'_>>| row.as_ref().is_some_and(|row| reach::is_whole(row, table));
    rows.filter(|row| !whole(row)).count() as u64
}

/// The cells of a page, if it looks like a leaf of rows.
fn orphan(db: &Database, no: u32) -> Option<usize> {
    let page = Page::parse(no, db.pages.page(no).ok()?, Kind::Table).ok()?;
    (page.leaf && page.is_plausible()).then(|| page.count())
}

/// The free pages, none if their list is damaged (file format, section 1.5).
fn free_pages(db: &Database, seen: &HashSet<u32>) -> HashSet<u32> {
    let mut free = HashSet::new();
    let mut trunk = bytes::u32_at(&db.pages.head(), 32).unwrap_or_default();
    while trunk != 0 {
        let Ok(page) = db.pages.page(trunk) else {
            return HashSet::new();
        };
        let count = bytes::u32_at(page, 4).unwrap_or_default() as usize;
        let leaves = page.get(8..).and_then(|rest| rest.get(..count.checked_mul(4)?));
        let Some(leaves) = leaves else {
            return HashSet::new();
        };
        let (leaves, _) = leaves.as_chunks();
        let mut pages = leaves.iter().map(|leaf| u32::from_be_bytes(*leaf)).chain([trunk]);
        if !pages.all(|no| !seen.contains(&no) && free.insert(no)) {
            return HashSet::new();
        }
        trunk = bytes::u32_at(page, 0).unwrap_or_default();
    }
    free
}
