//! Progress on a terminal, and nothing elsewhere.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::style::TemplateError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use tgsession::SourceSession;

use crate::settings;
use crate::words::thousands;

/// Work that lasts less is over before a bar could be read.
const PATIENCE: Duration = Duration::from_secs(1);
/// Milliseconds that a test waits instead. Only builds with debug assertions read it.
const TEST_PATIENCE: &str = "TGSESSION_TEST_PATIENCE_MS";
/// The clock is read once in this many entities.
const STRIDE: u64 = 1024;

/// The bar that is on the terminal, so that a line can be written above it.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Writes to the terminal as if there were no bar.
pub(crate) fn aside<T>(write: impl FnOnce() -> T) -> T {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match shown {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// How long work must last before it is shown.
fn patience() -> Duration {
    let asked = if cfg!(debug_assertions) { std::env::var(TEST_PATIENCE).ok() } else { None };
    asked.and_then(|millis| millis.parse().ok()).map_or(PATIENCE, Duration::from_millis)
}

fn show(bar: Option<ProgressBar>) {
    let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(old) = std::mem::replace(&mut *shown, bar) {
        old.finish_and_clear();
    }
}

/// Counts what is done, and shows it with the total, the rate and the remaining time.
pub(crate) struct Progress {
    started: Instant,
    patience: Duration,
    done: u64,
    expected: Option<u64>,
    what: &'static str,
    stride: u64,
    bar: Option<ProgressBar>,
    wanted: bool,
}

impl Progress {
    /// Counts entities of work that leaves standard output alone or fills it at the end.
    pub(crate) fn new(expected: Option<u64>) -> Self {
        let (started, patience, wanted) = (Instant::now(), patience(), wanted());
        let (what, stride, bar) = ("entities", STRIDE, None);
        Self { started, patience, done: 0, expected, what, stride, bar, wanted }
    }

    /// Counts sessions, and draws after each: one may take long.
    pub(crate) fn of_sessions(expected: usize) -> Self {
        let mut progress = Self::new(Some(expected as u64));
        (progress.what, progress.stride) = ("sessions", 1);
        progress
    }

    /// Entities, for work that writes to standard output as it goes: on a terminal that is progress
    /// enough.
    pub(crate) fn beside_output(expected: Option<u64>) -> Self {
        let mut progress = Self::new(expected);
        progress.wanted &= !io::stdout().is_terminal();
        progress
    }

    /// Entities that are part of a work that shows its own progress.
    pub(crate) fn hidden() -> Self {
        let mut progress = Self::new(None);
        progress.wanted = false;
        progress
    }

    /// One more is done.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        if self.wanted && self.done.is_multiple_of(self.stride) {
            self.draw();
        }
    }

    fn draw(&mut self) {
        if self.bar.is_none() && self.started.elapsed() >= self.patience {
            let bar = bar(self.expected, self.what, self.started);
            show(Some(bar.clone()));
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }
}

/// The line of a failure must not follow half a bar.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.bar.is_some() {
            show(None);
        }
    }
}

/// Shows how far one call of the library is, or how long it lasts where that is not known.
pub(crate) struct Waiting {
    end: Option<Sender<()>>,
    shows: Option<JoinHandle<()>>,
}

impl Waiting {
    /// The name of the work, and its counter of entities.
    pub(crate) fn new(doing: &'static str, counts: &tgsession::Progress) -> Self {
        Self::counting("entities", doing, counts)
    }

    /// The same of any rows.
    pub(crate) fn of_rows(doing: &'static str, counts: &tgsession::Progress) -> Self {
        Self::counting("rows", doing, counts)
    }

    fn counting(what: &'static str, doing: &'static str, counts: &tgsession::Progress) -> Self {
        if !wanted() {
            return Self { end: None, shows: None };
        }
        let (end, ended) = channel();
        let counts = counts.clone();
        let shows = thread::spawn(move || {
            let (started, total, done, bar) = (Instant::now(), None, 0, None);
            let mut pass = Pass { doing, what, started, total, done, bar };
            let mut wait = patience();
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                pass.draw(counts.done(), counts.total());
                wait = TICK;
            }
            // The end of the last pass, which may have been short.
            if pass.bar.is_some() {
                pass.draw(counts.done(), counts.total());
            }
            show(None);
        });
        Self { end: Some(end), shows: Some(shows) }
    }
}

/// One pass over the entities or rows. A call may make several.
struct Pass {
    doing: &'static str,
    what: &'static str,
    started: Instant,
    total: Option<u64>,
    done: u64,
    bar: Option<ProgressBar>,
}

impl Pass {
    fn draw(&mut self, done: u64, total: Option<u64>) {
        let total = total.filter(|total| *total > 0);
        // Another pass has another rate. The first began with the call.
        if self.bar.is_some() && (done < self.done || total != self.total) {
            (self.started, self.bar) = (Instant::now(), None);
        }
        (self.total, self.done) = (total, done);
        let bar = self.bar.get_or_insert_with(|| {
            let bar = match total {
                Some(_) => bar(total, self.what, self.started),
                None => ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
                    .with_style(style(WAITING, "").unwrap_or_else(|_| plain()))
                    .with_elapsed(self.started.elapsed()),
            };
            bar.set_message(if total.is_some() {
                format!("{} ", self.doing)
            } else {
                self.doing.to_owned()
            });
            show(Some(bar.clone()));
            bar
        });
        bar.set_position(done);
        bar.tick();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.end.take());
        let _ = self.shows.take().map(JoinHandle::join);
    }
}

const TICK: Duration = Duration::from_millis(200);
const OF_KNOWN_LENGTH: &str = "{msg}{wide_bar} {human_pos}/{human_len} {what}, {rate}, {eta} left";
const OF_UNKNOWN_LENGTH: &str = "{spinner} {human_pos} {what}, {rate}, {elapsed}";
const WAITING: &str = "{spinner} {msg}, {elapsed}";

/// The number of entities of a session, if progress is shown: counting reads every page of a database.
pub(crate) fn expected(session: &SourceSession<'_>) -> Option<u64> {
    if wanted() { session.entity_count() } else { None }
}

fn wanted() -> bool {
    io::stderr().is_terminal() && !settings::get().quiet
}

fn bar(expected: Option<u64>, what: &'static str, started: Instant) -> ProgressBar {
    let template = expected.map_or(OF_UNKNOWN_LENGTH, |_| OF_KNOWN_LENGTH);
    ProgressBar::with_draw_target(expected, ProgressDrawTarget::stderr())
        .with_style(style(template, what).unwrap_or_else(|_| plain()))
        .with_elapsed(started.elapsed())
}

fn plain() -> ProgressStyle {
    ProgressStyle::default_bar()
}

fn style(template: &str, what: &str) -> Result<ProgressStyle, TemplateError> {
    let style = ProgressStyle::with_template(&template.replace("{what}", what))?;
    Ok(style.with_key("rate", rate))
}

/// Entities a second, as a whole number.
fn rate(state: &ProgressState, out: &mut dyn fmt::Write) {
    let elapsed = state.elapsed().as_millis().max(1);
    let rate = u128::from(state.pos()) * 1000 / elapsed;
    let _ = write!(out, "{}/s", thousands(u64::try_from(rate).unwrap_or(u64::MAX)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_sound() {
        for template in [OF_KNOWN_LENGTH, OF_UNKNOWN_LENGTH, WAITING] {
            assert!(style(template, "entities").is_ok(), "{template}");
        }
    }
}
