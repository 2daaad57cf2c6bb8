//! A disk on which everything can be written and nothing is: writes stay in memory.
//!
//! A store whose last writer was killed must be recovered before it can be read, and recovering
//! writes. On an overlay a reading command recovers a store without changing a byte of it.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::BackendError;

use super::blocks::Disk;

/// Writes are kept in pieces of this length.
const PIECE: usize = 4096;

/// `disk` with all writes kept in memory.
#[derive(Debug)]
pub(crate) struct Overlay<D> {
    disk: D,
    /// Whether locks are taken on the disk. Where it cannot be written, nobody writes it, and
    /// every lock is granted.
    locks: bool,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    len: u64,
    /// Where the disk's own content ends: the shortest that the overlay has been.
    disk_len: u64,
    pieces: BTreeMap<u64, Box<[u8; PIECE]>>,
}

impl<D: Disk> Overlay<D> {
    pub(crate) fn new(disk: D, locks: bool) -> io::Result<Self> {
        let len = disk.len()?;
        let written = Mutex::new(Written { len, disk_len: len, pieces: BTreeMap::new() });
        Ok(Self { disk, locks, written })
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The piece as it stands: as written, else from the disk, else zeros.
    fn piece(&self, written: &Written, number: u64) -> io::Result<Box<[u8; PIECE]>> {
        if let Some(piece) = written.pieces.get(&number) {
            return Ok(piece.clone());
        }
        let mut piece = Box::new([0; PIECE]);
        let start = number * PIECE as u64;
        let on_disk = written.disk_len.saturating_sub(start).min(PIECE as u64) as usize;
        if on_disk > 0 {
            self.disk.read(start, piece.split_at_mut(on_disk).0)?;
        }
        Ok(piece)
    }
}

/// Cuts `len` bytes at `offset` into parts: (piece, where in the piece, how many).
fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let end = offset + len as u64;
    let mut at = offset;
    std::iter::from_fn(move || {
        let within = (at % PIECE as u64) as usize;
        let count = (end.saturating_sub(at)).min((PIECE - within) as u64) as usize;
        let part = (count > 0).then_some((at / PIECE as u64, within, count));
        at += count as u64;
        part
    })
}

impl<D: Disk> Disk for Overlay<D> {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > written.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut rest = out;
        for (number, within, count) in parts(offset, rest.len()) {
            let (place, behind) = rest.split_at_mut(count);
            let piece = self.piece(&written, number)?;
            place.copy_from_slice(piece.get(within..within + count).unwrap_or_default());
            rest = behind;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.written();
        written.len = len;
        written.disk_len = written.disk_len.min(len);
        let ends_in = len / PIECE as u64;
        written.pieces.retain(|number, _| *number <= ends_in);
        if let Some(last) = written.pieces.get_mut(&ends_in) {
            last.split_at_mut((len % PIECE as u64) as usize).1.fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        let mut rest = data;
        for (number, within, count) in parts(offset, data.len()) {
            let (bytes, behind) = rest.split_at(count);
            let mut piece = self.piece(&written, number)?;
            if let Some(place) = piece.get_mut(within..within + count) {
                place.copy_from_slice(bytes);
            }
            written.pieces.insert(number, piece);
            rest = behind;
        }
        written.len = written.len.max(offset + data.len() as u64);
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.disk.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if self.locks { self.disk.try_lock_range(start, end) } else { Ok(true) }
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        if self.locks { self.disk.try_lock_shared_range(start, end) } else { Ok(true) }
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if self.locks { self.disk.lock_range(start, end) } else { Ok(()) }
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if self.locks { self.disk.lock_shared_range(start, end) } else { Ok(()) }
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if self.locks { self.disk.unlock_range(start, end) } else { Ok(()) }
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if self.locks { self.disk.query_lock_range(start, end) } else { Ok(false) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use redb::backends::InMemoryBackend;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, Vec<u8>),
        SetLen(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..20_000u64, prop::collection::vec(any::<u8>(), 0..6_000))
                .prop_map(|(at, data)| Step::Write(at, data)),
            (0..26_000u64).prop_map(Step::SetLen),
        ]
    }

    proptest! {
        #[test]
        fn an_overlay_reads_as_what_it_covers_with_the_writes_in_it(
            base in prop::collection::vec(any::<u8>(), 0..15_000),
            steps in prop::collection::vec(step(), 0..12),
        ) {
            let disk = InMemoryBackend::new();
            disk.set_len(base.len() as u64).unwrap();
            disk.write(0, &base).unwrap();
            let overlay = Overlay::new(disk, false).unwrap();
            let mut plain = base.clone();
            for step in steps {
                match step {
                    Step::Write(at, data) => {
                        overlay.write(at, &data).unwrap();
                        let end = at as usize + data.len();
                        if plain.len() < end { plain.resize(end, 0); }
                        plain[at as usize..end].copy_from_slice(&data);
                    }
                    Step::SetLen(len) => {
                        overlay.set_len(len).unwrap();
                        plain.resize(len as usize, 0);
                    }
                }
                prop_assert_eq!(overlay.len().unwrap(), plain.len() as u64);
                let mut read = vec![0; plain.len()];
                overlay.read(0, &mut read).unwrap();
                prop_assert!(read == plain);
            }
            let mut below = vec![0; base.len()];
            overlay.disk.read(0, &mut below).unwrap();
            prop_assert!(below == base, "the covered disk was written");
        }
    }
}
