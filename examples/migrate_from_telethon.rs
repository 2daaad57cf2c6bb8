//! Takes a `.session` file of Telethon into a store, and looks somebody up in it.
//!
//! `cargo run --example migrate_from_telethon [FILE [STORE]]`

use std::path::PathBuf;

use tgsession::{ErrorKind, Session, Source, Store};

const SAMPLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/telethon/plain_1.45.0.session");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let file = args.next().unwrap_or_else(|| SAMPLE.into());
    let folder = tempfile::tempdir()?;
    let path = args.next().unwrap_or_else(|| folder.path().join("accounts"));

    // Nothing is written to the old file.
    let old = Source::open(&file)?;
    let store = Store::open_or_create(&path)?;
    for name in old.session_names()? {
        let mut session = old.session(&name)?;
        match store.import(&name, &mut session) {
            Ok(report) => println!("{name}: {} entities", report.entities),
            Err(error) if error.kind() == ErrorKind::Refused => println!("{name}: {error}"),
            Err(error) => return Err(error.into()),
        }
        let session = store.open_session(&name)?;
        let home = session.home_dc()?;
        let logged_in = home.as_ref().is_some_and(|dc| dc.auth_key.is_some());
        println!("home DC {:?}, logged in: {logged_in}", home.map(|dc| dc.id.0));
        if let Some(first) = session.entities(None, 1)?.first() {
            println!("somebody it knows: {} {:?}", first.id, first.name);
        }
    }
    store.close()?;
    Ok(())
}
