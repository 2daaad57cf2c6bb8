//! What holds for the whole run of the tool.

use std::sync::OnceLock;
use std::time::Duration;

/// Options that every command has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    /// The input is read with `--salvage`.
    pub(crate) salvage: bool,
    /// Whether only errors and warnings are printed.
    pub(crate) quiet: bool,
    /// How long to wait for an input or a store that is busy.
    pub(crate) wait: Duration,
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();

/// Set once, before the command runs.
pub(crate) fn set(settings: Settings) {
    let _ = SETTINGS.set(settings);
}

pub(crate) fn get() -> Settings {
    SETTINGS.get().copied().unwrap_or_default()
}
