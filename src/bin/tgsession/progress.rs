//! A progress bar for people who wait, and nothing for anybody else.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::style::TemplateError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::settings;

/// Work that lasts less is over before a bar could be read.
const PATIENCE: Duration = Duration::from_secs(1);
/// The clock is looked at once in so many steps.
const STRIDE: u64 = 1024;

/// Counts entities and shows how far it is, on a terminal and after a while.
pub(crate) struct Progress {
    started: Instant,
    done: u64,
    expected: Option<u64>,
    bar: Option<ProgressBar>,
    wanted: bool,
}

impl Progress {
    /// For work that leaves standard output alone or fills it with what is kept until the end.
    pub(crate) fn new(expected: Option<u64>) -> Self {
        let wanted = io::stderr().is_terminal() && !settings::get().quiet;
        Self { started: Instant::now(), done: 0, expected, bar: None, wanted }
    }

    /// For work that writes to standard output as it goes: on a terminal that is progress enough.
    pub(crate) fn beside_output(expected: Option<u64>) -> Self {
        let mut progress = Self::new(expected);
        progress.wanted &= !io::stdout().is_terminal();
        progress
    }

    /// One more entity is done.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        if self.wanted && self.done.is_multiple_of(STRIDE) {
            self.show();
        }
    }

    fn show(&mut self) {
        if self.bar.is_none() && self.started.elapsed() >= PATIENCE {
            self.bar = Some(bar(self.expected));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }
}

/// A failure's line must not stand behind half a bar.
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

const OF_KNOWN_LENGTH: &str = "{wide_bar} {human_pos}/{human_len} entities, {eta}";
const OF_UNKNOWN_LENGTH: &str = "{spinner} {human_pos} entities";

fn bar(expected: Option<u64>) -> ProgressBar {
    let template = expected.map_or(OF_UNKNOWN_LENGTH, |_| OF_KNOWN_LENGTH);
    ProgressBar::with_draw_target(expected, ProgressDrawTarget::stderr())
        .with_style(style(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn style(template: &str) -> Result<ProgressStyle, TemplateError> {
    ProgressStyle::with_template(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_sound() {
        for template in [OF_KNOWN_LENGTH, OF_UNKNOWN_LENGTH] {
            assert!(style(template).is_ok(), "{template}");
        }
    }
}
