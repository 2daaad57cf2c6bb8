//! What other clients' sessions look like, one file or folder a client.

pub(crate) mod alchemy;
#[cfg(feature = "convert")]
pub(crate) mod android;
#[cfg(feature = "convert")]
pub(crate) mod apple;
mod client;
mod clients;
mod database;
mod entities;
pub(crate) mod facts;
mod field;
#[cfg(feature = "convert")]
mod files;
mod fit;
mod given;
#[cfg(feature = "convert")]
pub(crate) mod gogram;
#[cfg(feature = "convert")]
pub(crate) mod gotd;
#[cfg(feature = "convert")]
pub(crate) mod gotgproto;
#[cfg(feature = "convert")]
pub(crate) mod gramjs_store;
pub(crate) mod grammers;
#[cfg(feature = "convert")]
pub(crate) mod grammers_tl;
#[cfg(feature = "convert")]
pub(crate) mod hex_key;
#[cfg(feature = "convert")]
mod key_text;
mod lost;
#[cfg(feature = "convert")]
pub(crate) mod mtcute;
mod notes;
mod parsed;
pub(crate) mod pyrogram;
#[cfg(feature = "convert")]
pub(crate) mod pyrogram_json;
#[cfg(feature = "tdata")]
pub(crate) mod tdata;
#[cfg(feature = "convert")]
pub(crate) mod tdlib;
pub(crate) mod telethon;
pub(crate) mod telethon2;
#[cfg(feature = "convert")]
pub(crate) mod telethon_json;
#[cfg(test)]
mod tests;
#[cfg(feature = "convert")]
pub(crate) mod web;
mod well_known;
#[cfg(feature = "convert")]
pub(crate) mod wtelegram;

pub(crate) use self::client::SqliteFile;
pub(crate) use self::clients::recognise;
pub(crate) use self::database::Tables;
pub(crate) use self::entities::Entities;
#[cfg(feature = "convert")]
pub(crate) use self::files::{Disk, Files, InMemory};
pub(crate) use self::fit::{
    Address, EntityPlace, Need, OtherDcs, Outgoing, Output, Place, Target, account_for, fill,
    without_entities,
};
pub(crate) use self::given::{Given, correct};
pub use self::lost::Loss;
pub(crate) use self::lost::Losses;
pub(crate) use self::notes::Notes;
pub(crate) use self::parsed::{Parsed, ParsedSession};
#[cfg(test)]
pub(crate) use self::tests::{Sample, sessions};
#[cfg(all(test, feature = "convert"))]
pub(crate) use self::well_known::{ipv4, ipv6, test_mode};
