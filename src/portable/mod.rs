//! The portable format: one session in one piece of bytes, plain or under a passphrase, as a file or
//! as text for an environment variable. FORMAT.md, "The portable format", has each byte.
//!
//! The rows are sorted and each occurs once, so the same session gives the same plain bytes.

mod bytes;
#[cfg(feature = "passphrase")]
mod cipher;
#[cfg(not(feature = "passphrase"))]
#[path = "no_cipher.rs"]
mod cipher;
mod error;
mod format;
mod head;
mod lock;
mod rows;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use self::error::PortableError;
#[cfg(any(test, fuzzing))]
pub(crate) use self::format::framed;
#[cfg(test)]
pub(crate) use self::format::{Seal, encode_under};
pub(crate) use self::format::{decode, encode, is_portable};
pub(crate) use self::head::VERSION;
#[cfg(test)]
pub(crate) use self::lock::Lock;
#[cfg(any(test, fuzzing))]
pub(crate) use self::rows::Portable;
pub(crate) use self::text::{from_text, is_text, to_text};
