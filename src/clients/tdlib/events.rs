//! The events, checked by their checksums, and the values that they leave behind.

use std::collections::BTreeMap;

use super::closed::Closed;
use crate::format::Notes;

/// The parts of an event around its data.
pub(super) const HEAD: usize = 28;
pub(super) const TAIL: usize = 4;
/// The largest event that the client writes.
const MOST: usize = 1 << 24;

/// A key and a value.
pub(super) const KEY_VALUE: i32 = 0x4327;
/// An event that is not there any more.
const EMPTY: i32 = -2;
/// From here on everything is encrypted.
pub(super) const ENCRYPTED: i32 = -3;

/// It replaces the event of the same id.
const REWRITE: i32 = 1;
/// It counts only with the next event that has not this flag.
const PARTIAL: i32 = 2;

/// An event with a right checksum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event<'a> {
    pub(super) id: u64,
    pub(super) kind: i32,
    flags: i32,
    pub(super) data: &'a [u8],
    /// All of its bytes.
    pub(super) size: usize,
}

/// The parsed beginning of some bytes.
pub(super) enum Next<'a> {
    Event(Event<'a>),
    /// Nothing, or the beginning of an event that was not written to its end.
    Unfinished,
    /// No event, in these words.
    Wrong(String),
}

pub(super) fn next(bytes: &[u8]) -> Next<'_> {
    let Some((size, _)) = bytes.split_first_chunk::<4>() else { return Next::Unfinished };
    let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
    if !(HEAD + TAIL..=MOST).contains(&size) || !size.is_multiple_of(4) {
        if bytes.iter().all(|byte| *byte == 0) {
            return Next::Unfinished;
        }
        return Next::Wrong(format!("an event of {size} bytes is invalid"));
    }
    match bytes.get(..size) {
        None => Next::Unfinished,
        Some(event) => read(event).map_or_else(
            || Next::Wrong("the checksum of an event does not hold".into()),
            Next::Event,
        ),
    }
}

/// Whether bytes begin with a whole event.
pub(super) fn starts_like(bytes: &[u8]) -> bool {
    matches!(next(bytes), Next::Event(_))
}

fn read(event: &[u8]) -> Option<Event<'_>> {
    let (content, checksum) = event.split_last_chunk::<TAIL>()?;
    if crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let mut fields = Fields::new(content);
    fields.array::<4>()?;
    let id = fields.array().map(u64::from_le_bytes)?;
    let kind = fields.array().map(i32::from_le_bytes)?;
    let flags = fields.array().map(i32::from_le_bytes)?;
    fields.array::<8>()?;
    Some(Event { id, kind, flags, data: fields.0, size: event.len() })
}

/// The events that count, by id.
#[derive(Default)]
pub(super) struct Log<'a> {
    events: BTreeMap<u64, Event<'a>>,
    pending: Vec<Event<'a>>,
    unfinished: usize,
}

impl<'a> Log<'a> {
    /// Takes one part of the log, plain.
    pub(super) fn take(&mut self, mut bytes: &'a [u8]) -> Result<(), Closed> {
        while !bytes.is_empty() {
            match next(bytes) {
                Next::Event(event) => {
                    self.event(event)?;
                    bytes = bytes.get(event.size..).unwrap_or_default();
                }
                Next::Unfinished => {
                    self.unfinished = bytes.len();
                    break;
                }
                Next::Wrong(why) => return Err(why.into()),
            }
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'a>) -> Result<(), Closed> {
        self.pending.push(event);
        if event.flags & PARTIAL != 0 {
            return Ok(());
        }
        for event in std::mem::take(&mut self.pending) {
            if event.kind < 0 && event.kind != EMPTY {
                continue;
            }
            let there = self.events.contains_key(&event.id);
            if there && event.flags & REWRITE == 0 {
                return Err(format!("event {} is there twice", event.id).into());
            }
            match event.kind {
                EMPTY => drop(self.events.remove(&event.id)),
                _ => drop(self.events.insert(event.id, event)),
            }
        }
        Ok(())
    }

    /// Notes how many bytes at the end of the log were ignored, as the client ignores them.
    pub(super) fn notes(&self, notes: &mut Notes) {
        if self.unfinished > 0 {
            let bytes = self.unfinished;
            notes.add(format!("the last {bytes} bytes are no whole event and were not read"));
        }
        if !self.pending.is_empty() {
            let count = self.pending.len();
            notes.add(format!("the last {count} events were not finished and are skipped"));
        }
    }

    /// The values of the keys; of several events of one key, the last.
    pub(super) fn values(&self) -> Result<Values<'a>, Closed> {
        let mut values = Values::new();
        for event in self.events.values().filter(|event| event.kind == KEY_VALUE) {
            let mut fields = Fields::new(event.data);
            let (Some(key), Some(value)) = (fields.bytes(), fields.bytes()) else {
                return Err(format!("event {} has no key and value", event.id).into());
            };
            values.insert(key, value);
        }
        Ok(values)
    }
}

/// The values by the log's keys.
pub(super) type Values<'a> = BTreeMap<&'a [u8], &'a [u8]>;

/// Values as TL lays them out.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    /// A byte string: its length in one byte, or 254 and the length in three, or 255 and the
    /// length in seven; zeros up to a multiple of 4.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let [short, long @ ..] = *self.0.first_chunk::<4>()?;
        let [low, middle, high] = long;
        let (head, len) = match short {
            254 => (4, u64::from(u32::from_le_bytes([low, middle, high, 0]))),
            255 => (8, u64::from_le_bytes(*self.0.first_chunk::<8>()?) >> 8),
            _ => (1, short.into()),
        };
        let end = usize::try_from(len).ok()?.checked_add(head)?;
        let (whole, rest) = self.0.split_at_checked(end.checked_next_multiple_of(4)?)?;
        self.0 = rest;
        whole.get(head..end)
    }
}
