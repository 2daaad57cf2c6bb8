//! The file under a store: header, pages, locks, and the disk that holds them.
//!
//! FORMAT.md has the layout.

mod damage;
mod disk;
mod fields;
mod header;
mod kind;
mod locks;
#[cfg(any(test, fuzzing))]
mod memory_disk;
mod new_file;
mod open;
mod owner;
mod root_writer;
mod space;

pub(crate) use self::damage::Damage;
pub(crate) use self::disk::{Bytes, Disk, FileDisk, LockRange};
pub(crate) use self::fields::{put, u32_at, u64_at};
pub(crate) use self::header::{FORMAT_VERSION, Identity, Root, Roots};
pub(crate) use self::kind::FileKindFound;
pub(crate) use self::locks::{Pin, Readers, lock_writer};
#[cfg(any(test, fuzzing))]
pub(crate) use self::memory_disk::MemoryDisk;
pub(crate) use self::new_file::{NewFile, folder_of, random_id, sync_folder};
pub(crate) use self::open::{
    Access, OpenError, StoreFile, file_id_of, is_open_to_others, open_to_salvage,
};
pub use self::owner::Owner;
pub(crate) use self::root_writer::RootWriter;
pub(crate) use self::space::{Extent, Space, pages_of};

/// Length of a page in bytes: everything in a file begins at a multiple of it.
pub(crate) const PAGE: usize = 4096;

/// The unit in which disks write, in bytes: a write that is cut leaves each sector old or new.
pub(crate) const SECTOR: usize = 512;
