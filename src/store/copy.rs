//! Copies of a whole store.

use std::path::Path;

use super::key::{Protection, StoreKey};
use super::options::StoreOptions;
use super::{Store, catalog, check};
use crate::engine::{Rows, Span, Table};
use crate::error::Result;

impl Store {
    /// Copies the store as it is now into a new file, whole or not at all, while others go on
    /// writing. The copy is compact. That of an encrypted store is encrypted, and has the same keys.
    ///
    /// # Errors
    ///
    /// Those of [`Store::create`] for the copy, and those of reading this one.
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        self.copied_alike(path.as_ref())
    }

    /// Copies everything into an empty store.
    pub(super) fn copy_into(&self, copy: &Self) -> Result<()> {
        let view = self.engine.view()?;
        let count = check::entities_in(&view).map_err(|error| error.at(self.engine.path()))?;
        self.progress.begin(count);
        copy.engine.bulk_write(|rows| {
            let accounts = catalog::accounts(&view)?;
            Table::ALL.into_iter().try_for_each(|table| {
                rows.fill(table, &mut |visit| match table {
                    // Segments may have entities of sessions that were removed.
                    Table::Entities => accounts.iter().try_for_each(|account| {
                        view.each(table, &table.span(*account), usize::MAX, &mut |key, row| {
                            self.progress.step();
                            visit(key, row)
                        })
                    }),
                    _ => view.each(table, &Span::ALL, usize::MAX, visit),
                })
            })
        })
    }

    /// As [`Store::backup`], but the copy is encrypted under a new master key, which this key opens.
    /// The store itself may be encrypted or not. The bytes of this store stay on the disk.
    ///
    /// # Errors
    ///
    /// Those of [`Store::backup`], and [`Error::Key`](crate::Error::Key) for a passphrase that cannot be one.
    pub fn backup_encrypted(&self, path: impl AsRef<Path>, key: &StoreKey) -> Result<()> {
        self.copied(path.as_ref(), Protection::New(key))
    }

    /// As [`Store::backup`], but the copy is not encrypted.
    ///
    /// # Errors
    ///
    /// Those of [`Store::backup`].
    pub fn backup_decrypted(&self, path: impl AsRef<Path>) -> Result<()> {
        self.copied(path.as_ref(), Protection::None)
    }

    fn copied(&self, path: &Path, protection: Protection<'_>) -> Result<()> {
        let options = StoreOptions::default();
        Self::built(path, &options, protection, |copy| self.copy_into(copy)).map(drop)
    }

    /// Makes a copy that the same keys open, if the store is encrypted.
    fn copied_alike(&self, path: &Path) -> Result<()> {
        match &self.unlocked {
            None => self.copied(path, Protection::None),
            // Keys may have come and gone since the store was opened.
            Some(unlocked) => {
                let same = unlocked.with_slots(self.engine.key_slots()?);
                self.copied(path, Protection::Same(&same))
            }
        }
    }
}
