//! A storage of your own, whole: one session in one JSON file.
//!
//! `cargo run --example json_file --features serde,conformance` runs the suite of tests on it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tgsession::conformance::Suite;
use tgsession::storage::{Change, Key, Row, Storage, StorageSession, Table};
use tgsession::{DcId, Error, Result, Session};

/// One session in one JSON file: a list of rows.
struct JsonFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rows: BTreeMap<Key, Row>,
    /// There are changes that the file does not have.
    changed: bool,
}

impl JsonFile {
    fn open(path: &Path) -> Result<Self> {
        let rows: Vec<Row> = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(Error::other)?,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Error::other(error)),
        };
        let rows = rows.into_iter().map(|row| (row.key(), row)).collect();
        Ok(Self { path: path.to_owned(), state: Mutex::new(State { rows, changed: false }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a new file beside the old one, syncs it, and renames it: a crash leaves one of both.
    fn save(&self, state: &mut State) -> Result<()> {
        let rows: Vec<&Row> = state.rows.values().collect();
        let bytes = serde_json::to_vec(&rows).map_err(Error::other)?;
        let beside = self.path.with_extension("new");
        let mut file = File::create(&beside).map_err(Error::other)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(Error::other)?;
        fs::rename(&beside, &self.path).map_err(Error::other)?;
        state.changed = false;
        Ok(())
    }
}

impl Storage for JsonFile {
    fn name(&self) -> Result<String> {
        Ok(self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned())
    }

    fn get(&self, key: &Key) -> Result<Option<Row>> {
        Ok(self.state().rows.get(key).cloned())
    }

    fn scan(&self, table: Table, after: Option<&Key>, limit: usize) -> Result<Vec<Row>> {
        let state = self.state();
        let rows = state.rows.range(after.cloned().unwrap_or_else(|| table.first())..);
        let rows = rows.take_while(|(key, _)| key.table() == table);
        let rows = rows.filter(|(key, _)| Some(*key) != after);
        Ok(rows.take(limit).map(|(_, row)| row.clone()).collect())
    }

    fn apply(&self, changes: Vec<Change>, durable: bool) -> Result<()> {
        let mut state = self.state();
        let before = durable.then(|| state.rows.clone());
        for change in changes {
            match change {
                Change::Put(row) => state.rows.insert(row.key(), row),
                Change::Remove(key) => state.rows.remove(&key),
            };
        }
        state.changed = true;
        match before {
            // All or nothing: what cannot be saved has not happened.
            Some(before) => self.save(&mut state).inspect_err(|_| state.rows = before),
            None => Ok(()),
        }
    }

    fn flush(&self) -> Result<()> {
        let mut state = self.state();
        if state.changed { self.save(&mut state) } else { Ok(()) }
    }
}

/// What is not durable yet is saved when the session goes.
impl Drop for JsonFile {
    fn drop(&mut self) {
        if let Err(error) = self.flush() {
            eprintln!("{} was not saved: {error}", self.path.display());
        }
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("alice.json");
    let session = StorageSession::new(JsonFile::open(&path)?);
    session.set_home_dc(DcId(2))?;
    println!("{}", fs::read_to_string(&path)?);

    let mut count = 0;
    let make = || {
        count += 1;
        Ok(StorageSession::new(JsonFile::open(&folder.path().join(format!("{count}.json")))?))
    };
    let reopen = |session: StorageSession<JsonFile>| {
        let path = session.storage().path.clone();
        drop(session);
        Ok(StorageSession::new(JsonFile::open(&path)?))
    };
    Suite::new(make).reopened_by(reopen).run()?;
    println!("the suite passes");
    Ok(())
}
