//! What every client's SQLite session has in common: a file of tables that one client knows how
//! to read.

use std::path::{Path, PathBuf};

use super::{Notes, Tables, field};
use crate::error::{DamagedPart, Error, Result};
use crate::sqlite::{Row, SqliteError, Table, Value};
use crate::types::{Account, AuthKey, DcId, Endpoint, Entity, PeerId};

/// A client whose sessions are SQLite files.
///
/// Tables and columns are taken by name and never by version or place: files that were upgraded
/// half-way or by another fork carry any number on any columns.
pub(crate) trait SqliteFormat: Sync {
    /// The kind of file, as in "it is ...".
    fn described(&self) -> &'static str;

    /// Whether these tables are this client's.
    fn recognises(&self, db: &Tables) -> bool;

    /// The missing part of tables that would otherwise be this client's, as in "it has no ...".
    fn lacks(&self, _db: &Tables) -> Option<String> {
        None
    }

    /// `CREATE TABLE` of the tables that a damaged file should have.
    fn expected(&self) -> &'static [&'static str];

    /// The format as dumps name it: `telethon-sqlite v7`. A version beyond those that are known is
    /// noted: forks number their schemas as they like, and the columns say what they are.
    fn format(&self, file: &SqliteFile, notes: &mut Notes) -> Result<String>;

    /// The sessions in the file by name; `None` where it holds one, which is named as the file.
    fn sessions(&self, _file: &SqliteFile) -> Result<Option<Vec<String>>> {
        Ok(None)
    }

    /// Everything but the entities, with a note for each value left out.
    fn account(&self, file: &SqliteFile, session: &str, notes: &mut Notes) -> Result<Account>;

    /// How the entities are read.
    fn peers<'a>(
        &self,
        file: &'a SqliteFile,
        session: &str,
        notes: &mut Notes,
    ) -> Result<PeerTable<'a>>;

    /// Whether it is a table of the client's own, so that nothing needs to be said of it.
    fn owns(&self, table: &str) -> bool;
}

/// How the entities of a session are read; `None` where the file has no table of them.
pub(crate) type PeerTable<'a> = Option<Box<dyn PeerRows<'a> + 'a>>;

/// How the rows of one table become entities.
pub(crate) trait PeerRows<'a> {
    /// The table.
    fn table(&self) -> &'a Table;

    /// Whether the rows come in the order of their marked ids, none twice.
    fn in_order(&self) -> bool {
        true
    }

    /// The entity of a row; `None` if the row is no entity. A note says so where that is a loss.
    fn entity(&mut self, row: &Row<'a>, notes: &mut Notes) -> Result<Option<Entity>, SqliteError>;
}

/// The rows of a table with these columns. A note says where it lacks one that `needs` names.
pub(crate) fn rows_or_note<'a>(
    table: &Table,
    rows: Option<impl PeerRows<'a> + 'a>,
    needs: &str,
    notes: &mut Notes,
) -> PeerTable<'a> {
    let Some(rows) = rows else {
        notes.add(format!("{}: the table has no {needs}, and was not read", table.name()));
        return None;
    };
    Some(Box::new(rows))
}

/// A client's SQLite session, opened.
pub(crate) struct SqliteFile {
    path: PathBuf,
    db: Tables,
    client: &'static dyn SqliteFormat,
    format: String,
    /// Notes about the version.
    notes: Notes,
    /// Whether all keys are unproven.
    distrusted: bool,
}

impl std::fmt::Debug for SqliteFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, format, .. } = self;
        f.debug_struct("SqliteFile")
            .field("path", path)
            .field("format", format)
            .finish_non_exhaustive()
    }
}

impl SqliteFile {
    /// Takes a database for a session of this client, which has recognised it.
    pub(crate) fn new(path: &Path, db: Tables, client: &'static dyn SqliteFormat) -> Result<Self> {
        let (path, mut notes) = (path.to_owned(), Notes::default());
        let (format, distrusted) = (String::new(), false);
        let mut file = Self { path, db, client, format, notes: Notes::default(), distrusted };
        file.format = client.format(&file, &mut notes)?;
        file.notes = notes;
        Ok(file)
    }

    /// Adds a note to every session in it.
    pub(crate) fn note(&mut self, note: &str) {
        self.notes.add(note.to_owned());
    }

    /// Marks every key as unproven: the bytes are not those that the client wrote.
    pub(crate) fn distrust(&mut self) {
        self.distrusted = true;
    }

    /// The format as dumps name it.
    pub(crate) fn format(&self) -> &str {
        &self.format
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn db(&self) -> &Tables {
        &self.db
    }

    /// The sessions by name; `None` where there is one, which is named as the file.
    pub(crate) fn sessions(&self) -> Result<Option<Vec<String>>> {
        self.client.sessions(self)
    }

    /// Everything but the entities, with a note for each value left out.
    pub(crate) fn account(&self, session: &str) -> Result<(Account, Notes)> {
        let mut notes = self.notes.clone();
        if let Tables::Saved(salvage) = &self.db {
            let lost = salvage.lost();
            notes.add(format!(
                "salvaged from a damaged file: {} pages and {} rows could not be saved",
                lost.pages, lost.rows
            ));
        }
        let mut account = self.client.account(self, session, &mut notes)?;
        account.dcs.sort_by_key(|dc| dc.id);
        account.dcs.dedup_by_key(|dc| dc.id);
        account.channel_states.sort_by_key(|state| state.id);
        account.channel_states.dedup_by_key(|state| state.id);
        account.sent_files.sort_by_key(|file| file.key);
        account.sent_files.dedup_by_key(|file| file.key);
        for table in self.db.all() {
            let name = table.name();
            if !self.client.owns(name) && !name.to_ascii_lowercase().starts_with("sqlite_") {
                notes.add(format!("table {name:?} is not the client's and was not read"));
            }
        }
        Ok((account, notes))
    }

    /// How the entities of a session are read.
    pub(super) fn peers<'a>(&'a self, session: &str, notes: &mut Notes) -> Result<PeerTable<'a>> {
        self.client.peers(self, session, notes)
    }

    /// The table of this name. A note says where there is none.
    pub(crate) fn table_or_note(&self, name: &str, notes: &mut Notes) -> Option<&Table> {
        let table = self.db.named(name);
        if table.is_none() {
            notes.add(format!("{name}: there is no such table"));
        }
        table
    }

    /// Runs over the rows of a table if it is there; damage names the table. What `visit` refuses
    /// on its own account is the inner error.
    pub(crate) fn each_row(
        &self,
        table: &str,
        mut visit: impl FnMut(&Table, &Row<'_>) -> Result<Result<()>, SqliteError>,
    ) -> Result<()> {
        let Some(table) = self.db.named(table) else { return Ok(()) };
        for row in self.db.rows(table) {
            row.and_then(|row| visit(table, &row))
                .map_err(|error| self.damaged(table, error))??;
        }
        Ok(())
    }

    /// The integer in the first row of a table that holds one, such as a schema's version.
    pub(crate) fn number(&self, table: &str, column: &str) -> Result<Option<i64>> {
        let Some(table) = self.db.named(table) else { return Ok(None) };
        let Some(column) = table.column(column) else { return Ok(None) };
        let Some(row) = self.db.rows(table).next() else { return Ok(None) };
        let damaged = |error| self.damaged(table, error);
        match row.map_err(damaged)?.get(column).map_err(damaged)? {
            Value::Integer(version) => Ok(Some(version)),
            _ => Ok(None),
        }
    }

    /// The format of a client that puts its schema's version into a table: its name and that number.
    pub(crate) fn versioned_format(
        &self,
        name: &str,
        (table, column): (&str, &str),
        newest: (i64, &'static str),
        notes: &mut Notes,
    ) -> Result<String> {
        let Some(version) = self.number(table, column)? else { return Ok(name.to_owned()) };
        self.note_newer(version, newest, notes);
        Ok(format!("{name} v{version}"))
    }

    /// Notes a version beyond the newest that is known. In a damaged file it may be anything.
    pub(crate) fn note_newer(
        &self,
        found: i64,
        (newest, what): (i64, &'static str),
        notes: &mut Notes,
    ) {
        if found > newest && matches!(self.db, Tables::Whole(_)) {
            notes.add(format!(
                "version: {what} {found} is newer than the {newest} that is known; it was \
                 read by its columns"
            ));
        }
    }

    /// The auth key of a DC, out of a column of this table.
    ///
    /// # Errors
    ///
    /// [`Error::BadAuthKey`] if the value cannot be a key; in a damaged file it is noted instead.
    pub(crate) fn auth_key(
        &self,
        table: &str,
        dc: DcId,
        value: Value<'_>,
        notes: &mut Notes,
    ) -> Result<Option<AuthKey>> {
        match (field::auth_key(value), &self.db) {
            (Ok(Some(key)), Tables::Saved(salvage))
                if self.distrusted || !salvage.is_sound(self.db.named(table)) =>
            {
                notes.add(format!(
                    "{table} row {dc}: the auth key is unproven: its page is damaged, and the key \
                     may be too"
                ));
                notes.add_unproven(dc);
                Ok(Some(key))
            }
            (Ok(key), _) => Ok(key),
            (Err(found), Tables::Saved(_)) => {
                notes.add(format!("{table} row {dc}: the auth key is {found}, not kept"));
                Ok(None)
            }
            (Err(found), Tables::Whole(_)) => {
                Err(Error::BadAuthKey { path: self.path.clone(), dc: dc.0, found })
            }
        }
    }

    pub(crate) fn damaged(&self, table: &Table, error: SqliteError) -> Error {
        let table = Some(table.name().to_owned());
        Error::damaged(&self.path, DamagedPart::Sqlite { table, error })
    }
}

/// A column's value by name; NULL where the table has no such column.
pub(crate) fn column<'r>(
    table: &Table,
    row: &'r Row<'_>,
    name: &str,
) -> Result<Value<'r>, SqliteError> {
    table.column(name).map_or(Ok(Value::Null), |column| row.get(column))
}

/// The marked id in a column of this name; `None` if no peer can have it, so that the row is
/// skipped.
pub(crate) fn marked_id(
    table: &Table,
    row: &Row<'_>,
    (column, name): (usize, &str),
    notes: &mut Notes,
) -> Result<Option<PeerId>, SqliteError> {
    let id = field::integer(row.get(column)?).ok().and_then(PeerId::from_marked);
    if id.is_none() {
        touch(table, row)?;
        notes.add(format!("{}: {name} is not a valid id, row skipped", table.name()));
    }
    Ok(id)
}

/// Where a DC listens, out of two columns of `sessions`.
pub(crate) fn endpoint(
    dc: DcId,
    host: Value<'_>,
    port: Value<'_>,
    notes: &mut Notes,
) -> Option<Endpoint> {
    let host = match field::text(host) {
        Ok(host) => host?,
        Err(why) => {
            notes.add(format!("sessions row {dc}: server_address is {why}, not kept"));
            return None;
        }
    };
    match field::integer(port).map(u16::try_from) {
        Ok(Ok(port)) => Some(Endpoint::new(&host, port)),
        _ => {
            notes.add(format!("sessions row {dc}: port is no TCP port; the address is not kept"));
            None
        }
    }
}

/// Reads all columns of a skipped row: it is skipped only if it is whole, since a damaged row can
/// look like anything.
pub(crate) fn touch(table: &Table, row: &Row<'_>) -> Result<(), SqliteError> {
    (0..table.columns().len()).try_for_each(|column| row.get(column).map(drop))
}
