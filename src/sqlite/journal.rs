//! The rollback journal (file format, section 3).

use super::bytes;
use super::pages::{Overlay, PENDING_BYTE};

/// The pages of a hot journal, which replace those of its database.
#[derive(Debug)]
pub(super) struct Rollback {
    /// Pages of the database before the transaction.
    pub(super) page_count: u32,
    pub(super) page_size: u32,
    pub(super) pages: Overlay,
}

/// Reads a `-journal`; `None` if its first header is not whole, so that it changes nothing.
///
/// SQLite before 3.5.8 left the page size out: then it is that of the database file.
pub(super) fn read(journal: Vec<u8>, file_page_size: Option<u32>) -> Option<Rollback> {
    let head = Head::parse(&journal, 0).filter(|_| journal.len() >= SECTOR)?;
    let page_count = head.page_count;
    let page_size = match bytes::u32_at(&journal, 24)? {
        0 => file_page_size?,
        size => size,
    };
    let sector = bytes::u32_at(&journal, 20)?;
    let valid = |size: u32, least| (least..=65_536).contains(&size) && size.is_power_of_two();
    if !valid(page_size, 512) || !valid(sector, 32) {
        return None;
    }
    let playback = Playback {
        journal: &journal,
        sector: sector as usize,
        page_size: page_size as usize,
        page_count,
        places: Vec::new(),
    };
    let places = playback.run(head);
    let pages = Overlay::new(journal, page_size, places);
    Some(Rollback { page_count, page_size, pages })
}

/// The super-journal that a journal names at its end, if it does (section 3.2).
///
/// Where that file is gone, the transaction was committed and the journal is not hot.
pub(super) fn super_journal(journal: &[u8]) -> Option<&[u8]> {
    let (rest, trailer) = journal.split_at_checked(journal.len().checked_sub(16)?)?;
    let len = bytes::u32_at(trailer, 0)? as usize;
    let sum = bytes::u32_at(trailer, 4)?;
    if !trailer.ends_with(&MAGIC) || len == 0 || len > MAX_PATH {
        return None;
    }
    let name = rest.get(rest.len().checked_sub(len)?..)?;
    let add = |sum: u32, byte: &u8| sum.wrapping_add_signed(i32::from(byte.cast_signed()));
    (name.iter().fold(0, add) == sum).then_some(name)
}

/// One of the journal's headers.
#[derive(Clone, Copy)]
struct Head {
    records: u32,
    nonce: u32,
    page_count: u32,
}

impl Head {
    fn parse(journal: &[u8], at: usize) -> Option<Self> {
        let head = journal.get(at..)?;
        if !head.starts_with(&MAGIC) {
            return None;
        }
        let field = |at| bytes::u32_at(head, at);
        Some(Self { records: field(8)?, nonce: field(12)?, page_count: field(16)? })
    }
}

struct Playback<'a> {
    journal: &'a [u8],
    sector: usize,
    page_size: usize,
    page_count: u32,
    places: Vec<(u32, usize)>,
}

impl Playback<'_> {
    /// Goes through all headers; the first thing that is not whole is the end.
    fn run(mut self, first: Head) -> Vec<(u32, usize)> {
        let (mut head, mut at) = (first, 0);
        while let Some(end) = self.records(head, at + self.sector) {
            at = end.next_multiple_of(self.sector);
            let whole = self.journal.len() >= at.saturating_add(self.sector);
            match Head::parse(self.journal, at).filter(|_| whole) {
                Some(next) => head = next,
                None => break,
            }
        }
        self.places
    }

    /// The records of one header; where they end, if all of them are whole.
    fn records(&mut self, head: Head, start: usize) -> Option<usize> {
        let size = self.page_size + 8;
        let there = self.journal.get(start..).unwrap_or_default();
        // Written by a process that never syncs: the rest of the file is records.
        let all = there.len() / size;
        let records = if head.records == u32::MAX { all } else { head.records as usize };
        for (index, record) in there.chunks_exact(size).take(records).enumerate() {
            self.record(record, head.nonce, start + index * size)?;
        }
        (records <= all).then_some(start + records * size)
    }

    /// `None` if the record is not whole, which ends the playback.
    fn record(&mut self, record: &[u8], nonce: u32, at: usize) -> Option<()> {
        let page = bytes::u32_at(record, 0)?;
        if page == 0 || page as usize == PENDING_BYTE / self.page_size + 1 {
            return None;
        }
        if page > self.page_count {
            return Some(());
        }
        let (content, sum) = record.get(4..)?.split_at_checked(self.page_size)?;
        // A fuzzer cannot guess checksums, and would never get further.
        if bytes::u32_at(sum, 0)? != checksum(content, nonce) && !cfg!(fuzzing) {
            return None;
        }
        self.places.push((page, at + 4));
        Some(())
    }
}

/// Every 200th byte counting from the end, but never byte 0.
fn checksum(content: &[u8], nonce: u32) -> u32 {
    let sampled = (1..content.len()).rev().skip(199).step_by(200);
    sampled.fold(nonce, |sum, at| sum.wrapping_add(content.get(at).copied().map_or(0, u32::from)))
}

const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
/// What SQLite takes the sector size for until the header has told it.
const SECTOR: usize = 512;
/// The longest path SQLite would have written.
const MAX_PATH: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 512;

    /// A journal of one header; each record is a page number.
    fn journal(records: u32, page_count: u32, pages: &[u32]) -> Vec<u8> {
        let mut journal = MAGIC.to_vec();
        let head = [records, 7, page_count, 512, 512]; // count, nonce, pages, sector, page size
        journal.extend(head.iter().flat_map(|field| field.to_be_bytes()));
        journal.resize(512, 0);
        for page in pages {
            let content = [u8::try_from(*page).unwrap(); PAGE];
            journal.extend(page.to_be_bytes());
            journal.extend(content);
            journal.extend(checksum(&content, 7).to_be_bytes());
        }
        journal
    }

    fn places(journal: Vec<u8>) -> Vec<u32> {
        let head = Head::parse(&journal, 0).unwrap();
        let (sector, page_count) = (512, head.page_count);
        let playback =
            Playback { journal: &journal, sector, page_size: PAGE, page_count, places: vec![] };
        playback.run(head).iter().map(|(page, _)| *page).collect()
    }

    #[test]
    fn the_checksum_samples_every_200th_byte_from_the_end() {
        let mut content = [0; PAGE];
        content[PAGE - 200] = 1;
        content[PAGE - 400] = 2;
        content[PAGE - 1] = 99;
        assert_eq!(checksum(&content, 10), 13);
    }

    #[test]
    fn records_are_played_as_counted() {
        assert_eq!(places(journal(2, 9, &[1, 2, 3])), [1, 2]);
        assert_eq!(places(journal(u32::MAX, 9, &[1, 2, 3])), [1, 2, 3]);
    }

    #[test]
    fn a_page_beyond_the_old_end_is_stepped_over() {
        assert_eq!(places(journal(3, 2, &[1, 3, 2])), [1, 2]);
    }

    #[test]
    fn a_record_that_is_not_whole_ends_the_playback() {
        let mut torn = journal(2, 9, &[1, 2]);
        torn.truncate(torn.len() - 1);
        assert_eq!(places(torn), [1]);
        let mut bad = journal(3, 9, &[1, 2, 3]);
        bad[512 + 520 + 4 + PAGE - 200] ^= 1;
        assert_eq!(places(bad), [1]);
        assert_eq!(places(journal(3, 9, &[1, 0, 3])), [1]);
    }

    #[test]
    fn a_second_header_begins_at_a_sector() {
        let mut two = journal(1, 9, &[1]);
        two.resize(1536, 0xaa);
        two.extend(journal(1, 9, &[2]));
        assert_eq!(places(two), [1, 2]);
    }

    #[test]
    fn a_header_that_is_not_whole_changes_nothing() {
        assert!(read(vec![0; 1024], None).is_none());
        assert!(read(journal(1, 9, &[1])[..511].to_vec(), None).is_none());
        let mut bad = journal(1, 9, &[1]);
        bad[27] = 3; // page size 515
        assert!(read(bad, None).is_none());
    }

    #[test]
    fn an_old_journal_has_the_page_size_of_its_database() {
        let mut old = journal(1, 9, &[1]);
        old[24..28].copy_from_slice(&[0; 4]);
        assert_eq!(read(old.clone(), Some(512)).unwrap().page_size, 512);
        assert!(read(old, None).is_none());
    }

    #[test]
    fn a_super_journal_is_named_at_the_end() {
        let mut named = journal(1, 9, &[1]);
        named.extend(b"/a/b");
        named.extend(4_u32.to_be_bytes());
        let sum: u32 = b"/a/b".iter().map(|byte| u32::from(*byte)).sum();
        named.extend(sum.to_be_bytes());
        named.extend(MAGIC);
        assert_eq!(super_journal(&named), Some(b"/a/b".as_slice()));
        let at = named.len() - 20;
        named[at] ^= 1;
        assert_eq!(super_journal(&named), None);
    }
}
