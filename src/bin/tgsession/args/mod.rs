//! The command line.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, value_parser};
use tgsession::Format;

/// Session store for Telegram clients: import, export, read and check session files
#[derive(Parser)]
#[command(
    version,
    after_help = "SRC is a store (.tgsession), the session file, directory or string of any client, or - for \
                  standard input. A command never writes to its SRC.\n\
                  Exit codes: 0 done, 1 refused or not found, 2 wrong usage, 3 damaged input, 4 store busy.\n\n\
                  Example: tgsession import anon.session --into accounts"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print only errors and warnings
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Wait this many seconds for a store or session file that another process uses
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub(crate) wait: u64,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Import(Import),
    Export(Export),
    Dump(Dump),
    Info(Info),
    Get(Get),
    List(List),
    Rename(Rename),
    Remove(Remove),
    Check(Check),
    Compact(Compact),
    Backup(Backup),
    Repair(Repair),
    Run(Run),
    Completions(Completions),
}

impl Command {
    /// Whether the input may be damaged.
    pub(crate) fn salvage(&self) -> bool {
        match self {
            Self::Import(args) => args.salvage,
            Self::Export(args) => args.damage.salvage,
            Self::Dump(args) => args.damage.salvage,
            Self::Info(args) => args.damage.salvage,
            Self::Get(args) => args.damage.salvage,
            _ => false,
        }
    }
}

impl Command {
    /// Whether the result is one JSON value, which is the whole output.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Import(args) => args.json,
            Self::Export(args) => args.json,
            _ => false,
        }
    }
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
    /// The store to create
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,
}

/// How a damaged input is read.
#[derive(Args)]
pub(crate) struct Damage {
    /// Read every readable row of a damaged file
    #[arg(long)]
    pub(crate) salvage: bool,
}

/// Where a session is read from.
#[derive(Args)]
pub(crate) struct Origin {
    /// A store, a session file or directory of any client, or `-` for standard input
    #[arg(value_name = "SRC", required_unless_present = "string_env")]
    pub(crate) source: Option<PathBuf>,
    /// Read a session string from this environment variable instead
    #[arg(long, value_name = "VAR", conflicts_with = "source")]
    pub(crate) string_env: Option<String>,
    /// Read the passphrase of a sealed source (portable session, tdata, WTelegramClient, TDLib) from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The DC of a source that is only an auth key in hexadecimal digits; in an export, the DC that the account lives
    /// on, whatever the session says
    #[arg(long, value_name = "N", value_parser = value_parser!(i32).range(1..))]
    pub(crate) dc: Option<i32>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(path) => path.display().fmt(f),
            None => f.write_str(self.string_env.as_deref().unwrap_or_default()),
        }
    }
}

/// Values from the caller, which override those of a source.
#[derive(Args, Default)]
pub(crate) struct Corrections {
    /// The account's own user id, whatever the session says
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = value_parser!(i64).range(1..))]
    pub(crate) user_id: Option<i64>,
    /// The api id, whatever the session says
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = value_parser!(i32).range(1..))]
    pub(crate) api_id: Option<i32>,
    /// The account is a bot (`false`: is not a bot), whatever the session says
    #[arg(long, value_name = "YES", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) bot: Option<bool>,
}

/// Import sessions into a store, which is created if it does not exist
#[derive(Args)]
#[command(
    after_help = "Each session is imported whole or not at all. A session is named after its file. A directory \
                        gives every session file in it and one directory down. A name that another source of \
                        the same import has taken gets -2, -3 and so on, in the order of the paths; tdata is named \
                        after the directory that it lies in. A JSON file beside a session file (anon.json, \
                        anon.session) gives the user id, phone and api id if the session lacks them.\n\
                        --replace says what it replaces and asks on a terminal. Without a terminal it \
                        replaces without asking. A session without an auth key never replaces one that is logged \
                        in, unless --lose-login is given.\n\n\
                        Example: tgsession import anon.session bot.session --into accounts\n\
                        Example: tgsession import sessions/ --into accounts"
)]
pub(crate) struct Import {
    /// Session files or directories of any client, directories of such files, or `-` for standard input
    #[arg(required_unless_present = "string_env", value_name = "SRC")]
    pub(crate) sources: Vec<PathBuf>,
    /// Read a session string from this environment variable
    #[arg(long, value_name = "VAR")]
    pub(crate) string_env: Option<String>,
    /// Read the passphrase of a sealed source (portable session, tdata, WTelegramClient, TDLib) from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The DC of a source that is only an auth key in hexadecimal digits
    #[arg(long, value_name = "N", value_parser = value_parser!(i32).range(1..))]
    pub(crate) dc: Option<i32>,
    #[command(flatten)]
    pub(crate) corrections: Corrections,
    /// The store to write to; `.tgsession` is added to a bare name
    #[arg(long, value_name = "STORE")]
    pub(crate) into: PathBuf,
    /// Name of the session in the store [default: the file's name without `.session`]
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Import only this session of a source with several, such as a store
    #[arg(long, value_name = "NAME")]
    pub(crate) session: Option<String>,
    /// Skip sessions that the store already has
    #[arg(long, conflicts_with = "replace")]
    pub(crate) skip_existing: bool,
    /// Read everything and say what would be imported, but write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write what was imported, skipped and refused to standard output as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Replace a session of the same name; asks first on a terminal
    #[arg(long)]
    pub(crate) replace: bool,
    /// With --replace: also put a session without an auth key over one that is logged in
    #[arg(long, requires = "replace")]
    pub(crate) lose_login: bool,
    /// Replace without asking on a terminal
    #[arg(long)]
    pub(crate) yes: bool,
    /// Read every readable row of a damaged file
    #[arg(long)]
    pub(crate) salvage: bool,
}

/// Write sessions in the format of another client
#[derive(Args)]
#[command(
    after_help = "Values that the format cannot hold are listed on standard error and in --report. -o DIRECTORY/ writes \
                        every session of a store to a file of its own, named after the session.\n\n\
                        Example: tgsession export accounts --session anon --to telethon -o anon.session\n\
                        Example: tgsession export anon.session --to pyrogram-string --api-id 12345"
)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) origin: Origin,
    /// Only the session of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) session: Option<String>,
    #[command(flatten)]
    pub(crate) damage: Damage,
    /// The format to write
    #[arg(long = "to", value_name = "FORMAT", value_parser = format_name())]
    pub(crate) format: Format,
    /// The file to write (gramjs-store: the directory), DIRECTORY/ for one file per session, or `-` for
    /// standard output [default for strings: standard output]
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Write what was left out and filled in as JSON to this file, or to standard output (`-`)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write that report to standard output, and no text to standard error
    #[arg(long, conflicts_with = "report")]
    pub(crate) json: bool,
    /// Read everything and say what would be written, left out and filled in, but write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write nothing if the format cannot hold everything
    #[arg(long)]
    pub(crate) strict: bool,
    /// Replace existing files, but never a source, a store or a file in use
    #[arg(long)]
    pub(crate) force: bool,
    /// Write only the login, without users, groups and channels
    #[arg(long)]
    pub(crate) no_entities: bool,
    #[command(flatten)]
    pub(crate) corrections: Corrections,
    /// The account is on the test servers, whatever the session says
    #[arg(long, value_name = "YES", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) test_mode: Option<bool>,
    /// Ask for a passphrase and seal the export under it (portable session, tdata, WTelegramClient)
    #[arg(long)]
    pub(crate) seal: bool,
    /// Seal the export under the passphrase in this file (portable session, tdata, WTelegramClient)
    #[arg(long = "seal-passphrase-file", value_name = "FILE")]
    pub(crate) seal_file: Option<PathBuf>,
}

/// Parses the name of a format. Help and errors list all of them.
fn format_name() -> impl clap::builder::TypedValueParser<Value = Format> {
    use clap::builder::TypedValueParser as _;
    let names = clap::builder::PossibleValuesParser::new(Format::ALL.map(Format::name));
    names.try_map(|name| name.parse::<Format>())
}

/// Write everything that a source holds to standard output as JSON
#[derive(Args)]
#[command(after_help = "Example: tgsession dump anon.session | jq '.sessions[].entities | length'")]
pub(crate) struct Dump {
    #[command(flatten)]
    pub(crate) origin: Origin,
    #[command(flatten)]
    pub(crate) corrections: Corrections,
    /// Only the session of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) session: Option<String>,
    /// Show auth keys and whole phone numbers; a key is a login for everyone who sees it
    #[arg(long)]
    pub(crate) secrets: bool,
    #[command(flatten)]
    pub(crate) damage: Damage,
}

/// Show what a source is and what it holds
#[derive(Args)]
#[command(after_help = "Example: tgsession info anon.session")]
pub(crate) struct Info {
    #[command(flatten)]
    pub(crate) origin: Origin,
    #[command(flatten)]
    pub(crate) corrections: Corrections,
    /// Write it as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) damage: Damage,
}

/// Find one user, group or channel and print it as JSON
#[derive(Args)]
#[command(
    after_help = "QUERY is a username, a t.me or tg: link, an id, a phone number, an exact name, or `me`. A number is \
                        looked up as an id first, then as a phone number; a word as a username first, then as a name.\n\n\
                        Example: tgsession get anon.session durov\n\
                        Example: tgsession get anon.session https://t.me/durov\n\
                        Example: tgsession get anon.session --phone '+1 555 0100'"
)]
pub(crate) struct Get {
    /// A store, a session file or directory of any client, or `-` for standard input
    #[arg(value_name = "SRC", required_unless_present = "string_env")]
    pub(crate) source: Option<PathBuf>,
    /// The user, group or channel to find
    #[arg(value_name = "QUERY", allow_negative_numbers = true)]
    pub(crate) query: Option<String>,
    /// Read a session string from this environment variable instead of SRC
    #[arg(long, value_name = "VAR")]
    pub(crate) string_env: Option<String>,
    /// Read the passphrase of a sealed source (portable session, tdata, WTelegramClient, TDLib) from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The DC of a source that is only an auth key in hexadecimal digits
    #[arg(long, value_name = "N", value_parser = value_parser!(i32).range(1..))]
    pub(crate) dc: Option<i32>,
    #[command(flatten)]
    pub(crate) by: By,
    #[command(flatten)]
    pub(crate) damage: Damage,
    /// The session to search; needed if the source holds several
    #[arg(long, value_name = "NAME")]
    pub(crate) session: Option<String>,
    /// Show the whole phone number
    #[arg(long)]
    pub(crate) secrets: bool,
}

#[derive(Args)]
#[group(multiple = false)]
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

/// List the sessions of a store, one name per line
#[derive(Args)]
#[command(after_help = "Example: tgsession list accounts.tgsession")]
pub(crate) struct List {
    /// The store
    #[arg(value_name = "STORE")]
    pub(crate) store: PathBuf,
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
    /// The session
    pub(crate) name: String,
    /// Overwrite the deleted data with zeros, as `compact --scrub` does
    #[arg(long)]
    pub(crate) scrub: bool,
    /// Delete without asking on a terminal
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Read every record and every index of a source and write its problems to standard output
#[derive(Args)]
#[command(after_help = "Example: tgsession check accounts.tgsession")]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) origin: Origin,
    /// Write the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
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

/// Write a completion script for a shell to standard output
#[derive(Args)]
#[command(
    after_help = "Example: tgsession completions bash > ~/.local/share/bash-completion/completions/tgsession"
)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}
