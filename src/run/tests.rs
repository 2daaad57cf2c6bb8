//! Runs on a disk in memory: what was pushed is what is found, and damage is said.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use redb::backends::InMemoryBackend;

use super::*;
use crate::file::{Disk, PAGE, Space, Superblock};
use crate::record::{AccountNo, PeerKey, encode};
use crate::types::{AccessHash, Entity, PeerId, fold_phone, fold_username};

const SUPERBLOCK: Superblock = Superblock { file_id: [7; 16], log: 1024 };

/// Rows as they are pushed: `None` where an entity is gone.
type Rows = BTreeMap<Key, Option<Entity>>;

fn entity(id: i64, names: usize, phone: bool, text: &str) -> Entity {
    let mut entity = Entity::new(PeerId::from_marked(id).unwrap());
    entity.access_hash = (id % 3 != 0).then_some(AccessHash(id.wrapping_mul(0x9e37_79b9)));
    entity.usernames = (0..names).map(|n| format!("User{n}_{id}")).collect();
    entity.phone = phone.then(|| format!("00{}", id.unsigned_abs()));
    entity.name = (!text.is_empty()).then(|| text.to_owned());
    entity
}

fn rows() -> impl Strategy<Value = Rows> {
    let id = prop_oneof![-40..40i64, any::<i64>()].prop_filter("nobody", |id| *id != 0);
    let row = (0..3u32, id, 0..4usize, any::<bool>(), ".{0,30}", any::<bool>());
    prop::collection::vec(row, 1..300).prop_map(|rows| {
        let row = |(account, id, names, phone, text, gone): (_, _, _, _, String, bool)| {
            let entity = entity(id, names, phone, &text);
            (PeerKey::of(AccountNo(account), entity.id), (!gone).then_some(entity))
        };
        rows.into_iter().map(row).collect()
    })
}

/// A run of these rows, and its bytes.
fn built(rows: &Rows) -> (RunRow, Vec<u8>) {
    let (disk, space) = (InMemoryBackend::new(), Arc::<Space>::default());
    let mut builder = Builder::new(&disk, SUPERBLOCK, &space, 5);
    for (key, row) in rows {
        let record = row.as_ref().map(|entity| encode(entity).unwrap());
        builder.push(key, record.as_deref().map(|record| &record[1..])).unwrap();
        let Some(entity) = row else { continue };
        for name in &entity.usernames {
            builder.index(Index::Usernames, &fold_username(name));
        }
        if let Some(phone) = entity.phone.as_deref().and_then(fold_phone) {
            builder.index(Index::Phones, &phone);
        }
    }
    let (new, _) = builder.finish().unwrap();
    let mut bytes = vec![0; new.row.pages as usize * PAGE as usize];
    disk.read(SUPERBLOCK.image_at() + u64::from(new.row.page) * PAGE, &mut bytes).unwrap();
    (new.row, bytes)
}

fn run(row: RunRow, bytes: Vec<u8>) -> Run {
    Run::new(SUPERBLOCK.file_id, 5, row, Bytes::Owned(bytes)).unwrap()
}

fn payload(row: Option<&Entity>) -> Option<Vec<u8>> {
    row.map(|entity| encode(entity).unwrap()[1..].to_vec())
}

fn owned(row: Row<'_>) -> (Key, Option<Vec<u8>>) {
    (row.key, row.payload.map(<[u8]>::to_vec))
}

/// Who shows a text, as the run has it.
fn holders(run: &Run, index: Index, account: u32, text: &str) -> Result<Vec<Key>> {
    let mut found = Vec::new();
    run.holders(index, account, text, &mut |row| {
        found.push(row.key);
        Ok(false)
    })?;
    Ok(found)
}

/// Asks a run for everything. Each answer must be right; how many were refused is said.
fn ask_everything(run: &Run, rows: &Rows) -> usize {
    let mut refused = 0;
    let mut ask = |right: Result<bool>| match right {
        Ok(right) => assert!(right, "a wrong answer"),
        Err(_) => refused += 1,
    };
    for (key, row) in rows {
        let wanted = Some((*key, payload(row.as_ref())));
        ask(run.get(key).map(|found| found.map(owned) == wanted));
        let account = PeerKey::account(key).0;
        let Some(entity) = row else { continue };
        for name in &entity.usernames {
            let holders = holders(run, Index::Usernames, account, &fold_username(name));
            ask(holders.map(|holders| holders.contains(key)));
        }
        if let Some(phone) = entity.phone.as_deref().and_then(fold_phone) {
            ask(holders(run, Index::Phones, account, &phone).map(|keys| keys.contains(key)));
        }
    }
    ask(walked(run, &Key::default()).map(|walked| {
        walked == rows.iter().map(|(key, row)| (*key, payload(row.as_ref()))).collect::<Vec<_>>()
    }));
    for account in 0..4 {
        let of = rows.iter().filter(|(key, _)| PeerKey::account(key).0 == account);
        let (rows, gone): (Vec<_>, Vec<_>) = of.partition(|(_, row)| row.is_some());
        let count = (rows.len() as u64, gone.len() as u64);
        ask(run.count(account).map(|found| found == count));
    }
    refused
}

fn walked(run: &Run, from: &Key) -> Result<Vec<(Key, Option<Vec<u8>>)>> {
    let mut walk = run.walk(from)?;
    let mut walked = Vec::new();
    while let Some(row) = walk.front() {
        walked.push(owned(row));
        walk.advance()?;
    }
    Ok(walked)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_was_pushed_is_found_and_nothing_else(rows in rows(), other in (0..4u32, -50..50i64)) {
        let (row, bytes) = built(&rows);
        let run = run(row, bytes);
        prop_assert_eq!(ask_everything(&run, &rows), 0);
        prop_assert_eq!(run.bad_sectors(), vec![]);
        let (account, id) = (AccountNo(other.0), PeerId::from_marked(other.1 * 7 + 1).unwrap());
        let key = PeerKey::of(account, id);
        prop_assert_eq!(run.get(&key).unwrap().is_some(), rows.contains_key(&key));
        let behind: Vec<_> = rows.range(key..).map(|(key, row)| (*key, payload(row.as_ref()))).collect();
        prop_assert_eq!(walked(&run, &key).unwrap(), behind);
        let nobody = holders(&run, Index::Usernames, account.0, "nobody").unwrap();
        prop_assert_eq!(nobody, Vec::<Key>::new());
    }
}

#[test]
fn more_than_is_held_in_memory_is_written_as_it_comes() {
    let text = "x".repeat(3_000);
    let rows: Rows = (1..3_000)
        .map(|id| {
            let entity = entity(id, 1, true, &text);
            (PeerKey::of(AccountNo(1), entity.id), Some(entity))
        })
        .collect();
    let (row, bytes) = built(&rows);
    assert!(row.rows > 8 << 20);
    assert_eq!(ask_everything(&run(row, bytes), &rows), 0);
}

#[test]
fn whatever_bit_is_flipped_no_answer_is_wrong() {
    let rows: Rows = (1..60)
        .map(|id| {
            let entity = entity(id * 1_000, (id % 3) as usize, id % 2 == 0, "A name");
            (PeerKey::of(AccountNo((id / 30) as u32), entity.id), (id % 7 != 0).then_some(entity))
        })
        .collect();
    let (row, bytes) = built(&rows);
    let len = Run::new([0; 16], 5, row, Bytes::Owned(Vec::new())).unwrap().len();
    let mut refused = 0;
    for bit in 0..len * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let run = run(row, flipped);
        let bad = run.bad_sectors().len();
        // Asked anew, since a sector is checked once.
        let asked = ask_everything(&run, &rows);
        assert_eq!(bad, 1, "bit {bit}");
        refused += usize::from(asked > 0);
    }
    assert!(refused > len * 4, "{refused} of {} were noticed while answering", len * 8);
}

#[test]
fn a_run_that_is_cut_has_no_answers_behind_the_cut() {
    let rows: Rows = (1..200)
        .map(|id| {
            (PeerKey::of(AccountNo(1), PeerId::user(id).unwrap()), Some(entity(id, 1, true, "n")))
        })
        .collect();
    let (row, bytes) = built(&rows);
    for len in (0..bytes.len()).step_by(331) {
        let run = run(row, bytes[..len].to_vec());
        assert!(ask_everything(&run, &rows) > 0 || len > run.len() - 512, "cut to {len}");
    }
}

#[test]
fn rows_out_of_order_are_refused() {
    let (disk, space) = (InMemoryBackend::new(), Arc::<Space>::default());
    let key = |id| PeerKey::of(AccountNo(1), PeerId::user(id).unwrap());
    let mut builder = Builder::new(&disk, SUPERBLOCK, &space, 1);
    builder.push(&key(5), None).unwrap();
    for again in [5, 4] {
        assert!(builder.push(&key(again), Some(&[0, 0])).is_err());
    }
    assert!(builder.push(&key(6), Some(&[])).is_err(), "an empty record");
}
