//! A payload as a cell, and on overflow pages what the cell may not hold (sections 1.6, 1.7).

use std::io::{Seek, Write};

use zeroize::Zeroizing;

use super::super::page::Kind;
use super::super::payload::Local;
use super::WriteError;
use super::record::{make_room, put_varint};
use super::sink::Sink;

/// Makes the cells of one tree.
#[derive(Debug)]
pub(super) struct Cells {
    local: Local,
    cell: Zeroizing<Vec<u8>>,
}

impl Cells {
    pub(super) fn new(page_size: usize) -> Self {
        let usable = u32::try_from(page_size).unwrap_or_default();
        Self { local: Local::new(usable, MOST_BYTES as u64), cell: Zeroizing::default() }
    }

    /// The cell of a row of a table; `payload` has at most [`MOST_BYTES`].
    pub(super) fn of_row<W: Write + Seek>(
        &mut self,
        sink: &mut Sink<W>,
        rowid: i64,
        payload: &[u8],
    ) -> Result<&[u8], WriteError> {
        self.begin(payload);
        put_varint(&mut self.cell, rowid.cast_unsigned());
        self.finish(sink, Kind::Table, payload)
    }

    /// The content of a cell of an index, leaf or not; `payload` has at most [`MOST_BYTES`].
    pub(super) fn of_key<W: Write + Seek>(
        &mut self,
        sink: &mut Sink<W>,
        payload: &[u8],
    ) -> Result<&[u8], WriteError> {
        self.begin(payload);
        self.finish(sink, Kind::Index, payload)
    }

    fn begin(&mut self, payload: &[u8]) {
        make_room(&mut self.cell, payload.len().saturating_add(MOST_AROUND));
        put_varint(&mut self.cell, payload.len() as u64);
    }

    fn finish<W: Write + Seek>(
        &mut self,
        sink: &mut Sink<W>,
        kind: Kind,
        payload: &[u8],
    ) -> Result<&[u8], WriteError> {
        let total = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let (here, far) = payload.split_at(self.local.of(kind, total) as usize);
        self.cell.extend_from_slice(here);
        if !far.is_empty() {
            let first = sink.overflow(far)?;
            self.cell.extend(first.to_be_bytes());
        }
        Ok(&self.cell)
    }
}

/// `SQLITE_MAX_LENGTH`: the longest row that SQLite reads.
pub(super) const MOST_BYTES: usize = 1_000_000_000;

/// Two varints and a page number.
const MOST_AROUND: usize = 9 + 9 + 4;
