//! What session strings have in common: base64 as people hand it on, fields off the front of
//! bytes, the home DC and its key, and what can be wrong with a string.

pub(crate) mod base64;
mod error;
pub(crate) mod home;
pub(crate) mod reader;
mod unfit;

use crate::types::Account;

pub(crate) use self::error::{StringError, may_be_cut};
pub(crate) use self::unfit::Unfit;

/// The content of a session string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// The format that it has, as dumps name it.
    pub(crate) format: &'static str,
    /// Its content.
    pub(crate) account: Account,
    /// A sentence for each thing in it that has no place in `account`.
    pub(crate) notes: Vec<String>,
}

/// `None`: the bytes are not of this format. An error: they are, and something in them is wrong.
pub(crate) type Reading = Option<Result<Decoded, StringError>>;
