//! The content of a file.

use crate::types::Account;

/// A session file of grammers that is not SQLite.
#[derive(Debug)]
pub(crate) struct GrammersTl {
    /// The releases that write such a file: `0.1-0.2`, `0.3-0.7` or `0.8`.
    pub(crate) release: &'static str,
    /// The content. The format has no peers.
    pub(crate) account: Account,
    /// One sentence for each value that was skipped or changed.
    pub(crate) notes: Vec<String>,
}
