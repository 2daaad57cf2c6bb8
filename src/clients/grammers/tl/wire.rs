//! Values as TL lays them out: little-endian, byte strings padded to 4.

use zeroize::Zeroizing;

pub(super) use crate::clients::ended::Ended;

/// Where the next value is taken from.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes were not taken yet.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Ended> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Ended)?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Ended> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Ended> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, Ended> {
        self.array().map(i64::from_le_bytes)
    }

    /// A byte string: its length in one byte, or 254 and the length in three; then as many, and
    /// zeros up to a multiple of 4.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Ended> {
        let [short, long @ ..] = *self.rest.first_chunk::<4>().ok_or(Ended)?;
        let [low, middle, high] = long;
        let (head, len) = match short {
            LONG => (4, u32::from_le_bytes([low, middle, high, 0])),
            _ => (1, short.into()),
        };
        let len = usize::try_from(len).map_err(|_| Ended)?;
        let (whole, rest) =
            self.rest.split_at_checked((head + len).next_multiple_of(4)).ok_or(Ended)?;
        self.rest = rest;
        whole.get(head..head + len).ok_or(Ended)
    }
}

/// Where values are put. The bytes are wiped when it is dropped.
pub(super) struct Writer {
    bytes: Zeroizing<Vec<u8>>,
}

impl Writer {
    /// A writer with room for `len` bytes: up to that, no copy of a key is left behind.
    pub(super) fn with_room(len: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(len)) }
    }

    pub(super) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    pub(super) fn i32(&mut self, value: i32) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    pub(super) fn i64(&mut self, value: i64) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    /// A key as a byte string: 256 bytes need no padding.
    pub(super) fn key(&mut self, key: &[u8; 256]) -> &mut Self {
        self.raw(&[LONG, 0, 1, 0]).raw(key)
    }
}

/// In place of a length: the length follows in three bytes.
const LONG: u8 = 254;
