//! The base: the rows of all tables but the entities', as a redb database in one piece.
//!
//! It is written whole by a checkpoint and never changed. A store whose rows fit into the log has
//! none. Before redb reads a base, every block of it is verified.

mod image;
mod verify;

use std::io;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use redb::{
    ReadOnlyDatabase, ReadOnlyTable, ReadTransaction, ReadableDatabase, TableDefinition, TableError,
};

use zeroize::Zeroizing;

use self::image::{ImageBytes, resize};
use super::fault::{EngineResult, caught};
use super::rows::{Stored, TABLES, Table, Value, Visit};
use crate::file::{Bytes, Damage, Disk, Extent, PAGE, pages_of};
use crate::record::AccountNo;

pub(crate) use self::image::image_of;

/// How redb knows each table.
type Rows = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Length of a checksum in bytes.
const SUM: usize = 4;

/// The least that redb may keep of a base in memory, in bytes.
const LEAST_CACHE: usize = 64 << 10;

/// A base as a manifest names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BaseInfo {
    /// No other base or segment of the file ever had this number.
    pub(crate) number: u64,
    /// The first generation that names it where it lies now.
    pub(crate) born: u64,
    pub(crate) extent: Extent,
    /// How many blocks the database has.
    pub(crate) blocks: u32,
}

impl BaseInfo {
    /// Whether blocks and checksums take all of the pages, and no more.
    pub(crate) fn is_sound(&self) -> bool {
        self.blocks > 0 && Self::pages(self.blocks) == Some(self.extent.pages)
    }

    fn pages(blocks: u32) -> Option<u32> {
        let sums = u64::from(blocks) * SUM as u64;
        blocks.checked_add(pages_of(sums))
    }
}

/// The bytes of a base as they go to the file: the blocks, then the checksum of each.
pub(crate) fn sealed(
    file_id: [u8; 16],
    number: u64,
    mut image: Zeroizing<Vec<u8>>,
) -> Option<(u32, Zeroizing<Vec<u8>>)> {
    let blocks = u32::try_from(image.len() / PAGE).ok()?;
    let sums = Checksums::new(file_id, number);
    let sums: Vec<u8> =
        image.chunks_exact(PAGE).zip(0..).flat_map(|(block, at)| sums.of(at, block)).collect();
    let (from, len) = (image.len(), BaseInfo::pages(blocks)? as usize * PAGE);
    resize(&mut image, len);
    image.get_mut(from..from + sums.len())?.copy_from_slice(&sums);
    Some((blocks, image))
}

/// Makes the checksums of one base.
#[derive(Clone, Copy, Debug)]
struct Checksums(u32);

impl Checksums {
    fn new(file_id: [u8; 16], number: u64) -> Self {
        let mut crc = crc32fast::Hasher::new();
        crc.update(b"base");
        crc.update(&file_id);
        crc.update(&number.to_le_bytes());
        Self(crc.finalize())
    }

    fn of(self, block: u64, content: &[u8]) -> [u8; SUM] {
        let mut crc = crc32fast::Hasher::new_with_initial(self.0);
        crc.update(&block.to_le_bytes());
        crc.update(content);
        crc.finalize().to_le_bytes()
    }
}

/// A base of a file. It is opened when it is first needed.
#[derive(Debug)]
pub(crate) struct Base {
    disk: Arc<dyn Disk>,
    file_id: [u8; 16],
    info: BaseInfo,
    cache: usize,
    opened: OnceLock<Opened>,
}

/// A base that was verified.
struct Opened {
    tables: [Option<ReadOnlyTable<&'static [u8], &'static [u8]>>; TABLES],
    // Dropped after the tables.
    _transaction: ReadTransaction,
    _database: ReadOnlyDatabase,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

impl Base {
    /// The base that a manifest names. Nothing of it is read yet.
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        file_id: [u8; 16],
        info: BaseInfo,
        cache: usize,
    ) -> Self {
        Self { disk, file_id, info, cache: cache.max(LEAST_CACHE), opened: OnceLock::new() }
    }

    pub(crate) fn info(&self) -> &BaseInfo {
        &self.info
    }

    /// Its table, or `None` if it has none of that name.
    pub(crate) fn table(&self, table: Table) -> EngineResult<Option<&dyn Stored>> {
        let tables = &self.opened()?.tables;
        let rows = tables.get(table as usize).and_then(Option::as_ref);
        Ok(rows.map(|rows| rows as &dyn Stored))
    }

    /// Reads all of it; says what is damaged.
    pub(crate) fn check(&self) -> EngineResult<()> {
        let bytes = self.read()?;
        self.verify(&bytes).map(drop)
    }

    fn opened(&self) -> EngineResult<&Opened> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let opened = self.open()?;
        Ok(self.opened.get_or_init(|| opened))
    }

    fn open(&self) -> EngineResult<Opened> {
        let bytes = Arc::new(self.read()?);
        let len = self.verify(&bytes)?;
        caught(|| {
            let image = ImageBytes::new(Arc::clone(&bytes), len);
            let mut builder = redb::Builder::new();
            builder.set_cache_size(self.cache);
            let database = builder.open_read_only_with_backend(image)?;
            let transaction = database.begin_read()?;
            let mut tables = [const { None }; TABLES];
            for (place, table) in tables.iter_mut().zip(Table::ALL) {
                *place = match transaction.open_table(definition(table)) {
                    Ok(rows) => Some(rows),
                    Err(TableError::TableDoesNotExist(_)) => None,
                    Err(error) => return Err(error.into()),
                };
            }
            Ok(Opened { tables, _transaction: transaction, _database: database })
        })
    }

    fn read(&self) -> EngineResult<Bytes> {
        let len = usize::try_from(self.info.extent.len())
            .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        match self.disk.bytes(self.info.extent.at(), len) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Damage::Base { block: 0 }.into())
            }
            bytes => Ok(bytes?),
        }
    }

    /// Verifies every checksum and the layout of every page. Gives the length of the database.
    fn verify(&self, bytes: &Bytes) -> EngineResult<usize> {
        let len = self.info.blocks as usize * PAGE;
        let sums = Checksums::new(self.file_id, self.info.number);
        let (blocks, rest) = bytes.all().split_at_checked(len).ok_or(Damage::Base { block: 0 })?;
        for ((block, content), sum) in
            (0..).zip(blocks.chunks_exact(PAGE)).zip(rest.chunks_exact(SUM))
        {
            if sums.of(block, content) != *sum {
                return Err(Damage::Base { block }.into());
            }
        }
        verify::verify(blocks)?;
        Ok(len)
    }
}

const fn definition(table: Table) -> Rows {
    TableDefinition::new(table.name())
}

impl Stored for ReadOnlyTable<&'static [u8], &'static [u8]> {
    fn get(&self, key: &[u8]) -> EngineResult<Option<Value>> {
        caught(|| Ok(self.get(key)?.map(Value::Base)))
    }

    fn each(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, visit: Visit<'_>) -> EngineResult<()> {
        caught(|| {
            for row in self.range::<&[u8]>((from, to))? {
                let (key, value) = row?;
                if !visit(key.value(), value.value())? {
                    break;
                }
            }
            Ok(())
        })
    }

    fn count(&self, _: AccountNo) -> EngineResult<Option<u64>> {
        Ok(None)
    }
}

/// Gives the rows of a table, in the order of their keys.
pub(crate) type Fill<'a> = &'a mut dyn FnMut(Table, Visit<'_>) -> EngineResult<()>;
