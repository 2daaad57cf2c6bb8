//! Opens the database of a client: as SQLite reads it, or the readable rows of a damaged one.

use std::path::Path;

use super::database_location::DatabaseLocation;
use super::refuse::{sqlite_error, stranger, wrong_kind};
use super::text_mode::{self, TextMode};
use crate::clients::recognise;
use crate::error::{DamagedPart, Error, Result};
use crate::file::FileKindFound;
use crate::format::Tables;
use crate::format::sqlite_file::SqliteFile;
use crate::sqlite::{Database, OpenOptions, Salvage, Table};

impl DatabaseLocation<'_> {
    fn whole(self, path: &Path) -> Result<Tables> {
        let options = OpenOptions::new();
        let opened = match self {
            Self::File => Database::open(path, &options).map_err(|why| sqlite_error(path, why)),
            Self::Memory(bytes, [wal, journal]) => {
                let opened =
                    Database::from_bytes(bytes.to_vec(), wal.clone(), journal.clone(), &options);
                opened.map_err(|error| {
                    Error::damaged(path, DamagedPart::Sqlite { table: None, error })
                })
            }
        };
        opened.map(Tables::Whole)
    }

    fn saved(self, path: &Path, expected: &[&str]) -> Result<Tables> {
        let options = expected.iter();
        let options = options.fold(OpenOptions::new(), |options, sql| options.expect_table(sql));
        let saved = match self {
            Self::File => Salvage::open(path, &options).map_err(|why| sqlite_error(path, why))?,
            Self::Memory(bytes, [wal, journal]) => {
                Salvage::from_bytes(bytes.to_vec(), wal.clone(), journal.clone(), &options)
            }
        };
        Ok(Tables::Saved(saved))
    }
}

/// Opens a database that must be whole.
pub(super) fn open(path: &Path, location: DatabaseLocation<'_>) -> Result<SqliteFile> {
    if let Some(TextMode::Undone(_)) = text_mode::traces(path, location) {
        let why = "it was copied in text mode, which put a carriage return before each line feed; \
                   copy it again in binary mode, or salvage it, which undoes that";
        return Err(Error::damaged(path, DamagedPart::Format(why.to_owned())));
    }
    open_as_it_is(path, location)
}

fn open_as_it_is(path: &Path, location: DatabaseLocation<'_>) -> Result<SqliteFile> {
    let tables = location.whole(path)?;
    let client = recognise(&tables).map_err(|found| stranger(path, found))?;
    SqliteFile::new(path, tables, client)
}

/// Opens the readable rows of a damaged database, and a whole one as [`open`] does. The tables that
/// the schema should have are known only after the client was recognised by those it still has.
pub(super) fn salvage(
    path: &Path,
    kind: FileKindFound,
    location: DatabaseLocation<'_>,
) -> Result<SqliteFile> {
    match text_mode::traces(path, location) {
        None => salvage_as_it_is(path, kind, location),
        Some(TextMode::Undone(bytes)) => {
            let location = DatabaseLocation::Memory(&bytes, &[None, None]);
            let mut file = salvage_as_it_is(path, kind, location)?;
            file.note(
                "it was copied in text mode, which put a carriage return before each line feed; \
                 that was undone",
            );
            Ok(file)
        }
        Some(TextMode::Suspected) => {
            let mut file = salvage_as_it_is(path, kind, location)?;
            file.note(
                "it looks as if it was copied in text mode, which put a carriage return before \
                 each line feed; that cannot be undone: copy it again in binary mode",
            );
            file.distrust();
            Ok(file)
        }
    }
}

fn salvage_as_it_is(
    path: &Path,
    kind: FileKindFound,
    location: DatabaseLocation<'_>,
) -> Result<SqliteFile> {
    let rows = open_as_it_is(path, location).ok().and_then(|file| rows_of(&file));
    let tables = location.saved(path, &[])?;
    let client = match recognise(&tables) {
        Ok(client) => client,
        Err(_) if kind == FileKindFound::Unknown && tables.all().is_empty() => {
            return Err(wrong_kind(path, kind));
        }
        // The whole file may still be recognised by its columns.
        Err(_) if rows.is_some() => return open_as_it_is(path, location),
        Err(found) => return Err(stranger(path, found)),
    };
    drop(tables);
    let saved = location.saved(path, client.expected())?;
    if rows.is_some_and(|rows| is_all(&saved, &rows)) {
        drop(saved);
        return open_as_it_is(path, location);
    }
    SqliteFile::new(path, saved, client)
}

/// How many rows each table has, if all of them can be read.
fn rows_of(file: &SqliteFile) -> Option<Vec<(String, usize)>> {
    let names = file.sessions().ok()?.unwrap_or_else(|| vec![String::new()]);
    names.iter().try_for_each(|name| file.account(name).map(drop)).ok()?;
    let rows = |table: &Table| {
        let mut last = None;
        let mut count = 0;
        for row in file.db().rows(table) {
            let row = row.ok()?;
            let rowid = row.rowid();
            if last.is_some() && rowid.is_some() && rowid <= last {
                return None;
            }
            last = rowid;
            (0..table.columns().len()).try_for_each(|at| row.get(at).map(drop)).ok()?;
            count += 1;
        }
        Some((table.name().to_owned(), count))
    };
    file.db().all().iter().map(rows).collect()
}

/// Whether salvaging finds nothing that is lost, and nothing beyond these rows.
fn is_all(saved: &Tables, rows: &[(String, usize)]) -> bool {
    let Tables::Saved(salvage) = saved else { return true };
    let lost = salvage.lost();
    let count = |table: &Table| {
        let known = rows.iter().find(|(name, _)| name.eq_ignore_ascii_case(table.name()));
        let known = known.map_or(0, |(_, count)| *count);
        table.without_rowid() || salvage.rows(table).count() == known
    };
    lost.pages == 0 && lost.rows == 0 && saved.all().iter().all(count)
}
