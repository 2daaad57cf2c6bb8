//! Opening a store's file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use super::header::{HeaderError, file_id_of_roots};
use super::{FileDamage, FileKindFound, Identity, KeySlots, PAGE};

/// The purpose of opening a store's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// A store's file whose identity has been read.
#[derive(Debug)]
pub(crate) struct StoreFile {
    pub(crate) file: File,
    pub(crate) identity: Identity,
    /// Of an encrypted file.
    pub(crate) key_slots: KeySlots,
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
    OtherVersion {
        found: u32,
    },
    OtherCipher {
        found: u32,
    },
    Damaged(FileDamage),
}

impl StoreFile {
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self, OpenError> {
        let mut file = open_regular(path, access)?;
        let mut head = Vec::with_capacity(PAGE);
        let read = Read::by_ref(&mut file).take(PAGE as u64).read_to_end(&mut head);
        read.map_err(|source| OpenError::Io { doing: "read", source })?;
        match Identity::parse(&head) {
            Ok(identity) => {
                let key_slots = if identity.is_encrypted {
                    KeySlots::parse(&head)
                } else {
                    KeySlots::default()
                };
                Ok(Self { file, identity, key_slots })
            }
            Err(HeaderError::NotOurs) => {
                Err(OpenError::NotAStore(FileKindFound::of(&head).in_words()))
            }
            Err(HeaderError::OtherVersion { found }) => Err(OpenError::OtherVersion { found }),
            Err(HeaderError::OtherCipher { found }) => Err(OpenError::OtherCipher { found }),
            Err(HeaderError::Damaged(damage)) => Err(OpenError::Damaged(damage)),
        }
    }
}

/// Opens a file that may be a damaged store.
pub(crate) fn open_to_salvage(path: &Path) -> Result<File, OpenError> {
    open_regular(path, Access::Read)
}

/// The identity of the store that begins like this, though its first sector may be damaged.
pub(crate) fn identity_of(head: &[u8]) -> Result<Identity, OpenError> {
    match Identity::parse(head) {
        Ok(identity) => Ok(identity),
        Err(HeaderError::OtherVersion { found }) => Err(OpenError::OtherVersion { found }),
        Err(HeaderError::OtherCipher { found }) => Err(OpenError::OtherCipher { found }),
        Err(HeaderError::NotOurs | HeaderError::Damaged(_)) => {
            let file_id = file_id_of_roots(head)
                .ok_or_else(|| OpenError::NotAStore(FileKindFound::of(head).in_words()))?;
            // Only an encrypted file has key slots.
            Ok(Identity { file_id, is_encrypted: !KeySlots::parse(head).is_empty() })
        }
    }
}

/// Opens an ordinary file. A directory would open and then fail to read; a pipe would block.
fn open_regular(path: &Path, access: Access) -> Result<File, OpenError> {
    let io = |doing| move |source| OpenError::Io { doing, source };
    let metadata = std::fs::metadata(path).map_err(io("open"))?;
    if metadata.is_dir() {
        return Err(OpenError::NotAStore("a directory"));
    }
    if !metadata.is_file() {
        return Err(OpenError::NotAStore("not a regular file"));
    }
    let mut options = OpenOptions::new();
    options.read(true).write(access == Access::Write).open(path).map_err(io("open"))
}

/// Whether others than the owner may read the file.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    #[cfg(unix)]
    if let Ok(metadata) = path.metadata() {
        use std::os::unix::fs::PermissionsExt;
        return metadata.permissions().mode() & 0o077 != 0;
    }
    let _ = path;
    false
}
