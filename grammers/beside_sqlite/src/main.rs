//! A program of a user: its own data in SQLite, its session in a store. With grammers' default
//! storage in it too, it would not link, since each brings a SQLite of its own.

use std::sync::Arc;

use grammers_session::storages::erase;
use tgsession::Store;
use tgsession_grammers::GrammersSession;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let folder = tempfile::tempdir()?;
    let database = rusqlite::Connection::open(folder.path().join("own.sqlite"))?;
    database.execute_batch("create table notes (text); insert into notes values ('kept')")?;
    let note: String = database.query_row("select text from notes", [], |row| row.get(0))?;

    let store = Store::create(folder.path().join("accounts"))?;
    let session = erase(Arc::new(GrammersSession::new(store.session("alice")?)?));
    let home = session.home_dc_id()?;
    println!("SQLite {} says {note:?}; the home DC is {home}", rusqlite::version());
    Ok(())
}
