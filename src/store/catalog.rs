//! The list of sessions, and changes of a session as a whole: create, rename, remove.

use std::collections::BTreeSet;
use std::path::Path;

use crate::engine::{EngineError, EngineResult, Rows, RowsMut, Span, Table, encoded};
use crate::error::Error;
use crate::record::AccountNo;
use crate::types::Login;

/// Under this name stands the number that the next session gets. No session can have it.
const NEXT_NUMBER: &[u8] = b"";

/// The longest name of a session in bytes.
const LONGEST_NAME: usize = 255;

/// The names of all sessions, sorted by their bytes.
pub(super) fn names(rows: &impl Rows) -> EngineResult<Vec<String>> {
    Ok(sessions(rows)?.into_iter().map(|(name, _)| name).collect())
}

/// Every session with its number, sorted by the bytes of the names.
pub(super) fn sessions(rows: &impl Rows) -> EngineResult<Vec<(String, AccountNo)>> {
    let mut sessions = Vec::new();
    rows.each(Table::Sessions, &Span::ALL, usize::MAX, &mut |name, row| {
        if name != NEXT_NUMBER {
            let text = std::str::from_utf8(name)
                .map_err(|_| EngineError::index("sessions", name, "the name is not text"))?;
            sessions.push((text.to_owned(), AccountNo(number(name, row)?)));
        }
        Ok(true)
    })?;
    Ok(sessions)
}

/// The numbers of all sessions, in their order.
pub(super) fn accounts(rows: &impl Rows) -> EngineResult<BTreeSet<AccountNo>> {
    Ok(sessions(rows)?.into_iter().map(|(_, account)| account).collect())
}

pub(super) fn name_of(rows: &impl Rows, account: AccountNo) -> EngineResult<Option<String>> {
    let mut sessions = sessions(rows)?.into_iter();
    Ok(sessions.find(|(_, number)| *number == account).map(|(name, _)| name))
}

/// The number of the session of this name.
pub(super) fn find(rows: &impl Rows, name: &str) -> EngineResult<Option<AccountNo>> {
    if name.is_empty() {
        return Ok(None);
    }
    match rows.get(Table::Sessions, name.as_bytes())? {
        Some(row) => Ok(Some(AccountNo(number(name.as_bytes(), &row)?))),
        None => Ok(None),
    }
}

fn number(name: &[u8], row: &[u8]) -> EngineResult<u32> {
    let number = row.try_into().map(u32::from_le_bytes);
    number.map_err(|_| EngineError::index("sessions", name, "it has no number"))
}

/// The session of this name, made with an empty login if there is none.
pub(super) fn find_or_add(rows: &mut impl RowsMut, name: &str) -> EngineResult<AccountNo> {
    check_name(name)?;
    if let Some(account) = find(rows, name)? {
        return Ok(account);
    }
    let next = match rows.get(Table::Sessions, NEXT_NUMBER)? {
        Some(row) => number(NEXT_NUMBER, &row)?,
        None => 1,
    };
    let spent =
        || EngineError::index("sessions", NEXT_NUMBER, "no number is left for another session");
    let after = next.checked_add(1).ok_or_else(spent)?;
    rows.put(Table::Sessions, NEXT_NUMBER, &after.to_le_bytes())?;
    rows.put(Table::Sessions, name.as_bytes(), &next.to_le_bytes())?;
    let account = AccountNo(next);
    let login = encoded("a login", &Login::default())?;
    rows.put(Table::Logins, &account.key(), &login)?;
    Ok(account)
}

pub(super) fn rename(
    rows: &mut impl RowsMut,
    path: &Path,
    from: &str,
    to: &str,
) -> EngineResult<()> {
    check_name(to)?;
    let account = find(rows, from)?.ok_or_else(|| no_session(path, from))?;
    if from == to {
        return Ok(());
    }
    if find(rows, to)?.is_some() {
        return Err(Error::SessionExists { path: path.to_owned(), name: to.to_owned() }.into());
    }
    rows.remove(Table::Sessions, from.as_bytes())?;
    rows.put(Table::Sessions, to.as_bytes(), &account.0.to_le_bytes())
}

/// Takes a session's name away; its rows are to be cleared in the same transaction. Its number is
/// not given out again.
pub(super) fn unname(rows: &mut impl RowsMut, path: &Path, name: &str) -> EngineResult<AccountNo> {
    let account = find(rows, name)?.ok_or_else(|| no_session(path, name))?;
    rows.remove(Table::Sessions, name.as_bytes())?;
    Ok(account)
}

/// The tables that hold rows of accounts.
pub(super) fn account_tables() -> impl Iterator<Item = Table> {
    Table::ALL.into_iter().filter(|table| *table != Table::Sessions)
}

pub(super) fn no_session(path: &Path, name: &str) -> Error {
    Error::NoSession { path: path.to_owned(), name: name.to_owned() }
}

fn check_name(name: &str) -> Result<(), Error> {
    let fits = !name.is_empty() && name.len() <= LONGEST_NAME;
    if fits && !name.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(Error::BadName { name: name.chars().take(LONGEST_NAME).collect() })
    }
}
