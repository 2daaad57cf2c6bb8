//! Giving back room: what nobody uses any more, and what lies half empty.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::super::fault::{Fault, Step};
use super::super::image::needed;
use super::super::runs::Edit;
use super::super::tables::{Table, set_dense};
use super::{Core, locked};
use crate::error::Result;
use crate::file::taken;

/// How long compacting waits for readers.
const MOST_WAITING: Duration = Duration::from_secs(5);

/// So much may be free in a file before it is worth compacting, in bytes.
const MOST_FREE: u64 = 1 << 20;

/// A row that comes between others leaves at most about so many bytes unused: it splits a page,
/// and a copy of it stays for who is reading.
const MOST_WASTE: u64 = 8 << 10;

impl Core {
    /// Makes the file as short as what is in it allows. Everybody else waits.
    pub(in crate::store) fn compact(&self) -> Result<()> {
        let mut committed = locked(&self.committed);
        if !self.guarded(|| self.image.exists())? {
            return Ok(());
        }
        self.bring_all(&mut committed, |transaction, runs| {
            runs.merge_all()?;
            Table::ALL.into_iter().try_for_each(|table| table.pack(transaction))?;
            set_dense(transaction, needed(transaction)?)
        })?;
        let tables = locked(&self.tables);
        // First what redb keeps goes to the front, between which runs may lie, and then they do.
        self.pack_image()?;
        self.edit_runs(|runs| runs.lower())?;
        let (len, unused) = self.guarded(|| self.image.len_and_unused())?;
        if unused > len / 10 {
            // The room in front of the run is too short for it, and its own place is in the way.
            self.edit_runs(|runs| runs.merge_all())?;
            self.edit_runs(|runs| runs.lower())?;
        }
        self.pack_image()?;
        drop(tables);
        self.begin_log(&mut committed);
        Ok(())
    }

    /// Has redb's image lie in front, as short as it can be, and cuts off what is free at the end.
    fn pack_image(&self) -> Result<()> {
        let mut state = self.state_mut();
        state.below = None;
        self.image.guarded(|| self.when_nobody_reads())
    }

    /// Changes runs and nothing else. Whoever reads from then on looks at what is there then, so
    /// that what was there before is free soon.
    fn edit_runs(&self, work: impl FnOnce(&mut Edit<'_>) -> Step<()>) -> Result<()> {
        self.guarded(|| self.image.write(|_, runs| work(runs)))?;
        self.state_mut().below = None;
        Ok(())
    }

    fn when_nobody_reads(&self) -> Step<()> {
        let give_up = Instant::now() + MOST_WAITING;
        loop {
            match self.image.compact() {
                Err(Fault::Redb(redb::Error::TransactionInProgress))
                    if Instant::now() < give_up =>
                {
                    std::thread::sleep(Duration::from_millis(1));
                }
                compacted => return compacted,
            }
        }
    }

    /// Compacts the file if an eighth of it could be given back, or cuts off what is free at its end.
    pub(in crate::store) fn tidy(&self) {
        let tidied = self.compact_if_wasteful().and_then(|()| {
            let _tables = locked(&self.tables);
            self.guarded(|| self.image.trim())
        });
        if let Err(error) = tidied {
            tracing::info!(path = %self.path.display(), %error, "the file keeps its length");
        }
    }

    /// Looks at the pages only where there may be so much.
    fn compact_if_wasteful(&self) -> Result<()> {
        let brought = self.brought.load(Ordering::Acquire);
        let emptied = self.emptied.load(Ordering::Acquire);
        if !self.image.has_written() {
            return Ok(());
        }
        let (len, unused) = self.guarded(|| self.image.len_and_unused())?;
        let len = taken(&self.path, len);
        let pays = |free: u64| free > MOST_FREE && free > len / 8;
        let Some(below) = self.guarded(|| self.below())? else { return Ok(()) };
        let (dense, of_redb) = self.guarded(|| Ok((below.dense()?, self.image.len()?)))?;
        let of_nobody = if emptied { self.guarded(|| below.runs().of_nobody())? } else { 0 };
        drop(below);
        let free = unused + of_nobody;
        if pays(free) {
            return self.compact();
        }
        let loose = if dense > 0 { of_redb.saturating_sub(dense) } else { brought * MOST_WASTE };
        if !pays(free + loose) {
            return Ok(());
        }
        let needed = self.guarded(|| self.image.needed())?;
        if pays(free + of_redb.saturating_sub(needed)) {
            return self.compact();
        }
        let mut committed = locked(&self.committed);
        self.bring_all(&mut committed, |transaction, _| set_dense(transaction, needed))?;
        self.begin_log(&mut committed);
        Ok(())
    }

    /// Notes that much was removed.
    pub(in crate::store) fn note_removal(&self) {
        self.emptied.store(true, Ordering::Release);
    }
}
