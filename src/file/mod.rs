//! The file under the engine: superblock, log, sealed blocks, who has which page, locks.
//!
//! redb writes an image of 4 KiB blocks and believes the disk on an ordinary read. Here each
//! block goes to the file with a checksum of its own behind it and is checked whenever it comes
//! back, and a superblock in front says whose file this is before redb sees a byte. The image lies
//! in pieces, between which runs of entities find their places. FORMAT.md has the layout.

mod blocks;
mod head;
mod kind;
mod log;
mod log_writer;
mod open;
mod overlay;
mod readers;
mod seal;
mod shared;
mod space;
mod superblock;
mod watch;

use std::fmt;

pub(crate) use self::blocks::{Disk, SealedBlocks};
pub(crate) use self::kind::FileKindFound;
pub(crate) use self::log::{Found, Kind, LOG, Log, LogRecord, Pulse};
pub(crate) use self::log_writer::LogWriter;
pub(crate) use self::open::{Access, NewFile, OpenError, StoreFile, folder_of, sync_folder, taken};
pub(crate) use self::overlay::Overlay;
pub(crate) use self::readers::{Readers, Reading};
pub(crate) use self::shared::Shared;
pub(crate) use self::space::{PAGE, Space, pages_of};
pub(crate) use self::superblock::{FORMAT_VERSION, Superblock};
pub(crate) use self::watch::Watch;

/// Length of one block of the engine's image, and of the superblock, in bytes.
pub(crate) const BLOCK: usize = 4096;

/// Who writes the store holds the lock on this byte, far behind the end of every file. redb's own
/// locks lie elsewhere, and are taken when it is opened.
pub(crate) const WRITER_LOCK: u64 = 1 << 61;

/// What is wrong with the bytes of a store file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The file ends within the superblock.
    SuperblockCut { len: u64 },
    /// The superblock's checksum does not hold.
    SuperblockChecksum,
    /// The superblock is whole and says something that no release writes.
    SuperblockField { at: usize, found: u32 },
    /// The log says that there is an image, and there is not one whole block of it.
    NoImage,
    /// The file is shorter than it says.
    Cut { len: u64, needed: u64 },
    /// Two things lie in one place.
    Overlap { page: u32 },
    /// A sector of a run of entities is not what was written there.
    Run { number: u64, sector: u64 },
    /// This record of the log is not there, and records behind it are.
    Log { number: u64 },
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
            Self::NoImage => f.write_str("nothing stands behind the log"),
            Self::Cut { len, needed } => {
                write!(f, "it has {len} bytes, and {needed} belong to it")
            }
            Self::Overlap { page } => {
                write!(f, "page {page} behind the log belongs to two things at once")
            }
            Self::Run { number, sector } => {
                write!(f, "the checksum of sector {sector} of run {number} does not hold")
            }
            Self::Log { number } => write!(f, "record {number} of the log is damaged or missing"),
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
    use super::space::{Extent, Places};
    use super::{BLOCK, Kind, LOG, Log, Superblock};

    /// The superblock without the zeros between its fields and its checksum.
    pub(crate) fn superblock(file_id: [u8; 16]) -> Vec<u8> {
        let superblock = Superblock { file_id, log: LOG as u32 };
        let bytes = superblock.to_bytes();
        let (fields, rest) = bytes.split_at(52);
        let (zeros, checksum) = rest.split_at(BLOCK - 4 - 52);
        assert!(zeros.iter().all(|byte| *byte == 0));
        assert_eq!(Superblock::parse(&bytes), Ok(superblock));
        [fields, checksum].concat()
    }

    pub(crate) fn seal(file_id: [u8; 16], number: u64, content: &[u8]) -> Vec<u8> {
        Seals::new(file_id).of(number, content).to_vec()
    }

    /// A record without the zeros between its fields and its content, and those behind it.
    pub(crate) fn log_record(file_id: [u8; 16], barrier: bool, content: &[u8]) -> Vec<u8> {
        let kind = if barrier { Kind::Barrier } else { Kind::Changes };
        let superblock = Superblock { file_id, log: LOG as u32 };
        let bytes = Log::new(superblock).bytes_of(9, 7, kind, content);
        let (fields, rest) = bytes.split_at(29);
        let (zeros, rest) = rest.split_at(72 - 29);
        let (content, behind) = rest.split_at(content.len());
        assert!(zeros.iter().chain(behind).all(|byte| *byte == 0));
        assert_eq!(bytes.len(), 512);
        [fields, content].concat()
    }

    pub(crate) fn header(header: [u8; 320]) -> Vec<u8> {
        let extents = vec![Extent { start: 1, blocks: 9 }, Extent { start: 700, blocks: 18 }];
        let block = Head { engine: header, places: Places { end: 1000, extents } }.to_block();
        assert_eq!(block[..2048], block[2048..]);
        block[320..348].to_vec()
    }
}
