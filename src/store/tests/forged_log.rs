//! A log whose checksums match and whose records are anything.

use std::path::Path;
use std::sync::Arc;

use super::life::{IDENTITY, open};
use super::sim_disk::SimDisk;
use crate::file::{Access, Disk, Extent, PAGE, Root, SECTOR, SLOTS, put};
use crate::session::Session;
use crate::store::Store;
use crate::store::repair::salvaged_on;
use crate::types::DcId;
use crate::wal::{Kind, Log};

/// Where the log lies, and how many pages the file has.
const LOG: Extent = Extent { page: 1, pages: 15 };
const PAGES: u32 = 16;

/// The first record has this number.
const FIRST: u64 = 8;

/// Reads the bytes from the first to the last.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn short(&mut self) -> usize {
        usize::from(self.byte()) | usize::from(self.byte()) << 8
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken.to_vec()
    }
}

/// A file with the records that the bytes describe. Each has a byte that says what it is, two of the
/// length of its content, and the content. Behind them, places and values of single bytes.
fn file_of(data: &[u8]) -> Vec<u8> {
    let mut input = Input(data);
    let mut file = vec![0; PAGES as usize * PAGE];
    let last = FIRST + u64::from(input.byte() % 4);
    put(&mut file, 0, &IDENTITY.to_bytes());
    let (generation, salt) = (2, 6);
    let root = Root { revision: 4, generation, log: LOG, salt, first: FIRST, last, pages: PAGES };
    for slot in SLOTS {
        put(&mut file, slot as usize, &root.to_bytes(IDENTITY.file_id));
    }
    let (mut at, mut number) = (0, FIRST);
    for _ in 0..input.byte() % 16 {
        let what = input.byte();
        let len = input.short();
        let content = input.take(len);
        // Bits of `what`: kind, an odd number, another generation, another salt, a gap before it.
        let kind =
            [Kind::Changes, Kind::Manifest, Kind::Mark, Kind::Changes][usize::from(what & 3)];
        let odd = if what & 4 > 0 { u64::from(what >> 5) } else { 0 };
        let of = (generation + u64::from(what >> 3 & 1), salt + u64::from(what >> 4 & 1));
        at += if what & 0xc0 == 0xc0 { SECTOR } else { 0 };
        let log = Log::new(IDENTITY.file_id, of, LOG, FIRST);
        let record = log.seal(at, number + odd, number * 2, kind, &content);
        if at + record.len() > LOG.len() as usize {
            break;
        }
        put(&mut file, LOG.at() as usize + at, &record);
        if kind != Kind::Mark {
            at += record.len();
            number += 1;
        }
    }
    while !input.0.is_empty() {
        let (place, value) = (input.short(), input.byte());
        put(&mut file, place % (PAGES as usize * PAGE), &[value]);
    }
    file
}

/// Reads everything that there is; errors are answers.
pub(super) fn walk(store: &Store) {
    let _ = store.check();
    for name in store.list().unwrap_or_default() {
        let Ok(session) = store.open_session(&name) else { continue };
        let _ = (session.login(), session.dcs(), session.update_state(), session.channel_states());
        for entity in session.entities(None, 1_000).unwrap_or_default() {
            let _ = session.entity(entity.id);
            for username in &entity.usernames {
                let _ = session.entity_by_username(username);
            }
        }
    }
}

/// Opens a store with such a log in every way. A writer that opens it can go on.
pub(crate) fn forged_log(data: &[u8]) {
    let file = file_of(data);
    let disk = SimDisk::new(file.clone());
    let reader = open(disk.handle(), Access::Read, 20_000);
    if let Ok(reader) = &reader {
        walk(reader);
    }
    let salvaged: Arc<dyn Disk> = Arc::new(disk.handle());
    let _ = salvaged_on(Path::new("fuzz"), &salvaged);
    assert!(disk.killed() == file, "reading has changed the file");
    let Ok(writer) = open(disk.handle(), Access::Write, 20_000) else { return };
    assert!(reader.is_ok(), "a writer opens what no reader can");
    drop(reader);
    walk(&writer);
    let made = writer.session("made here").and_then(|made| made.set_home_dc(DcId(2)));
    let _ = writer.remove("other");
    let _ = writer.compact();
    let closed = writer.close();
    if made.is_ok() && closed.is_ok() {
        let again = open(disk.handle(), Access::Write, 20_000);
        let again = again.unwrap_or_else(|error| panic!("cannot be opened again: {error:?}"));
        let names = again.list();
        assert!(names.is_ok_and(|names| names.contains(&"made here".to_owned())));
    }
}
