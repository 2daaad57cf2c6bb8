//! The properties of a database as a whole.

use super::WriteError;

/// The properties of a database to be written.
///
/// ```
/// use tgsession::sqlite::writer::{DatabaseWriter, WriterOptions};
/// use tgsession::sqlite::{Database, OpenOptions};
///
/// let options = WriterOptions::new().page_size(1024).user_version(7);
/// let db = DatabaseWriter::new(std::io::Cursor::new(Vec::new()), &options)?;
/// let db = Database::from_bytes(db.finish()?.into_inner(), None, None, &OpenOptions::new())?;
/// assert_eq!((db.page_size(), db.user_version()), (1024, 7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WriterOptions {
    pub(super) page_size: u32,
    pub(super) user_version: i32,
    pub(super) application_id: i32,
}

impl WriterOptions {
    /// Pages of 4096 bytes; user version and application id are 0.
    #[must_use]
    pub fn new() -> Self {
        Self { page_size: 4096, user_version: 0, application_id: 0 }
    }

    /// Bytes of a page: a power of two from 512 to 65536.
    #[must_use]
    pub fn page_size(mut self, bytes: u32) -> Self {
        self.page_size = bytes;
        self
    }

    /// What `PRAGMA user_version` will give.
    #[must_use]
    pub fn user_version(mut self, version: i32) -> Self {
        self.user_version = version;
        self
    }

    /// What `PRAGMA application_id` will give.
    #[must_use]
    pub fn application_id(mut self, id: i32) -> Self {
        self.application_id = id;
        self
    }

    /// The page size, if it is one.
    pub(super) fn checked_page_size(&self) -> Result<usize, WriteError> {
        match self.page_size {
            size @ 512..=65_536 if size.is_power_of_two() => Ok(size as usize),
            found => Err(WriteError::PageSize { found }),
        }
    }
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self::new()
    }
}
