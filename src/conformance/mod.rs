//! A suite of tests that every session passes, for those who write a
//! [`Storage`](crate::storage::Storage) or a [`Session`].
//!
//! ```
//! use tgsession::MemoryStorage;
//! use tgsession::storage::StorageSession;
//!
//! tgsession::conformance::run(|| Ok(StorageSession::new(MemoryStorage::new("mine")))).unwrap();
//! ```
//!
//! With a function that opens a session again, the suite also checks that durable data comes back:
//!
//! ```
//! use tgsession::conformance::Suite;
//! use tgsession::{Session, Store};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("s");
//! let mut count = 0;
//! let suite = Suite::new(|| {
//!     count += 1;
//!     Store::open_or_create(&path)?.session(&format!("s{count}"))
//! });
//! let reopen = |session: tgsession::StoreSession| {
//!     let name = session.name()?;
//!     drop(session);
//!     Store::open(&path)?.open_session(&name)
//! };
//! suite.reopened_by(reopen).run().unwrap();
//! ```

mod account;
mod bad_input;
mod entities;
mod model;
mod outcome;
mod together;

use std::fmt;

use self::outcome::{Case, Failed};
use crate::error::Result;
use crate::session::Session;

/// The requirements that a session violates, one sentence each.
///
/// ```
/// use tgsession::conformance::{self, Failures};
/// use tgsession::{Error, MemorySession};
///
/// let failures: Failures =
///     conformance::run(|| Err::<MemorySession, _>(Error::other("no network"))).unwrap_err();
/// for failure in failures.all() {
///     println!("{failure}"); // an empty session: an unexpected error: ..
/// }
/// ```
pub struct Failures(Vec<String>);

impl Failures {
    /// The sentences. Each begins with the name of the case.
    #[must_use]
    pub fn all(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// As text, so that `unwrap` shows something to read.
impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failures {}

/// Runs the suite. `make` makes a new, empty session each time.
///
/// # Errors
///
/// [`Failures`] lists every requirement that the sessions violate.
pub fn run<S: Session>(make: impl FnMut() -> Result<S>) -> Result<(), Failures> {
    Suite::new(make).run()
}

/// The suite, and the functions that make and reopen sessions.
///
/// ```
/// use std::sync::Arc;
/// use tgsession::MemorySession;
/// use tgsession::conformance::Suite;
///
/// let suite = Suite::new(|| Ok(Arc::new(MemorySession::new("alice"))));
/// suite.second_by(|session| Ok(Arc::clone(session))).run().unwrap();
/// ```
pub struct Suite<'a, S> {
    make: Box<dyn FnMut() -> Result<S> + 'a>,
    reopen: Option<Box<dyn Fn(S) -> Result<S> + 'a>>,
    second: Option<Box<Second<'a, S>>>,
}

/// Gives another handle on the session of a handle.
type Second<'a, S> = dyn Fn(&S) -> Result<S> + 'a;

impl<S> fmt::Debug for Suite<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").finish_non_exhaustive()
    }
}

type Test = fn(&dyn Session) -> Case;

const CASES: [(&str, Test); 15] = [
    ("an empty session", account::empty),
    ("login and home DC", account::login),
    ("DCs", account::dcs),
    ("update states", account::states),
    ("sent files", account::files),
    ("extras", account::extras),
    ("the whole account", account::whole),
    ("views of one entity", entities::views),
    ("owners of names", entities::owners),
    ("pages of entities", entities::pages),
    ("random operations", entities::random_operations),
    ("all or nothing", together::all_or_nothing),
    ("threads", together::threads),
    ("bad input", bad_input::refused),
    ("a deleted session", account::deleted),
];

impl<'a, S: Session> Suite<'a, S> {
    /// The suite for the sessions that `make` makes: new and empty, each time.
    pub fn new(make: impl FnMut() -> Result<S> + 'a) -> Self {
        Self { make: Box::new(make), reopen: None, second: None }
    }

    /// Also tests that durable data comes back. `reopen` opens the session of a handle again.
    ///
    /// Where dropping a handle flushes, let `reopen` skip that, with [`std::mem::forget`] or by
    /// killing a process. Otherwise a storage that ignores `durable` passes.
    #[must_use]
    pub fn reopened_by(self, reopen: impl Fn(S) -> Result<S> + 'a) -> Self {
        Self { reopen: Some(Box::new(reopen)), ..self }
    }

    /// Also tests two handles on one session. `second` gives another handle on the session of a
    /// handle that stays open.
    #[must_use]
    pub fn second_by(self, second: impl Fn(&S) -> Result<S> + 'a) -> Self {
        Self { second: Some(Box::new(second)), ..self }
    }

    /// Runs all cases.
    ///
    /// # Errors
    ///
    /// [`Failures`] lists every requirement that the sessions violate.
    pub fn run(mut self) -> Result<(), Failures> {
        let mut failures = Vec::new();
        let mut note = |name: &str, outcome: Case| {
            failures.extend(outcome.err().map(|Failed(why)| format!("{name}: {why}")));
        };
        for (name, case) in CASES {
            let made = (self.make)().map_err(Failed::from);
            note(name, made.and_then(|session| case(&session)));
        }
        if let Some(reopen) = &self.reopen {
            let made = (self.make)().map_err(Failed::from);
            note("durability", made.and_then(|session| together::durable(session, reopen)));
        }
        if let Some(second) = &self.second {
            let made = (self.make)().map_err(Failed::from);
            note("two handles", made.and_then(|session| together::two_handles(session, second)));
        }
        if failures.is_empty() { Ok(()) } else { Err(Failures(failures)) }
    }
}
