//! `entity` of v2-stale2: bare ids, and what each is as a letter.

use crate::format::sqlite_file::{PeerRows, touch};
use crate::format::{Notes, field};
use crate::sqlite::{Row, SqliteError, Table};
use crate::types::{AccessHash, Entity, EntityKind, PeerId};

#[derive(Clone, Copy, Debug)]
pub(super) struct Peers<'a> {
    table: &'a Table,
    id: usize,
    hash: usize,
    kind: usize,
}

impl<'a> Peers<'a> {
    pub(super) fn of(table: &'a Table) -> Option<Self> {
        let column = |name| table.column(name);
        Some(Self { table, id: column("id")?, hash: column("hash")?, kind: column("ty")? })
    }
}

impl<'a> PeerRows<'a> for Peers<'a> {
    fn table(&self) -> &'a Table {
        self.table
    }

    fn in_order(&self) -> bool {
        false
    }

    fn entity(&mut self, row: &Row<'a>, notes: &mut Notes) -> Result<Option<Entity>, SqliteError> {
        let [id, hash, letter] = [self.id, self.hash, self.kind].map(|column| row.get(column));
        let (id, hash, letter) =
            (field::integer(id?), field::integer(hash?), field::integer(letter?));
        let (Ok(id), Ok(hash), Ok(letter)) = (id, hash, letter) else {
            touch(self.table, row)?;
            notes.add("entity: id, hash or ty is not an integer, row skipped".into());
            return Ok(None);
        };
        if id == 0 {
            // Telethon 1 kept the account's own id as the hash of an entity 0.
            return Ok(None);
        }
        let Some((peer, kind)) = peer(id, letter) else {
            notes.add(format!("entity row {id}: there is no peer of type {letter}, skipped"));
            return Ok(None);
        };
        let mut entity = Entity::new(peer);
        (entity.access_hash, entity.kind) = (Some(AccessHash(hash)), Some(kind));
        Ok(Some(entity))
    }
}

/// `ty` is the ASCII code of a letter.
fn peer(bare: i64, letter: i64) -> Option<(PeerId, EntityKind)> {
    let (peer, kind) = match u8::try_from(letter).ok()? {
        b'U' => (PeerId::user(bare), EntityKind::User),
        b'B' => (PeerId::user(bare), EntityKind::Bot),
        b'G' => (PeerId::group(bare), EntityKind::Group),
        b'C' => (PeerId::channel(bare), EntityKind::Channel),
        b'M' => (PeerId::channel(bare), EntityKind::Supergroup),
        b'E' => (PeerId::channel(bare), EntityKind::Gigagroup),
        _ => return None,
    };
    Some((peer?, kind))
}
