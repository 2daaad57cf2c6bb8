//! The file under the engine: superblock, sealed blocks, locks. Only `store` uses it.
//!
//! redb writes an image of 4 KiB blocks and believes the disk on an ordinary read. Here each
//! block goes to the file with a checksum of its own behind it and is checked whenever it comes
//! back, and a superblock in front says whose file this is before redb sees a byte. FORMAT.md
//! has the layout.

mod blocks;
mod head;
mod kind;
mod open;
mod overlay;
mod seal;
mod superblock;

use std::fmt;

pub(crate) use self::blocks::{Disk, Readiness, SealedBlocks, Watch};
pub(crate) use self::kind::FileKindFound;
pub(crate) use self::open::{Access, NewFile, OpenError, StoreFile, folder_of, sync_folder};
pub(crate) use self::overlay::Overlay;
pub(crate) use self::superblock::{FORMAT_VERSION, Superblock};

/// Length of one block of the engine's image, and of the superblock, in bytes.
pub(crate) const BLOCK: usize = 4096;

/// What is wrong with the bytes of a store file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The file ends within the superblock.
    SuperblockCut { len: u64 },
    /// The superblock's checksum does not hold.
    SuperblockChecksum,
    /// The superblock is whole and says something that no release writes.
    SuperblockField { at: usize, found: u32 },
    /// Behind the superblock there is not one whole block.
    NoImage,
    /// The checksum of neither copy of the engine's header holds.
    BothHeads,
    /// A block is not what was written there: its seal does not hold.
    Block { number: u64 },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SuperblockCut { len } => {
                write!(f, "it has {len} bytes and the superblock alone has {BLOCK}")
            }
            Self::SuperblockChecksum => f.write_str("the checksum of the superblock does not hold"),
            Self::SuperblockField { at, found } => {
                write!(f, "the superblock says {found} at byte {at}, which no release writes")
            }
            Self::NoImage => f.write_str("nothing stands behind the superblock"),
            Self::BothHeads => f.write_str("the checksum of neither copy of the header holds"),
            Self::Block { number } => write!(f, "the checksum of block {number} does not hold"),
        }
    }
}

impl std::error::Error for Damage {}

/// What FORMAT.md shows of this room, for the test that reads it.
#[cfg(test)]
pub(crate) mod vectors {
    use super::head::Head;
    use super::seal::Seals;
    use super::{BLOCK, Superblock};

    /// The superblock without the zeros between its fields and its checksum.
    pub(crate) fn superblock(file_id: [u8; 16]) -> Vec<u8> {
        let bytes = Superblock { file_id }.to_bytes();
        let (fields, rest) = bytes.split_at(48);
        let (zeros, checksum) = rest.split_at(BLOCK - 4 - 48);
        assert!(zeros.iter().all(|byte| *byte == 0));
        assert_eq!(Superblock::parse(&bytes), Ok(Superblock { file_id }));
        [fields, checksum].concat()
    }

    pub(crate) fn seal(file_id: [u8; 16], number: u64, content: &[u8]) -> Vec<u8> {
        Seals::new(file_id).of(number, content).to_vec()
    }

    pub(crate) fn header_checksum(header: [u8; 320]) -> Vec<u8> {
        let span = Head(header).to_span();
        assert_eq!(span[320..324], span[2368..2372]);
        span[320..324].to_vec()
    }
}
