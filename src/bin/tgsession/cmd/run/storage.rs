//! A store from and to wherever the person's commands keep it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tgsession::StoreKey;

use super::supervise::{Signals, exit_code};
use crate::failure::{Failure, Outcome};
use crate::key::store_options;
use crate::output;
use crate::target::directory_of;

/// Fetches the store unless it is there. The command writes to a directory of its own, so that
/// half a download never is the store.
pub(super) fn restore(
    store: &Path,
    command: &str,
    key: Option<&StoreKey>,
    signals: &mut Signals,
) -> Outcome {
    let shown = store.display();
    if store.symlink_metadata().is_ok() {
        output::say(&format!("{shown}: exists and was not restored"));
        return Ok(());
    }
    let directory = private_directory(store)?;
    let fetched = directory.path().join(store.file_name().unwrap_or_default());
    let failed = |why: String| Failure::Refused(format!("{shown}: cannot restore it: {why}"));
    let child = signals.spawn(shell(command, &fetched).stdin(Stdio::null()));
    let child = child.map_err(|error| failed(error.to_string()))?;
    let code = signals.attend(child, None, || {})?;
    if code != 0 {
        return Err(failed(format!(
            "the --restore command ended with exit code {code}; the client was not started"
        )));
    }
    if fetched.symlink_metadata().is_err() {
        output::say(&format!("{shown}: nothing was restored; the client starts with a new store"));
        return Ok(());
    }
    let report = store_options(key).open_read_only(&fetched)?.check()?;
    if let Some(problem) = report.problems.first() {
        return Err(failed(format!(
            "the restored file is damaged ({problem}); the client was not started"
        )));
    }
    place(&fetched, store).map_err(|error| failed(error.to_string()))?;
    output::say(&format!("{shown}: restored"));
    Ok(())
}

/// For its owner alone, and never over a store that has appeared meanwhile.
fn place(fetched: &Path, store: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(fetched, fs::Permissions::from_mode(0o600))?;
    fs::File::open(fetched)?.sync_all()?;
    fs::hard_link(fetched, store).or_else(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Err(error),
        // Some file systems have no links.
        _ => fs::rename(fetched, store),
    })
}

/// Saves a store by a command, now and then and at the end.
pub(super) struct Saver {
    store: PathBuf,
    command: String,
    key: Option<StoreKey>,
    running: Option<JoinHandle<Outcome<Option<State>>>>,
    /// The store's state when it was saved last.
    saved: Option<State>,
}

/// A file that has been written to since has another.
type State = (u64, SystemTime);

/// So often is saving at the end tried.
const TRIES: u32 = 3;

impl Saver {
    pub(super) fn new(store: &Path, command: &str, key: Option<StoreKey>) -> Self {
        let (store, command) = (store.to_owned(), command.to_owned());
        Self { store, command, key, running: None, saved: None }
    }

    /// Saves in a thread of its own, since signals must reach the client meanwhile. A save that
    /// takes longer than the interval is not doubled.
    pub(super) fn save_beside(&mut self) {
        if self.running.as_ref().is_some_and(|running| !running.is_finished()) {
            return;
        }
        self.collect();
        let (store, command, saved) = (self.store.clone(), self.command.clone(), self.saved);
        let key = self.key.clone();
        self.running = Some(thread::spawn(move || save(&store, &command, key.as_ref(), saved)));
    }

    fn collect(&mut self) {
        match self.running.take().map(JoinHandle::join) {
            Some(Ok(Ok(state))) => self.saved = state,
            // The next save tries again.
            Some(Ok(Err(failure))) => failure.report(),
            Some(Err(_)) | None => {}
        }
    }

    /// Nothing is known to be safe before this has succeeded, so it is tried again.
    pub(super) fn save_at_the_end(mut self) -> Outcome {
        self.collect();
        let mut tried = save(&self.store, &self.command, self.key.as_ref(), self.saved);
        for _ in 1..TRIES {
            let Err(failure) = tried else { break };
            failure.report();
            thread::sleep(Duration::from_secs(1));
            tried = save(&self.store, &self.command, self.key.as_ref(), self.saved);
        }
        tried.map(drop)
    }
}

/// Gives the command a copy that nobody writes to.
fn save(
    store: &Path,
    command: &str,
    key: Option<&StoreKey>,
    saved: Option<State>,
) -> Outcome<Option<State>> {
    let shown = store.display();
    let Some(state) = state(store) else {
        output::say(&format!("{shown}: there is no store yet; nothing was saved"));
        return Ok(None);
    };
    if saved == Some(state) {
        return Ok(saved);
    }
    let directory = private_directory(store)?;
    let copy = directory.path().join(store.file_name().unwrap_or_default());
    store_options(key).open_read_only(store)?.backup(&copy)?;
    let failed = |why: String| Failure::Refused(format!("{shown}: the store was not saved: {why}"));
    let ended = shell(command, &copy).stdin(Stdio::null()).status();
    match ended.map(exit_code).map_err(|error| failed(error.to_string()))? {
        0 => {
            output::say(&format!("{shown}: saved"));
            Ok(Some(state))
        }
        code => Err(failed(format!("the --save command ended with exit code {code}"))),
    }
}

fn state(store: &Path) -> Option<State> {
    let metadata = fs::metadata(store).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

fn private_directory(store: &Path) -> Outcome<TempDir> {
    let directory = directory_of(store);
    let made = tempfile::Builder::new().prefix(".tgsession-").tempdir_in(directory);
    made.map_err(|error| {
        Failure::Refused(format!("{}: cannot create a directory: {error}", directory.display()))
    })
}

/// The command reads or writes the file that `$STORE` names.
fn shell(command: &str, file: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).env("STORE", file);
    shell
}
