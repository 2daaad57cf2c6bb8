//! New files of each library, as it makes them itself.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::family::{self, Pyrogram, suits};
use super::schema::{self, indexes};
use crate::error::{Error, Result};
use crate::format::database::{Writer, integer, one_row, text};
use crate::format::lost::Losses;
use crate::format::{
    Address, Capabilities, EntityCapabilities, Need, Outgoing, Target, Writing, unwritten,
};
use crate::sqlite::Value;
use crate::sqlite::writer::{DatabaseWriter, Index, WriteError, WriterOptions};
use crate::types::{Entity, EntityKind, PeerKind, UpdateState};

/// A library whose files are written.
#[derive(Debug)]
pub(crate) struct Library {
    name: &'static str,
    tables: Pyrogram,
}

/// Pyrogram 2, schema 3.
pub(crate) const PYROGRAM: Library = Library { name: "pyrogram", tables: Pyrogram::Original };
/// Hydrogram: exactly the schema of Pyrogram 2. It switches the file to WAL when it opens it.
pub(crate) const HYDROGRAM: Library = Library { name: "hydrogram", tables: Pyrogram::Original };
/// Pyrofork, schema 4.
pub(crate) const PYROFORK: Library = Library { name: "pyrofork", tables: Pyrogram::Pyrofork };
/// Kurigram, schema 7.
pub(crate) const KURIGRAM: Library = Library { name: "kurigram", tables: Pyrogram::Kurigram };

impl Target for Library {
    fn name(&self) -> &'static str {
        self.name
    }

    fn capabilities(&self) -> &'static Capabilities {
        match self.tables {
            Pyrogram::Original => &CAPABILITIES,
            Pyrogram::Pyrofork => &CAPABILITIES_PYROFORK,
            Pyrogram::Kurigram => &CAPABILITIES_KURIGRAM,
        }
    }

    fn write(&self, work: Writing<'_, '_>) -> Result<()> {
        self.write_at(now(), work)
    }
}

/// Seconds since 1970. In a browser's WebAssembly the standard library has no clock, and panics: 0 is
/// what Pyrogram writes into a new file.
fn now() -> i64 {
    if cfg!(all(target_family = "wasm", target_os = "unknown")) {
        return 0;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or_default()
}

/// The libraries ask anew for a login that lacks one of these, but only for the api id alone.
const CAPABILITIES: Capabilities = Capabilities {
    test_mode: Need::Needed,
    api_id: Need::Kept,
    user: Need::Needed,
    bot: Need::Needed,
    entities: Some(PEERS),
    ..Capabilities::MINIMAL
};

const CAPABILITIES_PYROFORK: Capabilities = Capabilities {
    update_state: true,
    channel_states: true,
    entities: Some(EntityCapabilities { usernames: usize::MAX, ..PEERS }),
    ..CAPABILITIES
};

const CAPABILITIES_KURIGRAM: Capabilities = Capabilities {
    address: Address::One,
    update_state: true,
    channel_states: true,
    entities: Some(EntityCapabilities { usernames: usize::MAX, kinds: &KURIGRAM_KINDS, ..PEERS }),
    ..CAPABILITIES
};

const PEERS: EntityCapabilities = EntityCapabilities {
    holds: |_| true,
    kinds: &KINDS,
    min: false,
    no_hash: false,
    usernames: 1,
    phone: true,
    name: false,
    date: true,
};

const KINDS: [EntityKind; 5] = [
    EntityKind::User,
    EntityKind::Bot,
    EntityKind::Group,
    EntityKind::Channel,
    EntityKind::Supergroup,
];

const KURIGRAM_KINDS: [EntityKind; 8] = [
    EntityKind::User,
    EntityKind::Bot,
    EntityKind::Group,
    EntityKind::Channel,
    EntityKind::Supergroup,
    EntityKind::Direct,
    EntityKind::Forum,
    EntityKind::Community,
];

impl Library {
    /// Writes a session as if it were saved at `now`, in seconds since 1970.
    fn write_at(&self, now: i64, work: Writing<'_, '_>) -> Result<()> {
        let (session, lost, out) = work.of_one(self.name)?;
        let mut db = DatabaseWriter::new(out, &WriterOptions::new()).map_err(unwritten)?;
        self.write_session(&mut db, session, now)?;
        let names = self.write_peers(&mut db, session, lost)?;
        self.write_others(&mut db, session, &names, lost).map_err(unwritten)?;
        db.finish().map_err(unwritten)?;
        Ok(())
    }

    fn write_session(&self, db: &mut Writer<'_>, session: &Outgoing<'_>, now: i64) -> Result<()> {
        let login = &session.account.login;
        let lacks = |what| Error::Lacks { format: self.name, what };
        let home = session.home().ok_or(lacks("the home DC"))?;
        let key = home.auth_key.as_ref().ok_or(lacks("an auth key of the home DC"))?;
        let user = login.user.ok_or(lacks("the account's own user id"))?;
        let id = i64::from(home.id.0);
        let mut row = vec![Value::Integer(id)];
        let mut sql = schema::SESSIONS;
        if self.tables == Pyrogram::Kurigram {
            let end = home.ipv4.as_ref().or(home.ipv6.as_ref());
            let end = end.ok_or(lacks("the address of the home DC"))?;
            row.extend([Value::from(end.host.as_str()), Value::Integer(end.port.into())]);
            sql = schema::SESSIONS_KURIGRAM;
        }
        row.extend([
            integer(login.api_id),
            integer(login.test_mode),
            Value::Blob(key.as_bytes()),
            Value::Integer(now),
            Value::Integer(user.id),
            integer(user.bot),
        ]);
        one_row(db, sql, id, &row).map_err(unwritten)
    }

    /// Writes the peers as they come; the usernames that go into the other table.
    fn write_peers(
        &self,
        db: &mut Writer<'_>,
        session: &mut Outgoing<'_>,
        lost: &mut Losses,
    ) -> Result<Vec<Name>> {
        let kurigram = self.tables == Pyrogram::Kurigram;
        let capabilities = self.capabilities().entities.as_ref().unwrap_or(&PEERS);
        let mut names = Vec::new();
        let table = if kurigram {
            db.table(schema::PEERS_KURIGRAM, &indexes(&schema::PEERS_INDEXES_KURIGRAM))
        } else {
            db.table(schema::PEERS, &indexes(&schema::PEERS_INDEXES))
        };
        let mut table = table.map_err(unwritten)?;
        while let Some(entity) = session.entity(capabilities, lost) {
            let entity = entity?;
            let id = entity.id.marked();
            let own = Name::all(&entity);
            let first = own.first().map(|name| &*name.text);
            let mut row = vec![
                Value::Integer(id),
                integer(entity.access_hash.map(|hash| hash.0)),
                Value::from(kind(&entity, lost)),
            ];
            if !kurigram {
                row.push(text(first));
            }
            row.extend([text(entity.phone.as_deref()), Value::Integer(date(&entity, lost))]);
            table.row(id, &row).map_err(unwritten)?;
            if kurigram || own.len() > 1 {
                names.extend(own);
            }
        }
        table.finish().map_err(unwritten)?;
        Ok(names)
    }

    /// Writes the other tables in the order in which the library makes them, then the triggers.
    fn write_others(
        &self,
        db: &mut Writer<'_>,
        session: &Outgoing<'_>,
        names: &[Name],
        lost: &mut Losses,
    ) -> Result<(), WriteError> {
        let (version, _) = self.tables.newest();
        let number = [Value::Integer(version)];
        match self.tables {
            Pyrogram::Original => one_row(db, schema::VERSION, version, &number)?,
            Pyrogram::Pyrofork => {
                write_states(db, session)?;
                one_row(db, schema::VERSION, version, &number)?;
                write_names_pyrofork(db, names, lost)?;
            }
            Pyrogram::Kurigram => {
                write_names_kurigram(db, names)?;
                write_states(db, session)?;
                one_row(db, schema::VERSION, version, &number)?;
            }
        }
        db.trigger("peers", schema::PEERS_TRIGGER)?;
        if self.tables == Pyrogram::Pyrofork {
            db.trigger("usernames", schema::USERNAMES_TRIGGER)?;
        }
        Ok(())
    }
}

/// Channels by their marked ids, and after them the account as 0: the order of the rowids.
fn write_states(db: &mut Writer<'_>, session: &Outgoing<'_>) -> Result<(), WriteError> {
    let mut table = db.table(schema::UPDATE_STATE, &[])?;
    for state in &session.account.channel_states {
        let id = state.id.marked();
        let (id_value, pts) = (Value::Integer(id), Value::Integer(state.pts.into()));
        table.row(id, &[id_value, pts, Value::Null, Value::Null, Value::Null])?;
    }
    if let Some(UpdateState { pts, qts, date, seq }) = session.account.update_state {
        let row = [0, pts.into(), qts.into(), date, seq.into()].map(Value::Integer);
        table.row(0, &row)?;
    }
    table.finish()
}

fn write_names_kurigram(db: &mut Writer<'_>, names: &[Name]) -> Result<(), WriteError> {
    let indexes = indexes(&schema::USERNAMES_INDEXES_KURIGRAM);
    let mut table = db.table(schema::USERNAMES_KURIGRAM, &indexes)?;
    for (rowid, name) in (1..).zip(names) {
        table.row(rowid, &[Value::Integer(name.owner), Value::from(&*name.text)])?;
    }
    table.finish()
}

/// A username is a key here: of the peers that had it, it belongs to the one seen last.
fn write_names_pyrofork(
    db: &mut Writer<'_>,
    names: &[Name],
    lost: &mut Losses,
) -> Result<(), WriteError> {
    let mut last: HashMap<&str, &Name> = HashMap::new();
    for name in names {
        let known = last.entry(&name.text).or_insert(name);
        if name.date > known.date {
            *known = name;
        }
    }
    let by_name = Index::automatic(&[0]);
    let mut table = db.table(schema::USERNAMES_PYROFORK, &[by_name])?;
    let mut rowid = 0;
    for name in names {
        if last.get(&*name.text).is_some_and(|last| last.owner == name.owner) {
            rowid += 1;
            let (owner, date) = (Value::Integer(name.owner), Value::Integer(name.date));
            table.row(rowid, &[Value::from(&*name.text), owner, date])?;
        } else if !name.first {
            lost.add("entities.usernames", "a peer that was seen later has it", name.owner);
        }
    }
    table.finish()
}

/// A username of a peer.
#[derive(Debug)]
struct Name {
    owner: i64,
    date: i64,
    /// Whether it is the first username, which is in `peers` too.
    first: bool,
    text: Box<str>,
}

impl Name {
    /// The usernames of an entity, each once and in lower case, since the libraries look them up
    /// so.
    fn all(entity: &Entity) -> Vec<Self> {
        let (owner, date) = (entity.id.marked(), entity.date.unwrap_or_default());
        let mut all: Vec<Self> = Vec::with_capacity(entity.usernames.len());
        for username in &entity.usernames {
            let text = username.to_lowercase().into_boxed_str();
            if !text.is_empty() && all.iter().all(|other| other.text != text) {
                all.push(Self { owner, date, first: all.is_empty(), text });
            }
        }
        all
    }
}

/// The libraries need the kind to name a peer in a request, where a channel and a supergroup are
/// alike. So an unknown kind is taken from the range of the id.
fn kind(entity: &Entity, lost: &mut Losses) -> &'static str {
    let range = entity.id.kind();
    let known = entity.kind.filter(|kind| suits(*kind, range));
    if known.is_none() && entity.kind.is_some() {
        lost.add("entities.kind", "it does not go with the id", entity.id);
    }
    let kind = known.unwrap_or(match range {
        PeerKind::User => EntityKind::User,
        PeerKind::Group => EntityKind::Group,
        PeerKind::Channel => EntityKind::Channel,
    });
    let name = family::KINDS.iter().find(|(_, known)| *known == kind);
    name.map_or("channel", |(name, _)| *name)
}

/// 0 is not known: the libraries ask the server for a username that was seen so long ago.
fn date(entity: &Entity, lost: &mut Losses) -> i64 {
    if entity.date == Some(0) {
        lost.add("entities.date", "0 stands for a time that is not known", entity.id);
    }
    entity.date.unwrap_or_default()
}
