//! Stores that somebody wrote on purpose: every checksum matches, the content is anything. No call
//! panics, hangs, or takes much more memory than the file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::faults::account_with_key;
use super::random_ops::{FILE_ID, open, seal_of};
use super::sim_disk::{Random, SimDisk};
use crate::engine::{caught_panics, salvage};
use crate::file::{Access, Disk, Extent, FileSeal, PAGE, Roots, SECTOR, SLOTS, put, u32_at};
use crate::segment::SegmentInfo;
use crate::session::Session;
use crate::store::ImportSession;
use crate::types::{DcId, Entity, PeerId, Progress};

/// How many stores are tried here. `TGSESSION_HOSTILE` asks for more.
fn stores() -> u64 {
    std::env::var("TGSESSION_HOSTILE").ok().and_then(|count| count.parse().ok()).unwrap_or(150)
}

/// A store with a base, segments and a log after them.
fn subject() -> Vec<u8> {
    let disk = SimDisk::new(super::random_ops::new_store());
    let store = open(disk.handle(), Access::Write, 4 << 20).unwrap();
    let account = account_with_key();
    for number in 0..260 {
        let entities = (1..6).map(|id| {
            let mut entity = Entity::new(PeerId::user(id + number).unwrap());
            entity.usernames = vec![format!("user_{id}")];
            Ok(entity)
        });
        store.import(&format!("session {number}"), ImportSession::new(&account, entities)).unwrap();
    }
    store.session("session 3").unwrap().set_auth_key(DcId(4), None).unwrap();
    disk.killed()
}

/// Where the structures of a store are, and how their checksums are made.
struct Places {
    /// Where the records of the log begin and how long each is, the manifest first.
    records: Vec<(usize, usize)>,
    segments: Vec<SegmentInfo>,
    base: Extent,
    blocks: usize,
    base_number: u64,
}

fn places(bytes: &[u8]) -> Places {
    let disk = SimDisk::new(bytes.to_vec());
    let (root, _) = Roots::read(&disk, &seal_of(&disk)).unwrap().current().unwrap();
    let store = open(disk.handle(), Access::Read, 4 << 20).unwrap();
    let view = store.engine.view().unwrap();
    let version = view.version();
    let base = version.base.as_ref().expect("so many sessions need a base").info();
    let mut records = Vec::new();
    let mut at = root.log.at() as usize;
    while bytes[at + 36] == 1 || bytes[at + 36] == 2 {
        let len = HEAD + u32_at(bytes, at + 32) as usize;
        records.push((at, len));
        at += len.next_multiple_of(SECTOR);
    }
    Places {
        records,
        segments: version.segments.iter().map(|segment| *segment.info()).collect(),
        base: base.extent,
        blocks: base.blocks as usize,
        base_number: base.number,
    }
}

/// The length of the head of a record, in bytes. Its content follows.
const HEAD: usize = 88;

/// Changes some bytes of a structure and makes its checksums match again.
fn forge(bytes: &mut [u8], places: &Places, random: &mut Random) -> &'static str {
    match random.below(9) {
        0 => forge_root(bytes, random),
        1 => {
            forge_record(bytes, places, 0, random);
            "manifest"
        }
        2 | 3 => {
            let record = 1 + random.below(places.records.len() - 1);
            forge_record(bytes, places, record, random);
            "changes in the log"
        }
        4 => {
            let segment = places.segments[random.below(places.segments.len())];
            let at = segment.extent.at() as usize;
            scribble(&mut bytes[at + 8..at + 48], random);
            let sum = sum_of(seed(), &bytes[at + 8..at + SECTOR]);
            put(bytes, at + 4, &sum.to_le_bytes());
            "header of a segment"
        }
        5 | 6 => {
            let segment = places.segments[random.below(places.segments.len())];
            forge_sector(bytes, &segment, random);
            "sector of a segment"
        }
        _ => {
            forge_block(bytes, places, random);
            "block of the base"
        }
    }
}

fn seed() -> u32 {
    crc32fast::hash(&FILE_ID)
}

fn forge_root(bytes: &mut [u8], random: &mut Random) -> &'static str {
    let at = SLOTS[random.below(2)] as usize;
    scribble(&mut bytes[at + 8..at + 80], random);
    for slot in SLOTS {
        let slot = slot as usize;
        let sum = sum_of(seed(), &bytes[slot + 8..slot + SECTOR]);
        put(bytes, slot + 4, &sum.to_le_bytes());
    }
    "root"
}

fn forge_record(bytes: &mut [u8], places: &Places, record: usize, random: &mut Random) {
    let (at, len) = places.records[record];
    // The head too, but for magic and checksum; mostly the content.
    let from = at + if random.below(4) == 0 { 8 } else { HEAD };
    scribble(&mut bytes[from..at + len], random);
    let len = (HEAD + u32_at(bytes, at + 32) as usize).min(bytes.len() - at);
    let mut crc = crc32fast::Hasher::new_with_initial(seed());
    crc.update(&(at as u64).to_le_bytes());
    crc.update(&bytes[at + 8..at + len]);
    let sum = crc.finalize();
    put(bytes, at + 4, &sum.to_le_bytes());
}

fn forge_sector(bytes: &mut [u8], segment: &SegmentInfo, random: &mut Random) {
    let sizes = &segment.sizes;
    let padded = |len: u64| (len as usize).next_multiple_of(SECTOR);
    let groups = u64::from(sizes.groups);
    let parts = [
        padded(sizes.rows),
        padded(groups * 17),
        padded(groups.div_ceil(64) * 12),
        padded(u64::from(sizes.accounts) * 12),
        padded(u64::from(sizes.usernames) * 64),
        padded(u64::from(sizes.phones) * 64),
    ];
    let start = segment.extent.at() as usize + SECTOR;
    let sums = start + parts.iter().sum::<usize>();
    // Each part as often as the others, however long it is.
    let part = random.below(parts.len());
    let from: usize = parts[..part].iter().sum();
    let sector = from / SECTOR + random.below((parts[part] / SECTOR).max(1));
    let at = start + sector * SECTOR;
    scribble(&mut bytes[at..at + SECTOR], random);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&FILE_ID);
    crc.update(&segment.number.to_le_bytes());
    let sum = sum_of(crc.finalize() ^ sector as u32, &bytes[at..at + SECTOR]);
    put(bytes, sums + sector * 4, &sum.to_le_bytes());
}

fn forge_block(bytes: &mut [u8], places: &Places, random: &mut Random) {
    let at = places.base.at() as usize;
    let block = random.below(places.blocks);
    let from = at + block * PAGE;
    // Most of what redb parses stands at the beginning of a block.
    let len = if random.below(4) == 0 { PAGE } else { [200, 320][usize::from(block == 0)] };
    scribble(&mut bytes[from..from + len], random);
    let mut crc = crc32fast::Hasher::new();
    crc.update(b"base");
    crc.update(&FILE_ID);
    crc.update(&places.base_number.to_le_bytes());
    let mut crc = crc32fast::Hasher::new_with_initial(crc.finalize());
    crc.update(&(block as u64).to_le_bytes());
    crc.update(&bytes[from..from + PAGE]);
    let sum = crc.finalize();
    put(bytes, at + places.blocks * PAGE + block * 4, &sum.to_le_bytes());
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
    assert!(places.records.len() >= 2, "the log has changes");
    for seed in 0..stores() {
        let mut random = Random::new(seed);
        let mut bytes = whole.clone();
        let what = forge(&mut bytes, &places, &mut random);
        let what = format!("seed {seed}, {what}");
        let begun = Instant::now();
        let tried = catch_unwind(AssertUnwindSafe(|| {
            let disk = SimDisk::new(bytes.clone());
            if let Ok(reader) = open(disk.handle(), Access::Read, 4 << 20) {
                super::forged_log::walk(&reader);
            }
            let salvaged: Arc<dyn Disk> = Arc::new(disk.handle());
            let _ = salvage(&salvaged, &FileSeal::plain(FILE_ID), 1 << 20, &Progress::default());
            if let Ok(writer) = open(disk.handle(), Access::Write, 4 << 20) {
                let _ = writer.session("new").map(|session| session.set_home_dc(DcId(2)));
                let _ = writer.remove("session 7");
                let _ = writer.compact();
            }
            assert!(disk.len().unwrap() < 10 * bytes.len() as u64, "the file has grown");
        }));
        assert!(tried.is_ok(), "{what}: a panic");
        assert_eq!(
            caught_panics(),
            0,
            "{what}: a panic that ends a program which aborts on panics"
        );
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}: took {:?}", begun.elapsed());
    }
}

/// Set for the process whose memory is measured.
#[cfg(target_os = "linux")]
const CHILD: &str = "TGSESSION_HOSTILE_CHILD";

/// Not a test: reads forged stores, and says after each how much memory it took at most.
#[cfg(target_os = "linux")]
#[test]
fn child() {
    let Ok(count) = std::env::var(CHILD) else { return };
    let whole = subject();
    let places = places(&whole);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forged.tgsession");
    // What a whole store takes is not of interest: the first use of everything has a price.
    for seed in 0..count.parse().unwrap() {
        let mut bytes = whole.clone();
        let what = match seed {
            0 => "whole",
            _ => forge(&mut bytes, &places, &mut Random::new(seed)),
        };
        std::fs::write(&path, &bytes).unwrap();
        drop(bytes);
        let (before, begun) = (memory("VmRSS:"), processor_ticks());
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        use_all(&path);
        let took = memory("VmHWM:").saturating_sub(before);
        let ticks = processor_ticks() - begun;
        println!("took {seed} {took} {ticks} {what}");
    }
    println!("done {} bytes a file", whole.len());
}

#[cfg(target_os = "linux")]
fn use_all(path: &std::path::Path) {
    if let Ok(reader) = crate::store::Store::open_read_only(path) {
        super::forged_log::walk(&reader);
    }
    let _ = crate::store::repair::salvaged_sessions(path, None, &Progress::default());
    if let Ok(writer) = crate::store::Store::open(path) {
        let _ = writer.remove("session 7");
        let _ = writer.compact();
    }
}

/// A salvage reads the headers of segments where there is no manifest.
#[test]
fn a_segment_that_claims_more_than_the_file_has_takes_no_memory_and_no_time() {
    let whole = subject();
    let segment = places(&whole).segments[0].extent.at() as usize;
    for (rows, counts) in [
        (1_u64 << 57, [1, 1, 1, 1]),
        (40, [u32::MAX / 16, 1, 1, 1]),
        (40, [1, u32::MAX, 1, 1]),
        (40, [1, 1, u32::MAX, u32::MAX]),
    ] {
        let mut bytes = whole.clone();
        for slot in SLOTS {
            bytes[slot as usize + 8] ^= 1;
        }
        put(&mut bytes, segment + 16, &rows.to_le_bytes());
        for (at, count) in (24..).step_by(4).zip(counts) {
            put(&mut bytes, segment + at, &count.to_le_bytes());
        }
        let mut crc = crc32fast::Hasher::new();
        crc.update(&FILE_ID);
        crc.update(&bytes[segment + 8..segment + SECTOR]);
        put(&mut bytes, segment + 4, &crc.finalize().to_le_bytes());
        let begun = Instant::now();
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(bytes));
        let salvaged =
            salvage(&disk, &FileSeal::plain(FILE_ID), 1 << 20, &Progress::default()).unwrap();
        assert!(!salvaged.rows.is_empty());
        assert!(begun.elapsed() < Duration::from_secs(20), "{rows} {counts:?}");
    }
}

/// A line of the process's status, in bytes.
#[cfg(target_os = "linux")]
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

/// How long the process has computed, in hundredths of a second.
#[cfg(target_os = "linux")]
fn processor_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

/// Two seconds, and more where nothing is optimised. It is the processor's time, so that a busy
/// machine does not fail the test.
#[cfg(target_os = "linux")]
const MOST_TICKS: u64 = if cfg!(debug_assertions) { 600 } else { 200 };

/// Memory is measured in a process of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_forged_store_takes_no_more_than_ten_times_its_size_and_two_seconds() {
    let count = (stores() / 10).to_string();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::hostile::child", "--nocapture", "--test-threads=1"])
        .env(CHILD, &count)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said} {}", String::from_utf8_lossy(&child.stderr));
    let size = said.lines().find_map(|line| line.strip_prefix("done ")).unwrap();
    let size: u64 = size.split_whitespace().next().unwrap().parse().unwrap();
    let mut measured = 0;
    for line in said.lines().filter_map(|line| line.split("took ").nth(1)) {
        let mut fields = line.split_whitespace().map(str::parse::<u64>);
        let (seed, memory, ticks) =
            (fields.next().unwrap().unwrap(), fields.next().unwrap().unwrap(), fields.next());
        assert!(memory <= 10 * size, "{line}: {memory} bytes for a file of {size}");
        assert!(ticks.unwrap().unwrap() <= MOST_TICKS, "{line}: too long");
        assert_eq!(seed, measured);
        measured += 1;
    }
    assert_eq!(measured.to_string(), count);
}
