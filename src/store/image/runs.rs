//! The runs of an image: opened in place, written, and their places freed when nobody looks.

use std::io;
use std::sync::Arc;

use super::super::core::locked;
use super::super::fault::{Fault, Step};
use super::super::files::Medium;
use super::super::runs::{Edit, Runs};
use super::super::tables::Named;
use super::Image;
use crate::file::{Damage, Disk, PAGE};
use crate::map::Map;
use crate::run::{Builder, Bytes, NewRun, Run, RunRow};

impl Image {
    /// The runs that are named, in place. Of those that are open none is opened again: who looks
    /// at one of them is known by that.
    pub(super) fn runs_of(&self, named: Named, open: &mut Vec<Arc<Run>>) -> Step<Runs> {
        let mut runs = Vec::with_capacity(named.runs.len());
        for (number, row) in &named.runs {
            runs.push(match open.iter().find(|run| run.is(*number, row)) {
                Some(run) => Arc::clone(run),
                None => self.run(*number, *row)?,
            });
        }
        open.clone_from(&runs);
        Ok(Runs::of(runs.into_iter(), named.removed))
    }

    /// What an edit says is so now.
    pub(super) fn committed(&self, mut edit: Edit<'_>) {
        let mut open = locked(&self.runs);
        locked(&self.retired).extend(edit.retired());
        // Somebody may have looked at this state by now.
        let opened = |run: &Arc<Run>| open.iter().find(|open| open.is(run.number(), run.row()));
        let runs = edit.runs.iter().map(|run| Arc::clone(opened(run).unwrap_or(run))).collect();
        *open = runs;
    }

    /// The run of this number, in place if that can be. One that the file is too short for has
    /// no sector that is whole.
    pub(in crate::store) fn run(&self, number: u64, row: RunRow) -> Step<Arc<Run>> {
        let Medium { disk, superblock, file } = &self.medium;
        let at = superblock.image_at() + u64::from(row.page) * PAGE;
        let len = row.pages as usize * PAGE as usize;
        let map = file.as_ref().map(|file| Map::part(file, at, len));
        let bytes = match map {
            Some(Ok(map)) => Bytes::Mapped(map),
            Some(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Bytes::Owned(Vec::new())
            }
            // Not every file system can do that.
            Some(Err(_)) | None => Bytes::Owned(read(disk.as_ref(), at, len)?),
        };
        let run = Run::new(superblock.file_id, number, row, bytes).map_err(Fault::Block)?;
        Ok(Arc::new(run))
    }

    /// Begins a run of this number.
    pub(in crate::store) fn run_builder(&self, number: u64) -> Builder<'_> {
        Builder::new(self.medium.disk.as_ref(), self.medium.superblock, &self.space, number)
    }

    /// Copies a run to a place in front of where it is, if there is one.
    pub(in crate::store) fn lowered(&self, run: &Run) -> Step<Option<NewRun>> {
        let (Medium { disk, superblock, .. }, row) = (&self.medium, run.row());
        let Some(new) = NewRun::in_front_of(run, &self.space) else { return Ok(None) };
        let place = |page: u32| superblock.image_at() + u64::from(page) * PAGE;
        let (mut from, mut to) = (place(row.page), place(new.row.page));
        let mut left = row.pages as usize * PAGE as usize;
        let mut bytes = vec![0; left.min(1 << 20)];
        while left > 0 {
            bytes.truncate(left);
            disk.read(from, &mut bytes).map_err(Fault::Disk)?;
            disk.write(to, &bytes).map_err(Fault::Disk)?;
            (from, to) = (from + bytes.len() as u64, to + bytes.len() as u64);
            left -= bytes.len();
        }
        Ok(Some(new))
    }

    /// Has places of runs that nobody looks at any more be free.
    pub(super) fn free_retired(&self) {
        let mut retired = locked(&self.retired);
        if retired.is_empty() || self.readers.are_elsewhere() {
            return;
        }
        retired.retain(|(page, run)| {
            let looked_at = run.strong_count() > 0;
            if !looked_at {
                self.space.free(*page);
            }
            looked_at
        });
    }

    /// Everything that is wrong with the sectors of runs.
    pub(in crate::store) fn bad_sectors(&self) -> Step<Vec<Damage>> {
        let Some(below) = self.begin_read()? else { return Ok(Vec::new()) };
        Ok(below.runs().iter().flat_map(|run| run.bad_sectors()).collect())
    }
}

fn read(disk: &dyn Disk, at: u64, len: usize) -> Step<Vec<u8>> {
    let mut bytes = vec![0; len];
    match disk.read(at, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Vec::new()),
        Err(error) => Err(Fault::Disk(error)),
    }
}
