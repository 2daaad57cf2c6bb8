//! The command line.

pub(crate) mod encryption;
pub(crate) mod keys;
mod stores;

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, value_parser};
use tgsession::Format;

pub(crate) use self::encryption::{Decrypt, Encrypt, KeyCommand, Rekey};
pub(crate) use self::keys::{FromKey, Key};
pub(crate) use self::stores::{Backup, Compact, List, Remove, Rename, Repair, Run};

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
    Encrypt(Encrypt),
    Decrypt(Decrypt),
    Rekey(Rekey),
    #[command(subcommand)]
    Key(KeyCommand),
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
    #[command(flatten)]
    pub(crate) key: Key,
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
                        in, unless --lose-login is given.\n\
                        --key-file, --key-env and --key-command are for the store that is written to, which is \
                        encrypted if it is new. --from-key-file, --from-key-env and --from-key-command are for source \
                        stores.\n\n\
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
    #[command(flatten)]
    pub(crate) key: Key,
    #[command(flatten)]
    pub(crate) from_key: FromKey,
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
#[command(
    after_help = "Of an encrypted store without its key it shows what can be seen: the kinds of its keys, its size and who \
                        has it open. It then ends with exit code 1.\n\n\
                        Example: tgsession info anon.session"
)]
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
    pub(crate) key: Key,
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
