//! Finding out what a file is, and opening it as that.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::database;
use super::database_location::DatabaseLocation;
use super::opened::{Found, Inner, Source};
use super::refuse::{cut_short, stranger, wrong_kind};
#[cfg(feature = "convert")]
use super::small;
use crate::error::{Error, Result};
use crate::file::FileKindFound;
#[cfg(feature = "convert")]
use crate::format::{Disk, Known};
use crate::format::{Given, Parsed, ParsedSession, given_setters};
use crate::store::{SalvagedSession, Store, StoreKey, salvaged_sessions};
use crate::types::{DcId, Progress};

/// How a [`Source`] is opened.
///
/// The values given by [`user_id`](Self::user_id), [`api_id`](Self::api_id), [`bot`](Self::bot) and
/// [`test_mode`](Self::test_mode) apply to every session of the source: give them for a source of
/// one session. A note says which value of the session was replaced.
///
/// ```
/// # fn main() -> tgsession::Result<()> {
/// # let path = "tests/fixtures/telethon/username_conflict.session";
/// let source = tgsession::SourceOptions::new().salvage(true).open(path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct SourceOptions {
    salvage: bool,
    passphrase: Option<Zeroizing<Vec<u8>>>,
    key: Option<StoreKey>,
    dc: Option<DcId>,
    progress: Progress,
    given: Given,
}

impl SourceOptions {
    /// The defaults: the source must be whole, and is not sealed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads every row of a damaged SQLite session or store that is provably whole. That includes
    /// rows on pages that no other page refers to, and rows of tables that the schema has lost. A
    /// note says how much was lost. An unusable auth key is noted and left out.
    ///
    /// Other formats are opened as without this.
    #[must_use]
    pub fn salvage(mut self, salvage: bool) -> Self {
        self.salvage = salvage;
        self
    }

    /// The passphrase of a sealed source: of a portable session, the passcode of Telegram Desktop's tdata, the
    /// `session_key` of WTelegramClient (where none was set, the `api_hash`), the database key of
    /// TDLib (where none was set, none is needed), a passphrase of an encrypted store.
    #[must_use]
    pub fn passphrase(mut self, passphrase: &[u8]) -> Self {
        self.passphrase = Some(Zeroizing::new(passphrase.to_vec()));
        self
    }

    /// The key of an encrypted store. With a key, a store that is not encrypted is refused.
    #[must_use]
    pub fn key(mut self, key: &StoreKey) -> Self {
        self.key = Some(key.clone());
        self
    }

    /// The DC of a source that is only an auth key in hexadecimal digits.
    #[must_use]
    pub fn dc(mut self, dc: DcId) -> Self {
        self.dc = Some(dc);
        self
    }

    /// Where [`Source::check`], and salvaging a damaged store, say how far they are.
    #[must_use]
    pub fn progress(mut self, progress: &Progress) -> Self {
        self.progress = progress.clone();
        self
    }

    /// Opens a file, or a folder where the format is one, for reading.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::WrongKind`] when nothing here can be read from it,
    /// [`Error::Newer`], [`Error::Busy`] when its client is writing and does not finish,
    /// [`Error::NeedsPassphrase`], [`Error::WrongPassphrase`], [`Error::Damaged`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Source> {
        let path = path.as_ref();
        let failed = |source| Error::io("open", path, source);
        let metadata = std::fs::metadata(path).map_err(failed)?;
        let found = if metadata.is_dir() {
            // A folder without read permission is an I/O error, not "no session".
            std::fs::read_dir(path).map_err(failed)?;
            Found::plain(self.folder(path)?)
        } else if metadata.is_file() {
            self.file(path)?
        } else {
            return Err(stranger(path, "not a regular file".to_owned()));
        };
        Ok(self.source(path, found))
    }

    /// Opens what is in memory: the text of a session string, or the bytes of any file but a
    /// store's. `name` stands for the path in errors, and names the session where nothing else does.
    ///
    /// # Errors
    ///
    /// As [`SourceOptions::open`].
    pub fn open_bytes(&self, name: &str, bytes: &[u8]) -> Result<Source> {
        let path = Path::new(name);
        let found = match FileKindFound::of(bytes) {
            FileKindFound::Store => {
                return Err(stranger(
                    path,
                    "a tgsession store, which must lie in a file".to_owned(),
                ));
            }
            FileKindFound::SqliteCut => return Err(cut_short(path)),
            FileKindFound::Sqlite => {
                Found::plain(self.sqlite_in_memory(path, bytes, &[None, None])?)
            }
            kind => self.small(path, kind, bytes)?,
        };
        Ok(self.source(path, found))
    }

    /// The source found at this path, with the values that the caller gave.
    pub(super) fn source(&self, path: &Path, found: Found) -> Source {
        let Found { inner, notes, stem } = found;
        let (path, progress) = (path.to_owned(), self.progress.clone());
        Source { path, inner, notes, stem, progress, given: self.given }
    }

    /// A database in memory, with the `-wal` and the `-journal` that lay beside it.
    pub(super) fn sqlite_in_memory(
        &self,
        path: &Path,
        bytes: &[u8],
        beside: &[Option<Vec<u8>>; 2],
    ) -> Result<Inner> {
        self.sqlite(path, FileKindFound::Sqlite, DatabaseLocation::Memory(bytes, beside))
    }

    fn sqlite(
        &self,
        path: &Path,
        kind: FileKindFound,
        location: DatabaseLocation<'_>,
    ) -> Result<Inner> {
        let file = if self.salvage {
            database::salvage(path, kind, location)?
        } else {
            database::open(path, location)?
        };
        Ok(Inner::Sqlite(Box::new(file)))
    }

    fn file(&self, path: &Path) -> Result<Found> {
        let kind = kind_of(path)?;
        let sqlite = |kind| self.sqlite(path, kind, DatabaseLocation::File).map(Found::plain);
        match kind {
            FileKindFound::Store => self.store(path).map(Found::plain),
            FileKindFound::Sqlite => sqlite(kind),
            FileKindFound::SqliteCut if self.salvage => sqlite(kind),
            FileKindFound::SqliteCut => Err(cut_short(path)),
            FileKindFound::Empty => Err(wrong_kind(path, kind)),
            kind => {
                let bytes = std::fs::read(path).map(Zeroizing::new);
                let bytes = bytes.map_err(|source| Error::io("read", path, source))?;
                match self.small(path, kind, &bytes) {
                    // A header that is damaged makes a database look like anything.
                    Err(error @ Error::WrongKind { .. }) if self.salvage => {
                        sqlite(FileKindFound::Unknown).map_err(|_| error)
                    }
                    opened => opened,
                }
            }
        }
    }

    fn store(&self, path: &Path) -> Result<Inner> {
        let key = self.store_key(path)?;
        let salvaged = || salvaged_store(path, key.as_ref(), &self.progress);
        let mut options = Store::options().progress(&self.progress);
        options.set_key(key.clone());
        match options.open_read_only(path) {
            Ok(store)
                if self.salvage
                    && store.check().is_ok_and(|report| !report.problems.is_empty()) =>
            {
                salvaged()
            }
            Err(Error::Damaged { .. }) if self.salvage => salvaged(),
            opened => Ok(Inner::Store(opened?)),
        }
    }

    /// A passphrase is for whatever asks for one; a key is for an encrypted store alone.
    fn store_key(&self, path: &Path) -> Result<Option<StoreKey>> {
        match (&self.key, &self.passphrase) {
            (None, Some(passphrase)) if Store::keys_of(path)?.is_some() => {
                Ok(Some(StoreKey::passphrase(passphrase)))
            }
            (key, _) => Ok(key.clone()),
        }
    }

    #[cfg(feature = "convert")]
    fn folder(&self, path: &Path) -> Result<Inner> {
        small::folder(&Disk, path, self.known()).map(Inner::Parsed)
    }

    #[cfg(feature = "convert")]
    fn small(&self, path: &Path, _: FileKindFound, bytes: &[u8]) -> Result<Found> {
        self.unwrapped(path, bytes)
    }

    #[cfg(feature = "convert")]
    pub(super) fn known(&self) -> Known<'_> {
        let passphrase = self.passphrase.as_ref().map(|passphrase| passphrase.as_slice());
        Known { passphrase, dc: self.dc }
    }

    #[cfg(not(feature = "convert"))]
    fn folder(&self, path: &Path) -> Result<Inner> {
        Err(stranger(path, "a folder".to_owned()))
    }

    #[cfg(not(feature = "convert"))]
    fn small(&self, path: &Path, kind: FileKindFound, _: &[u8]) -> Result<Found> {
        Err(wrong_kind(path, kind))
    }
}

given_setters!(SourceOptions);

impl Source {
    /// Opens a file for reading: [`SourceOptions::open`] with nothing set.
    ///
    /// # Errors
    ///
    /// Those of [`SourceOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        SourceOptions::new().open(path)
    }
}

/// The kind of a file, by its first bytes.
fn kind_of(path: &Path) -> Result<FileKindFound> {
    let failed = |source| Error::io("open", path, source);
    let mut head = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(64).read_to_end(&mut head).map_err(|source| Error::io("read", path, source))?;
    Ok(FileKindFound::of(&head))
}

/// The sessions of a damaged store, with every row that is provably whole.
fn salvaged_store(path: &Path, key: Option<&StoreKey>, progress: &Progress) -> Result<Inner> {
    let (sessions, lost) = salvaged_sessions(path, key, progress)?;
    let parsed = |SalvagedSession { name, account, entities }| ParsedSession {
        name: Some(name),
        account,
        entities,
        number: None,
        notes: lost.iter().map(|lost| format!("damaged: {lost}")).collect(),
        unreadable: None,
    };
    let format = format!("tgsession v{}, damaged", crate::file::FORMAT_VERSION);
    let sessions = sessions.into_iter().map(parsed).collect();
    Ok(Inner::Parsed(Parsed { format, sessions }))
}
