//! Asks before something is lost, where a person can answer.

use std::io::{self, IsTerminal, Write};

use tgsession::{Session, Store};

use crate::failure::{Failure, Outcome};
use crate::output::one_line;
use crate::progress;
use crate::words::count;

/// Asks on a terminal. Without one the command line itself is the answer, so that scripts go on
/// working; `--yes` says so on a terminal too.
pub(crate) fn confirm(question: &str, yes: bool) -> Outcome {
    if yes || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(());
    }
    let mut answer = String::new();
    let read = progress::aside(|| {
        let mut stderr = io::stderr();
        let _ = write!(stderr, "{} [y/N] ", one_line(question));
        let _ = stderr.flush();
        io::stdin().read_line(&mut answer)
    });
    read.map_err(|error| Failure::Refused(format!("cannot read the answer: {error}")))?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::Refused("not confirmed; nothing was changed".to_owned())),
    }
}

/// The content of a session that is about to be deleted, as far as it can be read.
pub(crate) struct Holding {
    /// Whether there is an auth key of any DC.
    pub(crate) has_key: bool,
    text: String,
}

impl Holding {
    /// `None` where the store has no such session.
    pub(crate) fn of(store: &Store, name: &str) -> Outcome<Option<Self>> {
        let session = match store.open_session(name) {
            Err(tgsession::Error::NoSession { .. }) => return Ok(None),
            session => session?,
        };
        let has_key = session.dcs()?.iter().any(|dc| dc.auth_key.is_some());
        let user = session.login()?.user.map(|user| format!(", user {}", user.id));
        let entities = session.entity_count().unwrap_or_default();
        let text = format!(
            "session {name:?} ({}{}, {})",
            if has_key { "logged in" } else { "not logged in" },
            user.unwrap_or_default(),
            count(entities, "entity", "entities")
        );
        Ok(Some(Self { has_key, text }))
    }

    /// Asks, and gives the line that says what goes.
    pub(crate) fn confirm(&self, store: &Store, doing: &str, yes: bool) -> Outcome<String> {
        let line = format!("{}: {doing} {}", store.path().display(), self.text);
        confirm(&format!("{line}?"), yes)?;
        Ok(line)
    }
}
