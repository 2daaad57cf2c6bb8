//! A complete storage: one session in one JSON file.
//!
//! `cargo run --example json_file --features serde,conformance` runs the suite of tests on it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
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
    /// Whether the file lacks some of the changes.
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

    /// Writes a new file beside the old one, syncs it and renames it. After a crash the path names
    /// one of the two, whole.
    fn save(&self, state: &mut State) -> Result<()> {
        let rows: Vec<&Row> = state.rows.values().collect();
        let bytes = serde_json::to_vec(&rows).map_err(Error::other)?;
        let beside = self.path.with_extension("new");
        let mut file = create_private(&beside).map_err(Error::other)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(Error::other)?;
        fs::rename(&beside, &self.path)
            .and_then(|()| sync_folder(&self.path))
            .map_err(Error::other)?;
        state.changed = false;
        Ok(())
    }
}

/// Creates a file that no other user can read, since rows hold auth keys.
fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the rename of a file in this folder durable. Windows cannot sync a folder.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder.join("."))?.sync_all(),
        _ => Ok(()),
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
            // All or nothing: if the file cannot be saved, the changes are undone.
            Some(before) => self.save(&mut state).inspect_err(|_| state.rows = before),
            None => Ok(()),
        }
    }

    fn flush(&self) -> Result<()> {
        let mut state = self.state();
        if state.changed { self.save(&mut state) } else { Ok(()) }
    }
}

/// Saves the buffered changes.
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
        // As after a crash: without `Drop`, the file has only the changes that are durable.
        std::mem::forget(session);
        Ok(StorageSession::new(JsonFile::open(&path)?))
    };
    Suite::new(make).reopened_by(reopen).run()?;
    println!("the suite passes");
    Ok(())
}
