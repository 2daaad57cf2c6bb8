//! The first 4 KiB: whose file this is, in which format, and how its blocks are sealed.

use super::log::{LOG_STEP, LONGEST_LOG};
use super::{BLOCK, Damage};

/// The format this build writes, and the newest that it reads.
pub(crate) const FORMAT_VERSION: u32 = 3;

/// A byte above 127, the name, both line ends and a DOS end-of-file: a transfer that changes any
/// of them shows at once.
pub(super) const MAGIC: [u8; 16] = *b"\x89tgsession\r\n\x1a\n\0\0";

/// Seals are CRC-32, four bytes behind each block.
const SEAL_CRC32: u32 = 1;

const VERSION_AT: usize = 16;
const BLOCK_AT: usize = 20;
const SEAL_AT: usize = 24;
const FILE_ID_AT: usize = 32;
const LOG_AT: usize = 48;
const CHECKSUM_AT: usize = BLOCK - 4;

/// The superblock of a store, parsed. It is written once, when the file is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Superblock {
    /// Random, so that a block of another store does not pass for one of this.
    pub(crate) file_id: [u8; 16],
    /// Length of the log behind the superblock in bytes.
    pub(crate) log: u32,
}

/// What the first bytes of a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SuperblockError {
    /// The file is not a store.
    NotOurs,
    /// It is a store of a format that this build does not know.
    Newer { found: u32 },
    /// It is a store, and its superblock is damaged.
    Damaged(Damage),
}

impl Superblock {
    /// Where the engine's image begins in the file: behind superblock and log.
    pub(crate) fn image_at(self) -> u64 {
        BLOCK as u64 + u64::from(self.log)
    }

    pub(crate) fn to_bytes(self) -> [u8; BLOCK] {
        let mut bytes = [0; BLOCK];
        put(&mut bytes, 0, &MAGIC);
        put(&mut bytes, VERSION_AT, &FORMAT_VERSION.to_le_bytes());
        put(&mut bytes, BLOCK_AT, &(BLOCK as u32).to_le_bytes());
        put(&mut bytes, SEAL_AT, &SEAL_CRC32.to_le_bytes());
        put(&mut bytes, FILE_ID_AT, &self.file_id);
        put(&mut bytes, LOG_AT, &self.log.to_le_bytes());
        let checksum = checksum(&bytes);
        put(&mut bytes, CHECKSUM_AT, &checksum.to_le_bytes());
        bytes
    }

    /// Parses the first bytes of a file, up to 4 KiB of them.
    ///
    /// Magic, version and checksum keep their places in every format to come, so that a newer
    /// store can be told from a damaged one.
    pub(crate) fn parse(head: &[u8]) -> Result<Self, SuperblockError> {
        let Some(bytes) = head.first_chunk::<BLOCK>() else {
            return Err(if head.starts_with(&MAGIC) {
                SuperblockError::Damaged(Damage::SuperblockCut { len: head.len() as u64 })
            } else {
                SuperblockError::NotOurs
            });
        };
        let magic_holds = bytes.starts_with(&MAGIC);
        if u32_at(bytes, CHECKSUM_AT) != checksum(bytes) {
            // A flipped bit in the magic alone must not make a store a stranger's file.
            return Err(if magic_holds || mended(bytes) {
                SuperblockError::Damaged(Damage::SuperblockChecksum)
            } else {
                SuperblockError::NotOurs
            });
        }
        if !magic_holds {
            return Err(SuperblockError::NotOurs);
        }
        match u32_at(bytes, VERSION_AT) {
            FORMAT_VERSION => {}
            found if found > FORMAT_VERSION => return Err(SuperblockError::Newer { found }),
            found => return Err(field(VERSION_AT, found)),
        }
        for (at, expected) in [(BLOCK_AT, BLOCK as u32), (SEAL_AT, SEAL_CRC32)] {
            let found = u32_at(bytes, at);
            if found != expected {
                return Err(field(at, found));
            }
        }
        let log = u32_at(bytes, LOG_AT);
        if !(log as usize).is_multiple_of(LOG_STEP) || !(1..=LONGEST_LOG).contains(&(log as usize))
        {
            return Err(field(LOG_AT, log));
        }
        let file_id = bytes.get(FILE_ID_AT..).and_then(|rest| rest.first_chunk());
        Ok(Self { file_id: file_id.copied().unwrap_or_default(), log })
    }
}

fn field(at: usize, found: u32) -> SuperblockError {
    SuperblockError::Damaged(Damage::SuperblockField { at, found })
}

/// Whether the checksum holds once the right magic stands in its place.
fn mended(bytes: &[u8; BLOCK]) -> bool {
    let mut mended = *bytes;
    put(&mut mended, 0, &MAGIC);
    u32_at(&mended, CHECKSUM_AT) == checksum(&mended)
}

fn checksum(bytes: &[u8; BLOCK]) -> u32 {
    crc32fast::hash(bytes.split_at(CHECKSUM_AT).0)
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk());
    u32::from_le_bytes(field.copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Superblock = Superblock { file_id: *b"0123456789abcdef", log: 1 << 20 };

    #[test]
    fn a_superblock_comes_back_as_it_was() {
        assert_eq!(Superblock::parse(&OURS.to_bytes()), Ok(OURS));
    }

    #[test]
    fn every_flipped_bit_is_damage_and_never_another_superblock() {
        let bytes = OURS.to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            let found = Superblock::parse(&damaged);
            assert!(matches!(found, Err(SuperblockError::Damaged(_))), "bit {bit}: {found:?}");
        }
    }

    #[test]
    fn a_newer_format_is_named_when_its_superblock_is_whole() {
        let mut bytes = OURS.to_bytes();
        put(&mut bytes, VERSION_AT, &7u32.to_le_bytes());
        let sum = checksum(&bytes);
        put(&mut bytes, CHECKSUM_AT, &sum.to_le_bytes());
        assert_eq!(Superblock::parse(&bytes), Err(SuperblockError::Newer { found: 7 }));
    }

    #[test]
    fn a_strangers_file_is_not_ours_however_short() {
        assert_eq!(Superblock::parse(b""), Err(SuperblockError::NotOurs));
        assert_eq!(Superblock::parse(&[0; BLOCK]), Err(SuperblockError::NotOurs));
        assert_eq!(Superblock::parse(&[b'x'; 9000]), Err(SuperblockError::NotOurs));
    }

    #[test]
    fn a_cut_superblock_says_how_long_it_is() {
        let cut = OURS.to_bytes()[..100].to_vec();
        let damage = Damage::SuperblockCut { len: 100 };
        assert_eq!(Superblock::parse(&cut), Err(SuperblockError::Damaged(damage)));
    }

    #[test]
    fn fields_that_no_release_writes_are_damage() {
        for (at, value) in [
            (VERSION_AT, 1u32),
            (BLOCK_AT, 512),
            (SEAL_AT, 9),
            (LOG_AT, 0),
            (LOG_AT, 1023),
            (LOG_AT, 1 << 31),
        ] {
            let mut bytes = OURS.to_bytes();
            put(&mut bytes, at, &value.to_le_bytes());
            let sum = checksum(&bytes);
            put(&mut bytes, CHECKSUM_AT, &sum.to_le_bytes());
            let damage = Damage::SuperblockField { at, found: value };
            assert_eq!(Superblock::parse(&bytes), Err(SuperblockError::Damaged(damage)));
        }
    }
}
