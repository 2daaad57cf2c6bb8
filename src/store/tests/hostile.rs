//! Stores that somebody wrote on purpose: every checksum matches, the content is anything. No call
//! panics, hangs, or takes much more memory than the file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::life::{IDENTITY, open, state_of};
use super::sim_disk::{Random, SimDisk};
use crate::engine::salvage;
use crate::file::{Access, Disk, Extent, PAGE, Root, Roots, SECTOR, SLOTS, put, u32_at};
use crate::session::Session;
use crate::types::{Account, AuthKey, DcId, DcOption, Entity, PeerId};

/// How many stores are tried here. `TGSESSION_HOSTILE` asks for more.
fn stores() -> u64 {
    std::env::var("TGSESSION_HOSTILE").ok().and_then(|count| count.parse().ok()).unwrap_or(150)
}

/// A store with a base, segments and a log behind them.
fn subject() -> Vec<u8> {
    let disk = SimDisk::new(super::life::new_store());
    let store = open(disk.handle(), Access::Write, 4 << 20).unwrap();
    let dcs = vec![DcOption::new(DcId(2)).with_key(AuthKey::new(&[7; 256]))];
    let account = Account { dcs, ..Account::default() };
    for number in 0..260 {
        let entities = (1..6).map(|id| {
            let mut entity = Entity::new(PeerId::user(id + number).unwrap());
            entity.usernames = vec![format!("user_{id}")];
            Ok(entity)
        });
        store.import(&format!("session {number}"), &account, entities, false).unwrap();
    }
    store.session("session 3").unwrap().set_auth_key(DcId(4), None).unwrap();
    disk.killed()
}

/// Where the structures of a store are, and how their checksums are made.
struct Places {
    root: Root,
    segments: Vec<Extent>,
    base: Extent,
    blocks: usize,
    base_number: u64,
}

fn places(bytes: &[u8]) -> Places {
    let disk = SimDisk::new(bytes.to_vec());
    let (root, _) = Roots::read(&disk, IDENTITY.file_id).unwrap().current().unwrap();
    let store = open(disk.handle(), Access::Read, 4 << 20).unwrap();
    let view = store.engine.view().unwrap();
    let version = view.version();
    let base = version.base.as_ref().expect("so many sessions need a base").info();
    Places {
        root,
        segments: version.segments.iter().map(|segment| segment.info().extent).collect(),
        base: base.extent,
        blocks: base.blocks as usize,
        base_number: base.number,
    }
}

/// Changes some bytes of a structure and makes its checksums match again.
fn forge(bytes: &mut [u8], places: &Places, random: &mut Random) -> String {
    let file_id = IDENTITY.file_id;
    let seed = crc32fast::hash(&file_id);
    match random.below(6) {
        0 => {
            let at = SLOTS[random.below(2)] as usize;
            scribble(&mut bytes[at + 8..at + 80], random);
            for slot in SLOTS {
                let slot = slot as usize;
                let sum = sum_of(seed, &bytes[slot + 8..slot + SECTOR]);
                put(bytes, slot + 4, &sum.to_le_bytes());
            }
            "root".to_owned()
        }
        1 => {
            let at = places.root.log.at() as usize;
            let len = 88 + u32_at(bytes, at + 32) as usize;
            scribble(&mut bytes[at + 8..at + len], random);
            let len = (88 + u32_at(bytes, at + 32) as usize).min(bytes.len() - at);
            let mut crc = crc32fast::Hasher::new_with_initial(seed);
            crc.update(&(at as u64).to_le_bytes());
            crc.update(&bytes[at + 8..at + len]);
            let sum = crc.finalize();
            put(bytes, at + 4, &sum.to_le_bytes());
            "manifest".to_owned()
        }
        2 => {
            let segment = places.segments[random.below(places.segments.len())];
            let at = segment.at() as usize;
            scribble(&mut bytes[at + 8..at + 48], random);
            let sum = sum_of(seed, &bytes[at + 8..at + SECTOR]);
            put(bytes, at + 4, &sum.to_le_bytes());
            "header of a segment".to_owned()
        }
        _ => {
            let at = places.base.at() as usize;
            let block = random.below(places.blocks);
            let from = at + block * PAGE;
            let len = if block == 0 { 320 } else { 200 };
            scribble(&mut bytes[from..from + len], random);
            let mut crc = crc32fast::Hasher::new();
            crc.update(b"base");
            crc.update(&file_id);
            crc.update(&places.base_number.to_le_bytes());
            let mut crc = crc32fast::Hasher::new_with_initial(crc.finalize());
            crc.update(&(block as u64).to_le_bytes());
            crc.update(&bytes[from..from + PAGE]);
            let sum = crc.finalize();
            put(bytes, at + places.blocks * PAGE + block * 4, &sum.to_le_bytes());
            format!("block {block} of the base")
        }
    }
}

fn sum_of(seed: u32, content: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new_with_initial(seed);
    crc.update(content);
    crc.finalize()
}

fn scribble(bytes: &mut [u8], random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => {
                let value = [0, u32::MAX, 1 << 31, 4096][random.below(4)];
                put(bytes, at & !3, &value.to_le_bytes());
            }
            _ => {
                let from = random.below(bytes.len());
                bytes[at] = bytes[from];
            }
        }
    }
}

#[test]
fn forged_stores_are_refused_or_read_and_never_panic() {
    let whole = subject();
    let places = places(&whole);
    for seed in 0..stores() {
        let mut random = Random::new(seed);
        let mut bytes = whole.clone();
        let mut what = forge(&mut bytes, &places, &mut random);
        what = format!("seed {seed}, {what}");
        let begun = Instant::now();
        let tried = catch_unwind(AssertUnwindSafe(|| {
            let disk = SimDisk::new(bytes.clone());
            if let Ok(reader) = open(disk.handle(), Access::Read, 4 << 20) {
                let _ = state_of(&reader);
                let _ = reader.check();
            }
            let salvaged: Arc<dyn Disk> = Arc::new(disk.handle());
            let _ = salvage(&salvaged, IDENTITY.file_id, 1 << 20);
            if let Ok(writer) = open(disk.handle(), Access::Write, 4 << 20) {
                let _ = writer.session("new").map(|session| session.set_home_dc(DcId(2)));
                let _ = writer.remove("session 7");
                let _ = writer.compact();
            }
            assert!(disk.len().unwrap() < 10 * bytes.len() as u64, "the file has grown");
        }));
        assert!(tried.is_ok(), "{what}: a panic");
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}: took {:?}", begun.elapsed());
    }
}
