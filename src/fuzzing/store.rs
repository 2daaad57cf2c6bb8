//! The write-ahead log, and stores on a disk that fails.

use crate::file::{Disk, Extent, FileSeal, Identity, MemoryDisk, PAGE, Root, SECTOR, SLOTS, put};
use crate::wal::{Kind, Log, scan};

/// The file that logs are forged in.
const IDENTITY: Identity = Identity { file_id: *b"0123456789abcdef", is_encrypted: false };

/// Reads a log from these bytes, as they are and with the checksums of all records made right.
pub fn wal(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let pages = bytes.len().div_ceil(PAGE) as u32;
    let extent = Extent { page: 1, pages: pages.max(1) };
    let (generation, salt, first) = (2, 6, 8);
    let last = first + u64::from(choice & 3);
    let root = Root { revision: 4, generation, log: extent, salt, first, last, pages: 2 };
    let log = Log::of(&FileSeal::plain([0; 16]), &root);
    let mut content = bytes.to_vec();
    content.resize(extent.len() as usize, 0);
    if choice & 4 > 0 {
        for at in (0..content.len()).step_by(SECTOR) {
            log.mend(at, &mut content);
        }
    }
    let disk = MemoryDisk::default();
    if disk.write(extent.at(), &content).is_err() {
        return;
    }
    if let Ok(found) = log.read(&disk, &root) {
        let numbers = found.records.iter().map(|record| record.number);
        assert!(numbers.eq(first..=found.tail.last), "the numbers have a gap");
        assert!(found.tail.last >= last, "a record is missing that the root promises");
        let own = (generation, salt);
        assert!(found.records.iter().all(|record| (record.generation, record.salt) == own));
        assert!(found.tail.end <= content.len(), "the end is behind the log");
        let mut more = Vec::new();
        let tail = log.read_on(&disk, found.tail, &mut more);
        assert!(tail.is_ok_and(|tail| tail == found.tail) && more.is_empty());
    }
    let _ = scan(&disk, &FileSeal::plain([0; 16]));
}

/// A store whose log these bytes describe, with right checksums.
pub fn store_log(data: &[u8]) {
    crate::store::forged_log(&file_of(data));
}

/// Compares a store with a model. The input decides the calls, when it crashes, and which calls
/// fail.
pub fn store_ops(data: &[u8]) {
    crate::store::crash_run_of(data);
}

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
    let seal = FileSeal::plain(IDENTITY.file_id);
    let Ok(sealed) = root.to_bytes(&seal) else { return file };
    for slot in SLOTS {
        put(&mut file, slot as usize, &sealed);
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
        let log = Log::new(&seal, of, LOG, FIRST);
        let Ok(record) = log.seal((at, &[0; 16]), number + odd, number * 2, kind, &content) else {
            break;
        };
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

#[cfg(test)]
mod tests {
    use super::super::replay;

    #[test]
    fn the_corpus_of_logs_comes_back() {
        replay("wal", super::wal);
    }

    #[test]
    fn the_corpus_of_forged_logs_comes_back() {
        replay("store_log", super::store_log);
    }

    #[test]
    fn the_corpus_of_lives_loses_nothing() {
        replay("store_ops", super::store_ops);
    }
}
