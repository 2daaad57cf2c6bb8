//! Session strings: what a client is given in an environment variable in place of a file.
//!
//! [`decode`] tells the forms apart by their content and reads any of them. Each form has a file
//! of its own, with its layout at the top, `decode` from the bytes under base64 and `encode` to
//! the text that its client takes.

mod base64;
mod detect;
mod error;
pub(crate) mod gramjs;
mod home;
pub(crate) mod mtcute;
pub(crate) mod mtkruto;
pub(crate) mod pyrogram;
mod reader;
pub(crate) mod telethon;
#[cfg(test)]
mod tests;
mod unfit;

use std::fmt;

use crate::types::Account;

pub(crate) use self::detect::decode;
pub(crate) use self::error::{StringError, may_be_cut};
pub(crate) use self::unfit::Unfit;

/// Which client's string it is, and which layout where the client has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StringForm {
    /// Telethon's, with an IPv4 or an IPv6 address.
    Telethon,
    /// Pyrogram's first layout, with a user id of 32 bits.
    Pyrogram263,
    /// Pyrogram's second layout, with a user id of 64 bits.
    Pyrogram267,
    /// Pyrogram's layout since 2.0, with the `api_id`; that of its forks too.
    Pyrogram271,
    /// That of GramJS, and of teleproto.
    GramJs,
    /// mtcute's version 1.
    Mtcute1,
    /// mtcute's version 2.
    Mtcute2,
    /// mtcute's version 3.
    Mtcute3,
    /// MTKruto's.
    Mtkruto,
}

impl StringForm {
    /// The form's name in dumps.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Telethon => "telethon-string",
            Self::Pyrogram263 => "pyrogram-string 263 bytes",
            Self::Pyrogram267 => "pyrogram-string 267 bytes",
            Self::Pyrogram271 => "pyrogram-string 271 bytes",
            Self::GramJs => "gramjs-string",
            Self::Mtcute1 => "mtcute-string v1",
            Self::Mtcute2 => "mtcute-string v2",
            Self::Mtcute3 => "mtcute-string v3",
            Self::Mtkruto => "mtkruto-string",
        }
    }
}

impl fmt::Display for StringForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a session string says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// The form that it has.
    pub(crate) form: StringForm,
    /// Its content.
    pub(crate) account: Account,
    /// A sentence for each thing in it that has no place in `account`.
    pub(crate) notes: Vec<String>,
}

/// `None`: the bytes are not of this form. An error: they are, and something in them is wrong.
pub(crate) type Reading = Option<Result<Decoded, StringError>>;
