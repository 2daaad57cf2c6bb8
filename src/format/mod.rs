//! The sessions of other clients, one file a client: their tables read into our types.

mod database;
mod notes;
pub(crate) mod telethon;

pub(crate) use self::database::Tables;
pub(crate) use self::notes::Notes;
