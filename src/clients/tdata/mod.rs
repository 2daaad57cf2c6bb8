//! Telegram Desktop's `tdata` folder: for every account its user, its home DC and its keys.
//!
//! ```text
//! key_datas           the folder's key, sealed under the passcode; the list of accounts
//! D877F783D5D3EF8Cs   the first account: user id, home DC, keys; sealed under the folder's key
//! A7FDF864FBC10B77s   the second, and so on
//! D877F783D5D3EF8C/   its settings and caches, which hold nothing for a session
//! ```
//!
//! An account's file is named by the MD5 of `data`, `data#2`, `data#3`…, the first eight bytes
//! with the two digits of each byte swapped. Addresses of DCs are not in these files.

mod account;
mod closed;
mod envelope;
mod key_file;
mod names;
mod sealed;
mod stream;
#[cfg(test)]
mod tests;
mod trailer;
#[cfg(test)]
mod trailer_tests;
mod write;
#[cfg(test)]
mod write_tests;

use self::names::file_name;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use self::closed::Closed;
use self::envelope::TdfFile;
use self::key_file::KeyFile;
use self::sealed::LocalKey;
pub(crate) use self::write::{CAPABILITIES, files};
use crate::error::{DamagedPart, Error, Result};
use crate::format::{Files, Notes};
use crate::format::{FormatSpec, Known, OutputKind, Parsed, ParsedSession, Reader, Writer};
use crate::types::Account;

/// The readers of Telegram Desktop.
pub(super) const READERS: &[Reader] =
    &[Reader::Folder { name: "a tdata folder", looks_like, read: read_sessions }];

pub(super) const FOLDER: FormatSpec = FormatSpec {
    name: "tdata",
    ending: "",
    kind: OutputKind::Folder,
    takes_passphrase: true,
    holds_many: true,
    writer: Writer::Folder {
        capabilities: &CAPABILITIES,
        files: |_, sessions, passcode, lost| files(sessions, passcode, lost),
    },
};

/// Reads a folder as sessions; an account that cannot be read is one of them.
fn read_sessions(files: &dyn Files, path: &Path, known: Known<'_>) -> Result<Parsed> {
    let accounts = read(files, path, known.passphrase)?;
    let alone = accounts.len() == 1;
    let sessions = accounts.into_iter().map(|account| {
        let index = account.as_ref().map_or_else(|bad| bad.index, |good| good.index);
        let number = (!alone).then(|| i64::from(index) + 1);
        match account {
            Ok(account) => ParsedSession {
                number,
                account: account.account,
                notes: account.notes,
                ..ParsedSession::default()
            },
            Err(bad) => {
                let cause = std::error::Error::source(&bad.error);
                let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
                let unreadable = Some(format!("{}{cause}", bad.error));
                ParsedSession { number, unreadable, ..ParsedSession::default() }
            }
        }
    });
    Ok(Parsed { format: "tdata".to_owned(), sessions: sessions.collect() })
}

/// One account of a folder.
#[derive(Debug)]
pub(crate) struct TdataAccount {
    /// Its number: 0 is the first that was added.
    pub(crate) index: i32,
    /// The account. The format has no addresses and no entities.
    pub(crate) account: Account,
    /// One sentence for each value that was skipped.
    pub(crate) notes: Vec<String>,
}

/// An account that the folder lists and that cannot be read. The others are not touched by that.
#[derive(Debug)]
pub(crate) struct BadAccount {
    /// Its number.
    pub(crate) index: i32,
    /// Why; it names the account's file.
    pub(crate) error: Error,
}

/// Whether this is a `tdata` folder, or holds one of that name.
pub(crate) fn looks_like(files: &dyn Files, folder: &Path) -> bool {
    located(files, folder).is_some()
}

/// Every account of a `tdata` folder, or of the folder `tdata` in this one, in the order in which
/// Telegram Desktop shows them.
///
/// The passcode is the local one, in UTF-8. A folder without one is opened by `None` or an empty
/// passcode, and every other is a wrong one.
///
/// # Errors
///
/// [`Error::NeedsPassphrase`], [`Error::WrongPassphrase`], and an error of the key
/// file. An error of one account is that account's entry in the list.
pub(crate) fn read(
    files: &dyn Files,
    folder: &Path,
    passcode: Option<&[u8]>,
) -> Result<Vec<Result<TdataAccount, BadAccount>>> {
    let folder = located(files, folder).unwrap_or_else(|| folder.to_owned());
    if !envelope::is_named(files, &folder, KEY_FILE)
        && envelope::exists(files, &folder, FIRST_ACCOUNT)
    {
        let found = "a tdata folder of before 2020, which has no key file".to_owned();
        let hint = "open it once with a current Telegram Desktop, which brings it up to date";
        return Err(Error::WrongKind { path: folder, found, hint });
    }
    let file = TdfFile::read(files, &folder, KEY_FILE)?;
    let passcode = passcode.unwrap_or_default();
    let keys = KeyFile::open(&file.payload, passcode).map_err(|closed| match closed {
        Closed::Passcode if passcode.is_empty() => Error::NeedsPassphrase {
            path: folder.clone(),
            what: "the passcode of Telegram Desktop",
        },
        Closed::Passcode => Error::WrongPassphrase { path: folder.clone() },
        Closed::AppLock => Error::damaged(&file.path, DamagedPart::Format(APP_LOCK.into())),
        Closed::Newer(found) => Error::Newer {
            path: file.path.clone(),
            what: "tdata key format",
            found: found.into(),
            newest: trailer::VERSION.into(),
        },
        Closed::Format(why) => Error::damaged(&file.path, DamagedPart::Format(why)),
    })?;
    let mut seen = BTreeSet::new();
    let read = |index| {
        let listed = |why: &str| Error::damaged(&file.path, DamagedPart::Format(why.into()));
        let content = if index < 0 {
            Err(listed("an account in its list has a negative number"))
        } else if !seen.insert(index) {
            Err(listed("its list has the same account twice"))
        } else {
            read_account(files, &folder, index, &keys.local_key, file.fallback_note())
        };
        content.map_err(|error| BadAccount { index, error })
    };
    Ok(keys.indices.iter().copied().map(read).collect())
}

/// Opens bytes as a file, and as the content of a key file with a right MD5.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_file(bytes: &[u8]) {
    let _ = envelope::payload(bytes);
    let _ = KeyFile::open(bytes, b"");
}

/// Reads bytes as what is sealed: an account, and a list of accounts.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_content(bytes: &[u8]) {
    let _ = account::decode(bytes, &mut Notes::default());
    let _ = key_file::accounts(bytes);
}

/// The folder itself, or the one in it, whichever has the files.
fn located(files: &dyn Files, folder: &Path) -> Option<PathBuf> {
    let has_files = |folder: &PathBuf| {
        [KEY_FILE, FIRST_ACCOUNT].iter().any(|name| envelope::exists(files, folder, name))
    };
    [folder.to_owned(), folder.join("tdata")].into_iter().find(has_files)
}

fn read_account(
    files: &dyn Files,
    folder: &Path,
    index: i32,
    local_key: &LocalKey,
    note: Option<String>,
) -> Result<TdataAccount> {
    let mut notes = Notes::default();
    let file = TdfFile::read(files, folder, &file_name(index))?;
    note.into_iter().chain(file.fallback_note()).for_each(|note| notes.add(note));
    let mut payload = stream::Stream::new(&file.payload);
    let account = payload
        .bytes()
        .map_err(String::from)
        .and_then(|sealed| local_key.open(sealed).map_err(String::from))
        .and_then(|content| account::decode(content.bytes(), &mut notes))
        .map_err(|why| Error::damaged(&file.path, DamagedPart::Format(why)))?;
    Ok(TdataAccount { index, account, notes: notes.into_sentences() })
}

impl TdfFile {
    fn fallback_note(&self) -> Option<String> {
        let damaged = self.instead_of.as_ref()?;
        Some(format!("{} is damaged; {} was read", damaged.display(), self.path.display()))
    }
}

const KEY_FILE: &str = "key_data";

const APP_LOCK: &str = "the app lock hides the folder's key, and the key is not there under a passcode: turn \
                        the app lock off in Telegram Desktop, close it, and copy the folder again";

/// [`file_name`] of account 0, known before anything is opened.
const FIRST_ACCOUNT: &str = "D877F783D5D3EF8C";
