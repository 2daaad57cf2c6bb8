//! What other clients' sessions look like, one file or folder a client.

mod client;
mod clients;
mod database;
mod entities;
mod field;
mod fit;
mod lost;
mod notes;
mod parsed;
mod telethon;
mod well_known;

pub(crate) use self::client::SqliteFile;
pub(crate) use self::clients::recognise;
pub(crate) use self::database::Tables;
pub(crate) use self::entities::Entities;
pub(crate) use self::fit::{Given, Outgoing, Output, Place, Target, account_for, fill};
pub(crate) use self::lost::{Loss, Losses};
pub(crate) use self::notes::Notes;
pub(crate) use self::parsed::{Parsed, ParsedSession};
