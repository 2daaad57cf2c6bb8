//! The sessions of other clients, one file a client: their tables read into our types.

mod notes;
pub(crate) mod telethon;

pub(crate) use self::notes::Notes;
