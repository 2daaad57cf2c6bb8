//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Session store for Telegram clients: import, read and check session files
#[derive(Parser)]
#[command(
    version,
    after_help = "SRC is a store (.tgsession) or a Telethon .session file; it is never written to.\n\
                  Exit codes: 0 done, 1 refused or not found, 2 wrong usage, 3 damaged input, 4 store busy.\n\n\
                  Example: tgsession import anon.session --into accounts"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Import(Import),
    Dump(Dump),
    Info(Info),
    Get(Get),
    List(List),
    Rename(Rename),
    Remove(Remove),
    Check(Check),
}

/// Bring session files into a store, which is made if it is missing
#[derive(Args)]
#[command(after_help = "Each file is imported whole or not at all.\n\n\
                        Example: tgsession import anon.session bot.session --into accounts")]
pub(crate) struct Import {
    /// The session files to read
    #[arg(required = true, value_name = "SRC")]
    pub(crate) sources: Vec<PathBuf>,
    /// The store to write to; `.tgsession` is added to a bare name
    #[arg(long, value_name = "STORE")]
    pub(crate) into: PathBuf,
    /// Name of the session in the store [default: the file's name without `.session`]
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Replace a session of the same name
    #[arg(long)]
    pub(crate) replace: bool,
    /// Of a damaged file, take every row that is still whole
    #[arg(long)]
    pub(crate) salvage: bool,
}

/// Write everything that a source holds to standard output, as JSON
#[derive(Args)]
#[command(after_help = "Example: tgsession dump anon.session | jq '.sessions[].entities | length'")]
pub(crate) struct Dump {
    /// A store or a session file
    #[arg(value_name = "SRC")]
    pub(crate) source: PathBuf,
    /// Only the session of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) session: Option<String>,
    /// Show auth keys and whole phone numbers: whoever sees a key is logged in
    #[arg(long)]
    pub(crate) secrets: bool,
    /// Of a damaged file, show every row that is still whole
    #[arg(long)]
    pub(crate) salvage: bool,
}

/// Say what a source is and what is in it, for a person
#[derive(Args)]
#[command(after_help = "Example: tgsession info anon.session")]
pub(crate) struct Info {
    /// A store or a session file
    #[arg(value_name = "SRC")]
    pub(crate) source: PathBuf,
}

/// Find one user, group or channel and print it as JSON
#[derive(Args)]
#[command(after_help = "Example: tgsession get anon.session --username durov")]
pub(crate) struct Get {
    /// A store or a session file
    #[arg(value_name = "SRC")]
    pub(crate) source: PathBuf,
    #[command(flatten)]
    pub(crate) by: By,
    /// In which session; needed where the source holds several
    #[arg(long, value_name = "NAME")]
    pub(crate) session: Option<String>,
    /// Show the whole phone number
    #[arg(long)]
    pub(crate) secrets: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct By {
    /// By id, marked (-1001234567890) or as the API has it (1234567890)
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) id: Option<i64>,
    /// By username, in any case, with or without `@`
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// By phone number
    #[arg(long, value_name = "N")]
    pub(crate) phone: Option<String>,
    /// By exact name or title
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
}

/// Name the sessions of a store, one a line
#[derive(Args)]
#[command(after_help = "Example: tgsession list accounts.tgsession")]
pub(crate) struct List {
    /// The store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
}

/// Give a session of a store another name
#[derive(Args)]
#[command(after_help = "Example: tgsession rename accounts.tgsession anon alice")]
pub(crate) struct Rename {
    /// The store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    /// The name it has
    pub(crate) old: String,
    /// The name it gets, which must be free
    pub(crate) new: String,
}

/// Delete a session from a store, its auth keys too
#[derive(Args)]
#[command(after_help = "Example: tgsession remove accounts.tgsession anon")]
pub(crate) struct Remove {
    /// The store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
    /// The session
    pub(crate) name: String,
}

/// Read every record and every index of a source; problems go to standard output, one a line
#[derive(Args)]
#[command(after_help = "Example: tgsession check accounts.tgsession")]
pub(crate) struct Check {
    /// A store or a session file
    #[arg(value_name = "SRC")]
    pub(crate) source: PathBuf,
}
