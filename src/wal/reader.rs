//! Reads a log: which records it has, where it ends, and whether that is the end.

use std::io;

use zeroize::Zeroizing;

use super::record::{Kind, Log, LogRecord, RECORD_HEAD, Tag};
use crate::file::{Disk, Extent, FileDamage, FileSeal, PAGE, Root, SECTOR};

/// The content of a log.
#[derive(Debug)]
pub(crate) struct Found {
    /// Every record, the manifest first, in the order of their numbers.
    pub(crate) records: Vec<LogRecord>,
    pub(crate) tail: Tail,
}

/// The end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Where the next record goes, in bytes after the beginning of the log.
    pub(crate) end: usize,
    /// The number of the last record.
    pub(crate) last: u64,
    /// Where the last record begins.
    pub(crate) last_at: usize,
    /// A mark says that the last record is durable.
    pub(crate) marked: bool,
    /// The tag of the last record.
    pub(super) tag: Tag,
}

impl Log {
    /// Reads the log of this root.
    ///
    /// # Errors
    ///
    /// [`Damage`] if a record is damaged or missing that was durable: one that the root promises,
    /// or one with a record or mark after it. A record that is torn was being written when the
    /// power went. It was never acknowledged, and the log ends before it.
    pub(crate) fn read(&self, disk: &dyn Disk, root: &Root) -> io::Result<Found> {
        let mut window = Window::new(disk, self)?;
        let mut records = Vec::new();
        let (last, tag) = (self.first - 1, Tag::default());
        let start = Tail { end: 0, last, last_at: 0, marked: false, tag };
        let tail = self.follow(&mut window, start, &mut records)?;
        let first = records.first().ok_or(FileDamage::Manifest)?;
        if first.kind != Kind::Manifest {
            return Err(FileDamage::Manifest.into());
        }
        let missing = FileDamage::Log { number: tail.last + 1 };
        if tail.last < root.last || !tail.marked && self.has_later(&mut window, tail)? {
            return Err(missing.into());
        }
        Ok(Found { records, tail })
    }

    /// Reads the records that were appended after `tail`. Returns the new tail.
    pub(crate) fn read_on(
        &self,
        disk: &dyn Disk,
        tail: Tail,
        records: &mut Vec<LogRecord>,
    ) -> io::Result<Tail> {
        let mut window = Window::new(disk, self)?;
        window.skip_to(tail.end);
        self.follow(&mut window, tail, records)
    }

    /// Whether a whole record or mark stands after `tail`, which is damage unless a writer is at
    /// work there.
    pub(crate) fn has_gap_behind(&self, disk: &dyn Disk, tail: Tail) -> io::Result<bool> {
        let mut window = Window::new(disk, self)?;
        window.skip_to(tail.end);
        self.has_later(&mut window, tail)
    }

    fn follow(
        &self,
        window: &mut Window<'_>,
        mut tail: Tail,
        records: &mut Vec<LogRecord>,
    ) -> io::Result<Tail> {
        while let Some(record) = self.record_at(window, tail.end)? {
            if !self.has(&record) {
                break;
            }
            if record.kind == Kind::Mark {
                tail.marked = record.number == tail.last;
                break;
            }
            if record.number != tail.last + 1 || record.previous != tail.tag {
                break;
            }
            let end = tail.end + self.padded(record.content.len());
            let (last, tag) = (record.number, record.tag);
            tail = Tail { end, last, last_at: tail.end, marked: false, tag };
            records.push(record);
        }
        Ok(tail)
    }

    fn has_later(&self, window: &mut Window<'_>, tail: Tail) -> io::Result<bool> {
        for at in (tail.end..self.len()).step_by(SECTOR) {
            if window.is_behind_end(at) {
                break;
            }
            window.forget_before(at);
            if let Some(record) = self.record_at(window, at)?
                && self.has(&record)
                && record.number > tail.last
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn record_at(&self, window: &mut Window<'_>, at: usize) -> io::Result<Option<LogRecord>> {
        let len = match window.get(at, RECORD_HEAD)? {
            Some(head) => Self::len_of(head),
            None => None,
        };
        match len {
            Some(len) => Ok(window.get(at, len)?.and_then(|bytes| self.parse(at, bytes))),
            None => Ok(None),
        }
    }
}

/// Every whole record of a file, wherever it is and of whatever generation, in the order of the
/// file.
pub(crate) fn scan(disk: &dyn Disk, seal: &FileSeal) -> io::Result<Vec<LogRecord>> {
    let pages = u32::try_from(disk.len()? / PAGE as u64).unwrap_or(u32::MAX);
    let log = Log::new(seal, (0, 0), Extent { page: 0, pages }, 0);
    let mut records = Vec::new();
    let mut at = 0;
    while at < log.len() {
        // A record is read by itself: a log may be anywhere in a large file.
        let mut window = Window::new(disk, &log)?;
        window.skip_to(at);
        at += SECTOR;
        if let Some(record) = log.record_at(&mut window, at - SECTOR)?
            && record.kind != Kind::Mark
        {
            at += log.padded(record.content.len()) - SECTOR;
            records.push(record);
        }
    }
    Ok(records)
}

/// A log, read as far as it is needed.
struct Window<'a> {
    disk: &'a dyn Disk,
    /// Where the log begins in the file.
    start: u64,
    /// How much of the log the file has.
    there: usize,
    /// Where the read bytes begin.
    from: usize,
    bytes: Zeroizing<Vec<u8>>,
}

impl<'a> Window<'a> {
    fn new(disk: &'a dyn Disk, log: &Log) -> io::Result<Self> {
        let there = disk.len()?.saturating_sub(log.extent.at());
        let there = usize::try_from(there).unwrap_or(usize::MAX).min(log.len());
        Ok(Self { disk, start: log.extent.at(), there, from: 0, bytes: Zeroizing::default() })
    }

    fn skip_to(&mut self, at: usize) {
        self.from = at;
    }

    /// Frees the bytes that were read before this place, if they are many.
    fn forget_before(&mut self, at: usize) {
        const MUCH: usize = 1 << 20;
        if at - self.from >= MUCH {
            self.from = at;
            self.bytes = Zeroizing::default();
        }
    }

    fn is_behind_end(&self, at: usize) -> bool {
        at >= self.there
    }

    /// The `len` bytes at this place; `None` if the log ends before.
    fn get(&mut self, at: usize, len: usize) -> io::Result<Option<&[u8]>> {
        let Some(end) = at.checked_add(len).filter(|end| *end <= self.there) else {
            return Ok(None);
        };
        let have = self.from + self.bytes.len();
        if have < end {
            let want = (end - self.from).next_multiple_of(4096).max(4 * self.bytes.len());
            let mut more = Zeroizing::new(vec![0; want.min(self.there - self.from)]);
            let (before, behind) = more.split_at_mut(self.bytes.len());
            before.copy_from_slice(&self.bytes);
            self.disk.read(self.start + have as u64, behind)?;
            self.bytes = more;
        }
        Ok(self.bytes.get(at - self.from..end - self.from))
    }
}
