use std::path::Path;
use std::time::Duration;

use super::Store;
use super::key::{Protection, StoreKey};
use crate::engine::EngineOptions;
use crate::error::Result;
use crate::types::Progress;

/// How a store is opened or made: [`Store::options`].
///
/// ```
/// # use std::time::Duration;
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// let store = tgsession::Store::options()
///     .flush_interval(Duration::from_millis(200))
///     .wait(Duration::from_secs(5))
///     .open_or_create(&path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct StoreOptions {
    pub(super) flush_interval: Duration,
    pub(super) buffer_size: usize,
    pub(super) cache_size: usize,
    pub(super) wait: Duration,
    /// Whether the system is asked for a thread to flush in.
    pub(super) thread: bool,
    pub(super) progress: Progress,
    pub(super) key: Option<StoreKey>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            flush_interval: Duration::from_secs(1),
            buffer_size: 4 << 20,
            cache_size: 8 << 20,
            wait: Duration::ZERO,
            thread: true,
            progress: Progress::default(),
            key: None,
        }
    }
}

impl StoreOptions {
    pub(super) fn engine(&self) -> EngineOptions {
        EngineOptions {
            flush_interval: self.flush_interval,
            buffer_size: self.buffer_size,
            cache_size: self.cache_size,
            thread: self.thread,
            progress: self.progress.clone(),
        }
    }

    /// After at most how long entities, update states and sent files are on disk. One second
    /// unless set. Zero: every call that writes has its data on disk when it returns. After many new
    /// entities, while an index is written in the background, it takes up to 0.1 seconds a million longer.
    #[must_use]
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// How much memory changes may take before they are written to the file in the background, in
    /// bytes. Past twice as much, calls that write wait for the disk, and fail if it fails. What waits
    /// for a disk that fails takes at most about six times as much. Listing entities sorts those that are
    /// in memory, again after each change: milliseconds at 4 MiB. 4 MiB unless set.
    #[must_use]
    pub fn buffer_size(mut self, bytes: usize) -> Self {
        self.buffer_size = bytes;
        self
    }

    /// How much of the rows of many sessions may be kept in memory, in bytes. 8 MiB unless set.
    /// Entities are read in place and take none of it.
    #[must_use]
    pub fn cache_size(mut self, bytes: usize) -> Self {
        self.cache_size = bytes;
        self
    }

    /// How long opening waits for another process that has the store open for writing. Not at all
    /// unless set.
    #[must_use]
    pub fn wait(mut self, time: Duration) -> Self {
        self.wait = time;
        self
    }

    /// The key of an encrypted store: what opens it, and what a new store is encrypted with. A store
    /// that is not encrypted is not opened with a key.
    #[must_use]
    pub fn key(mut self, key: &StoreKey) -> Self {
        self.key = Some(key.clone());
        self
    }

    pub(crate) fn set_key(&mut self, key: Option<StoreKey>) {
        self.key = key;
    }

    /// Where `check`, `compact`, `scrub` and `backup` of this handle, and [`repair`](Self::repair), say
    /// how far they are.
    #[must_use]
    pub fn progress(mut self, progress: &Progress) -> Self {
        self.progress = progress.clone();
        self
    }

    /// As [`Store::open`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::open`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Store> {
        Store::open_with(path.as_ref(), self)
    }

    /// As [`Store::create`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::create`].
    pub fn create(&self, path: impl AsRef<Path>) -> Result<Store> {
        Store::built(path.as_ref(), self, self.protection(), |_| Ok(())).map(|(store, ())| store)
    }

    /// As [`Store::create_with`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::create_with`].
    pub fn create_with<T>(
        &self,
        path: impl AsRef<Path>,
        fill: impl FnOnce(&Store) -> Result<T>,
    ) -> Result<T> {
        Store::built(path.as_ref(), self, self.protection(), fill).map(|(_, filled)| filled)
    }

    fn protection(&self) -> Protection<'_> {
        self.key.as_ref().map_or(Protection::None, Protection::New)
    }

    /// As [`Store::open_or_create`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::open_or_create`].
    pub fn open_or_create(&self, path: impl AsRef<Path>) -> Result<Store> {
        Store::open_or_created(path.as_ref(), self)
    }

    /// As [`Store::open_read_only`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::open_read_only`].
    pub fn open_read_only(&self, path: impl AsRef<Path>) -> Result<Store> {
        Store::read_only(path.as_ref(), self)
    }
}
