//! Encrypted stores: nothing is in clear, nothing that was changed is believed, no nonce comes twice.

use std::collections::{BTreeSet, HashSet};

use super::random_ops::{
    FILE_ID, MASTER, Op, State, act, new_store_with, open, seal_of, state_of, with_another_file_id,
};
use super::sim_disk::{Failure, Fault, Random, SimDisk};
use crate::cipher::nonce_recorder::used_by;
use crate::error::Error;
use crate::file::{
    Access, KEY_SLOTS, KeySecret, KeySlot, KeySlots, MasterKey, PAGE, Roots, SECTOR, SLOTS,
};
use crate::session::Session;
use crate::store::{ImportSession, Store};
use crate::types::{
    AccessHash, Account, AuthKey, DcId, DcOption, Entity, Extra, Login, PeerId, SelfUser,
};
use crate::wal::Log;

/// Byte of every auth key, and text in every name, username and session name.
const KEY: u8 = 0xa7;
const TEXT: &str = "MarkedInEveryText";

/// Each access hash and each id has the bytes of these but the last one or two.
const HASH: i64 = 0x1133_5577_99bb_dd00;
const ID: i64 = 0xf1_a1b2_0000;

fn entity(number: i64) -> Entity {
    let mut entity = Entity::new(PeerId::user(ID + number).unwrap());
    entity.access_hash = Some(AccessHash(HASH | (number & 0xff)));
    entity.usernames = vec![format!("{TEXT}{number}")];
    entity.phone = Some(format!("4477009{number:05}"));
    entity.name = Some(format!("{TEXT} {number}"));
    entity
}

fn account() -> Account {
    let mut dc = DcOption::new(DcId(2));
    dc.auth_key = Some(AuthKey::new(&[KEY; 256]));
    let user = SelfUser { id: ID, bot: None };
    let login = Login { home_dc: Some(DcId(2)), user: Some(user), ..Login::default() };
    let extras = vec![Extra::new("marked", TEXT.as_bytes()).unwrap()];
    Account { login, dcs: vec![dc], extras, ..Account::default() }
}

/// The bytes that each kind of value has, in the encodings of records, keys and log.
fn marks() -> Vec<(&'static str, Vec<u8>)> {
    let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<_>>();
    let hash = &HASH.to_be_bytes()[..7];
    let id = &ID.to_be_bytes()[..6];
    let in_key = (ID as u64 ^ 1 << 63).to_be_bytes();
    vec![
        ("an auth key", vec![KEY; 16]),
        ("a text", TEXT.into()),
        ("a folded text", TEXT.to_ascii_lowercase().into()),
        ("a hash in big-endian", hash.to_vec()),
        ("a hash in little-endian", reversed(hash)),
        ("a phone", b"4477009".to_vec()),
        ("an id in big-endian", id.to_vec()),
        ("an id in little-endian", reversed(id)),
        ("an id in a key", in_key[..6].to_vec()),
    ]
}

fn has(bytes: &[u8], mark: &[u8]) -> bool {
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|byte| *byte == mark[0]) {
        at += next;
        if bytes[at..].starts_with(mark) {
            return true;
        }
        at += 1;
    }
    false
}

/// The kinds of values that are in these bytes.
fn in_clear(bytes: &[u8]) -> Vec<&'static str> {
    let found = marks().into_iter().filter(|(_, mark)| has(bytes, mark));
    found.map(|(what, _)| what).collect()
}

/// A store that has everything: a log, segments, a base, free pages.
fn full_store(disk: &SimDisk, entities: i64) -> Store {
    let store = open(disk.handle(), Access::Write, 20_000).unwrap();
    let all = (0..entities).map(|number| Ok(entity(number)));
    store.import(TEXT, ImportSession::new(&account(), all)).unwrap();
    // A base takes 64 KiB of rows.
    for number in 0..200 {
        let few = (0..3).map(|id| Ok(entity(id * 7 + number)));
        store.import(&format!("{TEXT} {number}"), ImportSession::new(&account(), few)).unwrap();
    }
    let session = store.open_session(TEXT).unwrap();
    session.process_entities(&[entity(1), entity(entities + 5)]).unwrap();
    session.set_auth_key(DcId(4), Some(AuthKey::new(&[KEY; 256]))).unwrap();
    store
}

#[test]
fn a_plain_store_has_everything_in_clear() {
    let disk = SimDisk::new(new_store_with(false));
    let store = full_store(&disk, 300);
    let mut found = in_clear(&disk.killed());
    store.close().unwrap();
    found.extend(in_clear(&disk.killed()));
    let all = [
        "an auth key",
        "a text",
        "a folded text",
        "a hash in little-endian",
        "a phone",
        "an id in little-endian",
        "an id in a key",
    ];
    assert!(all.iter().all(|one| found.contains(one)), "{found:?}");
}

#[test]
fn nothing_of_an_encrypted_store_is_in_clear_at_any_moment() {
    let disk = SimDisk::new(new_store_with(true));
    disk.keep_states();
    let store = full_store(&disk, if is_full() { 10_000 } else { 3_000 });
    store.compact().unwrap();
    let session = store.open_session(TEXT).unwrap();
    session.process_entities(&(0..500).map(|id| entity(id * 3)).collect::<Vec<_>>()).unwrap();
    store.remove(&format!("{TEXT} 7")).unwrap();
    store.close().unwrap();
    assert!(in_clear(&disk.killed()).is_empty(), "in the closed store");
    let states = disk.take_states();
    assert!(states.len() > 600);
    let mut random = Random::new(7);
    // Only the pages that differ from those of the moment before were written since.
    let mut before: Vec<u8> = Vec::new();
    for (call, state) in states.iter().enumerate() {
        let changed = (0..state.cache.len()).step_by(PAGE).filter(|at| {
            let page =
                |bytes: &[u8]| bytes.get(*at..(at + PAGE).min(bytes.len())).map(<[u8]>::to_vec);
            page(&state.cache) != page(&before)
        });
        for at in changed {
            let (from, to) =
                (at.saturating_sub(SECTOR), (at + PAGE + SECTOR).min(state.cache.len()));
            let found = in_clear(&state.cache[from..to]);
            assert!(found.is_empty(), "{found:?} at call {call}, byte {at}");
        }
        if call % 97 == 0 {
            let image = state.after_power_cut(random.next(), SECTOR);
            assert!(in_clear(&image).is_empty(), "after a power cut at call {call}");
        }
        before.clone_from(&state.cache);
    }
}

/// Every byte and more seeds are tried with `TGSESSION_SWEEP=full`.
fn is_full() -> bool {
    std::env::var("TGSESSION_SWEEP").is_ok_and(|value| value == "full")
}

/// The state that a reader finds; `None` if a call returns an error.
fn seen(image: Vec<u8>) -> Option<State> {
    let store = open(SimDisk::new(image), Access::Read, 20_000).ok()?;
    state_of(&store).ok()
}

/// A store that is small, with a segment and a log.
fn small_store(disk: &SimDisk) -> Store {
    let store = open(disk.handle(), Access::Write, 20_000).unwrap();
    fill(&store);
    store
}

fn fill(store: &Store) {
    let all = (0..30).map(|number| Ok(entity(number)));
    store.import("a", ImportSession::new(&account(), all)).unwrap();
    for number in 0..6 {
        act(store, &Op::Session(number % 3)).unwrap();
        act(store, &Op::LogIn(number % 3, number as u8 + 1)).unwrap();
    }
}

#[test]
fn whatever_byte_is_changed_no_answer_is_wrong() {
    let disk = SimDisk::new(new_store_with(true));
    let store = small_store(&disk);
    let right = state_of(&store).unwrap();
    let mut counts = [0; 2];
    for closed in [false, true] {
        let image = disk.killed();
        for at in (0..image.len()).step_by(if is_full() { 1 } else { 37 }) {
            let mut changed = image.clone();
            changed[at] ^= 1 << (at % 8);
            let state = seen(changed);
            counts[usize::from(state.is_none())] += 1;
            assert!(state.is_none_or(|state| state == right), "byte {at}, closed: {closed}");
        }
        if !closed {
            store.engine.flush().unwrap();
            store.compact().unwrap();
        }
    }
    println!("{} changes cost nothing, {} are refused", counts[0], counts[1]);
    assert!(counts[1] > 100);
}

/// The checksums need no key, so an attacker can make them match.
#[test]
fn a_log_that_was_changed_is_refused_though_its_checksums_match() {
    let disk = SimDisk::new(new_store_with(true));
    let store = small_store(&disk);
    let right = state_of(&store).unwrap();
    let image = disk.killed();
    let (root, _) = Roots::read(&disk, &seal_of(&disk)).unwrap().current().unwrap();
    let log = Log::of(&seal_of(&disk), &root);
    let (from, mut refused) = (root.log.at() as usize, 0);
    let records =
        (from..image.len()).step_by(SECTOR).filter(|at| image[*at..].starts_with(b"\x89log"));
    let mut last = 0;
    for record in records.collect::<Vec<_>>() {
        let is_mark = image[record + 36] == 3;
        for at in (8..SECTOR).step_by(if is_full() { 1 } else { 5 }) {
            let mut changed = image.clone();
            changed[record + at] ^= 1 << (at % 8);
            log.mend(record - from, &mut changed[from..]);
            if changed == image {
                continue;
            }
            let state = seen(changed);
            refused += usize::from(state.is_none());
            let unharmed = state.as_ref().is_none_or(|state| *state == right);
            assert!(unharmed || is_mark, "byte {at} of the record at {record}");
        }
        last = record;
    }
    assert!(last > from && refused > 100, "{refused}");
}

#[test]
fn a_root_that_was_changed_is_refused_though_its_checksums_match() {
    let disk = SimDisk::new(new_store_with(true));
    let store = small_store(&disk);
    store.close().unwrap();
    let image = disk.killed();
    for field in 8..56 {
        let mut changed = image.clone();
        for slot in SLOTS.map(|at| at as usize) {
            changed[slot + field] ^= 1;
            let mut crc = crc32fast::Hasher::new();
            crc.update(&FILE_ID);
            crc.update(&changed[slot + 8..slot + SECTOR]);
            changed[slot + 4..slot + 8].copy_from_slice(&crc.finalize().to_le_bytes());
        }
        let opened = open(SimDisk::new(changed), Access::Read, 20_000);
        let error = opened.map(drop).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let refused = source.is_some_and(|why| why.contains("both copies of the root"));
        assert!(refused, "byte {field} of the root: {error:?}");
    }
}

#[test]
fn a_record_of_a_copy_that_went_on_separately_does_not_pass_for_one_of_this_log() {
    let disk = SimDisk::new(new_store_with(true));
    let store = small_store(&disk);
    let copy_disk = SimDisk::new(disk.killed());
    let copy = open(copy_disk.handle(), Access::Write, 20_000).unwrap();
    let mut known = vec![state_of(&store).unwrap()];
    // Each operation is one record, as long as that of the copy.
    for number in 1..4 {
        for (store, session) in [(&store, 0), (&copy, 1)] {
            act(store, &Op::LogIn(session, 40 + number)).unwrap();
            known.push(state_of(store).unwrap());
        }
    }
    let (image, other) = (disk.killed(), copy_disk.killed());
    assert_eq!(image.len(), other.len());
    let differ = |at: &usize| image[*at..at + SECTOR] != other[*at..at + SECTOR];
    let sectors: Vec<_> = (PAGE..image.len()).step_by(SECTOR).filter(differ).collect();
    assert!(sectors.len() >= 3, "{sectors:?}");
    let (from, to) = (sectors[0], sectors[sectors.len() - 1] + SECTOR);
    // Any run of sectors of the copy in the place of those of the store.
    let places = || (from..=to).step_by(SECTOR);
    for (start, end) in places().flat_map(|start| places().map(move |end| (start, end))) {
        if start < end {
            let mut mixed = image.clone();
            mixed[start..end].copy_from_slice(&other[start..end]);
            let state = seen(mixed);
            let was = state.as_ref().is_none_or(|state| known.contains(state));
            assert!(was, "bytes {start} to {end}: {state:?}");
        }
    }
}

/// Every state and every image of a store while it does some operations.
fn history(disk: &SimDisk, store: &Store, random: &mut Random) -> Vec<(State, Vec<u8>)> {
    let mut moments = Vec::new();
    for _ in 0..14 {
        let op = Op::random(random);
        if matches!(op, Op::Reopen | Op::Read) {
            continue;
        }
        act(store, &op).unwrap();
        store.engine.flush().unwrap();
        moments.push((state_of(store).unwrap(), disk.killed()));
    }
    moments
}

/// A sector of the file is replaced by one of somewhere else: of the same file, of the file as it
/// was before, of a copy that went on separately, of another store under the same master key.
#[test]
fn whatever_sector_is_put_in_the_place_of_another_no_state_is_seen_that_never_was() {
    for seed in 0..if is_full() { 20 } else { 1 } {
        let mut random = Random::new(seed);
        let disk = SimDisk::new(new_store_with(true));
        let store = small_store(&disk);
        let start = disk.killed();
        let own = history(&disk, &store, &mut random);
        let copy_disk = SimDisk::new(start);
        let copy = open(copy_disk.handle(), Access::Write, 20_000).unwrap();
        let of_copy = history(&copy_disk, &copy, &mut Random::new(seed + 100));
        let another = with_another_file_id(fill);
        let (last, image) = own.last().unwrap().clone();
        let mut allowed: Vec<&State> = own.iter().map(|(state, _)| state).collect();
        let first = seen(disk.durable());
        allowed.extend(first.as_ref());
        let (mut kept, mut refused, mut older) = (0, 0, 0);
        for sector in (0..image.len()).step_by(SECTOR) {
            let sources =
                own.iter().chain(&of_copy).map(|(_, image)| image).chain([&image, &another]);
            for (number, source) in sources.enumerate() {
                let from = if number % 2 == 0 {
                    sector
                } else {
                    random.below(source.len() / SECTOR) * SECTOR
                };
                let Some(other) = source.get(from..from + SECTOR) else { continue };
                if image[sector..sector + SECTOR] == *other {
                    continue;
                }
                let mut changed = image.clone();
                changed[sector..sector + SECTOR].copy_from_slice(other);
                match seen(changed) {
                    None => refused += 1,
                    Some(state) if state == last => kept += 1,
                    Some(state) => {
                        older += 1;
                        let known = allowed.contains(&&state)
                            || of_copy.iter().any(|(of_copy, _)| *of_copy == state);
                        assert!(known, "seed {seed}: sector {sector} from {from} of {number}");
                    }
                }
            }
        }
        println!("seed {seed}: {kept} cost nothing, {refused} refused, {older} rolled back");
        assert!(refused > 50);
    }
}

#[test]
fn no_nonce_is_used_twice_in_a_run_with_crashes_and_copies() {
    let nonces = used_by(|| {
        for seed in 0..8 {
            let mut random = Random::new(seed);
            let mut images = vec![new_store_with(true)];
            for _ in 0..12 {
                // Each image may be gone on from more than once, as copies are.
                let image = images[random.below(images.len())].clone();
                let disk = SimDisk::new(image);
                let store = open(disk.handle(), Access::Write, 2_000).unwrap();
                for _ in 0..12 {
                    let _ = act(&store, &Op::random(&mut random));
                }
                images.push(disk.power_cut(random.next(), SECTOR));
                images.push(disk.killed());
                if random.below(2) == 0 {
                    store.close().unwrap();
                } else {
                    disk.kill_all();
                }
                images.push(disk.killed());
            }
        }
    });
    let distinct: HashSet<_> = nonces.iter().collect();
    assert_eq!(distinct.len(), nonces.len());
    assert!(nonces.len() > 2_000, "{}", nonces.len());
}

#[test]
fn a_power_cut_while_a_key_comes_or_goes_leaves_the_other_keys() {
    let disk = SimDisk::new(new_store_with(true));
    let store = small_store(&disk);
    let right = state_of(&store).unwrap();
    let master = MasterKey::new(MASTER);
    let secrets: [KeySecret; 2] = [3, 4].map(|byte| KeySecret::Raw([byte; 32].into()));
    let slots = secrets.each_ref().map(|secret| KeySlot::new(secret, &master).ok());
    store.engine.change_key_slots(|_| Ok((0, slots[0]))).unwrap();
    disk.keep_states();
    store.engine.change_key_slots(|_| Ok((3, slots[1]))).unwrap();
    let added = disk.take_states();
    store.engine.change_key_slots(|_| Ok((0, None))).unwrap();
    let removed = disk.take_states();
    let mut random = Random::new(1);
    for (stays, states) in [(0, added), (1, removed)] {
        assert!(states.len() > 1);
        for _ in 0..50 {
            for state in &states {
                let image = state.after_power_cut(random.next(), SECTOR);
                let found = KeySlots::parse(&image).unlock(&secrets[stays]).map(|(key, _)| *key);
                assert_eq!(found, Ok(MASTER));
                assert_eq!(seen(image), Some(right.clone()));
            }
        }
    }
}

#[test]
fn a_key_that_could_not_be_written_is_an_error_and_the_other_keys_stay() {
    let master = MasterKey::new(MASTER);
    let secrets: [KeySecret; 2] = [3, 4].map(|byte| KeySecret::Raw([byte; 32].into()));
    let slots = secrets.each_ref().map(|secret| KeySlot::new(secret, &master).ok());
    // The write of the slot, then its sync.
    for first in 0..2 {
        let disk = SimDisk::new(new_store_with(true));
        let store = small_store(&disk);
        let right = state_of(&store).unwrap();
        store.engine.change_key_slots(|_| Ok((0, slots[0]))).unwrap();
        disk.fail(Some(Fault::once(disk.calls() + first, Failure::Eio)));
        let added = store.engine.change_key_slots(|_| Ok((1, slots[1])));
        assert_eq!(disk.failed().len(), 1, "call {first}");
        assert!(matches!(added, Err(Error::Io { .. })), "call {first}");
        disk.fail(None);
        let image = disk.power_cut(first as u64, SECTOR);
        let kept = KeySlots::parse(&image).unlock(&secrets[0]).map(|(key, _)| *key);
        assert_eq!(kept, Ok(MASTER));
        assert_eq!(seen(image), Some(right));
        store.engine.change_key_slots(|_| Ok((1, slots[1]))).unwrap();
        let again = KeySlots::parse(&disk.durable()).unlock(&secrets[1]);
        assert_eq!(again.map(|(key, _)| *key), Ok(MASTER));
    }
}

#[test]
fn the_header_alone_is_readable_without_the_key() {
    let disk = SimDisk::new(new_store_with(true));
    full_store(&disk, 200).close().unwrap();
    let image = disk.killed();
    let pages = image.len() / PAGE;
    // Ciphertext has every byte about equally often; a page of structures has not.
    let legible = (1..pages).filter(|page| {
        let bytes = &image[page * PAGE..(page + 1) * PAGE];
        bytes.iter().collect::<BTreeSet<_>>().len() < 200 && bytes.iter().any(|byte| *byte != 0)
    });
    let legible: Vec<_> = legible.collect();
    // The log has zeros after its records, the last pages of segments and base after their tags.
    assert!(legible.len() * 4 < pages, "{legible:?} of {pages}");
    assert!(KEY_SLOTS.iter().all(|at| *at < PAGE as u64));
}
