//! Refuses an output path that would destroy a session: a source, a store, a file in use.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};
use crate::source::STDIN;

/// The inputs of a command, which its outputs must not be.
#[derive(Default)]
pub(crate) struct Inputs {
    files: Vec<(PathBuf, Identity)>,
    directories: Vec<(PathBuf, PathBuf)>,
}

impl Inputs {
    /// The inputs at these paths; a path without a file is no input.
    pub(crate) fn of<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut inputs = Self::default();
        paths.into_iter().for_each(|path| inputs.add(path));
        inputs
    }

    fn add(&mut self, path: &Path) {
        if path.as_os_str() == STDIN {
            return;
        }
        if path.is_dir() {
            // Of Telegram Desktop's directory only this part is a session.
            let tdata = Some(path.join("tdata")).filter(|tdata| tdata.is_dir());
            let session = tdata.unwrap_or_else(|| path.to_owned());
            let real = fs::canonicalize(&session).unwrap_or_else(|_| session.clone());
            self.directories.push((session, real));
        }
        self.files.extend(identity(path).map(|identity| (path.to_owned(), identity)));
        for side in SIDES {
            let side = with_ending(path, side);
            self.files.extend(identity(&side).map(|identity| (side.clone(), identity)));
        }
    }

    /// Refuses a target that is one of the inputs, through links too, or lies in one.
    pub(crate) fn refuse(&self, target: &Path) -> Outcome {
        let shown = target.display();
        if let Some(found) = identity(target)
            && let Some((input, _)) = self.files.iter().find(|(_, input)| *input == found)
        {
            return refused(format!(
                "{shown}: it is the same file as the source {}; choose another path",
                input.display()
            ));
        }
        let parent = fs::canonicalize(directory_of(target)).unwrap_or_default();
        match self.directories.iter().find(|(_, real)| parent.starts_with(real)) {
            Some((input, _)) => refused(format!(
                "{shown}: it lies inside the source {}; choose a path outside of it",
                input.display()
            )),
            None => Ok(()),
        }
    }

    /// Refuses a target whose replacement would destroy something, whatever the flags say.
    pub(crate) fn refuse_to_replace(&self, target: &Path) -> Outcome {
        self.replaceable(target).map_err(|failure| match failure {
            Failure::Refused(text) => {
                Failure::Refused(format!("{text} (--force does not change that)"))
            }
            failure => failure,
        })
    }

    fn replaceable(&self, target: &Path) -> Outcome {
        self.refuse(target)?;
        let shown = target.display();
        if is_store(target) {
            return refused(format!(
                "{shown}: it is a tgsession store, and stores are not overwritten; choose another path, \
                 or delete the store first"
            ));
        }
        // A rename would put a file in the place of the device or pipe.
        if fs::metadata(target).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return refused(format!(
                "{shown}: it is not a regular file; choose another path, or - for standard output"
            ));
        }
        // SQLite would apply the old log to the new database.
        for side in SIDES.iter().take(2).map(|side| with_ending(target, side)) {
            if fs::metadata(&side).is_ok_and(|side| side.len() > 0) {
                return refused(format!(
                    "{shown}: {} is not empty: a client has the file open, or was killed; close the \
                     client (start and close it once if it was killed), or choose another path",
                    side.display()
                ));
            }
        }
        match user_of(target) {
            Some(process) => refused(format!(
                "{shown}: process {process} has it open; stop that process, or choose another path"
            )),
            None => Ok(()),
        }
    }
}

/// Whether two paths name one file, or would.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let directory = fs::canonicalize(directory_of(path)).ok()?;
        Some(directory.join(path.file_name()?))
    };
    let same = identity(one).is_some_and(|one| Some(one) == identity(other));
    same || place(one).is_some_and(|one| Some(one) == place(other))
}

fn refused<T>(text: String) -> Outcome<T> {
    Err(Failure::Refused(text))
}

/// What SQLite keeps beside a database: its two logs first, then their index.
const SIDES: [&str; 3] = ["-wal", "-journal", "-shm"];

/// `path` with something after its name.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// The directory in which a path lies.
pub(crate) fn directory_of(path: &Path) -> &Path {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    directory.unwrap_or(Path::new("."))
}

/// Whether a file begins as every store does, be it whole or not.
pub(crate) fn is_store(path: &Path) -> bool {
    starts_with(path, b"\x89tgsession\r\n\x1a\n")
}

/// Whether a regular file begins with these bytes. A pipe would block, and is none.
pub(crate) fn starts_with(path: &Path, magic: &[u8]) -> bool {
    let regular = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let mut head = vec![0; magic.len()];
    regular
        && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
        && head == magic
}

#[cfg(unix)]
type Identity = (u64, u64);

/// Device and inode, through links.
#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;

    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
type Identity = PathBuf;

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    fs::canonicalize(path).ok()
}

/// Another process that has the file open, as far as this user may know.
#[cfg(target_os = "linux")]
fn user_of(path: &Path) -> Option<u32> {
    let wanted = identity(path)?;
    let own = std::process::id();
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let number: u32 = process.file_name().to_str()?.parse().ok()?;
        let mut files = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        let open = number != own && files.any(|file| identity(&file.path()) == Some(wanted));
        open.then_some(number)
    })
}

#[cfg(not(target_os = "linux"))]
fn user_of(_: &Path) -> Option<u32> {
    None
}
