//! Pages on their way out, one after another.

use std::io::{self, Seek, SeekFrom, Write};

use zeroize::Zeroizing;

use super::WriteError;
use super::page::Page;

/// Numbers pages as they come and writes them in that order; page 1 comes last.
#[derive(Debug)]
pub(super) struct Sink<W> {
    out: W,
    page_size: usize,
    /// The number the next page gets, unless it is the lock-byte page.
    next: u32,
    /// Whole pages not yet written.
    buffer: Zeroizing<Vec<u8>>,
    /// An error has left the file without some of its pages.
    failed: bool,
}

impl<W: Write + Seek> Sink<W> {
    /// `out` begins with a page of zeros until [`Self::finish`]: an unfinished file is no database.
    pub(super) fn new(mut out: W, page_size: usize) -> Result<Self, WriteError> {
        out.seek(SeekFrom::Start(0))?;
        let capacity = BUFFER.max(page_size) + page_size;
        let buffer = Zeroizing::new(Vec::with_capacity(capacity));
        let mut sink = Self { out, page_size, next: 1, buffer, failed: false };
        sink.zeros()?;
        Ok(sink)
    }

    pub(super) fn page_size(&self) -> usize {
        self.page_size
    }

    /// Pages so far.
    pub(super) fn count(&self) -> u32 {
        self.next - 1
    }

    /// Writes a page of a b-tree and empties it; its number.
    pub(super) fn page(&mut self, page: &mut Page, right: u32) -> Result<u32, WriteError> {
        self.append(|to| page.put(right, to, 0))
    }

    /// Writes a chain of overflow pages (file format, section 1.7); the number of the first.
    pub(super) fn overflow(&mut self, content: &[u8]) -> Result<u32, WriteError> {
        let first = self.number(self.next);
        let mut chunks = content.chunks(self.page_size - 4).peekable();
        while let Some(chunk) = chunks.next() {
            let following = self.number(self.number(self.next) + 1);
            let next = if chunks.peek().is_some() { following } else { 0 };
            let size = self.page_size;
            self.append(|to| {
                to.extend(next.to_be_bytes());
                to.extend_from_slice(chunk);
                to.resize(to.len() + size - 4 - chunk.len(), 0);
            })?;
        }
        Ok(first)
    }

    /// Writes page 1 and gives the output back.
    pub(super) fn finish(mut self, first: &[u8]) -> Result<W, WriteError> {
        self.write()?;
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(first)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn append(&mut self, put: impl FnOnce(&mut Vec<u8>)) -> Result<u32, WriteError> {
        if self.next == lock_page(self.page_size) {
            self.zeros()?;
        }
        let number = self.next;
        put(&mut self.buffer);
        self.done()?;
        Ok(number)
    }

    fn zeros(&mut self) -> Result<(), WriteError> {
        let end = self.buffer.len() + self.page_size;
        self.buffer.resize(end, 0);
        self.done()
    }

    /// Counts the page that has been put, and writes the buffer if it is full.
    fn done(&mut self) -> Result<(), WriteError> {
        if self.next > MOST_PAGES {
            self.failed = true;
            return Err(WriteError::Full);
        }
        self.next += 1;
        if self.buffer.len() < BUFFER { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> Result<(), WriteError> {
        if self.failed {
            return Err(io::Error::other("an earlier write failed").into());
        }
        self.failed = true;
        self.out.write_all(&self.buffer)?;
        self.failed = false;
        self.buffer.clear();
        Ok(())
    }

    /// The number of the first page from `page` on that may be used.
    fn number(&self, page: u32) -> u32 {
        page + u32::from(page == lock_page(self.page_size))
    }
}

/// The page that holds the bytes on which SQLite locks the file, and nothing else (section 1.1.1).
fn lock_page(page_size: usize) -> u32 {
    u32::try_from(LOCK_BYTE / page_size).unwrap_or(u32::MAX).saturating_add(1)
}

const LOCK_BYTE: usize = 1 << 30;

const BUFFER: usize = 1 << 18;

/// `SQLITE_MAX_PAGE_COUNT` before version 3.36.
const MOST_PAGES: u32 = 1_073_741_823;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::page::PageType;
    use super::*;

    fn sink(page_size: usize) -> Sink<Cursor<Vec<u8>>> {
        Sink::new(Cursor::new(Vec::new()), page_size).unwrap()
    }

    #[test]
    fn a_chain_steps_over_the_lock_byte_page() {
        let lock = 16_385; // behind 16384 pages of 65536 bytes
        let mut sink = sink(65_536);
        sink.next = lock - 1;
        assert_eq!(sink.overflow(&[1; 3 * 65_532]).unwrap(), lock - 1);
        sink.write().unwrap();
        let pages: Vec<_> = sink.out.get_ref().chunks(65_536).map(|page| page[3]).collect();
        // Page 1, three pages of the chain, and the one that is never used.
        assert_eq!(pages, [0, 2, 0, 3, 0]);
        assert_eq!(sink.count(), lock + 2);
        sink.next = lock;
        let mut page = Page::new(PageType::TableLeaf, 65_536);
        assert_eq!(sink.page(&mut page, 0).unwrap(), lock + 1);
        sink.next = lock;
        assert_eq!(sink.overflow(&[1]).unwrap(), lock + 1);
    }

    #[test]
    fn the_database_is_full_after_its_last_page_and_stays_so() {
        let mut sink = sink(512);
        sink.next = MOST_PAGES;
        assert!(sink.overflow(&[1]).is_ok());
        assert!(matches!(sink.overflow(&[1]), Err(WriteError::Full)));
        assert!(matches!(sink.finish(&[]), Err(WriteError::Io(_))));
    }
}
