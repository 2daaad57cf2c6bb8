//! The options for the key of a store.

use std::path::PathBuf;

use clap::Args;

/// The place that a key is read from.
#[derive(Clone, Debug)]
pub(crate) enum KeyPlace {
    File(PathBuf),
    Variable(String),
    /// For the shell.
    Command(String),
}

/// The key of a store.
#[derive(Args, Clone, Debug, Default)]
#[group(multiple = false)]
pub(crate) struct Key {
    /// Read the key or passphrase of an encrypted store from this file
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Read the key or passphrase of an encrypted store from this environment variable
    #[arg(long, value_name = "VAR")]
    key_env: Option<String>,
    /// Read the key or passphrase of an encrypted store from the standard output of this shell command
    #[arg(long, value_name = "COMMAND")]
    key_command: Option<String>,
}

/// The key of the store that is read, where another one is written.
#[derive(Args, Clone, Debug, Default)]
#[group(multiple = false)]
pub(crate) struct FromKey {
    /// Read the key or passphrase of an encrypted source store from this file
    #[arg(long, value_name = "FILE")]
    from_key_file: Option<PathBuf>,
    /// Read the key or passphrase of an encrypted source store from this environment variable
    #[arg(long, value_name = "VAR")]
    from_key_env: Option<String>,
    /// Read the key or passphrase of an encrypted source store from the standard output of this shell command
    #[arg(long, value_name = "COMMAND")]
    from_key_command: Option<String>,
}

/// The key that is added.
#[derive(Args, Clone, Debug, Default)]
#[group(multiple = false)]
pub(crate) struct NewKey {
    /// Read the new key or passphrase from this file
    #[arg(long, value_name = "FILE")]
    new_key_file: Option<PathBuf>,
    /// Read the new key or passphrase from this environment variable
    #[arg(long, value_name = "VAR")]
    new_key_env: Option<String>,
    /// Read the new key or passphrase from the standard output of this shell command
    #[arg(long, value_name = "COMMAND")]
    new_key_command: Option<String>,
}

/// The value of such options, whatever their prefix.
#[derive(Clone, Debug)]
pub(crate) struct KeyOptions {
    /// The text in front of `key` in their names, as in `--from-key-file`.
    pub(crate) prefix: &'static str,
    pub(crate) place: Option<KeyPlace>,
}

impl KeyOptions {
    fn new(
        prefix: &'static str,
        file: &Option<PathBuf>,
        variable: &Option<String>,
        command: &Option<String>,
    ) -> Self {
        let place = file.clone().map(KeyPlace::File);
        let place = place.or_else(|| variable.clone().map(KeyPlace::Variable));
        Self { prefix, place: place.or_else(|| command.clone().map(KeyPlace::Command)) }
    }

    /// The file with the key, which no output may replace.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        match &self.place {
            Some(KeyPlace::File(path)) => Some(path.clone()),
            _ => None,
        }
    }
}

impl Key {
    pub(crate) fn options(&self) -> KeyOptions {
        KeyOptions::new("", &self.key_file, &self.key_env, &self.key_command)
    }
}

impl FromKey {
    pub(crate) fn options(&self) -> KeyOptions {
        KeyOptions::new("from-", &self.from_key_file, &self.from_key_env, &self.from_key_command)
    }
}

impl NewKey {
    pub(crate) fn options(&self) -> KeyOptions {
        KeyOptions::new("new-", &self.new_key_file, &self.new_key_env, &self.new_key_command)
    }
}
