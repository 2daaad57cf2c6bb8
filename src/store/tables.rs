//! Every table of a store. No other file names one.

use redb::{
    Key, ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition, TableError, Value,
};

use super::fault::{Fault, Step};
use crate::error::Error;
use crate::record::{MAX_RECORD, Record, decode, encode};
use crate::types::PeerId;

/// A table whose values are records.
pub(super) type Records<const N: usize> = TableDefinition<'static, &'static [u8; N], &'static [u8]>;

/// A table that finds entities by a text.
pub(super) type Index = TableDefinition<'static, &'static [u8], i64>;

/// Session name -> account number. The empty name holds the number that the next session gets.
pub(super) const SESSIONS: TableDefinition<'static, &'static [u8], u32> =
    TableDefinition::new("sessions");

/// Account -> login.
pub(super) const LOGINS: Records<4> = TableDefinition::new("logins");

/// Account, DC -> addresses and key.
pub(super) const DCS: Records<8> = TableDefinition::new("dcs");

/// Account, channel -> state; the account itself has id 0.
pub(super) const STATES: Records<12> = TableDefinition::new("states");

/// Account, peer -> entity.
pub(super) const ENTITIES: Records<12> = TableDefinition::new("entities");

/// Account, folded username -> marked id of its owner.
pub(super) const USERNAMES: Index = TableDefinition::new("usernames");

/// Account, folded phone -> marked id of its owner.
pub(super) const PHONES: Index = TableDefinition::new("phones");

/// Account, MD5, size, kind -> sent file.
pub(super) const SENT_FILES: Records<29> = TableDefinition::new("sent_files");

/// Opens a table for reading; one that nothing was ever put into is not there.
pub(super) fn open<K: Key + 'static, V: Value + 'static>(
    transaction: &ReadTransaction,
    table: TableDefinition<'_, K, V>,
) -> Step<Option<ReadOnlyTable<K, V>>> {
    match transaction.open_table(table) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The value under `key` in a table of records, decoded.
pub(super) fn get<const N: usize, R: Record>(
    table: &impl ReadableTable<&'static [u8; N], &'static [u8]>,
    name: &'static str,
    key: &[u8; N],
    says: R::Key,
) -> Step<Option<R>> {
    match table.get(key)? {
        Some(record) => Ok(Some(decoded(name, key, says, record.value())?)),
        None => Ok(None),
    }
}

/// A record decoded; its table and key are in the error.
pub(super) fn decoded<R: Record>(
    table: &'static str,
    key: &[u8],
    says: R::Key,
    record: &[u8],
) -> Step<R> {
    decode(says, record).map_err(|error| Fault::record(table, key, error))
}

/// A record encoded, or the refusal of one that is too long.
pub(super) fn encoded<R: Record>(what: &'static str, value: &R) -> Step<Vec<u8>> {
    Ok(encode(value).ok_or(Error::TooLarge { what, most: MAX_RECORD })?)
}

/// The owner that an index row names.
pub(super) fn owner(table: &'static str, key: &[u8], marked: i64) -> Step<PeerId> {
    PeerId::from_marked(marked).ok_or_else(|| Fault::index(table, key, "it names nobody"))
}
