use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far a long call is: another thread reads it while the call runs. Clones share the numbers.
///
/// [`StoreOptions::progress`](crate::StoreOptions::progress) and
/// [`SourceOptions::progress`](crate::SourceOptions::progress) take one. `check`, `compact`, `scrub`,
/// `backup` and `repair` then count in it. Imports and exports pull their entities from an iterator, which
/// their caller can count.
///
/// ```
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// let progress = tgsession::Progress::default();
/// let store = tgsession::Store::options().progress(&progress).open_or_create(&path)?;
/// store.check()?;
/// assert_eq!((progress.done(), progress.total()), (0, Some(0)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    done: AtomicU64,
    /// [`UNKNOWN`] where it is not known.
    total: AtomicU64,
}

impl Default for Counts {
    fn default() -> Self {
        Self { done: AtomicU64::new(0), total: AtomicU64::new(UNKNOWN) }
    }
}

const UNKNOWN: u64 = u64::MAX;

impl Progress {
    /// Entities that are done (rows, where a legacy file is checked). It starts again with each
    /// call, and with each pass over the entities in it.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.0.done.load(Ordering::Relaxed)
    }

    /// How many there are to do, where that is known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        Some(self.0.total.load(Ordering::Relaxed)).filter(|total| *total != UNKNOWN)
    }

    /// Begins a pass.
    pub(crate) fn begin(&self, total: Option<u64>) {
        self.0.done.store(0, Ordering::Relaxed);
        self.0.total.store(total.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// One more is done.
    pub(crate) fn step(&self) {
        self.0.done.fetch_add(1, Ordering::Relaxed);
    }
}
