//! `auth_keys`: the permanent keys, by DC.

use crate::error::Result;
use crate::format::database::Writer;
use crate::format::sqlite_file::{SqliteFile, column, touch};
use crate::format::unwritten;
use crate::format::{Losses, Notes, field, well_known};
use crate::sqlite::Value;
use crate::sqlite::writer::{Index, TableWriter};
use crate::types::{Account, AuthKey, DcId, DcOption};

pub(super) const SQL: &str = "CREATE TABLE auth_keys (
                    dc integer primary key,
                    key blob not null
                )";

pub(super) const TEMPORARY_SQL: &str = "CREATE TABLE temp_auth_keys (
                    dc integer not null,
                    idx integer not null,
                    key blob not null,
                    expires integer not null,
                    primary key (dc, idx)
                )";

/// Adds the keys to the DCs that are known already.
pub(super) fn read(file: &SqliteFile, account: &mut Account, notes: &mut Notes) -> Result<()> {
    file.each_row("auth_keys", |table, row| {
        let Ok(Ok(id)) = field::integer(column(table, row, "dc")?).map(i32::try_from) else {
            touch(table, row)?;
            notes.add("auth_keys: dc is no DC's number, row skipped".into());
            return Ok(Ok(()));
        };
        match file.auth_key("auth_keys", DcId(id), column(table, row, "key")?, notes) {
            Ok(Some(key)) => {
                let known = account.dcs.iter().position(|dc| dc.id.0 == id);
                match known.and_then(|at| account.dcs.get_mut(at)) {
                    Some(dc) => dc.auth_key = Some(key),
                    None => account.dcs.push(DcOption::new(DcId(id)).with_key(key)),
                }
                Ok(Ok(()))
            }
            Ok(None) => Ok(Ok(())),
            Err(error) => Ok(Err(error)),
        }
    })
}

/// Writes the keys, and counts what else is known of the DCs: only of the home DC there is a place
/// for more.
pub(super) fn write(account: &Account, lost: &mut Losses, db: &mut Writer<'_>) -> Result<()> {
    let mut table = db.table(SQL, &[]).map_err(unwritten)?;
    for dc in &account.dcs {
        if Some(dc.id) != account.login.home_dc {
            count_lost(dc, account, lost);
        }
        if let Some(key) = dc.auth_key.as_ref().map(AuthKey::as_bytes) {
            table.row(dc.id.0.into(), &[Value::Null, Value::Blob(key)]).map_err(unwritten)?;
        }
    }
    table.finish().map_err(unwritten)?;
    let index = Index::automatic(&[0, 1]);
    db.table(TEMPORARY_SQL, &[index]).and_then(TableWriter::finish).map_err(unwritten)
}

/// An address that is well known is not lost.
fn count_lost(dc: &DcOption, account: &Account, lost: &mut Losses) {
    let id = i64::from(dc.id.0);
    if dc.auth_key.is_none() {
        lost.add("dcs", "mtcute knows a DC by its key", id);
        return;
    }
    let test = account.login.test_mode.unwrap_or(false);
    let why = "mtcute keeps the address of the home DC only";
    if dc.ipv4.is_some() && dc.ipv4 != well_known::ipv4(dc.id, test) {
        lost.add("dcs.ipv4", why, id);
    }
    if dc.ipv6.is_some() && dc.ipv6 != well_known::ipv6(dc.id, test) {
        lost.add("dcs.ipv6", why, id);
    }
}
