//! Appends to a log.

use std::io;

use super::reader::Tail;
use super::record::{Kind, Log, Sealed, Tag, padded, tag_of};
use crate::file::{
    Disk, FileSeal, PAGE, RootWriter, SECTOR, none_failed_since, pages_of, write_durably,
};

/// The file grows by at most this many pages at a time while a log grows.
const MOST_GROWTH: u32 = 16;

/// The end of the log of a store that is open for writing.
#[derive(Debug)]
pub(crate) struct LogWriter {
    log: Log,
    tail: Tail,
    /// How many pages the log owns.
    reserved: u32,
    /// A write or sync failed, so the bytes on the disk after the last durable record are unknown.
    /// Nothing is appended any more, since a record of the next number may be there.
    in_doubt: bool,
}

/// A record to append.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Append<'a> {
    /// The last batch whose changes are in it or in a record before it.
    pub(crate) sequence: u64,
    pub(crate) content: &'a [u8],
}

impl LogWriter {
    /// Continues a log after the records that were found in it.
    pub(crate) fn new(log: Log, tail: Tail) -> Self {
        let reserved = pages_of((tail.end + SECTOR) as u64);
        Self { log, tail, reserved, in_doubt: false }
    }

    /// The bytes of a new log with these records, in this many pages, and its writer. They are to be
    /// durable before anything is appended.
    pub(crate) fn begin(
        log: Log,
        pages: u32,
        sequence: u64,
        manifest: &[u8],
        changes: Option<&[u8]>,
    ) -> io::Result<(Sealed, Self)> {
        let start = (0, &Tag::default());
        let record = log.seal(start, log.first, sequence, Kind::Manifest, manifest)?;
        let (last, tag) = (log.first, tag_of(&record));
        let mut tail = Tail { end: record.len(), last, last_at: 0, marked: false, tag };
        // The final size at once: a reallocation would leave a copy of keys in memory.
        let mut bytes = Sealed::new(Vec::with_capacity(pages as usize * PAGE));
        bytes.extend_from_slice(&record);
        if let Some(content) = changes {
            let (last, behind) = (log.first + 1, (tail.end, &tag));
            let record = log.seal(behind, last, sequence, Kind::Changes, content)?;
            bytes.extend_from_slice(&record);
            let tag = tag_of(&record);
            tail = Tail { end: bytes.len(), last, last_at: tail.end, tag, ..tail };
        }
        bytes.resize(pages as usize * PAGE, 0);
        let mut writer = Self::new(log, tail);
        writer.reserved(pages);
        Ok((bytes, writer))
    }

    /// How many bytes a new log with these records takes, with room for a mark.
    pub(crate) fn needed(seal: &FileSeal, manifest: usize, changes: Option<usize>) -> usize {
        padded(seal, manifest) + changes.map_or(0, |changes| padded(seal, changes)) + SECTOR
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// The number of the last record.
    pub(crate) fn last(&self) -> u64 {
        self.tail.last
    }

    /// How many records it has.
    pub(crate) fn records(&self) -> u64 {
        self.tail.last + 1 - self.log.first
    }

    /// How many bytes are in use.
    pub(crate) fn used(&self) -> usize {
        self.tail.end
    }

    /// Whether a record of so much content, and a mark, find room.
    pub(crate) fn fits(&self, content: usize) -> bool {
        self.tail.end + self.log.padded(content) + SECTOR <= self.log.len()
    }

    /// How many pages the log has with its mark.
    pub(crate) fn pages(&self) -> u32 {
        pages_of((self.tail.end + SECTOR) as u64)
    }

    /// How many pages it has with one more record of so much content, and how many it would like
    /// to have then, so that the file does not grow with each record.
    pub(crate) fn pages_with(&self, content: usize) -> (u32, u32) {
        let needed = pages_of((self.tail.end + self.log.padded(content) + SECTOR) as u64);
        let growth = self.pages().clamp(1, MOST_GROWTH) - 1;
        (needed, needed.saturating_add(growth).min(self.log.extent.pages).max(needed))
    }

    /// From now on this many pages are the log's alone.
    pub(crate) fn reserved(&mut self, pages: u32) {
        self.reserved = self.reserved.max(pages);
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// Nothing may be appended any more.
    pub(crate) fn doubt(&mut self) {
        self.in_doubt = true;
    }

    /// Appends a record and makes it durable.
    pub(crate) fn append(
        &mut self,
        disk: &dyn Disk,
        root: &mut RootWriter,
        append: Append<'_>,
    ) -> io::Result<()> {
        let Append { sequence, content } = append;
        let number = self.tail.last + 1;
        let behind = (self.tail.end, &self.tail.tag);
        let record = self.log.seal(behind, number, sequence, Kind::Changes, content)?;
        self.grow(disk, root, self.tail.end + record.len() + SECTOR)?;
        let at = self.log.extent.at() + self.tail.end as u64;
        if let Err(error) = write_durably(disk, || disk.write(at, &record)) {
            self.in_doubt = true;
            return Err(error);
        }
        self.tail = Tail {
            end: self.tail.end + record.len(),
            last: number,
            last_at: self.tail.end,
            marked: false,
            tag: tag_of(&record),
        };
        self.mark(disk);
        Ok(())
    }

    /// Says after the last record that it is durable. Without the mark less damage is noticed, and
    /// nothing is lost.
    pub(crate) fn mark(&mut self, disk: &dyn Disk) {
        let at = self.log.extent.at() + self.tail.end as u64;
        let behind = (self.tail.end, &self.tail.tag);
        let mark = self.log.seal(behind, self.tail.last, 0, Kind::Mark, &[]);
        match mark.and_then(|mark| disk.write(at, &mark)) {
            Ok(()) => self.tail.marked = true,
            Err(error) => tracing::debug!(%error, "the last record of the log is not marked"),
        }
    }

    /// Writes the last record and both slots of the root again, makes them durable, and marks the
    /// record.
    pub(crate) fn confirm(&mut self, disk: &dyn Disk, root: &mut RootWriter) -> io::Result<()> {
        let mut record = Sealed::new(vec![0; self.tail.end - self.tail.last_at]);
        let at = self.log.extent.at() + self.tail.last_at as u64;
        disk.read(at, &mut record)?;
        // The syncs of the root make the record durable too.
        let before = disk.failed_syncs();
        disk.write(at, &record)?;
        root.confirm(disk)?;
        none_failed_since(disk, before)?;
        self.grow(disk, root, self.tail.end + SECTOR)?;
        self.mark(disk);
        Ok(())
    }

    /// Writes zeros into the pages that the log owns and does not use yet, and counts them in the root.
    pub(crate) fn grow_into_reserved(
        &mut self,
        disk: &dyn Disk,
        root: &mut RootWriter,
    ) -> io::Result<()> {
        self.grow(disk, root, self.reserved as usize * PAGE)
    }

    /// Makes sure that the root counts so many bytes of the log. The new pages are durable before the root
    /// counts them, so that a file that is shorter than its root says was cut.
    fn grow(&mut self, disk: &dyn Disk, root: &mut RootWriter, needed: usize) -> io::Result<()> {
        let start = self.log.extent.at();
        let counted = u64::from(root.root().pages) * PAGE as u64;
        if counted >= start + needed as u64 {
            return Ok(());
        }
        // No further: another thread may be writing a segment after the log.
        let end = start + u64::from(self.reserved) * PAGE as u64;
        if end < start + needed as u64 {
            return Err(io::Error::other("the log was to grow beyond its pages"));
        }
        // The file may already be longer, if a segment was written after these pages.
        let used = start + (self.tail.end + SECTOR).next_multiple_of(PAGE) as u64;
        let from = counted.max(used);
        let zeros = usize::try_from(end - from).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let before = disk.failed_syncs();
        // A file without room for the zeros leaves the log as it is.
        disk.write(from, &vec![0; zeros])?;
        if let Err(error) = disk.sync().and_then(|()| none_failed_since(disk, before)) {
            self.in_doubt = true;
            return Err(error);
        }
        let pages = u32::try_from(end / PAGE as u64).map_err(|_| io::ErrorKind::FileTooLarge)?;
        root.amend(disk, |root| root.pages = root.pages.max(pages))
    }
}
