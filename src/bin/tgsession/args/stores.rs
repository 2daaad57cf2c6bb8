//! The commands that take a store.

use std::path::PathBuf;

use clap::{Args, value_parser};

use super::keys::Key;

/// List the sessions of a store, one name per line
#[derive(Args)]
#[command(after_help = "Example: tgsession list accounts.tgsession")]
pub(crate) struct List {
    /// The store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) key: Key,
    /// Write the sessions and their logins as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Rename a session of a store
#[derive(Args)]
#[command(after_help = "Example: tgsession rename accounts.tgsession anon alice")]
pub(crate) struct Rename {
    /// The store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) key: Key,
    /// The present name
    pub(crate) old: String,
    /// The new name, which no session has yet
    pub(crate) new: String,
}

/// Delete a session and its auth keys from a store
#[derive(Args)]
#[command(
    after_help = "It says what it deletes and asks on a terminal. Without a terminal it deletes \
                        without asking.\n\
                        The deleted keys may stay in free parts of the file until those are written over; --scrub \
                        writes zeros over them at once. To make a key worthless, end its session in Telegram itself.\n\n\
                        Example: tgsession remove accounts.tgsession anon --scrub"
)]
pub(crate) struct Remove {
    /// The store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) key: Key,
    /// The session
    pub(crate) name: String,
    /// Overwrite the deleted data with zeros, as `compact --scrub` does
    #[arg(long)]
    pub(crate) scrub: bool,
    /// Delete without asking on a terminal
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Shrink the file of a store to its content
#[derive(Args)]
#[command(
    after_help = "--scrub also writes zeros over everything in the file that is not in use, so that deleted and replaced \
                        keys are in no byte of it. It cannot reach copies of the file, blocks that an earlier compaction gave \
                        back to the file system, nor old blocks that an SSD, a snapshot or a copy-on-write file system keeps. \
                        To make a key worthless, end its session in Telegram itself.\n\n\
                        Example: tgsession compact accounts.tgsession"
)]
pub(crate) struct Compact {
    /// The store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) key: Key,
    /// Overwrite deleted and replaced data with zeros
    #[arg(long)]
    pub(crate) scrub: bool,
}

/// Copy a store, also while a client uses it
#[derive(Args)]
#[command(after_help = "The copy is written whole or not at all. It never overwrites a file.\n\n\
                        Example: tgsession backup accounts.tgsession monday")]
pub(crate) struct Backup {
    /// The store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) key: Key,
    /// The new file; `.tgsession` is added to a bare name
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,
}

/// Run a client on a host without a permanent disk: restore its store, start it, save the store
#[derive(Args)]
#[cfg_attr(not(unix), allow(dead_code, reason = "the command is refused there"))]
#[command(
    after_help = "Both commands run in `sh -c` with the path of a file in $STORE: --restore writes it, --save reads \
                        it. The store is restored only if it does not exist. If --restore fails, or what it wrote is \
                        damaged, the client does not start; if it writes no file, the client starts with a new store. \
                        --save gets a consistent copy. SIGTERM, SIGINT and SIGHUP are forwarded to the client, and the \
                        store is saved after the client has ended. The exit code is the client's, or 1 if the store \
                        could not be saved.\n\n\
                        Example: tgsession run accounts.tgsession \
                        --restore 'aws s3 cp s3://bucket/accounts \"$STORE\"' \
                        --save 'aws s3 cp \"$STORE\" s3://bucket/accounts' --save-every 300 -- ./client"
)]
pub(crate) struct Run {
    /// The store that the client uses
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) key: Key,
    /// Shell command that writes the saved store to the file $STORE, or no file if nothing was saved yet
    #[arg(long, value_name = "CMD")]
    pub(crate) restore: Option<String>,
    /// Shell command that keeps the file $STORE somewhere safe
    #[arg(long, value_name = "CMD")]
    pub(crate) save: Option<String>,
    /// Also save while the client runs, if the store has changed
    #[arg(long, value_name = "SECONDS", requires = "save", value_parser = value_parser!(u64).range(1..))]
    pub(crate) save_every: Option<u64>,
    /// The client and its arguments
    #[arg(value_name = "CLIENT", last = true, required = true)]
    pub(crate) client: Vec<std::ffi::OsString>,
}

/// Write the readable rows of a damaged store into a new one
#[derive(Args)]
#[command(
    after_help = "The damaged store is not changed. The missing rows are listed on standard error.\n\n\
                        Example: tgsession repair accounts repaired"
)]
pub(crate) struct Repair {
    /// The damaged store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) key: Key,
    /// The store to create
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,
}
