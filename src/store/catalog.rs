//! Which sessions there are, and everything that is done to a session as a whole.

use std::path::Path;

use redb::{ReadableTable, WriteTransaction};

use super::fault::{Fault, Step};
use super::snapshot::Snapshot;
use super::tables::{
    DCS, ENTITIES, Index, LOGINS, PHONES, Records, SENT_FILES, SESSIONS, STATES, USERNAMES, encoded,
};
use crate::error::Error;
use crate::record::{AccountNo, TextKey};
use crate::types::Login;

/// Under this name stands the number that the next session gets. No session can have it.
const NEXT_NUMBER: &[u8] = b"";

/// The longest name of a session in bytes.
const LONGEST_NAME: usize = 255;

/// The names of all sessions, sorted by their bytes.
pub(super) fn names(snapshot: &Snapshot) -> Step<Vec<String>> {
    Ok(sessions(snapshot)?.into_iter().map(|(name, _)| name).collect())
}

/// Every session with its number, sorted by the bytes of the names.
pub(super) fn sessions(snapshot: &Snapshot) -> Step<Vec<(String, AccountNo)>> {
    let Some(table) = snapshot.open(SESSIONS)? else { return Ok(Vec::new()) };
    let mut sessions = Vec::new();
    for row in table.iter()? {
        let (name, number) = row?;
        if name.value() != NEXT_NUMBER {
            let text = std::str::from_utf8(name.value())
                .map_err(|_| Fault::index("sessions", name.value(), "the name is not text"))?;
            sessions.push((text.to_owned(), AccountNo(number.value())));
        }
    }
    Ok(sessions)
}

pub(super) fn name_of(snapshot: &Snapshot, account: AccountNo) -> Step<Option<String>> {
    let mut sessions = sessions(snapshot)?.into_iter();
    Ok(sessions.find(|(_, number)| *number == account).map(|(name, _)| name))
}

pub(super) fn find(snapshot: &Snapshot, name: &str) -> Step<Option<AccountNo>> {
    let Some(table) = snapshot.open(SESSIONS)? else { return Ok(None) };
    number_under(table, name)
}

pub(super) fn exists(transaction: &WriteTransaction, name: &str) -> Step<bool> {
    Ok(number_under(&transaction.open_table(SESSIONS.definition())?, name)?.is_some())
}

/// The session of this name, made with an empty login if there is none.
pub(super) fn find_or_add(transaction: &WriteTransaction, name: &str) -> Step<AccountNo> {
    check_name(name)?;
    let mut table = transaction.open_table(SESSIONS.definition())?;
    if let Some(account) = number_under(&table, name)? {
        return Ok(account);
    }
    let next = table.get(NEXT_NUMBER)?.map_or(1, |number| number.value());
    let spent = || Fault::index("sessions", NEXT_NUMBER, "no number is left for another session");
    let after = next.checked_add(1).ok_or_else(spent)?;
    table.insert(NEXT_NUMBER, after)?;
    table.insert(name.as_bytes(), next)?;
    let account = AccountNo(next);
    let login = encoded("a login", &Login::default())?;
    transaction.open_table(LOGINS.definition())?.insert(&account.key(), login.as_slice())?;
    Ok(account)
}

pub(super) fn rename(
    transaction: &WriteTransaction,
    path: &Path,
    from: &str,
    to: &str,
) -> Step<()> {
    check_name(to)?;
    let mut table = transaction.open_table(SESSIONS.definition())?;
    let account = number_under(&table, from)?.ok_or_else(|| no_session(path, from))?;
    if from != to && number_under(&table, to)?.is_some() {
        return Err(Error::SessionExists { path: path.to_owned(), name: to.to_owned() }.into());
    }
    table.remove(from.as_bytes())?;
    table.insert(to.as_bytes(), account.0)?;
    Ok(())
}

/// Removes a session and every row of it. Its number is not given out again.
pub(super) fn remove(transaction: &WriteTransaction, path: &Path, name: &str) -> Step<()> {
    let mut table = transaction.open_table(SESSIONS.definition())?;
    let account = number_under(&table, name)?.ok_or_else(|| no_session(path, name))?;
    table.remove(name.as_bytes())?;
    drop(table);
    clear_records(transaction, LOGINS, account)?;
    clear_records(transaction, DCS, account)?;
    clear_records(transaction, STATES, account)?;
    clear_records(transaction, ENTITIES, account)?;
    clear_records(transaction, SENT_FILES, account)?;
    clear_index(transaction, USERNAMES, account)?;
    clear_index(transaction, PHONES, account)
}

fn clear_records<const N: usize>(
    transaction: &WriteTransaction,
    table: Records<N>,
    account: AccountNo,
) -> Step<()> {
    let (first, last) = (account.first::<N>(), account.last::<N>());
    transaction
        .open_table(table.definition())?
        .retain_in::<&[u8; N], _>(&first..=&last, |_, _| false)?;
    Ok(())
}

fn clear_index(transaction: &WriteTransaction, index: Index, account: AccountNo) -> Step<()> {
    let first = TextKey::of(account, "");
    let behind = TextKey::of(AccountNo(account.0.saturating_add(1)), "");
    let range = first.as_slice()..behind.as_slice();
    transaction.open_table(index.definition())?.retain_in(range, |_, _| false)?;
    Ok(())
}

fn number_under(
    table: &impl ReadableTable<&'static [u8], u32>,
    name: &str,
) -> Step<Option<AccountNo>> {
    if name.is_empty() {
        return Ok(None);
    }
    Ok(table.get(name.as_bytes())?.map(|number| AccountNo(number.value())))
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
