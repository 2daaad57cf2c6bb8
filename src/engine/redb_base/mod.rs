//! The base: the rows of all tables but the entities', as a redb database in one piece.
//!
//! It is written whole by a checkpoint and never changed. A store whose rows fit into the log has
//! none. Before redb reads a base, every block of it is verified.

mod image_builder;
mod layout_check;
#[cfg(test)]
mod tests;

use std::io;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use redb::{
    ConcurrencyMode, ReadOnlyDatabase, ReadOnlyTable, ReadTransaction, ReadableDatabase,
    TableDefinition, TableError,
};
use zeroize::Zeroizing;

use self::image_builder::{ImageBytes, resize};
use super::error::{EngineResult, caught};
use super::rows::{RowBytes, TABLES, Table, TableReader, Visit};
use crate::cipher::TAG;
use crate::file::{
    BlockCipher, Bytes, Disk, Extent, FileDamage, FileSeal, PAGE, Salt, pages_of, put,
};
use crate::record::AccountNo;

pub(crate) use self::image_builder::image_of;

/// How redb knows each table.
type Rows = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Length of a checksum in bytes.
const SUM: usize = 4;

/// The kind of a base in its checksums and in the associated data of its blocks.
const KIND: &[u8; 4] = b"base";

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
    pub(crate) salt: Salt,
}

impl BaseInfo {
    /// Whether blocks, tags and checksums take all of the pages, and no more.
    pub(crate) fn is_sound(&self, is_encrypted: bool) -> bool {
        self.blocks > 0 && Self::pages(self.blocks, is_encrypted) == Some(self.extent.pages)
    }

    fn pages(blocks: u32, is_encrypted: bool) -> Option<u32> {
        let each = if is_encrypted { TAG + SUM } else { SUM };
        blocks.checked_add(pages_of(u64::from(blocks) * each as u64))
    }
}

/// The bytes of a base as they go to the file: the blocks, in an encrypted file the tag of each, then
/// the checksum of each. Gives also the number of blocks and the salt.
pub(crate) fn sealed(
    seal: &FileSeal,
    number: u64,
    mut image: Zeroizing<Vec<u8>>,
) -> io::Result<(u32, Salt, Zeroizing<Vec<u8>>)> {
    let too_long = || io::Error::from(io::ErrorKind::FileTooLarge);
    let blocks = u32::try_from(image.len() / PAGE).map_err(|_| too_long())?;
    let cipher = BlockCipher::new(seal, KIND, number)?;
    let salt = cipher.as_ref().map(BlockCipher::salt).unwrap_or_default();
    let sums = ChecksumSeed::new(seal.file_id(), number);
    let (mut behind, mut all_sums) = (Vec::new(), Vec::new());
    for (block, at) in image.chunks_exact_mut(PAGE).zip(0..) {
        if let Some(cipher) = &cipher {
            behind.extend_from_slice(&cipher.seal(at, block)?);
        }
        all_sums.extend_from_slice(&sums.of(at, block));
    }
    behind.append(&mut all_sums);
    let pages = BaseInfo::pages(blocks, seal.is_encrypted()).ok_or_else(too_long)?;
    let from = image.len();
    resize(&mut image, pages as usize * PAGE);
    put(&mut image, from, &behind);
    Ok((blocks, salt, image))
}

/// Where the checksums of the blocks of one base start.
#[derive(Clone, Copy, Debug)]
struct ChecksumSeed(u32);

impl ChecksumSeed {
    fn new(file_id: [u8; 16], number: u64) -> Self {
        let mut crc = crc32fast::Hasher::new();
        crc.update(KIND);
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
    seal: FileSeal,
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
    pub(crate) fn new(disk: Arc<dyn Disk>, seal: FileSeal, info: BaseInfo, cache: usize) -> Self {
        Self { disk, seal, info, cache: cache.max(LEAST_CACHE), opened: OnceLock::new() }
    }

    pub(crate) fn info(&self) -> &BaseInfo {
        &self.info
    }

    /// Its table, or `None` if it has none of that name.
    pub(crate) fn table(&self, table: Table) -> EngineResult<Option<&dyn TableReader>> {
        let tables = &self.opened()?.tables;
        let rows = tables.get(table as usize).and_then(Option::as_ref);
        Ok(rows.map(|rows| rows as &dyn TableReader))
    }

    /// Reads all of it; says what is damaged.
    pub(crate) fn check(&self) -> EngineResult<()> {
        self.verified(self.read()?).map(drop)
    }

    fn opened(&self) -> EngineResult<&Opened> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let opened = self.open()?;
        Ok(self.opened.get_or_init(|| opened))
    }

    fn open(&self) -> EngineResult<Opened> {
        let (bytes, len) = self.verified(self.read()?)?;
        caught(|| {
            let image = ImageBytes::new(bytes, len);
            let mut builder = redb::Builder::new();
            builder.set_cache_size(self.cache);
            // Such a reader allocates nothing, so redb does not load the state of its allocator,
            // which could make it panic.
            builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
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
                Err(FileDamage::Base { block: 0 }.into())
            }
            bytes => Ok(bytes?),
        }
    }

    /// Verifies every checksum, every tag and the layout of every page. Gives the database,
    /// decrypted, and its length.
    fn verified(&self, bytes: Bytes) -> EngineResult<(Bytes, usize)> {
        let len = self.info.blocks as usize * PAGE;
        let damage = |block| FileDamage::Base { block };
        let sums = ChecksumSeed::new(self.seal.file_id(), self.info.number);
        let cipher = BlockCipher::of(&self.seal, KIND, self.info.number, self.info.salt);
        let (blocks, rest) = bytes.all().split_at_checked(len).ok_or(damage(0))?;
        let tags = if cipher.is_some() { self.info.blocks as usize * TAG } else { 0 };
        let (tags, rest) = rest.split_at_checked(tags).ok_or(damage(0))?;
        for ((block, content), sum) in
            (0..).zip(blocks.chunks_exact(PAGE)).zip(rest.chunks_exact(SUM))
        {
            if sums.of(block, content) != *sum {
                return Err(damage(block).into());
            }
        }
        let Some(cipher) = cipher else {
            layout_check::verify(blocks)?;
            return Ok((bytes, len));
        };
        let mut database = Zeroizing::new(blocks.to_vec());
        let (tags, _) = tags.as_chunks::<TAG>();
        for ((block, content), tag) in (0..).zip(database.chunks_exact_mut(PAGE)).zip(tags) {
            if !cipher.open(block, content, tag) {
                return Err(damage(block).into());
            }
        }
        layout_check::verify(&database)?;
        Ok((Bytes::Owned(database), len))
    }
}

const fn definition(table: Table) -> Rows {
    TableDefinition::new(table.name())
}

impl TableReader for ReadOnlyTable<&'static [u8], &'static [u8]> {
    fn get(&self, key: &[u8]) -> EngineResult<Option<RowBytes>> {
        caught(|| Ok(self.get(key)?.map(RowBytes::Base)))
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
