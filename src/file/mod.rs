//! The file under a store: header, pages, locks, and the disk that holds them.
//!
//! FORMAT.md has the layout.

mod atomic_file;
mod block_cipher;
mod damage;
mod disk;
mod fields;
mod file_kind;
mod file_status;
mod header;
mod key_slot;
mod lock_holder;
mod locks;
#[cfg(any(test, fuzzing))]
mod memory_disk;
mod open;
mod page_allocator;
mod page_size;
mod root_writer;
mod seal;

pub(crate) use self::atomic_file::{AtomicFile, folder_of, random_id, random_salt, sync_folder};
pub(crate) use self::block_cipher::{BlockCipher, SALT, Salt};
pub(crate) use self::damage::FileDamage;
#[cfg(any(test, fuzzing))]
pub(crate) use self::disk::LockRange;
pub(crate) use self::disk::{Bytes, Disk, FileDisk, none_failed_since, write_durably};
pub(crate) use self::fields::{put, u32_at, u64_at};
pub(crate) use self::file_kind::FileKindFound;
#[cfg(any(test, fuzzing))]
pub(crate) use self::header::SLOTS;
pub(crate) use self::header::{FORMAT_VERSION, Identity, Root, Roots};
#[cfg(all(any(test, fuzzing), feature = "encryption"))]
pub(crate) use self::key_slot::KEY_SLOTS;
pub(crate) use self::key_slot::{
    KeySecret, KeySlot, KeySlots, MasterKey, SlotError, SlotKind, UnlockError,
};
pub use self::lock_holder::LockHolder;
pub(crate) use self::locks::{Pin, ReaderPins, has_writer, lock_writer, unlock_writer};
#[cfg(any(test, fuzzing))]
pub(crate) use self::memory_disk::MemoryDisk;
pub(crate) use self::open::{
    Access, OpenError, StoreFile, identity_of, is_open_to_others, open_to_salvage,
};
pub(crate) use self::page_allocator::{Extent, PageAllocator, pages_of};
pub(crate) use self::page_size::{PAGE, SECTOR};
pub(crate) use self::root_writer::RootWriter;
pub(crate) use self::seal::FileSeal;

/// The vectors of this module in FORMAT.md, for the test that reads it.
#[cfg(all(test, feature = "convert"))]
pub(crate) mod vectors {
    use std::time::{Duration, SystemTime};

    use super::*;
    #[cfg(feature = "encryption")]
    pub(crate) use crate::cipher::with_known_random;

    /// Identity, root and writer stamp, without the zeros before a checksum or at the end.
    pub(crate) fn vectors(file_id: [u8; 16]) -> Vec<(&'static str, Vec<u8>)> {
        let seal = FileSeal::plain(file_id);
        let identity = Identity { file_id, is_encrypted: false };
        let log = Extent { page: 5, pages: 128 };
        let root = Root { revision: 4, generation: 2, log, salt: 6, first: 8, last: 9, pages: 21 };
        let since = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let holder = LockHolder { process: 77, host: "mars".to_owned(), since };
        let (root_bytes, disk) = (root.to_bytes(&seal).unwrap(), MemoryDisk::default());
        let identity_bytes = identity.to_bytes();
        holder.write(&disk).unwrap();
        let mut stamp = [0; SECTOR];
        disk.read(header::WRITER_STAMP_AT, &mut stamp).unwrap();
        assert_eq!(Identity::parse(&identity_bytes), Ok(identity));
        assert_eq!(Root::parse(&seal, &root_bytes), Some(root));
        assert_eq!(LockHolder::read(&disk), Some(holder));
        vec![
            ("identity", [&identity_bytes[..48], &identity_bytes[SECTOR - 4..]].concat()),
            ("root", root_bytes[..80].to_vec()),
            ("writer stamp", stamp[..36].to_vec()),
        ]
    }

    /// The seal of an encrypted file with this master key.
    #[cfg(feature = "encryption")]
    pub(crate) fn seal(file_id: [u8; 16], master: &[u8; 32]) -> FileSeal {
        let cipher = crate::cipher::Cipher::new(master).unwrap();
        FileSeal::encrypted(file_id, std::sync::Arc::new(cipher))
    }

    /// Identity, root and key slots of an encrypted file, without the zeros at the end.
    #[cfg(feature = "encryption")]
    pub(crate) fn encrypted(
        seal: &FileSeal,
        master: &[u8; 32],
        passphrase: &[u8],
        raw: [u8; 32],
    ) -> Vec<(&'static str, Vec<u8>)> {
        use crate::cipher::Costs;
        let identity = Identity { file_id: seal.file_id(), is_encrypted: true };
        let identity_bytes = identity.to_bytes();
        assert_eq!(Identity::parse(&identity_bytes), Ok(identity));
        let log = Extent { page: 5, pages: 128 };
        let root = Root { revision: 4, generation: 2, log, salt: 6, first: 8, last: 9, pages: 21 };
        let root_bytes = with_known_random(|| root.to_bytes(seal)).unwrap();
        assert_eq!(Root::parse(seal, &root_bytes), Some(root));
        let slot = |secret: &KeySecret| {
            let master = MasterKey::new(*master);
            let slot = with_known_random(|| KeySlot::new(secret, &master)).unwrap().to_bytes();
            let read = KeySlots::of(KeySlot::parse(&slot).unwrap());
            assert_eq!(read.unlock(secret), Ok((master, 0)));
            slot[..120].to_vec()
        };
        let costs = Costs { memory_kib: 8, passes: 1, lanes: 1 };
        let passphrase = KeySecret::Passphrase(passphrase.to_vec().into(), costs);
        vec![
            (
                "identity: encrypted",
                [&identity_bytes[..48], &identity_bytes[SECTOR - 4..]].concat(),
            ),
            ("key slot: passphrase", slot(&passphrase)),
            ("key slot: raw", slot(&KeySecret::Raw(raw.into()))),
            ("root: encrypted", root_bytes[..120].to_vec()),
        ]
    }
}
