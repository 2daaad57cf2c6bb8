//! The rows of one session: Telethon keeps one session in a file, telethon-session-sqlalchemy many
//! in the same tables.

use std::borrow::Cow;

use crate::error::Result;
use crate::format::database::Tables;
use crate::format::field::{self, Unfit};
use crate::format::sqlite_file::SqliteFile;
use crate::sqlite::{Row, SqliteError, Table, Value};

/// One session's rows in Telethon's tables.
#[derive(Clone, Copy, Debug)]
pub(in crate::clients) struct Scope<'a> {
    pub(in crate::clients) file: &'a SqliteFile,
    /// The prefix of the table names.
    pub(in crate::clients) prefix: &'a str,
    /// The rows' `session_id`; `None` where there is no such column.
    pub(in crate::clients) session: Option<&'a str>,
}

impl<'a> Scope<'a> {
    /// All rows of Telethon's own tables.
    pub(super) fn whole(file: &'a SqliteFile) -> Self {
        Self { file, prefix: "", session: None }
    }

    /// A table by the name it has in Telethon.
    pub(super) fn table(self, name: &str) -> Option<&'a Table> {
        match self.prefix {
            "" => self.file.db().named(name),
            prefix => self.file.db().named(&format!("{prefix}{name}")),
        }
    }

    /// A column by name. If the schema of a damaged file has lost the name, it is the column at the
    /// name's position in `names`, unless that column has another of Telethon's names.
    pub(super) fn column(self, table: &Table, names: &[&str], name: &str) -> Option<usize> {
        let in_its_place = || {
            let capabilities = names.iter().position(|known| *known == name)?;
            let capabilities = capabilities + usize::from(self.session.is_some());
            let there = table.columns().get(capabilities)?.name();
            let known = names.iter().any(|known| known.eq_ignore_ascii_case(there));
            (matches!(self.file.db(), Tables::Saved(_)) && !known).then_some(capabilities)
        };
        table.column(name).or_else(in_its_place)
    }

    /// A column's value; NULL where there is no such column.
    pub(super) fn value<'r>(
        self,
        table: &Table,
        row: &'r Row<'_>,
        names: &[&str],
        name: &str,
    ) -> Result<Value<'r>, SqliteError> {
        self.column(table, names, name).map_or(Ok(Value::Null), |column| row.get(column))
    }

    /// Runs over the session's rows of a table if it is there, as [`SqliteFile::each_row`] does.
    pub(super) fn each_row(
        self,
        table: &str,
        mut visit: impl FnMut(&Table, &Row<'_>) -> Result<Result<()>, SqliteError>,
    ) -> Result<()> {
        let Some(table) = self.table(table) else { return Ok(()) };
        self.file.each_row(table.name(), |table, row| {
            if self.has(table, row)? { visit(table, row) } else { Ok(Ok(())) }
        })
    }

    /// What row 0 of `entities` has in the place of a hash, if there is such a row.
    pub(super) fn hash_of_row_0(self) -> Result<Option<Result<i64, Unfit>>> {
        let Some(table) = self.table("entities") else { return Ok(None) };
        let (Some(id), Some(hash)) = (table.column("id"), table.column("hash")) else {
            return Ok(None);
        };
        if self.session.is_none() {
            let damaged = |error| self.file.damaged(table, error);
            let Some(row) = self.file.db().row(table, 0).map_err(damaged)? else { return Ok(None) };
            return Ok(Some(field::integer(row.get(hash).map_err(damaged)?)));
        }
        let mut found = None;
        self.each_row("entities", |_, row| {
            if row.get(id)? == Value::Integer(0) {
                found = Some(field::integer(row.get(hash)?));
            }
            Ok(Ok(()))
        })?;
        Ok(found)
    }

    fn has(self, table: &Table, row: &Row<'_>) -> Result<bool, SqliteError> {
        let Some(session) = self.session else { return Ok(true) };
        let id = session_id(table, row)?;
        Ok(id.is_some_and(|id| id == session))
    }
}

/// The session of a row; `None` if `session_id` is not text.
pub(in crate::clients) fn session_id<'r>(
    table: &Table,
    row: &'r Row<'_>,
) -> Result<Option<Cow<'r, str>>, SqliteError> {
    let Some(column) = table.column("session_id") else { return Ok(None) };
    match row.get(column)? {
        Value::Text(text) => Ok(text.to_str().ok()),
        _ => Ok(None),
    }
}
