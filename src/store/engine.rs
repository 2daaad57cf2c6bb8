//! The engine of a store: changes are made in memory, where readers see them at once, and brought
//! to the disk together.

use std::path::Path;
use std::sync::Arc;

use super::core::{Core, locked};
use super::direct::Direct;
use super::fault::{Fault, Step};
use super::files::{self, Medium};
use super::follower::Follower;
use super::image::Image;
use super::options::StoreOptions;
use super::view::{Batch, View};
use crate::error::{Error, Result};
use crate::file::{Access, Damage, Disk, Kind, Log, LogWriter};

/// When the data of a call is to be on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Within the flush interval.
    Soon,
    /// When the call returns.
    Now,
}

/// One opened store. What it holds in memory is on disk when it is dropped.
pub(super) enum Engine {
    Writer(Arc<Core>),
    Reader(Box<Reader>),
}

/// A store opened for reading only.
pub(super) struct Reader {
    path: std::path::PathBuf,
    image: Image,
    follower: Follower,
    cache_size: usize,
}

impl Engine {
    /// The engine of the store on this disk. Who writes holds the lock from here on.
    pub(super) fn new(
        path: &Path,
        medium: Medium,
        access: Access,
        options: &StoreOptions,
    ) -> Result<Self> {
        let (log, disk) = (Log::new(medium.superblock), Arc::clone(&medium.disk));
        let image = Image::new(path, medium, access, options.cache_size);
        match access {
            Access::Write => {
                files::lock(disk.as_ref(), path)?;
                let core = Arc::new(open(path, disk, image, options, log)?);
                core.settle()?;
                Ok(Self::Writer(core))
            }
            Access::Read => {
                let follower = Follower::new(disk, log);
                image.guarded(|| follower.moment(&image).map(drop))?;
                let (path, cache_size) = (path.to_owned(), options.cache_size);
                Ok(Self::Reader(Box::new(Reader { path, image, follower, cache_size })))
            }
        }
    }

    /// Makes the engine of a new store on a disk with nothing but its superblock.
    pub(super) fn make(path: &Path, medium: Medium, options: &StoreOptions) -> Result<Self> {
        let mut log = LogWriter::begin(Log::new(medium.superblock));
        let begun = log.append(medium.disk.as_ref(), 0, Kind::Changes, &[]);
        begun.map_err(|source| Error::io("create", path, source))?;
        Self::new(path, medium, Access::Write, options)
    }

    fn image(&self) -> &Image {
        match self {
            Self::Writer(core) => &core.image,
            Self::Reader(reader) => &reader.image,
        }
    }

    /// Finds out whether the file has all that its header says.
    pub(super) fn check_length(&self) -> Result<()> {
        let image = self.image();
        image.guarded(|| image.is_unfinished()).map(drop)
    }

    /// Everything that is wrong with the sectors of runs.
    pub(super) fn bad_sectors(&self) -> Result<Vec<Damage>> {
        let image = self.image();
        image.guarded(|| image.bad_sectors())
    }

    /// What is wrong with the log, looked through from end to end.
    pub(super) fn check_log(&self) -> Result<Option<String>> {
        match self {
            Self::Writer(core) => core.check_log(),
            Self::Reader(reader) => {
                reader.image.guarded(|| reader.follower.check_log(&reader.image))
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Writer(core) => core.path(),
            Self::Reader(reader) => &reader.path,
        }
    }

    pub(super) fn cache_size(&self) -> usize {
        match self {
            Self::Writer(core) => core.options.cache_size,
            Self::Reader(reader) => reader.cache_size,
        }
    }

    /// How many of the header's two copies were whole when the file was opened.
    pub(super) fn whole_heads(&self) -> Result<usize> {
        let image = self.image();
        image.guarded(|| image.whole_heads())
    }

    /// Runs `work` on the rows as they stand. A row that is looked up is as of that moment, and
    /// so is a stretch of rows that is walked over.
    pub(super) fn read<T>(&self, work: impl FnOnce(&View<'_>) -> Step<T>) -> Result<T> {
        match self {
            Self::Writer(core) => core.guarded(|| work(&View::Live(core))),
            // Another process may have committed since the last call.
            Self::Reader(reader) => {
                reader.image.guarded(|| work(&View::Moment(reader.follower.moment(&reader.image)?)))
            }
        }
    }

    /// As [`Engine::read`], for what looks up several rows that must fit.
    pub(super) fn read_together<T>(&self, work: impl Fn(&View<'_>) -> Step<T>) -> Result<T> {
        let Self::Writer(core) = self else { return self.read(work) };
        // A change in between is rare, and so many in a row are not to be expected.
        for _ in 0..100 {
            let before = core.moves();
            let done = self.read(&work);
            if core.moves() == before {
                return done;
            }
        }
        let _nobody_writes = locked(&core.writer);
        self.read(work)
    }

    fn writer(&self) -> Result<&Arc<Core>> {
        match self {
            Self::Writer(core) => Ok(core),
            Self::Reader(reader) => Err(Error::ReadOnly { path: reader.path.clone() }),
        }
    }

    /// Makes the changes of `work` all at once; on any error of it none of them.
    pub(super) fn write<T>(
        &self,
        keep: Keep,
        work: impl FnOnce(&mut Batch<'_>) -> Step<T>,
    ) -> Result<T> {
        let core = self.writer()?;
        core.report_failure()?;
        core.make_room()?;
        let writer = locked(&core.writer);
        let (done, changes) = core.guarded(|| {
            let view = View::Live(core);
            let mut batch = Batch::new(&view);
            let done = work(&mut batch)?;
            Ok((done, batch.into_changes()))
        })?;
        let applied = core.apply(changes);
        drop(writer);
        if keep == Keep::Now || core.options.flush_interval.is_zero() {
            core.keep(applied)?;
        } else if applied.is_some_and(|applied| applied.first || core.flusher.has_no_thread()) {
            core.flusher.expect(core);
        }
        Ok(done)
    }

    /// Runs `work` in one transaction of the tables themselves, for what is too large for memory.
    pub(super) fn direct<T>(&self, work: impl FnOnce(&mut Direct<'_, '_>) -> Step<T>) -> Result<T> {
        let core = self.writer()?;
        core.report_failure()?;
        core.direct(|transaction, runs| {
            let mut direct = Direct::new(transaction, runs);
            let done = work(&mut direct)?;
            direct.finish()?;
            Ok(done)
        })
    }

    /// The rows as of this moment, whatever is written from now on.
    pub(super) fn freeze(&self) -> Result<View<'_>> {
        Ok(View::Moment(match self {
            Self::Writer(core) => core.guarded(|| core.freeze())?,
            Self::Reader(reader) => {
                reader.image.guarded(|| reader.follower.moment(&reader.image))?
            }
        }))
    }

    /// Makes the file as short as what is in it allows.
    pub(super) fn compact(&self) -> Result<()> {
        self.writer()?.compact()
    }

    /// Notes that much was removed.
    pub(super) fn note_removal(&self) {
        if let Self::Writer(core) = self {
            core.note_removal();
        }
    }

    /// Brings everything written so far to the disk.
    pub(super) fn flush(&self) -> Result<()> {
        self.writer().map_or(Ok(()), Core::flush)
    }
}

/// Reads the log. The image is opened only where it alone can say what of the log counts.
fn open(
    path: &Path,
    disk: Arc<dyn Disk>,
    image: Image,
    options: &StoreOptions,
    log: Log,
) -> Result<Core> {
    let found = log.read(disk.as_ref(), false);
    let found = found.map_err(|source| Error::io("read", path, source))?;
    image.set_optional(found.is_complete());
    let mut applied = found.applied();
    if found.needs_image() {
        let below = image.guarded(|| image.begin_read()?.map_or(Ok(0), |below| below.applied()))?;
        applied = applied.max(below);
    }
    let core = Core::new(path, disk, image, options, (log, &found, applied));
    core.map_err(|fault: Fault| fault.at(path, None))
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Self::Writer(core) = self else { return };
        core.flusher.stop();
        if let Err(error) = core.flush() {
            tracing::error!(path = %core.path().display(), %error, "not everything could be written at the end");
        } else {
            core.tidy();
            core.close_log();
        }
    }
}
