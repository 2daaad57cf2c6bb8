//! One file a subcommand, one `run` each.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod compact;
pub(crate) mod completions;
pub(crate) mod dump;
pub(crate) mod encrypt;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod import;
pub(crate) mod info;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod remove;
pub(crate) mod rename;
pub(crate) mod repair;
pub(crate) mod run;
