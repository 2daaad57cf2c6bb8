//! Writing the log.

use std::io;

use zeroize::Zeroizing;

use super::blocks::Disk;
use super::log::{Found, HEAD, Kind, Log, Position, SECTOR, padded, place_behind};

/// Writes records.
#[derive(Debug)]
pub(crate) struct LogWriter {
    log: Log,
    end: Position,
    next: u64,
    /// How far each half has been written at all.
    grown: [usize; 2],
    /// The last record of the other half.
    other: u64,
    used: bool,
    barred: bool,
}

impl LogWriter {
    /// Begins the log of a new store.
    pub(crate) fn begin(log: Log) -> Self {
        let end = Position::default();
        Self { log, end, next: 1, grown: [0; 2], other: 0, used: false, barred: false }
    }

    /// Goes on behind what was found; the image contains at least all records up to `applied`.
    pub(crate) fn behind(log: Log, found: &Found, applied: u64) -> Self {
        let next = found.last().max(applied) + 1;
        let (grown, other, barred) = (found.grown, found.other, found.is_barred());
        Self { log, end: found.end, next, grown, other, used: false, barred }
    }

    /// The number of the last record.
    pub(crate) fn last(&self) -> u64 {
        self.next - 1
    }

    /// Whether a record with so much content fits into what is left of this half, and a barrier
    /// behind it.
    pub(crate) fn fits(&self, content: usize) -> bool {
        content < self.log.half && padded(HEAD + content) + SECTOR <= self.log.half - self.end.at
    }

    /// Whether a record with so much content fits into a half, and a barrier behind it.
    pub(crate) fn takes(&self, content: usize) -> bool {
        content < self.log.half && padded(HEAD + content) + SECTOR <= self.log.half
    }

    /// Whether the last record is a barrier.
    pub(crate) fn is_barred(&self) -> bool {
        self.barred
    }

    /// The number of the last record in the half that is not written now.
    pub(crate) fn last_of_other_half(&self) -> u64 {
        self.other
    }

    /// Goes on in the other half, at its beginning. The image must contain what stands there.
    pub(crate) fn turn(&mut self) {
        self.other = self.last();
        self.end = Position { half: 1 - self.end.half, at: 0 };
    }

    /// Says behind the last record that it is the last, so that if it is damaged later nobody takes
    /// it for one that was being written. It is no harm if that does not reach the disk.
    pub(crate) fn close(&self, disk: &dyn Disk) -> io::Result<()> {
        if self.end.at + SECTOR > self.log.half {
            return Ok(());
        }
        let mark = self.log.bytes_of(self.last(), 0, Kind::Closed, &[]);
        disk.write(self.log.place(self.end), &mark)
    }

    /// Whether anything was appended.
    pub(crate) fn is_used(&self) -> bool {
        self.used
    }

    /// Appends a record, on disk when this returns. After an error the record may be there or not;
    /// the next one takes its number and its place.
    pub(crate) fn append(
        &mut self,
        disk: &dyn Disk,
        applied: u64,
        kind: Kind,
        content: &[u8],
    ) -> io::Result<()> {
        let mut bytes = self.log.bytes_of(self.next, applied, kind, content);
        let end = self.end.at + bytes.len();
        // A sector of zeros behind it says that it is the last. Where the half was never written,
        // zeros go on to the end of the chunk.
        let grown = self.grown.get(self.end.half).copied().unwrap_or_default();
        let until = if end + SECTOR > grown { place_behind(end) } else { end + SECTOR };
        let until = until.min(self.log.half);
        let mut padded = Zeroizing::new(Vec::with_capacity(until - self.end.at));
        padded.append(&mut bytes);
        padded.resize(until - self.end.at, 0);
        self.used = true;
        disk.write(self.log.place(self.end), &padded)?;
        disk.sync_data()?;
        if let Some(grown) = self.grown.get_mut(self.end.half) {
            *grown = until.max(*grown);
        }
        self.end.at = end;
        self.next += 1;
        self.barred = kind == Kind::Barrier;
        Ok(())
    }
}
