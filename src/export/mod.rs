//! Writing sessions in the formats of other clients.

mod folder;
mod string;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::io::{self, BufWriter, Cursor, Write};
use std::mem::{replace, take};
use std::path::Path;
use std::rc::Rc;
use std::{fmt, iter};

use zeroize::Zeroizing;

pub use crate::clients::{Format, UnknownFormat};
use crate::error::{Error, Result};
use crate::file::AtomicFile;
pub use crate::format::Loss;
use crate::format::{
    Capabilities, Given, Losses, Outgoing, Output, Target, Writer, Writing, account_for, correct,
    fill, given_setters, without_entities,
};
use crate::session::{Entities, Session};
use crate::source::SourceSession;
use crate::types::{Account, DcId, Entity};

/// Writes sessions in the format of another client.
///
/// Values that the format has no place for are left out and listed in the [`ExportReport`]. With
/// [`strict`](Export::strict) that is an error. The same goes for impossible values: addresses of
/// other DCs, which are replaced by the well-known ones, and DCs and ids that do not exist.
///
/// If the format needs a value that the session lacks, it is taken from what was given here, then
/// from Telegram's well-known DC addresses. Else the export fails with an error that names it.
/// A given value replaces that of the session, and [`ExportReport::filled`] says so.
///
/// ```
/// use tgsession::{Export, Format, Source};
///
/// # fn main() -> tgsession::Result<()> {
/// # let path = "tests/fixtures/telethon/username_conflict.session";
/// let source = Source::open(path)?;
/// let session = source.session(&source.session_names()?[0])?;
/// let (text, report) = Export::to(Format::TelethonString).to_text(session)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Export {
    format: Format,
    given: Given,
    entities: bool,
    strict: bool,
    overwrite: bool,
    passphrase: Option<Zeroizing<Vec<u8>>>,
}

/// One session to be exported.
///
/// ```
/// use tgsession::{Account, AuthKey, DcId, DcOption, Export, ExportSession, Format, Login};
///
/// let account = Account::default()
///     .with_login(Login::default().with_home_dc(DcId(2)))
///     .with_dc(DcOption::new(DcId(2)).with_key(AuthKey::new(&[7; 256])));
/// let session = ExportSession::new("alice", account, []);
/// let (text, _) = Export::to(Format::TelethonString).to_text(session)?;
/// assert!(text.starts_with('1'));
/// # Ok::<(), tgsession::Error>(())
/// ```
pub struct ExportSession<'a>(Outgoing<'a>);

/// What an export left out, and what it had to fill in.
///
/// ```
/// use tgsession::{Export, Format, Source};
///
/// let source = Source::open("tests/fixtures/telethon/plain_1.45.0.session")?;
/// let session = source.session("plain_1.45.0")?;
/// let report = Export::to(Format::Telethon).preview([session])?;
/// for loss in &report.lost {
///     println!("left out: {} ({} times)", loss.what, loss.count);
/// }
/// for filled in &report.filled {
///     println!("{filled}");
/// }
/// assert_eq!(report.sessions, 1);
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ExportReport {
    /// The values that the format had no place for.
    pub lost: Vec<Loss>,
    /// The values that were not taken from the session, one sentence each.
    pub filled: Vec<String>,
    /// How many sessions were written.
    pub sessions: u64,
    /// How many entities were written.
    pub entities: u64,
}

impl Export {
    /// Exports to this format, with every entity, nothing given, nothing overwritten.
    #[must_use]
    pub fn to(format: Format) -> Self {
        let given = Given::default();
        Self { format, given, entities: true, strict: false, overwrite: false, passphrase: None }
    }

    /// The DC that the account lives on, whatever the session says. Where it has no key of that DC,
    /// its only key is used for that DC.
    #[must_use]
    pub fn home_dc(mut self, dc: DcId) -> Self {
        self.given.dc = Some(dc);
        self
    }

    /// Whether entities are written, where the format has a place for them. On by default.
    #[must_use]
    pub fn entities(mut self, entities: bool) -> Self {
        self.entities = entities;
        self
    }

    /// Whether to refuse, with [`Error::Lossy`], what cannot be written without leaving something
    /// out. Off by default.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Whether a file that is there may be replaced. Off by default. A device, a pipe or a socket
    /// is never replaced.
    #[must_use]
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Seals a portable session under a passphrase; for [`Format::Wtelegram`] it is the `session_key`,
    /// for [`Format::Tdata`] the passcode.
    /// Other formats know no passphrase.
    #[must_use]
    pub fn passphrase(mut self, passphrase: &[u8]) -> Self {
        self.passphrase = Some(Zeroizing::new(passphrase.to_vec()));
        self
    }

    /// Writes a file or, if the format is one, a folder, readable by its owner only. It appears whole
    /// or not at all, and is durable when this returns. A process that is killed while writing a
    /// folder can leave a hidden one beside it, `.NAME.*.tmp`.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] unless [`overwrite`](Export::overwrite) is set; [`Error::Lacks`],
    /// [`Error::Unfit`], [`Error::Lossy`]; those of reading the sessions
    /// and of writing the file.
    pub fn write_file<'a>(
        &self,
        path: impl AsRef<Path>,
        sessions: impl IntoIterator<Item = impl Into<ExportSession<'a>>>,
    ) -> Result<ExportReport> {
        let path = path.as_ref();
        // Checked before the work, so that the error comes at once.
        if !self.overwrite && path.symlink_metadata().is_ok() {
            return Err(Error::AlreadyExists { path: path.to_owned() });
        }
        let failed = |source| Error::io("write", path, source);
        // The file takes the name by a rename, which would take the name from the device.
        if path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(failed(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is a device, pipe or socket, and only a regular file is replaced",
            )));
        }
        if self.format.is_folder() {
            return self.write_folder(path, sessions);
        }
        let new = AtomicFile::empty(path).map_err(failed)?;
        let mut out = BufWriter::with_capacity(1 << 16, new.handle().map_err(failed)?);
        let written = self.run(sessions, &mut out, path);
        let flushed = out.flush().map_err(failed);
        // It may hold keys.
        drop(out.into_parts().1.map(Zeroizing::new));
        let report = written?;
        flushed?;
        let placed = if self.overwrite { new.put_over(path) } else { new.put_in_place(path) };
        placed.map_err(failed)?;
        Ok(report)
    }

    /// What writing these sessions would leave out and fill in. Nothing is written.
    ///
    /// # Errors
    ///
    /// Those that writing them would have, but for the errors of a disk.
    pub fn preview<'a>(
        &self,
        sessions: impl IntoIterator<Item = impl Into<ExportSession<'a>>>,
    ) -> Result<ExportReport> {
        if self.format.is_folder() {
            return self.folder("preview", sessions).map(|(_, report)| report);
        }
        self.run(sessions, &mut io::empty(), Path::new("nowhere"))
    }

    /// Writes into memory: for a pipe, or for one of the string formats.
    ///
    /// # Errors
    ///
    /// As [`Export::write_file`]; [`Error::Unfit`] where the format is a folder.
    pub fn to_bytes<'a>(
        &self,
        sessions: impl IntoIterator<Item = impl Into<ExportSession<'a>>>,
    ) -> Result<(Zeroizing<Vec<u8>>, ExportReport)> {
        if self.format.is_folder() {
            return Err(self.unfit("it is a folder of files; write it to a path"));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(STRING));
        let mut out = Cursor::new(&mut *bytes);
        let report = self.run(sessions, &mut out, Path::new("memory"))?;
        Ok((bytes, report))
    }

    /// Writes one of the string formats, without a line's end.
    ///
    /// # Errors
    ///
    /// As [`Export::write_file`]; [`Error::Unfit`] where the format is no string.
    pub fn to_text<'a>(
        &self,
        session: impl Into<ExportSession<'a>>,
    ) -> Result<(Zeroizing<String>, ExportReport)> {
        if !self.format.is_string() {
            return Err(self.unfit("it is a file and no string"));
        }
        let (bytes, report) = self.to_bytes([session])?;
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        Ok((Zeroizing::new(text.trim_end().to_owned()), report))
    }

    fn run<'a>(
        &self,
        sessions: impl IntoIterator<Item = impl Into<ExportSession<'a>>>,
        out: &mut dyn Output,
        path: &Path,
    ) -> Result<ExportReport> {
        let line;
        let sealed;
        let target: &dyn Target = match &self.format.spec().writer {
            Writer::String { capabilities, encode } => {
                line = string::target(self.format.name(), capabilities, *encode);
                &line
            }
            Writer::File(target) => *target,
            Writer::Sealed(target) => {
                sealed = target(self.given_passphrase())?;
                &*sealed
            }
            Writer::Folder { .. } => return Err(self.unfit("it is a folder of files")),
            Writer::Absent(why) => return Err(self.unfit(why)),
        };
        let mut work = self.begin(sessions, target.capabilities())?;
        let Work { sessions, lost, .. } = &mut work;
        let written = target.write(Writing { sessions, lost, out });
        written.map_err(|error| match error {
            // A writer does not know what it writes to.
            Error::Io { doing, source, .. } => Error::io(doing, path, source),
            error => error,
        })?;
        self.end(work, target.capabilities())
    }

    /// Fits the sessions to the format.
    fn begin<'a>(
        &self,
        sessions: impl IntoIterator<Item = impl Into<ExportSession<'a>>>,
        capabilities: &Capabilities,
    ) -> Result<Work<'a>> {
        let mut sessions: Vec<_> = sessions.into_iter().map(|session| session.into().0).collect();
        if sessions.len() != 1 && !capabilities.many {
            let why = format!("it holds one session, and there are {}", sessions.len());
            return Err(self.unfit(&why));
        }
        let mut lost = Losses::default();
        let mut filled = Vec::new();
        let seen = Rc::new(Cell::new(0));
        for session in &mut sessions {
            correct(&mut session.account, capabilities, self.given, &mut filled, &mut lost);
            fill(&mut session.account, self.format.name(), capabilities, self.given, &mut filled)?;
            session.account = account_for(take(&mut session.account), capabilities, &mut lost);
            let none: Box<dyn Iterator<Item = _>> = Box::new(iter::empty());
            let entities = replace(&mut session.entities, none);
            if self.entities {
                let seen = Rc::clone(&seen);
                let counted = entities.inspect(move |_| seen.set(seen.get() + 1));
                session.entities = Box::new(counted);
            }
        }
        Ok(Work { sessions, lost, filled, seen })
    }

    /// Counts the entities that no writer read, and makes the report.
    fn end(&self, mut work: Work<'_>, capabilities: &Capabilities) -> Result<ExportReport> {
        if capabilities.entities.is_none() {
            for session in &mut work.sessions {
                without_entities(session, &mut work.lost)?;
            }
        }
        let lost = work.lost.into_sorted();
        let count = lost.iter().map(|loss| loss.count).sum();
        if self.strict && count > 0 {
            let mut what: Vec<_> = lost.iter().map(|loss| loss.what).collect();
            what.dedup();
            let (format, what) = (self.format.name(), what.join(", "));
            return Err(Error::Lossy { format, count, what });
        }
        let left_out = lost.iter().filter(|loss| loss.what == "entities");
        let left_out: u64 = left_out.map(|loss| loss.count).sum();
        Ok(ExportReport {
            lost,
            filled: work.filled,
            sessions: work.sessions.len() as u64,
            entities: work.seen.get().saturating_sub(left_out),
        })
    }

    fn given_passphrase(&self) -> Option<&[u8]> {
        self.passphrase.as_ref().map(|passphrase| passphrase.as_slice())
    }

    fn unfit(&self, why: &str) -> Error {
        Error::Unfit { format: self.format.name(), why: why.to_owned() }
    }
}

given_setters!(Export);

/// The capacity for a string: growing would leave a copy of it in memory.
const STRING: usize = 1024;

/// Sessions on their way out.
struct Work<'a> {
    sessions: Vec<Outgoing<'a>>,
    lost: Losses,
    filled: Vec<String>,
    /// How many entities were asked for.
    seen: Rc<Cell<u64>>,
}

impl<'a> ExportSession<'a> {
    /// A session of these values; the entities in the order of their marked ids.
    #[must_use]
    pub fn new(
        name: &str,
        account: Account,
        entities: impl IntoIterator<Item = Result<Entity>, IntoIter: 'a>,
    ) -> Self {
        let entities = Box::new(entities.into_iter());
        Self(Outgoing { name: name.to_owned(), account, entities })
    }
}

impl<'a> ExportSession<'a> {
    /// A copy of any session under its name. Of a [`SessionView`](crate::SessionView) it is of one
    /// moment.
    ///
    /// ```
    /// use tgsession::{Export, ExportSession, Format, Store};
    ///
    /// # fn main() -> tgsession::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("accounts");
    /// let store = Store::open_or_create(path)?;
    /// let session = store.session("alice")?.read_view()?;
    /// let (text, _) = Export::to(Format::PortableString).to_text(ExportSession::of(&session)?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of reading the session.
    pub fn of(session: &'a dyn Session) -> Result<Self> {
        Ok(Self::new(&session.name()?, session.account()?, Entities::of(session)))
    }
}

impl<'a> From<SourceSession<'a>> for ExportSession<'a> {
    fn from(session: SourceSession<'a>) -> Self {
        let (name, account) = (session.name().to_owned(), session.account().clone());
        Self::new(&name, account, session.with_impossible_ids())
    }
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export").field("format", &self.format).finish_non_exhaustive()
    }
}

impl fmt::Debug for ExportSession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportSession").field("name", &self.0.name).finish_non_exhaustive()
    }
}
