//! The bytes of a file: mapped or owned.

use std::fs::File;
use std::io;
use std::ops::Deref;

/// The main database file.
#[derive(Debug)]
pub(super) enum Image {
    Mapped(memmap2::Mmap),
    Owned(Vec<u8>),
}

impl Image {
    /// Maps a file that the caller holds SQLite's lock on.
    pub(super) fn map(file: &File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self::Owned(Vec::new()));
        }
        map(file).map(Self::Mapped)
    }
}

impl Deref for Image {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}

#[expect(
    unsafe_code,
    reason = "a map is sound while nobody changes the file under it; SQLite's shared lock, held as \
              long as the map lives, keeps every SQLite writer from doing so"
)]
fn map(file: &File) -> io::Result<memmap2::Mmap> {
    // SAFETY: see the reason above; the map is read-only and dropped before the lock.
    unsafe { memmap2::Mmap::map(file) }
}
