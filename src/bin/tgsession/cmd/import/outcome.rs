//! What became of every source and session of an import, for people and for programs.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tgsession::{Account, ImportReport};

use super::plan::Job;
use crate::failure::{Failure, Outcome};
use crate::words::{count, dc_list, dcs_with_keys, home_key};

/// A session that got in, or would.
pub(super) struct Imported {
    pub(super) path: PathBuf,
    /// Its name in the source.
    session: String,
    /// Its name in the store.
    pub(super) name: String,
    pub(super) format: String,
    pub(super) account: Account,
    pub(super) report: ImportReport,
    /// Differences from the source, one sentence each.
    pub(super) notes: Vec<String>,
    /// What may cost the login.
    pub(super) warnings: Vec<String>,
    /// Whether the store held a session of this name.
    pub(super) replaced: bool,
}

impl Imported {
    pub(super) fn new(job: &Job, format: String, account: Account, report: ImportReport) -> Self {
        let (session, name) = (job.session.clone(), job.name.clone());
        let path = job.origin.path().to_owned();
        let (notes, warnings) = (report.notes.clone(), Vec::new());
        Self { path, session, name, format, account, report, notes, warnings, replaced: false }
    }

    /// One line.
    pub(super) fn summary(&self) -> String {
        let Self { account, report, .. } = self;
        let mut parts = vec![self.format.clone()];
        parts.push(match account.login.home_dc {
            Some(dc) => format!("home DC {dc}"),
            None => "home DC: unknown".to_owned(),
        });
        parts.push(logged_in(account));
        parts.extend(account.login.user.map(|user| format!("user {}", user.id)));
        parts.extend([
            count(report.entities, "entity", "entities"),
            count(report.usernames, "username", "usernames"),
            count(report.phones, "phone", "phones"),
            count(account.channel_states.len() as u64, "channel state", "channel states"),
            count(account.sent_files.len() as u64, "file", "files"),
        ]);
        format!("{}: {}: {}", self.path.display(), self.name, parts.join(", "))
    }

    fn to_json(&self) -> Value {
        let Self { account, report, .. } = self;
        json!({
            "source": self.path.to_string_lossy(),
            "session": self.session,
            "name": self.name,
            "format": self.format,
            "home_dc": account.login.home_dc.map(|dc| dc.0),
            "logged_in": home_key(account).is_some(),
            "user_id": account.login.user.map(|user| user.id),
            "entities": report.entities,
            "usernames": report.usernames,
            "phones": report.phones,
            "channel_states": account.channel_states.len(),
            "files": account.sent_files.len(),
            "replaced": self.replaced,
            "notes": self.notes,
            "warnings": self.warnings,
        })
    }
}

pub(super) fn logged_in(account: &Account) -> String {
    let keys = dcs_with_keys(account);
    match home_key(account) {
        Some(_) => "logged in".to_owned(),
        None if keys.is_empty() => "not logged in".to_owned(),
        None => format!("no auth key for the home DC, only for DC {}", dc_list(&keys)),
    }
}

/// What went wrong so far, said at once so that the order of the sources is kept.
#[derive(Default)]
pub(super) struct Failures {
    pub(super) worst: u8,
    all: Vec<Failed>,
}

struct Failed {
    path: PathBuf,
    name: Option<String>,
    error: String,
    code: u8,
}

impl Failures {
    pub(super) fn add(&mut self, path: &Path, name: Option<String>, failure: Failure) {
        failure.report();
        let (error, code) = (failure.text(), failure.code());
        self.worst = self.worst.max(code);
        self.all.push(Failed { path: path.to_owned(), name, error, code });
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The names of the sessions that did not get in.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter_map(|failed| failed.name.as_deref())
    }

    pub(super) fn into_outcome(self) -> Outcome {
        if self.worst == 0 { Ok(()) } else { Err(Failure::Reported(self.worst)) }
    }
}

/// The whole import as one JSON value.
pub(super) fn report(
    store: &Path,
    dry_run: bool,
    imported: &[Imported],
    skipped: &[(PathBuf, String)],
    failures: &Failures,
) -> Value {
    let failed = failures.all.iter().map(|failed| {
        json!({
            "source": failed.path.to_string_lossy(),
            "name": failed.name,
            "error": failed.error,
            "exit_code": failed.code,
        })
    });
    let skipped =
        skipped.iter().map(|(path, why)| json!({"source": path.to_string_lossy(), "why": why}));
    json!({
        "format": "tgsession-import/1",
        "store": store.to_string_lossy(),
        "dry_run": dry_run,
        "imported": imported.iter().map(Imported::to_json).collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
        "failed": failed.collect::<Vec<_>>(),
    })
}
