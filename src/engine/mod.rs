//! The storage engine: rows of tables, made durable by a write-ahead log and kept in segments.
//!
//! A write goes into the active memtable and the log ([`write`](self::write)). A checkpoint turns
//! memtables into segments, and begins a new generation. A read view looks through the memtables
//! and then the version, which is the segments and the base of a generation ([`view`](self::view)).
//! Readers of other processes follow the log ([`follow`](self::follow)).

mod batch;
mod check;
mod error;
mod follow;
mod log_rows;
mod manifest;
mod memtable;
mod options;
mod overlay;
mod redb_base;
mod rows;
mod salvage;
mod segments;
mod version;
mod view;
mod write;

#[cfg(any(test, fuzzing))]
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use self::follow::Follower;
use self::write::Writer;
use crate::error::{Error, Result};
use crate::file::{Access, Disk, FileSeal, KeySlot, KeySlots};

pub(crate) use self::batch::Batch;
#[cfg(test)]
pub(crate) use self::error::caught_panics;
pub(crate) use self::error::{EngineError, EngineResult, caught, said_by, shown};
pub(crate) use self::options::EngineOptions;
pub(crate) use self::rows::{
    RowBytes, RowValue, Rows, RowsMut, Span, Table, append_entity, decoded, encoded, get, owned_by,
    owner,
};
pub(crate) use self::salvage::{Salvaged, account_of, salvage};
pub(crate) use self::segments::table_of;
pub(crate) use self::view::View;
pub(crate) use self::write::{BulkWrite, Durability, create};

/// One opened store. Dropping it makes its data in memory durable.
#[derive(Debug)]
pub(crate) enum Engine {
    Writer(Arc<Writer>),
    Follower(Box<Follower>),
}

impl Engine {
    /// Opens the store on this disk.
    pub(crate) fn open(
        path: &Path,
        disk: Arc<dyn Disk>,
        seal: FileSeal,
        access: Access,
        options: EngineOptions,
    ) -> Result<Self> {
        Ok(match access {
            Access::Write => Self::Writer(write::open(path, disk, seal, options)?),
            Access::Read => {
                Self::Follower(Box::new(Follower::open(path, disk, seal, options.cache_size)?))
            }
        })
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Writer(writer) => writer.path(),
            Self::Follower(follower) => follower.path(),
        }
    }

    /// The rows as they are now, whatever is written from now on.
    pub(crate) fn view(&self) -> Result<View> {
        match self {
            Self::Writer(writer) => Ok(writer.view()),
            Self::Follower(follower) => follower.view(),
        }
    }

    /// Runs `work` on the rows as they are now.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&View) -> EngineResult<T>) -> Result<T> {
        let view = self.view()?;
        error::caught(|| work(&view)).map_err(|error| error.at(self.path()))
    }

    /// Runs `work` on the newest version of each row, for a single look-up.
    pub(crate) fn look_up<T>(&self, work: impl FnOnce(&View) -> EngineResult<T>) -> Result<T> {
        let view = match self {
            Self::Writer(writer) => writer.latest(),
            Self::Follower(follower) => follower.latest()?,
        };
        error::caught(|| work(&view)).map_err(|error| error.at(self.path()))
    }

    fn writer(&self) -> Result<&Arc<Writer>> {
        match self {
            Self::Writer(writer) => Ok(writer),
            Self::Follower(follower) => Err(Error::ReadOnly { path: follower.path().to_owned() }),
        }
    }

    /// Makes the changes of `work` all at once; on any error of it none of them.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&mut Batch<'_>) -> EngineResult<(T, Durability)>,
    ) -> Result<T> {
        self.writer()?.write(work)
    }

    /// Makes changes that may be too large for memory; on any error none of them.
    pub(crate) fn bulk_write<T>(
        &self,
        work: impl FnOnce(&mut BulkWrite<'_, '_>) -> EngineResult<T>,
    ) -> Result<T> {
        self.writer()?.bulk_write(work)
    }

    /// Makes the file as short as its content allows.
    pub(crate) fn compact(&self) -> Result<()> {
        self.writer()?.compact()
    }

    /// Compacts, and overwrites the free pages of the file.
    pub(crate) fn scrub(&self) -> Result<()> {
        self.writer()?.scrub()
    }

    /// Makes everything written so far durable.
    pub(crate) fn flush(&self) -> Result<()> {
        self.writer().map_or(Ok(()), Writer::flush)
    }

    /// Syncs every batch that a call had to make durable, also where that call failed.
    pub(crate) fn sync_pending(&self) -> Result<()> {
        self.writer().map_or(Ok(()), Writer::sync_pending)
    }

    /// Merges segments as the flusher does after a load. The merge calls `between` every few rows.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn merge_segments(&self, between: &dyn Fn()) -> Result<bool> {
        let between = || {
            between();
            ControlFlow::Continue(())
        };
        let end = self.writer()?.merge_segments(write::Merge::Eager, &between)?;
        Ok(end == write::MergeEnd::Merged)
    }

    /// Whether a compaction waits for a merge to end.
    #[cfg(test)]
    pub(crate) fn waits_for_merge(&self) -> bool {
        self.writer().is_ok_and(|writer| writer.waits_for_merge())
    }

    /// The number of the newest segment that is being merged.
    #[cfg(test)]
    pub(crate) fn merging(&self) -> Option<u64> {
        self.writer().ok().and_then(|writer| writer.merging())
    }

    /// Flushes, and compacts where that pays.
    pub(crate) fn finish_writes(&self) -> Result<()> {
        self.writer().map_or(Ok(()), Writer::finish_writes)
    }

    /// Flushes, compacts where that pays, and lets the file go. Nothing is to be written any more.
    pub(crate) fn close(&self) -> Result<()> {
        self.writer().map_or(Ok(()), Writer::close)
    }

    /// The key slots of the file as they are now.
    pub(crate) fn key_slots(&self) -> Result<KeySlots> {
        let disk = match self {
            Self::Writer(writer) => writer.disk(),
            Self::Follower(follower) => follower.disk(),
        };
        KeySlots::read(disk).map_err(|source| Error::io("read the keys of", self.path(), source))
    }

    /// Writes the key slot that `change` gives the number and the new content of, durably. Gives
    /// the number of the slot, from 1 on.
    pub(crate) fn change_key_slots(
        &self,
        change: impl FnOnce(&KeySlots) -> Result<(usize, Option<KeySlot>)>,
    ) -> Result<usize> {
        self.writer()?.change_key_slots(change)
    }

    /// Everything that is wrong with the file, one sentence each.
    pub(crate) fn damage(&self) -> Result<Vec<String>> {
        match self {
            Self::Writer(writer) => writer.damage(),
            Self::Follower(follower) => follower.damage(),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(path = %self.path().display(), %error, "not everything could be written when the store was closed");
        }
    }
}

/// The vectors of this module in FORMAT.md, for the test that reads it.
#[cfg(all(test, feature = "convert"))]
pub(crate) mod vectors {
    use super::manifest::{Manifest, Retired};
    use super::redb_base::{BaseInfo, sealed};
    #[cfg(feature = "encryption")]
    use crate::cipher::with_known_random;
    use crate::file::FileSeal;
    use crate::file::{Extent, PAGE};
    use crate::record::AccountNo;
    use crate::segment::{PartSizes, SegmentInfo};

    /// The manifest of generation 2 and the checksum of a block. The manifest is also read as the
    /// document has it.
    pub(crate) fn vectors(file_id: [u8; 16], documented: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let (_, _, block) = sealed(&FileSeal::plain(file_id), 6, vec![7; PAGE].into()).unwrap();
        let manifest = manifest();
        assert_eq!(Manifest::parse(documented, false).as_ref(), Ok(&manifest), "as documented");
        vec![
            ("manifest", manifest.to_bytes(false).unwrap()),
            ("base: checksum", block[PAGE..PAGE + 4].to_vec()),
        ]
    }

    /// The manifest with salts, not sealed yet, and of a block of an encrypted base the first 32
    /// bytes, the tag and the checksum.
    #[cfg(feature = "encryption")]
    pub(crate) fn encrypted(seal: &FileSeal, documented: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let mut manifest = manifest();
        manifest.segments[0].extent = Extent { page: 2, pages: 2 };
        manifest.segments[0].salt = [1; 16];
        manifest.base.as_mut().unwrap().salt = [2; 16];
        assert_eq!(Manifest::parse(documented, true).as_ref(), Ok(&manifest), "as documented");
        let sealed = with_known_random(|| sealed(seal, 6, vec![7; PAGE].into()));
        let (_, _, block) = sealed.unwrap();
        vec![
            ("manifest: with salts", manifest.to_bytes(true).unwrap()),
            ("base: block, encrypted", [&block[..32], &block[PAGE..PAGE + 20]].concat()),
        ]
    }

    fn manifest() -> Manifest {
        let sizes = PartSizes {
            rows: 60,
            groups: 1,
            accounts: 1,
            usernames: 1,
            phones: 1,
            first: 7,
            last: 7,
        };
        let extent = Extent { page: 2, pages: 1 };
        let segment = SegmentInfo { number: 5, born: 1, extent, sizes, salt: Default::default() };
        let extent = Extent { page: 10, pages: 10 };
        let base = BaseInfo { number: 6, born: 2, extent, blocks: 9, salt: Default::default() };
        let retired = Retired { extent: Extent { page: 1, pages: 1 }, born: 1, retired: 2 };
        Manifest {
            last_number: 6,
            base: Some(base),
            segments: vec![segment],
            removed: [AccountNo(3)].into(),
            retired: vec![retired],
        }
    }
}
