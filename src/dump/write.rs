//! A dump, written from top to bottom.

use std::io::{self, Write};

use super::json::{Dc, Guarded, Json};
use super::{FORMAT, Secrets};
use crate::types::{Account, DcId, Entity};

/// Writes a dump: for each session [`begin`](Self::begin), its entities in the order of their
/// marked ids, [`finish`](Self::finish); then [`end`](Self::end).
///
/// A dump that was not ended lacks its closing brackets, so a reader refuses it.
///
/// ```
/// use tgsession::dump::{Secrets, Writer};
/// use tgsession::{Session, SourceOptions, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("accounts");
/// let session = Store::create(path)?.session("alice")?.read_view()?;
/// let (account, mut bytes) = (session.account()?, Vec::new());
/// let mut dump = Writer::new(&mut bytes, "tgsession v4", Secrets::Shown);
/// dump.begin("alice", &account)?;
/// for entity in tgsession::Entities::of(&session) {
///     dump.entity(&entity?)?;
/// }
/// dump.finish(&account)?;
/// dump.end(&[])?;
/// let source = SourceOptions::new().open_bytes("dump", &bytes)?;
/// assert_eq!(source.session_names()?, ["alice"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    format: String,
    secrets: Secrets,
    sessions: usize,
    entities: u64,
}

impl<W: Write> Writer<W> {
    /// A dump of sessions that came in this format, see [`Source::format`](crate::Source::format).
    /// Nothing is written before the first session.
    pub fn new(out: W, format: &str, secrets: Secrets) -> Self {
        Self { out, format: format.to_owned(), secrets, sessions: 0, entities: 0 }
    }

    /// The head waits for the first session, so that one that cannot be read leaves no output.
    fn head(&mut self) -> io::Result<()> {
        write!(self.out, "{{\n  \"format\": \"{FORMAT}\",\n  \"source\": ")?;
        self.format.write(&mut self.out)?;
        write!(self.out, ",\n  \"sessions\": [")
    }

    /// Begins a session.
    ///
    /// # Errors
    ///
    /// Those of the output, here and below.
    pub fn begin(&mut self, name: &str, account: &Account) -> io::Result<()> {
        self.begin_unproven(name, account, &[])
    }

    /// Begins a session in which the auth keys of these DCs are
    /// [unproven](crate::SourceSession::unproven_keys), and marks them.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn begin_unproven(
        &mut self,
        name: &str,
        account: &Account,
        unproven: &[DcId],
    ) -> io::Result<()> {
        if self.sessions == 0 {
            self.head()?;
        }
        self.out.write_all(if self.sessions == 0 { b"\n    {" } else { b",\n    {" })?;
        self.sessions += 1;
        self.entities = 0;
        self.account(name, account, unproven)?;
        write!(self.out, ",\n      \"entities\": [")
    }

    /// One entity of the session that was begun.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn entity(&mut self, entity: &Entity) -> io::Result<()> {
        let first = self.entities == 0;
        self.entities += 1;
        self.row(&Guarded(entity, self.secrets), first)
    }

    /// Finishes the session that was begun.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn finish(&mut self, account: &Account) -> io::Result<()> {
        self.close(self.entities == 0)?;
        self.list("files", &account.sent_files)?;
        if !account.extras.is_empty() {
            let secrets = self.secrets;
            let rows = account.extras.iter().map(|extra| Guarded(extra, secrets));
            self.list("extras", &rows.collect::<Vec<_>>())?;
        }
        self.out.write_all(b"\n    }")
    }

    /// Ends the dump with the notes on all its sessions, and gives the output back.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn end(mut self, notes: &[String]) -> io::Result<W> {
        if self.sessions == 0 {
            self.head()?;
        }
        self.out.write_all(if self.sessions == 0 { b"],\n" } else { b"\n  ],\n" })?;
        self.out.write_all(b"  \"notes\": [")?;
        for (at, note) in notes.iter().enumerate() {
            self.out.write_all(if at == 0 { b"\n    " } else { b",\n    " })?;
            note.write(&mut self.out)?;
        }
        self.out.write_all(if notes.is_empty() { b"]\n}\n" } else { b"\n  ]\n}\n" })?;
        Ok(self.out)
    }

    fn account(&mut self, name: &str, account: &Account, unproven: &[DcId]) -> io::Result<()> {
        let login = &account.login;
        write!(self.out, "\n      \"name\": ")?;
        name.write(&mut self.out)?;
        self.value("home_dc", &login.home_dc.map(|dc| dc.0))?;
        self.value("test_mode", &login.test_mode)?;
        self.value("api_id", &login.api_id)?;
        self.value("user", &login.user)?;
        self.value("takeout_id", &login.takeout_id)?;
        let secrets = self.secrets;
        let rows = account.dcs.iter().map(|dc| {
            let unproven = dc.auth_key.is_some() && unproven.contains(&dc.id);
            Dc { dc, secrets, unproven }
        });
        let dcs: Vec<_> = rows.collect();
        self.list("dcs", &dcs)?;
        self.value("state", &account.update_state)?;
        self.list("channel_states", &account.channel_states)
    }

    fn list(&mut self, key: &str, rows: &[impl Json]) -> io::Result<()> {
        write!(self.out, ",\n      \"{key}\": [")?;
        for (at, row) in rows.iter().enumerate() {
            self.row(row, at == 0)?;
        }
        self.close(rows.is_empty())
    }

    fn row(&mut self, row: &impl Json, first: bool) -> io::Result<()> {
        self.out.write_all(if first { b"\n        " } else { b",\n        " })?;
        row.write(&mut self.out)
    }

    fn close(&mut self, empty: bool) -> io::Result<()> {
        self.out.write_all(if empty { b"]" } else { b"\n      ]" })
    }

    fn value(&mut self, key: &str, value: &impl Json) -> io::Result<()> {
        write!(self.out, ",\n      \"{key}\": ")?;
        value.write(&mut self.out)
    }
}

/// Writes one entity as a dump shows it, on one line without its end.
///
/// # Errors
///
/// Those of the output.
pub fn write_entity(out: &mut dyn Write, entity: &Entity, secrets: Secrets) -> io::Result<()> {
    Guarded(entity, secrets).write(out)
}
