//! Damage in the bytes of a store file.

use std::fmt;

/// Damage in the bytes of a store file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileDamage {
    /// The file is shorter than its header says.
    Cut { len: u64, needed: u64 },
    /// The checksum of the first sector does not match.
    Identity,
    /// The first sector is whole and has a value that no release writes.
    IdentityField { at: usize, found: u32 },
    /// Neither slot of the root is whole.
    Roots,
    /// No key slot of an encrypted file is whole.
    KeySlots,
    /// The log has no manifest, or one that contradicts itself.
    Manifest,
    /// Two extents overlap in one page.
    Overlap { page: u32 },
    /// This record of the log is damaged or missing.
    Log { number: u64 },
    /// The checksum of a sector of a segment does not match.
    Segment { number: u64, sector: u64 },
    /// The checksum of a block of the base does not match.
    Base { block: u64 },
    /// The base is not laid out as redb lays out a database.
    BaseLayout { page: u64 },
}

impl fmt::Display for FileDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut { len, needed } => {
                write!(
                    f,
                    "the file is truncated: it has {len} bytes, and at least {needed} are expected"
                )
            }
            Self::Identity => f.write_str("the checksum of the first sector does not match"),
            Self::IdentityField { at, found } => {
                write!(
                    f,
                    "byte {at} of the header has the value {found}, which no version of tgsession writes"
                )
            }
            Self::Roots => f.write_str("both copies of the root are damaged"),
            Self::KeySlots => f.write_str(
                "every key slot is damaged, so no key can open the file; restore a backup",
            ),
            Self::Manifest => f.write_str("the manifest at the start of the log is damaged"),
            Self::Overlap { page } => {
                write!(f, "the manifest gives page {page} to two parts of the file")
            }
            Self::Log { number } => write!(f, "log record {number} is damaged or missing"),
            Self::Segment { number, sector } => {
                write!(f, "the checksum of segment {number}, sector {sector} does not match")
            }
            Self::Base { block } => {
                write!(f, "the checksum of the base, block {block} does not match")
            }
            Self::BaseLayout { page } => {
                write!(f, "the base is not a redb database: page {page} is malformed")
            }
        }
    }
}

impl std::error::Error for FileDamage {}

impl From<FileDamage> for std::io::Error {
    fn from(damage: FileDamage) -> Self {
        Self::other(damage)
    }
}
