//! Everything but the entities: `sessions` and `update_state`.

use super::family::{self, SESSIONS, SESSIONS_MORE};
use crate::error::Result;
use crate::format::sqlite_file::{SqliteFile, column, endpoint};
use crate::format::{Notes, Tables, field};
use crate::sqlite::{Row, SqliteError, Table, Value};
use crate::types::{
    Account, ChannelState, DcId, DcOption, Login, PeerId, PeerKind, SelfUser, UpdateState,
};

pub(super) fn read(file: &SqliteFile, notes: &mut Notes) -> Result<Account> {
    let mut account = Account::default();
    read_sessions(file, &mut account, notes)?;
    read_states(file, &mut account, notes)?;
    Ok(account)
}

/// There is one row. Of several, which no release makes, all releases take the first.
fn read_sessions(file: &SqliteFile, account: &mut Account, notes: &mut Notes) -> Result<()> {
    if file.db().named("sessions").is_none() {
        notes.add("sessions: there is no such table".into());
    }
    if let (Tables::Whole(_), Some(table)) = (file.db(), file.db().named("sessions")) {
        let missing = SESSIONS.iter().filter(|name| table.column(name).is_none());
        missing.for_each(|name| notes.add(format!("sessions: there is no column {name}")));
    }
    file.each_row("sessions", |table, row| {
        let dc = match read_dc(file, table, row, notes)? {
            Ok(Some(dc)) => dc,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        if account.dcs.is_empty() {
            account.login = read_login(file, table, row, notes)?;
            account.login.home_dc = Some(dc.id);
            if dc.auth_key.is_none() || account.login.user.is_none() {
                let note = "sessions: there is no auth key or no user id: the login never finished";
                notes.add(note.into());
            }
        }
        account.dcs.push(dc);
        Ok(Ok(()))
    })?;
    if let ([first, ..], count @ 2..) = (account.dcs.as_slice(), account.dcs.len()) {
        notes.add(format!(
            "sessions: there are {count} rows; DC {}, the first, is taken as home, as Pyrogram does",
            first.id
        ));
    }
    Ok(())
}

/// The DC of a row; `None` if it has none. An auth key of a wrong size is the inner error.
fn read_dc(
    file: &SqliteFile,
    table: &Table,
    row: &Row<'_>,
    notes: &mut Notes,
) -> Result<Result<Option<DcOption>>, SqliteError> {
    let get = |name| session_column(file, table, row, name);
    let id = match field::integer(get("dc_id")?).map(i32::try_from) {
        Ok(Ok(id)) => DcId(id),
        _ => {
            notes.add("sessions: dc_id is no DC's number, row skipped".into());
            return Ok(Ok(None));
        }
    };
    let mut dc = DcOption::new(id);
    dc.auth_key = match file.auth_key("sessions", id, get("auth_key")?, notes) {
        Ok(key) => key,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(endpoint) = endpoint(id, get("server_address")?, get("port")?, notes) {
        dc = dc.at(endpoint);
    }
    Ok(Ok(Some(dc)))
}

fn read_login(
    file: &SqliteFile,
    table: &Table,
    row: &Row<'_>,
    notes: &mut Notes,
) -> Result<Login, SqliteError> {
    let get = |name| session_column(file, table, row, name);
    let mut login = Login {
        test_mode: noted(flag(get("test_mode")?), "test_mode", notes),
        api_id: noted(known(get("api_id")?, field::counter), "api_id", notes),
        ..Login::default()
    };
    let bot = noted(flag(get("is_bot")?), "is_bot", notes);
    match noted(known(get("user_id")?, field::integer), "user_id", notes) {
        Some(id) => login.user = Some(SelfUser { id, bot }),
        None if bot.is_some() => {
            notes.add("sessions: is_bot is not kept without a user id".into());
        }
        None => {}
    }
    // A session that was never saved has 0.
    match noted(field::seconds(get("date")?), "date", notes) {
        None | Some(0) => {}
        Some(_) => notes.add("sessions: when it was last saved is not kept".into()),
    }
    Ok(login)
}

fn session_column<'r>(
    file: &SqliteFile,
    table: &Table,
    row: &'r Row<'_>,
    name: &str,
) -> Result<Value<'r>, SqliteError> {
    let column = family::column(file.db(), table, &SESSIONS, &SESSIONS_MORE, name);
    column.map_or(Ok(Value::Null), |column| row.get(column))
}

fn noted<T>(value: Result<Option<T>, field::Unfit>, name: &str, notes: &mut Notes) -> Option<T> {
    value.unwrap_or_else(|why| {
        notes.add(format!("sessions: {name} is {why}, not kept"));
        None
    })
}

/// NULL is not known.
fn known<T>(
    value: Value<'_>,
    read: impl Fn(Value<'_>) -> Result<T, field::Unfit>,
) -> Result<Option<T>, field::Unfit> {
    if value.is_null() { Ok(None) } else { read(value).map(Some) }
}

fn flag(value: Value<'_>) -> Result<Option<bool>, field::Unfit> {
    match value {
        Value::Null => Ok(None),
        Value::Integer(0) => Ok(Some(false)),
        Value::Integer(1) => Ok(Some(true)),
        _ => Err("neither 0 nor 1"),
    }
}

/// Row 0 is the account's state; the others are channels, by marked id.
fn read_states(file: &SqliteFile, account: &mut Account, notes: &mut Notes) -> Result<()> {
    let mut more = 0_u64;
    file.each_row("update_state", |table, row| {
        let get = |name| column(table, row, name);
        let id = match field::integer(get("id")?) {
            Ok(id) => id,
            Err(why) => {
                notes.add(format!("update_state: id is {why}, row skipped"));
                return Ok(Ok(()));
            }
        };
        let pts = match field::counter(get("pts")?) {
            Ok(pts) => pts,
            Err(why) => {
                notes.add(format!("update_state row {id}: pts is {why}, skipped"));
                return Ok(Ok(()));
            }
        };
        let (qts, date, seq) = (get("qts")?, get("date")?, get("seq")?);
        match PeerId::from_marked(id) {
            None => account.update_state = account_state(pts, qts, date, seq, notes),
            Some(_) if id == PYLOGRAM && account.update_state.is_none() => {
                account.update_state = account_state(pts, qts, date, seq, notes);
            }
            Some(id) if id.kind() == PeerKind::Channel => {
                account.channel_states.push(ChannelState { id, pts });
                more += u64::from([qts, date, seq].iter().any(|value| !value.is_null()));
            }
            Some(_) => notes.add(format!("update_state row {id}: no channel, skipped")),
        }
        Ok(Ok(()))
    })?;
    read_channel_pts(file, account, notes)?;
    if more > 0 {
        notes.add(format!("update_state: the qts, date and seq of {more} channels are not kept"));
    }
    Ok(())
}

/// The row that holds the account's state in pylogram's files.
const PYLOGRAM: i64 = 1;

/// pylogram keeps channels in a table of their own, by bare id.
fn read_channel_pts(file: &SqliteFile, account: &mut Account, notes: &mut Notes) -> Result<()> {
    file.each_row("channel_pts", |table, row| {
        let id = field::integer(column(table, row, "channel_id")?).ok().and_then(PeerId::channel);
        match (id, field::counter(column(table, row, "pts")?)) {
            (Some(id), Ok(pts)) => account.channel_states.push(ChannelState { id, pts }),
            (None, _) => notes.add("channel_pts: a row of no channel, skipped".into()),
            (Some(id), Err(why)) => {
                notes.add(format!("channel_pts row {}: pts is {why}, skipped", id.bare()));
            }
        }
        Ok(Ok(()))
    })
}

/// Counters that the libraries never learned are NULL. They ask for missed updates with the
/// counters that they have, so `pts` alone is worth keeping.
fn account_state(
    pts: i32,
    qts: Value<'_>,
    date: Value<'_>,
    seq: Value<'_>,
    notes: &mut Notes,
) -> Option<UpdateState> {
    let mut unknown = |name: &str| {
        notes.add(format!("update_state row 0: {name} is not known and taken as 0"));
    };
    let values = (known(qts, field::counter), field::seconds(date), known(seq, field::counter));
    let (Ok(qts), Ok(date), Ok(seq)) = values else {
        notes.add("update_state row 0: a counter is no integer, skipped".into());
        return None;
    };
    for (name, known) in [("qts", qts.is_some()), ("date", date.is_some()), ("seq", seq.is_some())]
    {
        if !known {
            unknown(name);
        }
    }
    let (qts, date, seq) =
        (qts.unwrap_or_default(), date.unwrap_or_default(), seq.unwrap_or_default());
    Some(UpdateState { pts, qts, date, seq })
}
