//! `dc_home` and `dc_option`: the DCs, their addresses and their keys.

use std::net::{Ipv4Addr, SocketAddrV4, SocketAddrV6};

use crate::error::{Error, Result};
use crate::format::database::Writer;
use crate::format::sqlite_file::{SqliteFile, column, touch};
use crate::format::unwritten;
use crate::format::{Losses, Notes, field, well_known};
use crate::sqlite::{Row, SqliteError, Table, Value};
use crate::types::{Account, AuthKey, DcId, DcOption, Endpoint};

/// The name of the format.
pub(super) const FORMAT: &str = "grammers";

pub(super) const HOME_SQL: &str = "CREATE TABLE dc_home (
                dc_id INTEGER NOT NULL,
                PRIMARY KEY(dc_id))";

pub(super) const OPTION_SQL: &str = "CREATE TABLE dc_option (
                dc_id INTEGER NOT NULL,
                ipv4 TEXT NOT NULL,
                ipv6 TEXT NOT NULL,
                auth_key BLOB,
                PRIMARY KEY (dc_id))";

/// The DC that grammers logs in on by default.
const DEFAULT: DcId = DcId(2);

/// The first row, as grammers has it.
pub(super) fn read_home(file: &SqliteFile, notes: &mut Notes) -> Result<Option<DcId>> {
    let mut home = None;
    let mut more = 0_u64;
    file.each_row("dc_home", |table, row| {
        match field::integer(column(table, row, "dc_id")?).map(i32::try_from) {
            Ok(Ok(id)) if home.is_none() => home = Some(DcId(id)),
            Ok(Ok(_)) => more += 1,
            _ => notes.add("dc_home: dc_id is no DC's number, row skipped".into()),
        }
        Ok(Ok(()))
    })?;
    if more > 0 {
        notes.add(format!("dc_home: of {} rows the first is taken, as grammers does", more + 1));
    }
    if home.is_none() {
        notes.add(format!("dc_home: there is none, and DC {DEFAULT} is taken, as grammers does"));
    }
    Ok(home.or(Some(DEFAULT)))
}

pub(super) fn read_options(file: &SqliteFile, notes: &mut Notes) -> Result<Vec<DcOption>> {
    let mut dcs = Vec::new();
    file.each_row("dc_option", |table, row| {
        let Ok(Ok(id)) = field::integer(column(table, row, "dc_id")?).map(i32::try_from) else {
            touch(table, row)?;
            notes.add("dc_option: dc_id is no DC's number, row skipped".into());
            return Ok(Ok(()));
        };
        let mut dc = DcOption::new(DcId(id));
        dc.auth_key =
            match file.auth_key("dc_option", dc.id, column(table, row, "auth_key")?, notes) {
                Ok(key) => key,
                Err(error) => return Ok(Err(error)),
            };
        read_addresses(&mut dc, table, row, notes)?;
        dcs.push(dc);
        Ok(Ok(()))
    })?;
    Ok(dcs)
}

fn read_addresses(
    dc: &mut DcOption,
    table: &Table,
    row: &Row<'_>,
    notes: &mut Notes,
) -> Result<(), SqliteError> {
    let ipv4 = address::<SocketAddrV4>(dc.id, "ipv4", column(table, row, "ipv4")?, notes);
    let ipv6 = address::<SocketAddrV6>(dc.id, "ipv6", column(table, row, "ipv6")?, notes);
    let same = |v6: SocketAddrV6| ipv4.as_ref().is_some_and(|(_, v4)| mapped(*v4) == v6);
    dc.ipv6 = ipv6.filter(|(_, v6)| !same(*v6)).map(|(end, _)| end);
    dc.ipv4 = ipv4.filter(|(_, v4)| !v4.ip().is_unspecified()).map(|(end, _)| end);
    Ok(())
}

/// An address as text and parsed. `None`, with a note, if grammers could not open a file that has
/// it.
fn address<T: std::str::FromStr>(
    dc: DcId,
    name: &str,
    value: Value<'_>,
    notes: &mut Notes,
) -> Option<(Endpoint, T)> {
    let text = field::text(value).ok().flatten();
    let found = text.and_then(|text| {
        let (host, port) = text.rsplit_once(':')?;
        Some((Endpoint::new(host, port.parse().ok()?), text.parse().ok()?))
    });
    if found.is_none() {
        notes.add(format!("dc_option row {dc}: {name} is no address with a port, not kept"));
    }
    found
}

/// What grammers writes where it knows no IPv6 address.
fn mapped(ipv4: SocketAddrV4) -> SocketAddrV6 {
    SocketAddrV6::new(ipv4.ip().to_ipv6_mapped(), ipv4.port(), 0, 0)
}

pub(super) fn write(account: &Account, lost: &mut Losses, db: &mut Writer<'_>) -> Result<()> {
    let mut table = db.table(HOME_SQL, &[]).map_err(unwritten)?;
    if let Some(home) = account.login.home_dc {
        table.row(home.0.into(), &[Value::Null]).map_err(unwritten)?;
    }
    table.finish().map_err(unwritten)?;
    let mut table = db.table(OPTION_SQL, &[]).map_err(unwritten)?;
    for dc in &account.dcs {
        let (ipv4, ipv6) = addresses(dc, account, lost)?;
        let key = dc.auth_key.as_ref().map(AuthKey::as_bytes);
        let key = key.map_or(Value::Null, |key| Value::Blob(key));
        let row = [Value::Null, Value::from(&*ipv4), Value::from(&*ipv6), key];
        table.row(dc.id.0.into(), &row).map_err(unwritten)?;
    }
    table.finish().map_err(unwritten)
}

/// Both addresses of a DC. Both have to be there: an unknown IPv4 address is all zeros, an unknown
/// IPv6 address the IPv4 address in IPv6's notation.
fn addresses(dc: &DcOption, account: &Account, lost: &mut Losses) -> Result<(String, String)> {
    let mut ipv4 = dc.ipv4.as_ref().map(ToString::to_string);
    if ipv4.take_if(|text| text.parse::<SocketAddrV4>().is_err()).is_some() {
        lost.add("dcs.ipv4", NO_NAMES, i64::from(dc.id.0));
        let test = well_known::test_mode(account).unwrap_or(false);
        ipv4 = well_known::ipv4(dc.id, test).map(|end| end.to_string());
    }
    let mut ipv6 = dc.ipv6.as_ref().map(ToString::to_string);
    if ipv6.take_if(|text| text.parse::<SocketAddrV6>().is_err()).is_some() {
        lost.add("dcs.ipv6", NO_NAMES, i64::from(dc.id.0));
    }
    if ipv4.is_none() && ipv6.is_none() && account.login.home_dc == Some(dc.id) {
        let why = format!("the home DC {} has no address but a host name", dc.id);
        return Err(Error::Unfit { format: FORMAT, why });
    }
    let port = dc.ipv6.as_ref().map_or(PORT, |end| end.port);
    let nowhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port);
    let known = ipv4.and_then(|text| Some((text.parse().ok()?, text)));
    let (address, ipv4) = known.unwrap_or_else(|| (nowhere, nowhere.to_string()));
    let ipv6 = ipv6.unwrap_or_else(|| mapped(address).to_string());
    Ok((ipv4, ipv6))
}

const PORT: u16 = 443;

const NO_NAMES: &str =
    "grammers connects to addresses, not to names; where one is well known, it is written";
