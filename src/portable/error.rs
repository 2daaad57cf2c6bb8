use std::fmt;

use super::head::VERSION;
use crate::cipher::Costs;
use crate::record::{MAX_RECORD, RecordError};

/// Why a portable session was not read or not written. It holds nothing of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "passphrase"),
    allow(dead_code, reason = "without the feature nothing comes to the errors of sealing")
)]
pub(crate) enum PortableError {
    /// It does not begin as a portable session does.
    NotPortable,
    /// A newer release wrote it.
    Newer { found: u8 },
    /// The bytes are not what the format says.
    Damaged { what: &'static str },
    /// A record in it is not one.
    Record { of: &'static str, error: RecordError },
    /// Opening it would take more memory or time than any release asks for, or too little.
    Costs(Costs),
    /// It is sealed, and no passphrase was given.
    NeedsPassphrase,
    /// The passphrase does not open it; damage cannot be told from that.
    WrongPassphrase,
    /// A passphrase of no characters seals nothing.
    EmptyPassphrase,
    /// It is to be opened or sealed with a passphrase, and this build cannot.
    NoFeature,
    /// There is not enough memory to turn the passphrase into a key.
    NoMemory { kib: u32 },
    /// The system gave no random bytes.
    NoRandomness,
    /// This cannot be the name of a session.
    Name,
    /// Two rows to be written have the same key.
    Twice { what: &'static str },
    /// A value's record would be longer than one may be.
    TooLarge { what: &'static str },
}

impl fmt::Display for PortableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPortable => f.write_str("it does not begin as a portable session does"),
            Self::Newer { found } => write!(
                f,
                "its portable format {found} is newer than the {VERSION} that this build reads; update tgsession"
            ),
            Self::Damaged { what } => write!(f, "the portable session is damaged: {what}"),
            Self::Record { of, error } => {
                write!(f, "the portable session is damaged: in the row of {of}, {error}")
            }
            Self::Costs(costs) => write!(
                f,
                "it asks for {} KiB of memory, {} passes and {} lanes of Argon2, and no release does",
                costs.memory_kib, costs.passes, costs.lanes
            ),
            Self::NeedsPassphrase => {
                f.write_str("it is encrypted with a passphrase; give that passphrase to open it")
            }
            Self::WrongPassphrase => f.write_str(
                "this passphrase does not open it; check the passphrase, then whether it is whole",
            ),
            Self::EmptyPassphrase => {
                f.write_str("the passphrase is empty; give one, or none to write it unsealed")
            }
            Self::NoFeature => f.write_str(
                "this build opens and seals nothing with a passphrase; build it with the feature `passphrase`",
            ),
            Self::NoMemory { kib } => {
                write!(f, "turning the passphrase into a key takes {kib} KiB, which are not to be had")
            }
            Self::NoRandomness => f.write_str("the operating system gave no random bytes"),
            Self::Name => {
                f.write_str("a session's name has 1 to 255 bytes and no control characters")
            }
            Self::Twice { what } => write!(f, "the session has the same {what} twice"),
            Self::TooLarge { what } => {
                write!(f, "the record of {what} would be longer than {MAX_RECORD} bytes")
            }
        }
    }
}

impl std::error::Error for PortableError {}
