//! The write-ahead log, and stores on a disk that fails.

use crate::file::{Disk, Extent, MemoryDisk, PAGE, Root, SECTOR};
use crate::wal::{Log, scan};

/// Reads a log from these bytes, as they are and with the checksums of all records made right.
pub fn wal(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let pages = bytes.len().div_ceil(PAGE) as u32;
    let extent = Extent { page: 1, pages: pages.max(1) };
    let (generation, salt, first) = (2, 6, 8);
    let last = first + u64::from(choice & 3);
    let root = Root { revision: 4, generation, log: extent, salt, first, last, pages: 2 };
    let log = Log::of([0; 16], &root);
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
    let _ = scan(&disk, [0; 16]);
}

/// A store whose log these bytes describe, with right checksums.
pub fn store_log(data: &[u8]) {
    crate::store::forged_log(data);
}

/// What is done to a store, when it crashes and which calls fail, against a model.
pub fn store_ops(data: &[u8]) {
    crate::store::saga_of(data);
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
