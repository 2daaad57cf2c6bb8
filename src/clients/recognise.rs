//! Recognises the client of a database.

use super::registry::readers;
use crate::format::sqlite_file::SqliteFormat;
use crate::format::{Reader, Tables};
use crate::sqlite::Table;

/// Every client whose sessions are SQLite files.
fn clients() -> impl Iterator<Item = &'static dyn SqliteFormat> {
    readers().filter_map(Reader::sqlite)
}

/// The client whose tables these are, or the kind of the database, as in "it is ...".
pub(crate) fn recognise(db: &Tables) -> Result<&'static dyn SqliteFormat, String> {
    let mut fitting = clients().filter(|client| client.recognises(db));
    match (fitting.next(), fitting.next()) {
        (Some(client), None) => Ok(client),
        (Some(one), Some(other)) => {
            Err(format!("{} and {} at once", one.described(), other.described()))
        }
        (None, _) => {
            let lacks =
                |client: &&'static dyn SqliteFormat| Some((client.described(), client.lacks(db)?));
            let nearly = clients().find_map(|client| lacks(&client));
            Err(nearly.map_or_else(
                || stranger(db),
                |(client, what)| format!("{client}, but there is no {what}"),
            ))
        }
    }
}

fn stranger(db: &Tables) -> String {
    match names(db) {
        _ if cfg!(not(feature = "convert")) && db.named("mtcute_migrations").is_some() => {
            "a mtcute session, which a build with the feature `convert` reads".to_owned()
        }
        names if names.is_empty() => "a SQLite database without tables".to_owned(),
        names => format!("a SQLite database of no known client, with {names}"),
    }
}

/// The names of the first few tables.
fn names(db: &Tables) -> String {
    let mut names: Vec<&str> = db.all().iter().map(Table::name).collect();
    if names.len() > MOST_NAMES {
        names.truncate(MOST_NAMES);
        names.push("...");
    }
    names.join(", ")
}

const MOST_NAMES: usize = 6;
