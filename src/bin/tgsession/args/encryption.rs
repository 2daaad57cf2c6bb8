//! The commands that encrypt a store and change its keys.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::keys::{FromKey, Key, NewKey};

/// Write an encrypted copy of a store
#[derive(Args)]
#[command(
    after_help = "The key is 64 hexadecimal digits or 32 binary bytes; anything else is a passphrase. Without an option \
                  for the key, the tool asks for a passphrase twice. The copy is written whole or not at all. It never \
                  overwrites a file.\n\
                  Nobody can open the copy without the key: keep it, or add another with `tgsession key add`. The bytes of \
                  STORE stay on the disk until you delete it.\n\n\
                  Example: tgsession encrypt accounts.tgsession -o safe"
)]
pub(crate) struct Encrypt {
    /// The store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    /// The new file; `.tgsession` is added to a bare name [default: the store's name with `-encrypted`]
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) key: Key,
}

/// Write a copy of an encrypted store that is not encrypted
#[derive(Args)]
#[command(after_help = "The copy is written whole or not at all. It never overwrites a file.\n\n\
                        Example: tgsession decrypt safe.tgsession -o plain")]
pub(crate) struct Decrypt {
    /// The encrypted store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    /// The new file; `.tgsession` is added to a bare name
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) key: Key,
}

/// Write a copy of an encrypted store under a new master key and one new key
#[derive(Args)]
#[command(
    after_help = "Do this if others may know a key: no key of STORE or of an old copy opens the new file. --key-file, \
                  --key-env and --key-command are for the new key, --from-key-file, --from-key-env and --from-key-command \
                  for the key of STORE. To change a passphrase, `tgsession key change` is enough.\n\n\
                  Example: tgsession rekey safe.tgsession -o safer"
)]
pub(crate) struct Rekey {
    /// The encrypted store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    /// The new file; `.tgsession` is added to a bare name
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) from_key: FromKey,
    #[command(flatten)]
    pub(crate) key: Key,
}

/// List, add, remove and change the keys of an encrypted store
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    List(KeyList),
    Add(KeyAdd),
    Remove(KeyRemove),
    Change(KeyChange),
}

/// List the keys of an encrypted store, which needs none of them
#[derive(Args)]
#[command(after_help = "Example: tgsession key list safe.tgsession")]
pub(crate) struct KeyList {
    /// The store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    /// Write them as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Add a key to an encrypted store, which has at most 4
#[derive(Args)]
#[command(
    after_help = "--key-file, --key-env and --key-command are for a key of the store. Without an option for the new key, \
                  the tool asks for a passphrase twice.\n\n\
                  Example: tgsession key add safe.tgsession --new-key-file spare.key"
)]
pub(crate) struct KeyAdd {
    /// The encrypted store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) key: Key,
    #[command(flatten)]
    pub(crate) new_key: NewKey,
}

/// Remove a key from an encrypted store, but never the last
#[derive(Args)]
#[command(
    after_help = "It asks on a terminal. Old copies of the file still open with the key. If others may have both, use \
                  `tgsession rekey`.\n\n\
                  Example: tgsession key remove safe.tgsession 2"
)]
pub(crate) struct KeyRemove {
    /// The encrypted store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    /// The number of the key, as `tgsession key list` shows it
    #[arg(value_name = "SLOT")]
    pub(crate) slot: usize,
    #[command(flatten)]
    pub(crate) key: Key,
    /// Remove without asking on a terminal
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Change a key of an encrypted store: add the new one, then remove the one that was given
#[derive(Args)]
#[command(
    after_help = "--key-file, --key-env and --key-command are for the old key. Without an option for the new key, the \
                  tool asks for a passphrase twice. Old copies of the file still open with the old key.\n\n\
                  Example: tgsession key change safe.tgsession"
)]
pub(crate) struct KeyChange {
    /// The encrypted store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) key: Key,
    #[command(flatten)]
    pub(crate) new_key: NewKey,
}
