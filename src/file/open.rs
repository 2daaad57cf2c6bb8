//! Opening a store's file and making one, before redb is there.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::superblock::SuperblockError;
use super::{BLOCK, Damage, FileKindFound, Superblock};

/// What a store's file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// A store's file whose superblock has been read and holds.
#[derive(Debug)]
pub(crate) struct StoreFile {
    pub(crate) file: File,
    pub(crate) superblock: Superblock,
}

/// Why a file could not be opened as a store. Nothing was written to it.
#[derive(Debug)]
pub(crate) enum OpenError {
    Io {
        doing: &'static str,
        source: io::Error,
    },
    /// It is something else; the text completes "it is ...".
    NotAStore(&'static str),
    Newer {
        found: u32,
    },
    Damaged(Damage),
}

impl StoreFile {
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self, OpenError> {
        let mut file = open_regular(path, access)?;
        let mut head = Vec::with_capacity(BLOCK);
        let read = Read::by_ref(&mut file).take(BLOCK as u64).read_to_end(&mut head);
        read.map_err(|source| OpenError::Io { doing: "read", source })?;
        match Superblock::parse(&head) {
            Ok(superblock) => Ok(Self { file, superblock }),
            Err(SuperblockError::NotOurs) => {
                Err(OpenError::NotAStore(FileKindFound::of(&head).in_words()))
            }
            Err(SuperblockError::Newer { found }) => Err(OpenError::Newer { found }),
            Err(SuperblockError::Damaged(damage)) => Err(OpenError::Damaged(damage)),
        }
    }
}

/// Opens what is an ordinary file. A folder would open and then fail to read; a pipe would block.
fn open_regular(path: &Path, access: Access) -> Result<File, OpenError> {
    let io = |doing| move |source| OpenError::Io { doing, source };
    let metadata = std::fs::metadata(path).map_err(io("open"))?;
    if metadata.is_dir() {
        return Err(OpenError::NotAStore("a folder"));
    }
    if !metadata.is_file() {
        return Err(OpenError::NotAStore("no ordinary file"));
    }
    let mut options = OpenOptions::new();
    options.read(true).write(access == Access::Write).open(path).map_err(io("open"))
}

/// A new file under a temporary name in the folder of `path`, for its owner's eyes only, with a
/// superblock in it. It is removed again unless [`put_in_place`] names it `path`.
pub(crate) fn in_place_of(path: &Path) -> io::Result<(NamedTempFile, Superblock)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".tmp")
        .tempfile_in(folder_of(path))?;
    let superblock = Superblock { file_id: random_id() };
    temporary.as_file().write_all(&superblock.to_bytes())?;
    Ok((temporary, superblock))
}

/// Gives the file its name, which must be free, and makes both durable.
pub(crate) fn put_in_place(temporary: NamedTempFile, path: &Path) -> io::Result<()> {
    temporary.as_file().sync_all()?;
    temporary.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(folder_of(path))
}

/// The folder that an entry of this path lies in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A name is durable only once its folder is. Only Unix lets a folder be synced.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Sixteen bytes that no other file has: the standard library's per-process random keys, the
/// process and the time.
fn random_id() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    let time = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    let half = || RandomState::new().hash_one((time, std::process::id()));
    let mut id = [0; 16];
    let (low, high) = id.split_at_mut(8);
    low.copy_from_slice(&half().to_le_bytes());
    high.copy_from_slice(&half().to_le_bytes());
    id
}
