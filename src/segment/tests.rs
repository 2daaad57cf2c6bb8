//! Segments on a disk in memory: what was pushed is found, and damage is reported.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::builder::UNSYNCED;
use super::*;
use crate::cipher::Cipher;
use crate::file::{Bytes, Disk, FileSeal, MemoryDisk, PageAllocator, SECTOR};
use crate::record::{AccountNo, PeerKey, encode};
use crate::types::{AccessHash, Entity, PeerId, fold_phone, fold_username};

const FILE_ID: [u8; 16] = [7; 16];

/// Of a file that is not encrypted, and of one that is.
fn seals() -> Vec<FileSeal> {
    let cipher = Cipher::new(&[9; 32]).map(Arc::new);
    let encrypted = cipher.map(|cipher| FileSeal::encrypted(FILE_ID, cipher));
    [FileSeal::plain(FILE_ID)].into_iter().chain(encrypted).collect()
}

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

/// A segment of these rows, and its bytes after the header.
fn built(seal: &FileSeal, rows: &Rows) -> (SegmentInfo, Vec<u8>) {
    let (disk, space) = (MemoryDisk::default(), Arc::<PageAllocator>::default());
    let mut builder = SegmentBuilder::new(&disk, seal, &space, 5);
    for (key, row) in rows {
        let record = row.as_ref().map(|entity| encode(entity).unwrap());
        builder.push(key, record.as_deref().map(|record| &record[1..])).unwrap();
        let Some(entity) = row else { continue };
        for name in &entity.usernames {
            builder.index(IndexKind::Usernames, &fold_username(name));
        }
        if let Some(phone) = entity.phone.as_deref().and_then(fold_phone) {
            builder.index(IndexKind::Phones, &phone);
        }
    }
    let (new, _) = builder.finish().unwrap();
    let mut bytes = vec![0; new.info.extent.len() as usize];
    disk.read(new.info.extent.at(), &mut bytes).unwrap();
    let header = bytes.first_chunk::<SECTOR>().unwrap();
    assert_eq!(parse_header(seal, header), Some((5, new.info.salt, new.info.sizes)));
    assert!(new.info.is_sound(seal.is_encrypted()));
    (new.info, bytes.split_off(SECTOR))
}

/// The segment with a cache that holds few units.
fn opened(seal: &FileSeal, info: SegmentInfo, bytes: Vec<u8>) -> Segment {
    Segment::new(seal, &UnitCache::new(0), info, Bytes::Owned(bytes.into())).unwrap()
}

fn payload(row: Option<&Entity>) -> Option<Vec<u8>> {
    row.map(|entity| encode(entity).unwrap()[1..].to_vec())
}

fn owned(row: SegmentRow<SegmentSlice<'_>>) -> (Key, Option<Vec<u8>>) {
    (row.key, row.payload.map(|payload| payload.to_vec()))
}

/// Who shows a text, as the segment finds it.
fn keys_by_text(segment: &Segment, index: IndexKind, account: u32, text: &str) -> Result<Vec<Key>> {
    let mut found = Vec::new();
    segment.find_by_text(index, account, text, segment.hash(account, text), &mut |row| {
        found.push(row.key);
        Ok(false)
    })?;
    Ok(found)
}

/// Asks a segment for everything. Each answer must be right; gives how many were refused.
fn ask_everything(segment: &Segment, rows: &Rows) -> usize {
    let mut refused = 0;
    let mut ask = |right: Result<bool>| match right {
        Ok(right) => assert!(right, "a wrong answer"),
        Err(_) => refused += 1,
    };
    for (key, row) in rows {
        let wanted = Some(payload(row.as_ref()));
        ask(segment.get(key, |found| found.map(<[u8]>::to_vec)).map(|found| found == wanted));
        let account = PeerKey::account(key).0;
        let Some(entity) = row else { continue };
        for name in &entity.usernames {
            let holders =
                keys_by_text(segment, IndexKind::Usernames, account, &fold_username(name));
            ask(holders.map(|holders| holders.contains(key)));
        }
        if let Some(phone) = entity.phone.as_deref().and_then(fold_phone) {
            ask(keys_by_text(segment, IndexKind::Phones, account, &phone)
                .map(|keys| keys.contains(key)));
        }
    }
    ask(walked(segment, &Key::default()).map(|walked| {
        walked == rows.iter().map(|(key, row)| (*key, payload(row.as_ref()))).collect::<Vec<_>>()
    }));
    for account in 0..4 {
        let of = rows.iter().filter(|(key, _)| PeerKey::account(key).0 == account);
        let (rows, gone): (Vec<_>, Vec<_>) = of.partition(|(_, row)| row.is_some());
        let count = (rows.len() as u64, gone.len() as u64);
        ask(segment.count(account).map(|found| found == count));
    }
    refused
}

fn walked(segment: &Segment, from: &Key) -> Result<Vec<(Key, Option<Vec<u8>>)>> {
    let mut walk = Cursor::from(segment, from)?;
    let mut walked = Vec::new();
    while let Some(row) = walk.next()? {
        walked.push(owned(row));
    }
    Ok(walked)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_was_pushed_is_found_and_nothing_else(rows in rows(), other in (0..4u32, -50..50i64)) {
        for seal in seals() {
            let (row, bytes) = built(&seal, &rows);
            let segment = opened(&seal, row, bytes);
            prop_assert_eq!(ask_everything(&segment, &rows), 0);
            prop_assert_eq!(segment.bad_sectors(), vec![]);
            let id = PeerId::from_marked(other.1 * 7 + 1).unwrap();
            let account = AccountNo(other.0);
            let key = PeerKey::of(account, id);
            prop_assert_eq!(segment.has(&key).unwrap(), rows.contains_key(&key));
            let behind = rows.range(key..).map(|(key, row)| (*key, payload(row.as_ref())));
            prop_assert_eq!(walked(&segment, &key).unwrap(), behind.collect::<Vec<_>>());
            let nobody = keys_by_text(&segment, IndexKind::Usernames, account.0, "nobody").unwrap();
            prop_assert_eq!(nobody, Vec::<Key>::new());
        }
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
    for seal in seals() {
        let (row, bytes) = built(&seal, &rows);
        assert!(row.sizes.rows > 8 << 20);
        assert_eq!(ask_everything(&opened(&seal, row, bytes), &rows), 0);
    }
}

/// With `TGSESSION_SWEEP=full` every bit of the plain segment is flipped, else every third. Of the
/// encrypted one it is one bit a byte.
fn is_full() -> bool {
    std::env::var("TGSESSION_SWEEP").is_ok_and(|value| value == "full")
}

#[test]
fn whatever_bit_is_flipped_no_answer_is_wrong() {
    let rows: Rows = (1..60)
        .map(|id| {
            let entity = entity(id * 1_000, (id % 3) as usize, id % 2 == 0, "A name");
            (PeerKey::of(AccountNo((id / 30) as u32), entity.id), (id % 7 != 0).then_some(entity))
        })
        .collect();
    for seal in seals() {
        let (row, bytes) = built(&seal, &rows);
        let len = opened(&seal, row, Vec::new()).len();
        let (mut refused, mut tried) = (0, 0);
        // Each answer of an encrypted segment decrypts anew.
        let each = match (seal.is_encrypted(), is_full()) {
            (true, _) => 9,
            (false, true) => 1,
            (false, false) => 3,
        };
        for bit in (0..len * 8).step_by(each) {
            tried += 1;
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let segment = opened(&seal, row, flipped);
            let bad = segment.bad_sectors().len();
            // Asked anew, since a sector is checked once.
            let asked = ask_everything(&segment, &rows);
            assert_eq!(bad, 1, "bit {bit}");
            refused += usize::from(asked > 0);
        }
        assert!(refused > tried / 2, "{refused} of {tried} were noticed while answering");
    }
}

#[test]
fn a_run_that_is_cut_has_no_answers_behind_the_cut() {
    let rows: Rows = (1..200)
        .map(|id| {
            (PeerKey::of(AccountNo(1), PeerId::user(id).unwrap()), Some(entity(id, 1, true, "n")))
        })
        .collect();
    for seal in seals() {
        let (row, bytes) = built(&seal, &rows);
        for len in (0..bytes.len()).step_by(331) {
            let segment = opened(&seal, row, bytes[..len].to_vec());
            let refused = ask_everything(&segment, &rows);
            // The checksums of an encrypted segment are for a check without the key.
            let needed =
                if seal.is_encrypted() { row.sizes.rows as usize } else { segment.len() - 512 };
            assert!(refused > 0 || len > needed, "cut to {len}");
        }
    }
}

#[test]
fn a_segment_that_claims_more_than_it_has_is_refused_before_memory_is_taken() {
    for seal in seals() {
        let sizes = PartSizes { accounts: u32::MAX, groups: u32::MAX, ..PartSizes::default() };
        let (extent, salt) = Default::default();
        let segment =
            opened(&seal, SegmentInfo { number: 5, born: 0, extent, sizes, salt }, vec![0; 8192]);
        assert!(segment.count(1).is_err());
        assert!(segment.has(&Key::default()).is_err());
        assert_eq!(segment.salvage(&mut |_| ()), u32::MAX as usize);
    }
}

/// A segment within pages that were taken for it: as many as it needs stay, more or fewer.
#[test]
fn a_segment_within_taken_pages_gives_back_what_it_does_not_need() {
    let key = |id| PeerKey::of(AccountNo(1), PeerId::user(id).unwrap());
    let space = Arc::<PageAllocator>::default();
    let disk = MemoryDisk::default();
    let builder = |taken: u32, rows: i64| {
        let builder = SegmentBuilder::new(&disk, &FileSeal::plain(FILE_ID), &space, 1);
        let mut builder = builder.within(space.take(taken).unwrap());
        for id in 1..=rows {
            builder.push(&key(id), Some(&[7; 1_000]))?;
        }
        Ok::<_, super::SegmentError>(builder)
    };
    for (taken, rows) in [(1, 3), (60, 3), (1, 3_000), (3_000, 3_000)] {
        let (new, _) = builder(taken, rows).unwrap().finish().unwrap();
        assert_eq!(new.info.extent.page, 1, "{taken} pages for {rows} rows");
        assert_eq!(space.end(), new.info.extent.end().unwrap());
        let mut bytes = vec![0; new.info.extent.len() as usize];
        disk.read(new.info.extent.at(), &mut bytes).unwrap();
        let segment = opened(&FileSeal::plain(FILE_ID), new.info, bytes.split_off(SECTOR));
        assert_eq!(segment.count(1).unwrap(), (rows as u64, 0));
        drop(new);
        drop(builder(taken, rows).unwrap());
        assert_eq!(space.end(), 1, "pages are lost");
    }
    // The next page is in use: the builder fails while it adds rows, or when it finishes.
    for rows in [3, 3_000] {
        let (taken, behind) = (space.take(1).unwrap(), space.take(1).unwrap());
        let builder = SegmentBuilder::new(&disk, &FileSeal::plain(FILE_ID), &space, 1);
        let mut builder = builder.within(taken);
        let pushed = (1..=rows).try_for_each(|id| builder.push(&key(id), Some(&[7; 2_000])));
        assert!(pushed.and_then(|()| builder.finish().map(drop)).is_err());
        space.free(behind);
        assert_eq!(space.end(), 1, "pages are lost");
    }
}

/// The length of the segment does not change how many bytes a sync of another call has to wait for.
#[test]
fn a_segment_within_taken_pages_is_synced_while_it_is_written() {
    let space = Arc::<PageAllocator>::default();
    let most_unsynced = |is_taken: bool| {
        let disk = MemoryDisk::default();
        let mut builder = SegmentBuilder::new(&disk, &FileSeal::plain(FILE_ID), &space, 1);
        if is_taken {
            builder = builder.within(space.take(1).unwrap());
        }
        for id in 1..=3 * UNSYNCED as i64 / 100 {
            let key = PeerKey::of(AccountNo(1), PeerId::user(id).unwrap());
            builder.push(&key, Some(&[7; 100])).unwrap();
            (0..6).for_each(|n| builder.index(IndexKind::Usernames, &format!("user{id}_{n}")));
        }
        builder.finish().unwrap();
        disk.most_unsynced()
    };
    let most = most_unsynced(true);
    assert!((UNSYNCED..UNSYNCED * 3 / 2).contains(&most), "{most} bytes between two syncs");
    assert!(most_unsynced(false) > 2 * UNSYNCED, "an import is synced once");
}

#[test]
fn rows_out_of_order_are_refused() {
    let (disk, space) = (MemoryDisk::default(), Arc::<PageAllocator>::default());
    let key = |id| PeerKey::of(AccountNo(1), PeerId::user(id).unwrap());
    let mut builder = SegmentBuilder::new(&disk, &FileSeal::plain(FILE_ID), &space, 1);
    builder.push(&key(5), None).unwrap();
    for again in [5, 4] {
        assert!(builder.push(&key(again), Some(&[0, 0])).is_err());
    }
    assert!(builder.push(&key(6), Some(&[])).is_err(), "an empty record");
}
