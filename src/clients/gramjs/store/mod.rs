//! GramJS's `StoreSession` in node: a folder with a file for each key of a `localStorage`.
//!
//! A file's name is `SESSION`, a divider (`:` unless the application chose another) and the key,
//! all percent-encoded. Keys and what their files hold:
//!
//! ```text
//! dcId           2
//! port           443
//! serverAddress  "149.154.167.51"
//! authKey        {"type":"Buffer","data":[188,53, ...]}
//! MARKED ID      ["MARKED ID","hash","username","phone","name","milliseconds"]      null: absent
//! ```
//!
//! Ids are marked in the client's own way, see `encoding`.

mod encoding;
mod read;
mod write;

pub(crate) use self::read::{looks_like, read};
pub(crate) use self::write::{CAPABILITIES, files};

/// The format's name.
pub(super) const FORMAT: &str = "gramjs-store";

#[cfg(test)]
mod tests;
