//! Encodes and decodes the keys and records of the tables. FORMAT.md has each byte.
//!
//! A record is one tag byte, which says what it is and in which version, and a bincode payload.
//! Decoding needs all of the input and allocates no more than the input is long.

mod changes;
mod codec;
mod dc;
mod entity;
mod extra;
mod login;
mod row_keys;
mod sent_file;
mod updates;

use std::fmt;

pub(crate) use self::changes::{RowChange, changes};
pub(crate) use self::codec::{MAX_RECORD, Record, decode, encode, encode_into, fields_of};
pub(crate) use self::entity::EntityFields;
pub(crate) use self::row_keys::{AccountNo, DcKey, FileRow, PeerKey, TextKey};

/// Why a record is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordError {
    /// The record is empty.
    Empty,
    /// The tag byte is another one.
    Tag { found: u8, expected: u8 },
    /// The payload is not what the tag promises.
    Payload,
    /// Bytes are left after the payload.
    Leftover { len: usize },
    /// A field has a value that no release writes.
    Value { field: &'static str },
    /// A key has another length than its table's keys have.
    Key,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the record is empty"),
            Self::Tag { found, expected } => {
                write!(f, "the record has type {found}, and {expected} is expected")
            }
            Self::Payload => f.write_str("the record ends within a field or holds invalid text"),
            Self::Leftover { len } => write!(f, "{len} bytes are left after the record"),
            Self::Value { field } => write!(f, "its {field} has a value that no release writes"),
            Self::Key => f.write_str("the key has another length than its table's keys have"),
        }
    }
}

impl std::error::Error for RecordError {}
