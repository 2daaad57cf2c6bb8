//! The log: what was changed last, in front of the engine's image.
//!
//! A record is on disk after one write and one sync. Records are numbered without a gap and stand
//! behind each other in one half of the log; when that is full they go on in the other half, whose
//! old records the image contains by then. What a record says is not known here.

use std::io;

use crc32fast::Hasher;
use zeroize::Zeroizing;

use super::blocks::Disk;
use super::{BLOCK, Damage, Superblock};

/// Length of the log of a new store in bytes.
pub(crate) const LOG: usize = 512 << 10;

/// What the length of a log is a multiple of, and its greatest length.
pub(crate) const LOG_STEP: usize = 2 * SECTOR;
pub(crate) const LONGEST_LOG: usize = 64 << 20;

/// Records begin at multiples of this, so that no write touches the record before.
pub(super) const SECTOR: usize = 512;

/// The file grows by so much, written with zeros, so that most appends change nothing but data.
const CHUNK: usize = 16 << 10;

/// Length of what stands before a record's content.
pub(super) const HEAD: usize = 72;

/// What every record begins with.
const MAGIC: [u8; 4] = *b"\x89log";

const SUM_AT: usize = 4;
const NUMBER_AT: usize = 8;
const APPLIED_AT: usize = 16;
const LEN_AT: usize = 24;
const KIND_AT: usize = 28;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its content is changes.
    Changes = 1,
    /// The next change went past the log, straight into the image: if it came to be, the image
    /// says that it contains this record.
    Barrier = 2,
    /// The writer closed the log behind the record of this number. It is no record itself: the
    /// next one takes its place.
    Closed = 3,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogRecord {
    pub(crate) number: u64,
    /// When it was written, the image contained all records up to this one.
    pub(crate) applied: u64,
    pub(crate) kind: Kind,
    /// It may hold keys.
    pub(crate) content: Zeroizing<Vec<u8>>,
}

/// What a log was found to hold.
#[derive(Debug)]
pub(crate) struct Found {
    /// Every record of both halves, in the order of their numbers.
    records: Vec<LogRecord>,
    /// The greatest number of a whole record that stands behind one that is not.
    stray: u64,
    /// The file ends before what was synced with the record before the last.
    cut: bool,
    /// Where the next record goes.
    pub(crate) end: Position,
    /// The last record of the half that this is not in.
    pub(super) other: u64,
    /// How far each half has surely been written.
    pub(super) grown: [usize; 2],
}

/// A place in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(super) half: usize,
    pub(super) at: usize,
}

impl Found {
    /// What the image contains at least: the greatest such number that a record names.
    pub(crate) fn applied(&self) -> u64 {
        self.records.iter().map(|record| record.applied).max().unwrap_or(0)
    }

    /// The number of the last record.
    pub(crate) fn last(&self) -> u64 {
        self.records.last().map_or(0, |record| record.number)
    }

    /// Whether everything that was ever written stands here.
    pub(crate) fn is_complete(&self) -> bool {
        self.knows_no_image() && self.live(0).is_ok()
    }

    /// Whether nothing here says that there is an image.
    pub(crate) fn knows_no_image(&self) -> bool {
        self.applied() == 0 && !self.is_barred()
    }

    /// Whether there is no record at all, which cannot be.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn is_barred(&self) -> bool {
        self.records.last().is_some_and(|record| record.kind == Kind::Barrier)
    }

    /// Whether only the image can say what counts: a change past the log was the last, or the
    /// records do not follow each other.
    pub(crate) fn needs_image(&self) -> bool {
        self.is_barred() || self.live(self.applied()).is_err()
    }

    /// The records that are not in an image which contains all up to `applied`.
    ///
    /// A record that is torn is the last one that anybody began to write, and was never
    /// acknowledged. If a whole one stands behind it, then it was acknowledged and is damaged.
    pub(crate) fn live(&self, applied: u64) -> Result<&[LogRecord], Damage> {
        let first = self.records.partition_point(|record| record.number <= applied);
        let live = self.records.get(first..).unwrap_or_default();
        for (expected, record) in (applied + 1..).zip(live) {
            if record.number != expected {
                return Err(Damage::Log { number: expected });
            }
        }
        let last = live.last().map_or(applied, |record| record.number);
        // A store has a record from the first moment.
        if self.is_empty() || self.stray > last || self.cut {
            return Err(Damage::Log { number: last + 1 });
        }
        Ok(live)
    }

    /// As many records as follow each other from the first that the image does not contain.
    pub(crate) fn what_holds(&self, applied: u64) -> &[LogRecord] {
        let first = self.records.partition_point(|record| record.number <= applied);
        let live = self.records.get(first..).unwrap_or_default();
        let follows = |(expected, record): &(u64, &LogRecord)| record.number == *expected;
        let count = (applied + 1..).zip(live).take_while(follows).count();
        live.get(..count).unwrap_or_default()
    }
}

/// The log of one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    /// CRC-32 of the file id, carried on into every record's.
    seed: u32,
    /// Length of each half in bytes.
    pub(super) half: usize,
}

impl Log {
    pub(crate) fn new(superblock: Superblock) -> Self {
        let seed = crc32fast::hash(&superblock.file_id);
        Self { seed, half: superblock.log as usize / 2 }
    }

    /// Where a place in the log lies in the file.
    pub(super) fn place(self, at: Position) -> u64 {
        (BLOCK + at.half * self.half + at.at) as u64
    }

    /// Reads what is there. `thorough` looks for records behind the end also where it looks like
    /// one.
    pub(crate) fn read(self, disk: &dyn Disk, thorough: bool) -> io::Result<Found> {
        let len = disk.len()?;
        let [mut one, mut two] = [Chain::default(), Chain::default()];
        for (half, chain) in [&mut one, &mut two].into_iter().enumerate() {
            let place = self.place(Position { half, at: 0 });
            let bytes = Zeroizing::default();
            *chain =
                self.chain(&mut Half { disk, place, size: self.half, len, bytes }, thorough)?;
        }
        let grown = [(0, &one), (1, &two)].map(|(half, chain)| {
            let grown = chain.grown().min(self.half);
            let there = self.place(Position { half, at: grown }) <= len;
            if there { grown } else { chain.end }
        });
        let (first, last, half) =
            if one.last() > two.last() { (two, one, 0) } else { (one, two, 1) };
        // A log that nothing was written to begins with the first half.
        let empty = last.records.is_empty();
        let end = Position { half: if empty { 0 } else { half }, at: last.end };
        let (stray, other) = (first.stray.max(last.stray), first.last());
        let needed = Position { half: end.half, at: last.synced().min(self.half) };
        let cut = self.place(needed) > len;
        let records = first.records.into_iter().chain(last.records).collect();
        Ok(Found { records, stray, cut, end, other, grown })
    }

    /// Feels whether there is more than what ends here.
    pub(crate) fn pulse(self, disk: &dyn Disk, end: Position) -> io::Result<Pulse> {
        let other = Position { half: 1 - end.half, at: 0 };
        Ok(Pulse { next: self.peek(disk, end)?, other: self.peek(disk, other)? })
    }

    /// What may be the number of a record that begins here; 0 if none does.
    fn peek(self, disk: &dyn Disk, at: Position) -> io::Result<u64> {
        let mut head = [0; NUMBER_AT + 8];
        if at.at + HEAD > self.half {
            return Ok(0);
        }
        match disk.read(self.place(at), &mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
            read => read?,
        }
        Ok(if head.starts_with(&MAGIC) { u64_at(&head, NUMBER_AT) } else { 0 })
    }

    fn chain(self, half: &mut Half<'_>, thorough: bool) -> io::Result<Chain> {
        let mut chain = Chain::default();
        while let Some(record) = self.record_at(half, chain.end)? {
            chain.closed = record.kind == Kind::Closed && record.number == chain.last();
            let follows = chain.records.is_empty() || record.number == chain.last() + 1;
            if record.kind == Kind::Closed || !follows {
                break;
            }
            chain.before = chain.end;
            chain.end += padded(HEAD + record.content.len());
            chain.records.push(record);
        }
        let end = half.get(chain.end, SECTOR)?;
        let ends = chain.closed || end.is_none_or(|sector| sector.iter().all(|byte| *byte == 0));
        if thorough || !ends {
            for at in (chain.end..self.half).step_by(SECTOR) {
                if let Some(record) = self.record_at(half, at)? {
                    chain.stray = chain.stray.max(record.number);
                }
            }
        }
        Ok(chain)
    }

    fn record_at(self, half: &mut Half<'_>, at: usize) -> io::Result<Option<LogRecord>> {
        let Some(head) = half.get(at, HEAD)? else { return Ok(None) };
        if !head.starts_with(&MAGIC) {
            return Ok(None);
        }
        let len = u32_at(head, LEN_AT) as usize;
        let Some(bytes) = half.get(at, HEAD.saturating_add(len))? else { return Ok(None) };
        Ok(self.parsed(bytes))
    }

    /// The record that these bytes are, if their checksum holds and nothing in it is unknown.
    fn parsed(self, bytes: &[u8]) -> Option<LogRecord> {
        let (head, content) = bytes.split_at_checked(HEAD)?;
        if u32_at(head, SUM_AT) != self.sum(bytes) {
            return None;
        }
        let kind = match head.get(KIND_AT)? {
            1 => Kind::Changes,
            2 => Kind::Barrier,
            3 => Kind::Closed,
            _ => return None,
        };
        Some(LogRecord {
            number: u64_at(head, NUMBER_AT),
            applied: u64_at(head, APPLIED_AT),
            kind,
            content: Zeroizing::new(content.to_vec()),
        })
    }

    /// The record as it stands in the file, up to the next sector.
    pub(super) fn bytes_of(
        self,
        number: u64,
        applied: u64,
        kind: Kind,
        content: &[u8],
    ) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; padded(HEAD + content.len())]);
        let mut put = |at: usize, value: &[u8]| {
            if let Some(place) = bytes.get_mut(at..at + value.len()) {
                place.copy_from_slice(value);
            }
        };
        put(0, &MAGIC);
        put(NUMBER_AT, &number.to_le_bytes());
        put(APPLIED_AT, &applied.to_le_bytes());
        put(LEN_AT, &(content.len() as u32).to_le_bytes());
        put(KIND_AT, &[kind as u8]);
        put(HEAD, content);
        let sum = self.sum(bytes.get(..HEAD + content.len()).unwrap_or_default());
        if let Some(place) = bytes.get_mut(SUM_AT..NUMBER_AT) {
            place.copy_from_slice(&sum.to_le_bytes());
        }
        bytes
    }

    fn sum(self, record: &[u8]) -> u32 {
        let mut crc = Hasher::new_with_initial(self.seed);
        crc.update(record.get(NUMBER_AT..).unwrap_or_default());
        crc.finalize()
    }
}

/// The numbers that stand where records may come to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pulse {
    next: u64,
    other: u64,
}

impl Pulse {
    /// Whether a record has come since.
    pub(crate) fn shows_more_than(self, found: &Found) -> bool {
        self.next == found.last() + 1 || self.other > found.last()
    }
}

/// The records of one half.
#[derive(Debug, Default)]
struct Chain {
    records: Vec<LogRecord>,
    end: usize,
    /// Where the last record begins.
    before: usize,
    stray: u64,
    /// The writer closed the log behind these.
    closed: bool,
}

impl Chain {
    /// What was surely synced: the record before the last and the zeros behind it.
    fn synced(&self) -> usize {
        if self.before == 0 { 0 } else { place_behind(self.before) }
    }

    /// What was written with the last record, where nothing was before.
    fn grown(&self) -> usize {
        if self.records.is_empty() { 0 } else { place_behind(self.end) }
    }

    fn last(&self) -> u64 {
        self.records.last().map_or(0, |record| record.number)
    }
}

/// One half, read as far as it is needed.
struct Half<'a> {
    disk: &'a dyn Disk,
    place: u64,
    size: usize,
    /// Of the file.
    len: u64,
    bytes: Zeroizing<Vec<u8>>,
}

impl Half<'_> {
    /// So many bytes at this place; `None` where the half is not so long.
    fn get(&mut self, at: usize, len: usize) -> io::Result<Option<&[u8]>> {
        let Some(end) = at.checked_add(len).filter(|end| *end <= self.size) else {
            return Ok(None);
        };
        let have = self.bytes.len();
        if have < end {
            let want = end.next_multiple_of(BLOCK).max(4 * have).min(self.size);
            let mut more = Zeroizing::new(vec![0; want]);
            let (before, behind) = more.split_at_mut(have);
            before.copy_from_slice(&self.bytes);
            // Behind the end of the file there are zeros.
            let there = self.len.saturating_sub(self.place + have as u64);
            let there = behind.len().min(usize::try_from(there).unwrap_or(usize::MAX));
            if there > 0 {
                self.disk.read(self.place + have as u64, behind.split_at_mut(there).0)?;
            }
            self.bytes = more;
        }
        Ok(self.bytes.get(at..end))
    }
}

/// How far the zeros go that are written behind a record which ends here, where nothing was
/// before.
pub(super) fn place_behind(end: usize) -> usize {
    (end + SECTOR).next_multiple_of(CHUNK)
}

pub(super) fn padded(len: usize) -> usize {
    len.next_multiple_of(SECTOR)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk());
    u32::from_le_bytes(field.copied().unwrap_or_default())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk());
    u64::from_le_bytes(field.copied().unwrap_or_default())
}
