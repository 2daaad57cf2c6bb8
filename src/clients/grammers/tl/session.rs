//! What a file holds.

use crate::types::Account;

/// A session file of grammers that is not SQLite.
#[derive(Debug)]
pub(crate) struct GrammersTl {
    /// The releases that write such a file: `0.1-0.2`, `0.3-0.7` or `0.8`.
    pub(crate) release: &'static str,
    /// What it holds. It knows no peers.
    pub(crate) account: Account,
    /// What was found and not taken or not as it stood there, one sentence each.
    pub(crate) notes: Vec<String>,
}
