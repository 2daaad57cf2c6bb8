//! Runs: many entities, packed in the order of their ids, which nobody changes any more.
//!
//! An entity is found by its id with a search in an index that lies together, and by a username or
//! a phone number with a look into one bucket of a table of hashes. A run is read in place: each
//! sector of it carries a checksum that is checked when it is first looked at. FORMAT.md has each
//! byte.

mod builder;
mod layout;
mod reader;
mod sectors;
#[cfg(test)]
mod tests;
mod texts;

use std::fmt;
use std::io;

pub(crate) use self::builder::{Builder, NewRun};
pub(crate) use self::layout::RunRow;
pub(crate) use self::reader::{Row, Run, Walk};
pub(crate) use self::sectors::Bytes;
pub(crate) use self::texts::{Index, Twins};
use crate::file::Damage;
use crate::record::RecordError;

/// A key of an entity: account and marked id, in sortable form.
pub(crate) type Key = [u8; 12];

/// Why a run cannot be read or written.
#[derive(Debug)]
pub(crate) enum RunError {
    Io(io::Error),
    Damage(Damage),
    /// A record in it is not one.
    Record(Key, RecordError),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Damage(damage) => damage.fmt(f),
            Self::Record(_, error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Damage> for RunError {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

pub(crate) type Result<T> = std::result::Result<T, RunError>;

/// What FORMAT.md shows of this room, for the test that reads it.
#[cfg(all(test, feature = "convert"))]
pub(crate) mod vectors {
    use redb::backends::InMemoryBackend;

    use super::layout::Layout;
    use super::*;
    use crate::file::{Disk, Superblock};
    use crate::record::{AccountNo, PeerKey, encode};
    use crate::types::{Entity, folded_username};

    /// The parts of run 5 with these entities, without the zeros behind each.
    pub(crate) fn vectors(
        file_id: [u8; 16],
        account: AccountNo,
        entities: &[Entity],
    ) -> Vec<(&'static str, Vec<u8>)> {
        let superblock = Superblock { file_id, log: 1024 };
        let (disk, space) = (InMemoryBackend::new(), std::sync::Arc::default());
        let mut builder = Builder::new(&disk, superblock, &space, 5);
        for entity in entities {
            let record = encode(entity).unwrap();
            builder.push(&PeerKey::of(account, entity.id), Some(&record[1..])).unwrap();
            for name in &entity.usernames {
                builder.index(Index::Usernames, &folded_username(name));
            }
        }
        let row = builder.finish().unwrap().0.row;
        let layout = Layout::of(&row).unwrap();
        let mut bytes = vec![0; layout.len];
        let page = u64::from(row.page) * crate::file::PAGE;
        disk.read(superblock.image_at() + page, &mut bytes).unwrap();
        let part = |from: usize, to: usize| {
            let part = &bytes[from..to];
            let zeros = part.iter().rev().take_while(|byte| **byte == 0).count();
            part[..part.len() - zeros].to_vec()
        };
        vec![
            ("run: rows", part(0, layout.groups)),
            ("run: groups", part(layout.groups, layout.tops)),
            ("run: top", part(layout.tops, layout.accounts)),
            ("run: accounts", part(layout.accounts, layout.usernames)),
            ("run: usernames", part(layout.usernames, layout.phones)),
            ("run: first checksum", bytes[layout.sums..layout.sums + 4].to_vec()),
        ]
    }
}
