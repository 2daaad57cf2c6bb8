//! The formats of all clients, a folder for each client. `registry` lists what they read and write.

pub(crate) mod alchemy;
#[cfg(feature = "convert")]
pub(crate) mod android;
#[cfg(feature = "convert")]
pub(crate) mod apple;
#[cfg(feature = "convert")]
mod ended;
#[cfg(feature = "convert")]
pub(crate) mod gogram;
#[cfg(feature = "convert")]
pub(crate) mod gotd;
#[cfg(feature = "convert")]
pub(crate) mod gotgproto;
#[cfg(feature = "convert")]
pub(crate) mod gramjs;
pub(crate) mod grammers;
#[cfg(feature = "convert")]
pub(crate) mod hex_key;
#[cfg(feature = "convert")]
pub(crate) mod mtcute;
#[cfg(feature = "convert")]
pub(crate) mod mtkruto;
pub(crate) mod pyrogram;
mod recognise;
mod registry;
#[cfg(all(test, feature = "convert"))]
mod string_tests;
#[cfg(feature = "convert")]
mod strings;
#[cfg(feature = "tdata")]
pub(crate) mod tdata;
#[cfg(all(feature = "convert", not(feature = "tdata")))]
#[path = "no_tdata.rs"]
mod tdata;
#[cfg(feature = "convert")]
pub(crate) mod tdlib;
pub(crate) mod telethon;
pub(crate) mod telethon2;
#[cfg(test)]
mod tests;
#[cfg(feature = "convert")]
mod tgsession;
#[cfg(feature = "convert")]
pub(crate) mod web;
#[cfg(feature = "convert")]
pub(crate) mod wtelegram;

pub(crate) use self::recognise::recognise;
#[cfg(feature = "convert")]
pub(crate) use self::registry::readers;
#[cfg(feature = "convert")]
pub use self::registry::{Format, UnknownFormat};
#[cfg(feature = "convert")]
pub(crate) use self::strings::decode as decode_string;
#[cfg(test)]
pub(crate) use self::tests::{Sample, sessions};
