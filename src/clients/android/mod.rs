//! Telegram for Android: the folder of the app, or its `tgnet.dat` alone.
//!
//! ```text
//! files/tgnet.dat             keys, addresses, the home DC        shared_prefs/userconfing.xml  the user
//! files/accountN/tgnet.dat    the same of the account N (1, 2, …) shared_prefs/userconfigN.xml
//! ```
//!
//! The layouts are those of `TMessagesProj/jni/tgnet` (`ConnectionsManager.cpp`, `Datacenter.cpp`)
//! and `UserConfig.java` in DrKLO/Telegram, and of AndroidTelePorter 1.2.1.

#[cfg(test)]
mod tests;
mod tgnet;
mod user;

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use self::tgnet::Unread;
use crate::error::{DamagedPart, Error, Result};
use crate::format::Reader;
use crate::format::{Disk, Files, Notes, Parsed, ParsedSession};
use crate::types::SelfUser;

/// The readers of Telegram for Android.
pub(super) const READERS: &[Reader] = &[
    Reader::File { has_magic: false, looks_like, read: |path, bytes, _| read_file(path, bytes) },
    Reader::Folder {
        name: "the folder of Telegram for Android",
        looks_like: is_in,
        read: |files, path, _| read_folder(files, path),
    },
];

const FORMAT: &str = "android-tgnet";

/// Whether a file is a `tgnet.dat`.
pub(crate) fn looks_like(bytes: &[u8]) -> bool {
    tgnet::looks_like(bytes)
}

/// Reads a `tgnet.dat` alone: the user is in another file.
///
/// # Errors
///
/// [`Error::Damaged`], [`Error::Newer`].
pub(crate) fn read_file(path: &Path, bytes: &[u8]) -> Result<Parsed> {
    Ok(Parsed::one(FORMAT.to_owned(), session_of(&Disk, path, bytes, None)?))
}

/// Whether a folder is that of the app, or holds the two files.
pub(crate) fn is_in(files: &dyn Files, folder: &Path) -> bool {
    !accounts_in(files, folder).is_empty()
}

/// Reads every account of a folder.
///
/// # Errors
///
/// Those of [`read_file`] where there is one account; of several, a bad one hides no other.
pub(crate) fn read_folder(files: &dyn Files, folder: &Path) -> Result<Parsed> {
    let accounts = accounts_in(files, folder);
    let alone = accounts.len() == 1;
    let stem = folder.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut sessions = Vec::new();
    for Account { number, tgnet, config } in accounts {
        let name = (!alone).then(|| format!("{stem}-{}", number + 1));
        let read = bytes_of(files, &tgnet)
            .and_then(|bytes| session_of(files, &tgnet, &bytes, config.as_deref()));
        match read {
            Ok(session) => sessions.push(ParsedSession { name, ..session }),
            Err(error) if alone => return Err(error),
            Err(error) => {
                let cause = std::error::Error::source(&error);
                let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
                let unreadable = Some(format!("{error}{cause}"));
                sessions.push(ParsedSession { name, unreadable, ..ParsedSession::default() });
            }
        }
    }
    Ok(Parsed { format: FORMAT.to_owned(), sessions })
}

/// Reads bytes as a `tgnet.dat`, and as the file of the user.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(bytes: &[u8]) {
    let _ = tgnet::looks_like(bytes);
    let _ = tgnet::decode(bytes, &mut Notes::default());
    let _ = user::in_xml(bytes);
    let _ = user::of_tl(bytes);
}

/// Where an account's files are.
struct Account {
    number: usize,
    tgnet: PathBuf,
    /// The file of the user, where it is there.
    config: Option<PathBuf>,
}

/// More than the app and its forks keep.
const MOST_ACCOUNTS: usize = 16;

fn accounts_in(files: &dyn Files, folder: &Path) -> Vec<Account> {
    let file = |path: PathBuf| files.file(&path).map(|_| path);
    let account = |number: usize| {
        let (own, config) = match number {
            0 => (PathBuf::new(), "userconfing.xml".to_owned()),
            _ => (PathBuf::from(format!("account{number}")), format!("userconfig{number}.xml")),
        };
        let places = [folder.join("files"), folder.to_owned()];
        let tgnet = places.iter().find_map(|place| file(place.join(&own).join(TGNET)))?;
        let places = [folder.join("shared_prefs"), folder.to_owned()];
        let config = places.iter().find_map(|place| file(place.join(&config)));
        Some(Account { number, tgnet, config })
    };
    (0..MOST_ACCOUNTS).filter_map(account).collect()
}

const TGNET: &str = "tgnet.dat";

/// Real ones have a few kilobytes.
const MOST_BYTES: u64 = 1 << 20;

fn bytes_of(files: &dyn Files, path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let bytes = files.read(path, MOST_BYTES + 1);
    let bytes = bytes.map_err(|error| Error::io("read", path, error))?;
    if bytes.len() as u64 > MOST_BYTES {
        let why = format!("it is larger than {MOST_BYTES} bytes");
        return Err(Error::damaged(path, DamagedPart::Format(why)));
    }
    Ok(bytes)
}

fn session_of(
    files: &dyn Files,
    path: &Path,
    bytes: &[u8],
    config: Option<&Path>,
) -> Result<ParsedSession> {
    let mut notes = Notes::default();
    let read = tgnet::decode(bytes, &mut notes).map_err(|unread| match unread {
        Unread::Newer { what, found, newest } => {
            Error::Newer { path: path.to_owned(), what, found: found.into(), newest: newest.into() }
        }
        Unread::Format(why) => Error::damaged(path, DamagedPart::Format(why)),
    });
    let mut account = read?;
    match config {
        None => notes.add(
            "the user id is in shared_prefs/userconfing.xml, which is not here: give the folder \
             that has files/ and shared_prefs/"
                .into(),
        ),
        Some(config) => match bytes_of(files, config).map(|xml| user::in_xml(&xml)) {
            Ok(Ok(user::User { id, bot })) => account.login.user = Some(SelfUser { id, bot }),
            Ok(Err(why)) => {
                notes.add(format!("{}: {why}; the user id is not known", config.display()))
            }
            Err(error) => notes.add(format!("{error}; the user id is not known")),
        },
    }
    let notes = notes.into_sentences();
    Ok(ParsedSession { account, notes, ..ParsedSession::default() })
}
