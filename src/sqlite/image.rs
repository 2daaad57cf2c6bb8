//! The bytes of a file: mapped or owned.

use std::fs::File;
use std::io;
use std::ops::Deref;

use crate::map::Map;

/// The main database file.
#[derive(Debug)]
pub(super) enum Image {
    Mapped(Map),
    Owned(Vec<u8>),
}

impl Image {
    /// Maps a file that the caller holds SQLite's lock on, as long as the map lives.
    pub(super) fn map(file: &File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self::Owned(Vec::new()));
        }
        Map::whole(file).map(Self::Mapped)
    }
}

impl Deref for Image {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map.bytes(),
            Self::Owned(bytes) => bytes,
        }
    }
}
