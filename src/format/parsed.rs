//! Sessions that were read as a whole and are in memory.

use crate::types::{Account, Entity};

/// The sessions read from a string, a JSON text, a folder or a binary file.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The format as dumps name it.
    pub(crate) format: String,
    pub(crate) sessions: Vec<ParsedSession>,
}

/// One session of them.
#[derive(Debug, Default)]
pub(crate) struct ParsedSession {
    /// `None`: it is named as the file.
    pub(crate) name: Option<String>,
    /// Its number among several: without a name it is named as the file with this behind.
    pub(crate) number: Option<i64>,
    pub(crate) account: Account,
    /// In the order of their marked ids.
    pub(crate) entities: Vec<Entity>,
    /// Notes: what could not be represented, one sentence each.
    pub(crate) notes: Vec<String>,
    /// Why it cannot be read. It is listed all the same; the other sessions stay readable.
    pub(crate) unreadable: Option<String>,
}

impl ParsedSession {
    /// One of several that cannot be read, for this reason.
    #[cfg(feature = "convert")]
    pub(crate) fn bad(why: String) -> Self {
        Self { unreadable: Some(why), ..Self::default() }
    }
}

impl Parsed {
    /// The result for a format of one session.
    pub(crate) fn one(format: String, session: ParsedSession) -> Self {
        Self { format, sessions: vec![session] }
    }
}
