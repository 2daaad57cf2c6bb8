//! A store that is open for reading only, perhaps beside a writer in another process.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::error::{EngineError, EngineResult};
use super::log_rows::rows_of;
use super::memtable::Memtable;
use super::version::{Opener, Version};
use super::view::{SuperVersion, View};
use super::write::{check_length, replay};
use crate::error::Result;
use crate::file::{Disk, FileDamage, FileSeal, Pin, Root, Roots, has_writer};
use crate::types::Progress;
use crate::wal::{Found, Log, Tail};

/// Apparent damage may be a write in progress. The reader retries this many times, with a pause if
/// there is a writer.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(4);

/// A store that is open for reading only. It writes nothing, and sees what the writer has logged.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    opener: Opener,
    loaded: Mutex<Option<Loaded>>,
}

/// What was read last. Between calls it is not pinned: a reader that does nothing costs no space.
#[derive(Debug)]
struct Loaded {
    root: Root,
    log: Log,
    tail: Tail,
    memtable: Arc<Memtable>,
    version: Arc<Version>,
}

impl Follower {
    /// Opens the store on this disk.
    pub(crate) fn open(
        path: &Path,
        disk: Arc<dyn Disk>,
        seal: FileSeal,
        cache: usize,
    ) -> Result<Self> {
        let opener = Opener::new(disk, seal, cache, Progress::default());
        let follower = Self { path: path.to_owned(), opener, loaded: Mutex::default() };
        follower.current()?;
        Ok(follower)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The rows as they are now, whatever is written from now on.
    pub(crate) fn view(&self) -> Result<View> {
        Ok(View::of(self.current()?))
    }

    /// The newest version of each row.
    pub(crate) fn latest(&self) -> Result<View> {
        Ok(View::latest(self.current()?))
    }

    fn current(&self) -> Result<Arc<SuperVersion>> {
        super::error::caught(|| self.refreshed()).map_err(|error| error.at(&self.path))
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        self.opener.disk.as_ref()
    }

    fn refreshed(&self) -> EngineResult<Arc<SuperVersion>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tries = 1;
        loop {
            match self.follow(&mut loaded) {
                Err(error) if tries < TRIES && may_be_half_written(&error) => {
                    tries += 1;
                    if has_writer(self.disk()) {
                        std::thread::sleep(PAUSE);
                    }
                }
                followed => return followed,
            }
        }
    }

    fn follow(&self, loaded: &mut Option<Loaded>) -> EngineResult<Arc<SuperVersion>> {
        if let Some(loaded) = loaded {
            let pin = self.opener.readers.pin(loaded.root.generation)?;
            let (root, _) = self.root()?;
            if root.is_of_generation(&loaded.root) {
                self.read_on(loaded, &root)?;
                return Ok(loaded.current(pin));
            }
        }
        let (root, _) = self.root()?;
        let pin = self.opener.readers.pin(root.generation)?;
        // Only a generation that is still current once it is pinned keeps its pages.
        if !self.root()?.0.is_of_generation(&root) {
            return Err(overtaken());
        }
        let new = self.load(root, loaded.as_ref())?;
        Ok(loaded.insert(new).current(pin))
    }

    fn root(&self) -> EngineResult<(Root, usize)> {
        Ok(Roots::read(self.disk(), &self.opener.seal)?.current()?)
    }

    /// Takes in what was logged since.
    fn read_on(&self, loaded: &mut Loaded, root: &Root) -> EngineResult<()> {
        let mut records = Vec::new();
        let tail = loaded.log.read_on(self.disk(), loaded.tail, &mut records)?;
        let rows: EngineResult<Vec<_>> =
            records.iter().map(|record| Ok((rows_of(&record.content)?, record.sequence))).collect();
        for (rows, sequence) in rows? {
            loaded.memtable.replay(rows, sequence);
        }
        loaded.tail = tail;
        let gap = tail.last < root.last
            || !tail.marked && loaded.log.has_gap_behind(self.disk(), tail)?;
        if gap { Err(FileDamage::Log { number: tail.last + 1 }.into()) } else { Ok(()) }
    }

    fn load(&self, root: Root, before: Option<&Loaded>) -> EngineResult<Loaded> {
        check_length(self.disk(), &root)?;
        let log = Log::of(&self.opener.seal, &root);
        let Found { records, tail } = log.read(self.disk(), &root)?;
        let (manifest, memtable) = replay(&self.opener.seal, &records)?;
        let before = before.map(|before| before.version.as_ref());
        let version = self.opener.open(&manifest, before)?;
        let memtable = Arc::new(memtable);
        Ok(Loaded { root, log, tail, memtable, version })
    }

    /// Everything that is wrong with header, log, segments and base.
    pub(crate) fn damage(&self) -> Result<Vec<String>> {
        let current = self.current()?;
        let damage = || {
            let (root, _) = self.root()?;
            super::check::file_damage(&self.opener, &root, &current.version)
        };
        damage().map_err(|error: EngineError| error.at(&self.path))
    }
}

/// A writer made another generation while this one was being opened.
fn overtaken() -> EngineError {
    let what = "a writer replaces the current generation faster than it can be opened; try again";
    EngineError::Disk(io::Error::new(ErrorKind::WouldBlock, what))
}

/// A writer may have been at work, or have cut the file in the meantime.
fn may_be_half_written(error: &EngineError) -> bool {
    let by_writer = [ErrorKind::UnexpectedEof, ErrorKind::WouldBlock];
    error.is_damage()
        || matches!(error, EngineError::Disk(error) if by_writer.contains(&error.kind()))
}

impl Loaded {
    fn current(&self, pin: Pin) -> Arc<SuperVersion> {
        Arc::new(SuperVersion {
            memtables: vec![Arc::clone(&self.memtable)],
            log_only: Arc::new(Memtable::after(0)),
            version: Arc::clone(&self.version),
            pin: Arc::new(pin),
        })
    }
}
