//! No auth key stays in the memory of the process once everything that had it is dropped.
//!
//! The test reads its own memory through `/proc/self/mem`, also what the allocator has back. Two
//! places are left out, since no safe code of ours can wipe them. One is the stack of the thread that
//! worked: values that are moved leave copies there. The other is the memory that redb allocates to
//! read and write a base, which only a store with more than 64 KiB of logins and states has.

#![cfg(all(target_os = "linux", feature = "convert"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod support;

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use support::{Outcome, account, entities};
use tgsession::{
    AuthKey, DcId, DcOption, Export, Format, ImportSession, Session, Source, Store, repair,
};

/// Byte `at` of the key of a scenario. The key itself is never kept.
fn byte(seed: u64, at: usize) -> u8 {
    let mixed = (seed << 16 | at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 56) as u8
}

fn key(seed: u64) -> AuthKey {
    let mut bytes = [0; 256];
    for (at, place) in bytes.iter_mut().enumerate() {
        *place = byte(seed, at);
    }
    let key = AuthKey::new(&bytes);
    std::hint::black_box(&mut bytes).fill(0);
    key
}

/// Held by each test: the buffer that one reads memory into would be memory of the others.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The places in a key at which so many bytes are looked for. The allocator writes over the first
/// bytes of freed memory.
const PIECES: [usize; 2] = [104, 200];
const PIECE: usize = 16;

/// That of a key of a store, which has 32 bytes.
#[cfg(feature = "encryption")]
const STORE_KEY_PIECES: [usize; 1] = [16];

/// A part of the memory.
struct Region {
    range: Range<u64>,
    name: String,
}

/// Everything that is readable and writable and of no file, without the stack that this is on.
fn regions() -> Vec<Region> {
    let here = 0;
    let here = std::ptr::from_ref(&here) as u64;
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let regions = maps.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (range, access) = (words.next()?, words.next()?);
        let name = words.nth(3).unwrap_or("anonymous").to_owned();
        let (from, to) = range.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let range = number(from)..number(to);
        let wanted = access.starts_with("rw") && !name.starts_with('/') && name != "[stack]";
        (wanted && !range.contains(&here)).then_some(Region { range, name })
    });
    regions.collect()
}

/// Where pieces of the key of a scenario are.
fn copies(seed: u64) -> Vec<String> {
    copies_of(seed, &PIECES)
}

fn copies_of(seed: u64, pieces: &[usize]) -> Vec<String> {
    let memory = File::open("/proc/self/mem").unwrap();
    let mut window = vec![0; 1 << 20];
    let own = window.as_ptr() as u64..window.as_ptr() as u64 + window.len() as u64;
    let mut found = Vec::new();
    for region in regions() {
        let mut at = region.range.start;
        while at < region.range.end {
            let len = (region.range.end - at).min(window.len() as u64) as usize;
            if memory.read_exact_at(&mut window[..len], at).is_err() {
                break;
            }
            for place in pieces_in(&window[..len], seed, pieces) {
                let place = at + place as u64;
                if !own.contains(&place) {
                    found.push(format!("{} {place:#x}", region.name));
                }
            }
            // A piece may lie across the end.
            at += if len > PIECE { (len - PIECE) as u64 } else { len as u64 };
            if len < window.len() {
                break;
            }
        }
    }
    window.fill(0);
    std::hint::black_box(&window);
    found
}

fn pieces_in(window: &[u8], seed: u64, pieces: &[usize]) -> Vec<usize> {
    const STEP: usize = 512;
    let mut found = Vec::new();
    for from in (0..window.len()).step_by(STEP) {
        // Most memory was never used.
        let end = (from + STEP + PIECE).min(window.len());
        if window[from..end].iter().all(|byte| *byte == 0) {
            continue;
        }
        for at in from..(from + STEP).min(window.len().saturating_sub(PIECE - 1)) {
            let is_there =
                |piece: &usize| (0..PIECE).all(|n| window[at + n] == byte(seed, piece + n));
            found.extend(pieces.iter().filter(|piece| is_there(piece)).map(|_| at));
        }
    }
    found
}

/// Does something with a key; then no copy of it is left.
fn leaves_nothing(what: &str, seed: u64, wrong: &mut Vec<String>, work: impl FnOnce(u64)) {
    work(seed);
    let found = copies(seed);
    if !found.is_empty() {
        let first: Vec<_> = found.iter().take(5).collect();
        wrong.push(format!("{what}: {} pieces, {first:?}", found.len()));
    }
}

/// A store with a key.
fn fill(path: &Path, seed: u64) {
    let store = Store::create(path).unwrap();
    let mut account = account();
    account.dcs = vec![DcOption::new(DcId(2)).with_key(key(seed))];
    store.replace("s0", ImportSession::new(&account, entities(5).into_iter().map(Ok))).unwrap();
    store.close().unwrap();
}

fn read(path: &Path, seed: u64) {
    let store = Store::open_read_only(path).unwrap();
    let dcs = store.open_session("s0").unwrap().dcs().unwrap();
    assert_eq!(dcs[0].auth_key, Some(key(seed)));
}

fn export(path: &Path, form: Format, out: &Path) {
    let source = Source::open(path).unwrap();
    let session = source.session("s0").unwrap();
    Export::to(form).api_id(6).write_file(out, [session]).unwrap();
}

#[test]
fn the_search_finds_a_key_that_is_there() {
    let _alone = alone();
    let kept = key(99);
    assert_eq!(copies(99).len(), PIECES.len());
    drop(kept);
    assert_eq!(copies(99), [""; 0]);
}

#[test]
fn no_copy_of_a_key_outlives_what_had_it() -> Outcome {
    let _alone = alone();
    let directory = tempfile::tempdir()?;
    let at = |name: &str| directory.path().join(name);
    let mut wrong = Vec::new();
    leaves_nothing("written and dropped", 1, &mut wrong, |seed| {
        let store = Store::create(at("1")).unwrap();
        let session = store.session("s0").unwrap();
        session.set_dc(&DcOption::new(DcId(2)).with_key(key(seed))).unwrap();
        session.process_entities(&entities(300)).unwrap();
        session.set_auth_key(DcId(4), Some(key(seed))).unwrap();
    });
    leaves_nothing("read and dropped", 1, &mut wrong, |seed| read(&at("1.tgsession"), seed));
    leaves_nothing("opened for writing", 1, &mut wrong, |_| {
        let store = Store::open(at("1")).unwrap();
        store.session("other").unwrap().set_auth_key(DcId(2), None).unwrap();
        store.compact().unwrap();
    });
    leaves_nothing("copied and checked", 1, &mut wrong, |_| {
        let store = Store::open(at("1")).unwrap();
        store.backup(at("1b")).unwrap();
        assert!(store.check().unwrap().problems.is_empty());
        store.remove("s0").unwrap();
    });
    leaves_nothing("repaired", 1, &mut wrong, |_| {
        repair(at("1b.tgsession"), at("1r")).unwrap();
    });
    let forms =
        [Format::Telethon, Format::TelethonString, Format::Pyrogram, Format::PortableString];
    for (form, seed) in forms.into_iter().zip(10..) {
        let out = at(&format!("out-{form:?}"));
        let store = at(&format!("{form:?}.tgsession"));
        leaves_nothing("one session", seed, &mut wrong, |seed| fill(&store, seed));
        let what = format!("exported to {form:?}");
        leaves_nothing(&what, seed, &mut wrong, |_| export(&store, form, &out));
        let what = format!("imported from {form:?}");
        leaves_nothing(&what, seed, &mut wrong, |seed| {
            let source = Source::open(&out).unwrap();
            let name = source.session_names().unwrap().remove(0);
            let mut session = source.session(&name).unwrap();
            let into = Store::create(at(&format!("in-{form:?}"))).unwrap();
            into.import("s0", &mut session).unwrap();
            let dcs = into.open_session("s0").unwrap().dcs().unwrap();
            assert!(dcs.iter().any(|dc| dc.auth_key == Some(key(seed))));
        });
    }
    assert!(wrong.is_empty(), "copies of keys stay:\n{}", wrong.join("\n"));
    Ok(())
}

#[cfg(feature = "encryption")]
mod encrypted {
    use tgsession::StoreKey;

    use super::*;

    fn store_key(seed: u64) -> StoreKey {
        let mut bytes: [u8; 32] = std::array::from_fn(|at| byte(seed, at));
        let key = StoreKey::raw(bytes);
        std::hint::black_box(&mut bytes).fill(0);
        key
    }

    fn passphrase(seed: u64) -> StoreKey {
        let mut bytes: [u8; 32] = std::array::from_fn(|at| byte(seed, at));
        let key = StoreKey::passphrase(bytes).costs(8, 1);
        std::hint::black_box(&mut bytes).fill(0);
        key
    }

    /// Neither an auth key nor the key of the store.
    fn leaves_nothing(what: &str, seed: u64, wrong: &mut Vec<String>, work: impl FnOnce(u64)) {
        super::leaves_nothing(what, seed, wrong, work);
        let found = copies_of(seed + 1, &STORE_KEY_PIECES);
        if !found.is_empty() {
            let first: Vec<_> = found.iter().take(5).collect();
            wrong.push(format!("{what}: the key of the store, {first:?}"));
        }
    }

    #[test]
    fn the_search_finds_a_store_key_that_is_there() {
        let _alone = alone();
        let kept = [store_key(301), passphrase(302)];
        assert_eq!(copies_of(301, &STORE_KEY_PIECES).len(), 1);
        assert_eq!(copies_of(302, &STORE_KEY_PIECES).len(), 1);
        drop(kept);
        assert_eq!(copies_of(301, &STORE_KEY_PIECES), [""; 0]);
        assert_eq!(copies_of(302, &STORE_KEY_PIECES), [""; 0]);
    }

    #[test]
    fn no_copy_of_a_key_outlives_an_encrypted_store() -> Outcome {
        let _alone = alone();
        let directory = tempfile::tempdir()?;
        let at = |name: &str| directory.path().join(name);
        let mut wrong = Vec::new();
        for (kind, seed) in [("raw", 310), ("passphrase", 320)] {
            let of = if kind == "raw" { store_key } else { passphrase };
            let path = at(&format!("{kind}.tgsession"));
            leaves_nothing(&format!("{kind}: made"), seed, &mut wrong, |seed| {
                let store = Store::options().key(&of(seed + 1)).create(&path).unwrap();
                let session = store.session("s0").unwrap();
                session.set_dc(&DcOption::new(DcId(2)).with_key(key(seed))).unwrap();
                session.process_entities(&entities(300)).unwrap();
                store.compact().unwrap();
            });
            leaves_nothing(&format!("{kind}: read"), seed, &mut wrong, |seed| {
                let store = Store::options().key(&of(seed + 1)).open_read_only(&path).unwrap();
                let dcs = store.open_session("s0").unwrap().dcs().unwrap();
                assert_eq!(dcs[0].auth_key, Some(key(seed)));
                assert!(store.check().unwrap().problems.is_empty());
            });
            leaves_nothing(&format!("{kind}: copied"), seed, &mut wrong, |seed| {
                let store = Store::options().key(&of(seed + 1)).open(&path).unwrap();
                store.add_key(&of(seed + 2)).unwrap();
                store.backup(at(&format!("{kind}-copy"))).unwrap();
                store.remove_key(1).unwrap();
            });
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    }
}
