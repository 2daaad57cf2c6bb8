//! Reading a store that another process may be writing.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::buffer::{Change, Layer};
use super::fault::Step;
use super::image::Image;
use super::snapshot::Snapshot;
use super::state::replayed;
use super::tables::{Span, Table};
use super::view::{Found, Page, page_of};
use crate::file::{Damage, Disk, Found as FoundLog, Log, Pulse};

/// How often a reader tries to see log and tables as of one moment. Each time fails only if the
/// writer filled the log in between.
const TRIES: usize = 50;

/// A reader of a store: its log and its image.
pub(super) struct Follower {
    disk: Arc<dyn Disk>,
    log: Log,
    seen: Mutex<Option<Arc<Seen>>>,
}

/// A log as it was read.
struct Seen {
    found: FoundLog,
    pulse: Pulse,
    /// What it says over tables that contain it up to this record.
    rows: Mutex<Option<(u64, Arc<Layer>)>>,
}

/// The rows as they were committed at one moment.
pub(super) struct Moment {
    rows: Arc<Layer>,
    below: Option<Arc<Snapshot>>,
}

impl Follower {
    pub(super) fn new(disk: Arc<dyn Disk>, log: Log) -> Self {
        Self { disk, log, seen: Mutex::default() }
    }

    /// What is committed now.
    ///
    /// The log is read before the tables, and of it only what they do not contain counts. If they
    /// contain more than was read, then the log was begun anew in between.
    pub(super) fn moment(&self, image: &Image) -> Step<Moment> {
        let mut again = false;
        for _ in 0..TRIES {
            let seen = self.seen(again)?;
            image.set_optional(seen.found.knows_no_image());
            let below = image.begin_read()?.map(Arc::new);
            if below.is_none() && seen.found.is_empty() {
                return Err(io::Error::other(Damage::Log { number: 1 }).into());
            }
            let applied = match &below {
                Some(below) => below.applied()?,
                None => 0,
            };
            if applied <= seen.found.last() {
                return Ok(Moment { rows: seen.rows(applied)?, below });
            }
            again = true;
        }
        // It is the log that is damaged, not the tables.
        let below = image.begin_read()?.map(Arc::new);
        Ok(Moment { rows: Arc::default(), below })
    }

    /// What is wrong with the log, looked through from end to end.
    pub(super) fn check_log(&self, image: &Image) -> Step<Option<String>> {
        let found = self.log.read(self.disk.as_ref(), true)?;
        let applied = image.begin_read()?.map_or(Ok(0), |below| below.applied())?;
        let live = found.live(applied.max(found.applied()));
        Ok(live.err().map(|damage| damage.to_string()))
    }

    /// The log, read anew if it has changed.
    fn seen(&self, again: bool) -> Step<Arc<Seen>> {
        let mut place = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = &*place
            && !again
            && self.log.pulse(self.disk.as_ref(), seen.found.end)? == seen.pulse
        {
            return Ok(Arc::clone(seen));
        }
        let found = self.log.read(self.disk.as_ref(), false)?;
        let pulse = self.log.pulse(self.disk.as_ref(), found.end)?;
        // A record that is being written shows, and is not whole yet.
        let settled = !pulse.shows_more_than(&found);
        let seen = Arc::new(Seen { found, pulse, rows: Mutex::default() });
        *place = settled.then(|| Arc::clone(&seen));
        Ok(seen)
    }
}

impl Seen {
    /// What the log says over tables that contain it up to `applied`: of a damaged one, what
    /// holds.
    fn rows(&self, applied: u64) -> Step<Arc<Layer>> {
        let mut place = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, rows)) = &*place
            && *of == applied
        {
            return Ok(Arc::clone(rows));
        }
        let records = self.found.what_holds(applied.max(self.found.applied()));
        let rows = Arc::new(replayed(records)?);
        *place = Some((applied, Arc::clone(&rows)));
        Ok(rows)
    }
}

impl Moment {
    pub(super) fn new(rows: Layer, below: Option<Arc<Snapshot>>) -> Self {
        Self { rows: Arc::new(rows), below }
    }

    pub(super) fn look(&self, table: Table, key: &[u8]) -> Found {
        match self.changed(table, key) {
            Some(change) => Found::Changed(change),
            None => Found::Below(self.below.clone()),
        }
    }

    /// What has become of a row, if it has changed.
    pub(super) fn changed(&self, table: Table, key: &[u8]) -> Option<Change> {
        self.rows.get(table, key).map(|entry| entry.change.clone())
    }

    pub(super) fn below(&self) -> Option<Arc<Snapshot>> {
        self.below.clone()
    }

    pub(super) fn page(&self, table: Table, span: &Span, most: usize) -> Page {
        page_of(&[&self.rows], self.below.clone(), table, span, most)
    }
}
