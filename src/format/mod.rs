//! What other clients' sessions look like, one file or folder a client.

mod client;
mod clients;
mod database;
mod entities;
mod field;
mod notes;
mod parsed;
mod telethon;

pub(crate) use self::client::SqliteFile;
pub(crate) use self::clients::recognise;
pub(crate) use self::database::Tables;
pub(crate) use self::entities::Entities;
pub(crate) use self::notes::Notes;
pub(crate) use self::parsed::{Parsed, ParsedSession};
