//! Memory maps of files.

use std::fs::File;
use std::io;

/// A stretch of a file, mapped for reading.
#[derive(Debug)]
pub(crate) struct Map(memmap2::Mmap);

impl Map {
    /// Maps the whole of a file that is not empty. The caller holds the lock that the
    /// file's writers respect, so that no process changes or truncates it while the map exists.
    pub(crate) fn whole(file: &File) -> io::Result<Self> {
        map(&memmap2::MmapOptions::new(), file).map(Self)
    }

    /// Maps `len` bytes of a file of `file_len` bytes, from `offset` on, under the same condition.
    pub(crate) fn part(file: &File, file_len: u64, offset: u64, len: usize) -> io::Result<Self> {
        if offset.checked_add(len as u64).is_none_or(|end| end > file_len) {
            // Behind the end of a file there is no memory to look at.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        map(memmap2::MmapOptions::new().offset(offset).len(len), file).map(Self)
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[expect(
    unsafe_code,
    reason = "a map is sound while the file under it does not change. SQLite's shared lock ensures \
              that for a SQLite file. The place of a segment in a store is not reused before every \
              handle and every other reader has released it"
)]
fn map(options: &memmap2::MmapOptions, file: &File) -> io::Result<memmap2::Mmap> {
    // SAFETY: see the reason above; the map is read-only.
    unsafe { options.map(file) }
}
