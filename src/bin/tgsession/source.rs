//! From what a person typed to the source or store that is meant.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tgsession::{DcId, Error, KeyError, Progress, Source, SourceOptions, Store};
use zeroize::Zeroizing;

use crate::args::keys::KeyOptions;
use crate::args::{Corrections, Key, Origin};
use crate::failure::{Failure, Outcome};
use crate::key::{self, Unlocker};
use crate::progress::Waiting;
use crate::target::{starts_with, with_ending};
use crate::{explain, output, settings, target};

/// Opens what a SRC argument or `--string-env` names, for reading only.
pub(crate) fn open(origin: &Origin, reading: Reading) -> Outcome<Source> {
    open_corrected(origin, reading, &Corrections::default())
}

/// The same; checks of the source count here.
pub(crate) fn open_counted(
    origin: &Origin,
    reading: Reading,
    progress: &Progress,
) -> Outcome<Source> {
    open_with(origin, reading, &Corrections::default(), progress)
}

/// The same, with values from the caller.
pub(crate) fn open_corrected(
    origin: &Origin,
    reading: Reading,
    corrections: &Corrections,
) -> Outcome<Source> {
    open_with(origin, reading, corrections, &Progress::default())
}

fn open_with(
    origin: &Origin,
    reading: Reading,
    corrections: &Corrections,
    progress: &Progress,
) -> Outcome<Source> {
    let mut reader = Reader::new(reading, origin.passphrase_file.as_deref())?.with_dc(origin.dc);
    reader = reader.with_key(origin.key.options())?;
    reader.options = reader.options.progress(progress);
    let reader = reader.with_corrections(corrections);
    let source = match (&origin.source, &origin.string_env) {
        (Some(path), _) => reader.open(&find(path)?),
        (None, Some(variable)) => reader.open_variable(variable),
        (None, None) => Err(Failure::Usage("give a SRC or --string-env".to_owned())),
    }?;
    let path = source.path();
    // A store that is salvaged is no longer one for the library.
    if origin.key.options().place.is_some() && !source.is_store() && !target::is_store(path) {
        return Err(Failure::Refused(format!(
            "{}: a key was given, and this is not an encrypted store; check that it is the right file, then read it \
             without a key",
            path.display()
        )));
    }
    Ok(source)
}

/// Refuses to give the user id or the bot flag of one account to several sessions.
pub(crate) fn refuse_for_several(
    corrections: &Corrections,
    source: &str,
    sessions: usize,
    cure: &str,
) -> Outcome {
    let given = [corrections.user_id.map(|_| "--user-id"), corrections.bot.map(|_| "--bot")];
    let given: Vec<_> = given.into_iter().flatten().collect();
    if sessions < 2 || given.is_empty() {
        return Ok(());
    }
    let given = given.join(" and ");
    Err(Failure::Usage(format!("{source}: {given} cannot apply to several sessions; {cure}")))
}

/// How a source is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Damage is an error.
    Whole,
    /// The readable rows of a damaged file.
    Salvage,
}

impl Reading {
    pub(crate) fn salvage(asked: bool) -> Self {
        if asked { Self::Salvage } else { Self::Whole }
    }
}

/// Opens sources, all in the same way.
pub(crate) struct Reader {
    options: SourceOptions,
    has_passphrase: bool,
    salvages: bool,
    /// The key of encrypted stores.
    unlocker: Option<Unlocker>,
    /// The passphrase that was typed last and opened something.
    typed: RefCell<Option<Zeroizing<String>>>,
}

impl Reader {
    pub(crate) fn new(reading: Reading, passphrase_file: Option<&Path>) -> Outcome<Self> {
        let mut options = SourceOptions::new().salvage(reading == Reading::Salvage);
        if let Some(path) = passphrase_file {
            options = options.passphrase(&passphrase_in(path)?);
        }
        Ok(Self {
            options,
            has_passphrase: passphrase_file.is_some(),
            salvages: reading == Reading::Salvage,
            unlocker: None,
            typed: RefCell::default(),
        })
    }

    /// With the DC of a key that does not say it.
    pub(crate) fn with_dc(mut self, dc: Option<i32>) -> Self {
        self.options = dc.map_or(self.options.clone(), |dc| self.options.dc(DcId(dc)));
        self
    }

    /// With the key of encrypted stores.
    pub(crate) fn with_key(mut self, options: KeyOptions) -> Outcome<Self> {
        let unlocker = Unlocker::new(options)?;
        self.options = match unlocker.given() {
            Some(key) => self.options.key(key),
            None => self.options,
        };
        self.unlocker = Some(unlocker);
        Ok(self)
    }

    /// With values from the caller, for the one session of a source.
    pub(crate) fn with_corrections(mut self, given: &Corrections) -> Self {
        let mut options = self.options;
        options = given.user_id.map_or(options.clone(), |id| options.user_id(id));
        options = given.api_id.map_or(options.clone(), |id| options.api_id(id));
        options = given.bot.map_or(options.clone(), |bot| options.bot(bot));
        self.options = options;
        self
    }

    /// Opens exactly this path, or standard input for `-`.
    pub(crate) fn open(&self, path: &Path) -> Outcome<Source> {
        if path.as_os_str() == STDIN {
            return self.open_stdin();
        }
        // Such a file may have gigabytes, and the library would read all of them.
        if !self.salvages && starts_with(path, &[0; 4096]) {
            let found = "unknown file format, it begins with zeros".to_owned();
            let hint = explain::EXPECTED;
            return Err(Error::WrongKind { path: path.to_owned(), found, hint }.into());
        }
        if !self.salvages && is_too_large(path) {
            let found = "unknown file format, and too large for a session".to_owned();
            let hint = explain::EXPECTED;
            return Err(Error::WrongKind { path: path.to_owned(), found, hint }.into());
        }
        self.unsealed(|options| options.open(path))
    }

    /// Whether a folder is a session and not a folder of sessions.
    pub(crate) fn looks_like_session(&self, folder: &Path) -> bool {
        !matches!(self.options.open(folder), Err(Error::WrongKind { .. }))
    }

    /// Opens the session that an environment variable holds.
    pub(crate) fn open_variable(&self, variable: &str) -> Outcome<Source> {
        let text = env::var(variable).map(Zeroizing::new).map_err(|error| {
            let what = match error {
                env::VarError::NotPresent => "is not set",
                env::VarError::NotUnicode(_) => "is not text",
            };
            Failure::Refused(format!("the environment variable {variable} {what}"))
        })?;
        self.unsealed(|options| options.open_bytes(variable, text.as_bytes()))
    }

    fn open_stdin(&self) -> Outcome<Source> {
        if io::stdin().is_terminal() {
            eprintln!("tgsession: reading from standard input; end with ctrl-D");
        }
        let mut bytes = Zeroizing::new(Vec::new());
        let read = io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| Failure::Refused(format!("cannot read standard input: {error}")))?;
        self.unsealed(|options| options.open_bytes("stdin", &bytes))
    }

    /// Asks for a passphrase where one is needed and somebody is there to answer, once for all
    /// sources that it opens.
    fn unsealed(
        &self,
        open: impl Fn(&SourceOptions) -> tgsession::Result<Source>,
    ) -> Outcome<Source> {
        let open = |options: &SourceOptions| {
            if !self.salvages {
                return open(options);
            }
            let progress = Progress::default();
            let _shown = Waiting::new("salvaging", &progress);
            open(&options.clone().progress(&progress))
        };
        let sealed = match patiently(|| open(&self.options)) {
            Err(error @ Error::NeedsPassphrase { .. }) if !self.has_passphrase => error,
            Err(error) if key::is_missing(&error) => error,
            opened => return Ok(opened?),
        };
        let with = |typed: &[u8]| match &sealed {
            Error::Key { .. } => open(&self.options.clone().key(&key::key_in(typed))),
            _ => open(&self.options.clone().passphrase(typed)),
        };
        if let Some(typed) = self.typed.borrow().as_ref() {
            match with(typed.as_bytes()) {
                Err(Error::WrongPassphrase { .. } | Error::Key { why: KeyError::Wrong, .. }) => {}
                opened => return Ok(opened?),
            }
        }
        let (Error::NeedsPassphrase { path, .. } | Error::Key { path, .. }) = &sealed else {
            return Err(sealed.into());
        };
        let Some(typed) = ask(&format!("Passphrase of {}: ", path.display()))? else {
            return Err(match &self.unlocker {
                Some(unlocker) => unlocker.failure(sealed),
                None => sealed.into(),
            });
        };
        let source = with(typed.as_bytes())?;
        *self.typed.borrow_mut() = Some(typed);
        Ok(source)
    }
}

/// Whether a file is larger than any session that the library reads into memory.
fn is_too_large(path: &Path) -> bool {
    let large = fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > LARGEST);
    let read_in_place = || target::is_store(path) || starts_with(path, b"SQLite format 3");
    large && !read_in_place()
}

/// A session of ten million entities in a format that is read as a whole.
const LARGEST: u64 = 1 << 30;

/// Tries again while another process has the file, for as long as `--wait` says.
fn patiently<T>(open: impl Fn() -> tgsession::Result<T>) -> tgsession::Result<T> {
    let started = Instant::now();
    loop {
        match open() {
            Err(Error::Busy { .. }) if started.elapsed() < settings::get().wait => {
                thread::sleep(BETWEEN_TRIES);
            }
            opened => return opened,
        }
    }
}

const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// The path that means standard input.
pub(crate) const STDIN: &str = "-";

/// The passphrase in a file: all of it but the line's end.
pub(crate) fn passphrase_in(path: &Path) -> Outcome<Zeroizing<Vec<u8>>> {
    let read = fs::read(path).map(Zeroizing::new);
    let mut bytes = read.map_err(|error| {
        Failure::Refused(format!("{}: cannot read the passphrase: {error}", path.display()))
    })?;
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    Ok(bytes)
}

/// Asks on the terminal without an echo; `None` without a terminal.
pub(crate) fn ask(prompt: &str) -> Outcome<Option<Zeroizing<String>>> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(None);
    }
    let typed = rpassword::prompt_password(prompt);
    let refused = |error| Failure::Refused(format!("cannot read the passphrase: {error}"));
    Ok(Some(Zeroizing::new(typed.map_err(refused)?)))
}

/// Asks twice for a new passphrase; `None` without a terminal.
pub(crate) fn ask_twice(prompt: &str) -> Outcome<Option<Zeroizing<String>>> {
    let (Some(one), Some(again)) = (ask(prompt)?, ask("The same again: ")?) else {
        return Ok(None);
    };
    if *one != *again {
        return Err(Failure::Refused("the two passphrases differ; nothing was written".to_owned()));
    }
    Ok(Some(one))
}

/// Opens the store that a STORE argument names, for reading only. Long calls of the store count in
/// `progress`.
pub(crate) fn open_store_to_read(path: &Path, key: &Key, progress: &Progress) -> Outcome<Store> {
    let path = find_store(path)?;
    read_store(&path, &Unlocker::new(key.options())?, progress)
}

/// The store at this path.
pub(crate) fn read_store(path: &Path, key: &Unlocker, progress: &Progress) -> Outcome<Store> {
    key.open(|key| patiently(|| key::store_options(key).progress(progress).open_read_only(path)))
}

/// Opens the store that a STORE argument names, for writing. Long calls of the store count in
/// `progress`.
pub(crate) fn open_store_to_write(path: &Path, key: &Key, progress: &Progress) -> Outcome<Store> {
    let path = find_store(path)?;
    write_store(&path, &Unlocker::new(key.options())?, progress)
}

/// The store at this path.
pub(crate) fn write_store(path: &Path, key: &Unlocker, progress: &Progress) -> Outcome<Store> {
    let wait = settings::get().wait;
    key.open(|key| key::store_options(key).wait(wait).progress(progress).open(path))
}

/// Warns that an output made from an encrypted store is not encrypted.
pub(crate) fn say_if_decrypted(source: &Source, origin: &Origin) {
    let path = source.path();
    let is_file = origin.source.as_deref().is_some_and(|path| path.as_os_str() != STDIN);
    if is_file && matches!(Store::keys_of(path), Ok(Some(_))) {
        let path = path.display();
        output::say(&format!("{path}: the store is encrypted, but the output is not"));
    }
}

/// Refuses the `-` that stands for standard input where a path is needed.
pub(crate) fn refuse_stdin(path: &Path) -> Outcome {
    if path.as_os_str() == STDIN {
        let text =
            "-: a store must be a file, not a stream; give a path (./- for a file of that name)";
        return Err(Failure::Usage(text.to_owned()));
    }
    Ok(())
}

/// The named session, or the only one.
pub(crate) fn pick_session(source: &Source, asked: Option<&str>) -> Outcome<String> {
    if let Some(name) = asked {
        return Ok(name.to_owned());
    }
    let names = source.session_names()?;
    let path = source.path().display();
    match names.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Failure::Refused(format!("{path}: holds no session"))),
        _ => Err(Failure::Usage(format!(
            "{path}: holds several sessions; choose one with --session: {}",
            names.join(", ")
        ))),
    }
}

/// The path that a SRC argument means: an ending of ours may be left out.
pub(crate) fn find(path: &Path) -> Outcome<PathBuf> {
    if path.as_os_str() == STDIN {
        return Ok(path.to_owned());
    }
    refuse_string(path)?;
    find_with(path, &[".tgsession", ".session"])
}

/// Refuses a session string where a path is needed, without a word of it: it is a login.
fn refuse_string(path: &Path) -> Outcome {
    let belongs = |c: u8| c.is_ascii_alphanumeric() || b"+/-_=.".contains(&c);
    let text = path.to_str().unwrap_or_default();
    if text.len() > LONGEST_NAME && text.bytes().all(belongs) && path.symlink_metadata().is_err() {
        let text = "a session string must not be an argument, because every user can list processes; give it \
                    on standard input (-) or in an environment variable (--string-env)";
        return Err(Failure::Usage(text.to_owned()));
    }
    Ok(())
}

/// No file has a longer name, and every session string is longer.
const LONGEST_NAME: usize = 255;

pub(crate) fn find_store(path: &Path) -> Outcome<PathBuf> {
    refuse_stdin(path)?;
    find_with(path, &[".tgsession"])
}

/// The path itself or, where nothing is there, the first with one of the endings added.
fn find_with(path: &Path, endings: &[&str]) -> Outcome<PathBuf> {
    if may_be_there(path) {
        return Ok(path.to_owned());
    }
    let longer: Vec<_> = endings.iter().map(|ending| with_ending(path, ending)).collect();
    match longer.iter().find(|path| may_be_there(path)) {
        Some(found) => Ok(found.clone()),
        None => Err(not_found(path, &longer)),
    }
}

fn not_found(path: &Path, tried: &[PathBuf]) -> Failure {
    let tried: Vec<_> = tried.iter().map(|path| path.display().to_string()).collect();
    Failure::Refused(format!("{}: not found (also tried {})", path.display(), tried.join(", ")))
}

/// A link to nowhere and a file in a closed folder count: the library says what is wrong there.
fn may_be_there(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}
