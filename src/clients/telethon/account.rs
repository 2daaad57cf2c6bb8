//! Everything but the entities: `sessions`, `update_state`, `sent_files`, and row 0 of
//! `entities`.

use super::Scope;
use crate::error::Result;
use crate::format::sqlite_file::{column, endpoint};
use crate::format::{Notes, Tables, field};
use crate::sqlite::{Row, SqliteError, Table, Value};
use crate::types::{
    AccessHash, Account, AuthKey, ChannelState, DcId, DcOption, FileKey, FileKind, Md5, PeerId,
    PeerKind, SelfUser, SentFile, UpdateState,
};

/// The account whose rows these are.
pub(in crate::clients) fn read(scope: Scope<'_>, notes: &mut Notes) -> Result<Account> {
    let mut account = Account::default();
    if let (Tables::Whole(_), Some(table)) = (scope.file.db(), scope.table("sessions")) {
        let missing = SESSIONS.iter().take(NEEDED).filter(|name| table.column(name).is_none());
        missing.for_each(|name| notes.add(format!("sessions: there is no column {name}")));
    }
    read_sessions(scope, &mut account, notes)?;
    account.login.user = read_user(scope, notes)?;
    read_states(scope, &mut account, notes)?;
    account.sent_files = read_sent_files(scope, notes)?;
    Ok(account)
}

/// Every row is a DC. All releases log in with the first, the one with the lowest number.
fn read_sessions(scope: Scope<'_>, account: &mut Account, notes: &mut Notes) -> Result<()> {
    scope.each_row("sessions", |table, row| {
        let value = |name| scope.value(table, row, &SESSIONS, name);
        let id = match field::integer(value("dc_id")?).map(i32::try_from) {
            Ok(Ok(id)) => DcId(id),
            _ => {
                notes.add("sessions: dc_id is no DC's number, row skipped".into());
                return Ok(Ok(()));
            }
        };
        let key = match scope.file.auth_key("sessions", id, value("auth_key")?, notes) {
            Ok(key) => key,
            Err(error) => return Ok(Err(error)),
        };
        let mut dc = DcOption::new(id);
        dc.auth_key = key;
        let (host, port) = (value("server_address")?, value("port")?);
        if let Some(endpoint) = endpoint(id, host, port, notes) {
            dc = dc.at(endpoint);
        }
        if account.login.home_dc.is_none_or(|first| id < first) {
            account.login.home_dc = Some(id);
            account.login.takeout_id = takeout_id(value("takeout_id")?, notes);
        }
        if !field::is_blank(value("tmp_auth_key")?) {
            notes.add(format!("sessions row {id}: the temporary auth key is not kept"));
        }
        account.dcs.push(dc);
        Ok(Ok(()))
    })?;
    if let (Some(first), count @ 2..) = (account.login.home_dc, account.dcs.len()) {
        notes.add(format!(
            "sessions: there are {count} rows and the file does not say which is current; \
             DC {first}, the first, is taken as home, as Telethon does"
        ));
    }
    Ok(())
}

/// The columns of `sessions` in their order.
const SESSIONS: [&str; 6] =
    ["dc_id", "server_address", "port", "auth_key", "takeout_id", "tmp_auth_key"];

/// How many of them every release has.
const NEEDED: usize = 4;

/// Releases 1.43 and 1.44 read the last two columns swapped: a blob here is a temporary key or
/// nothing.
fn takeout_id(value: Value<'_>, notes: &mut Notes) -> Option<i64> {
    match value {
        Value::Integer(id) => Some(id),
        _ if field::is_blank(value) => None,
        Value::Blob(bytes) if bytes.len() == AuthKey::LEN => {
            notes.add("sessions: takeout_id holds a temporary auth key, which is not kept".into());
            None
        }
        _ => {
            notes.add("sessions: takeout_id is not an integer, not kept".into());
            None
        }
    }
}

/// Row 0 of `entities` holds the account's own id where others hold a hash.
fn read_user(scope: Scope<'_>, notes: &mut Notes) -> Result<Option<SelfUser>> {
    match scope.hash_of_row_0()? {
        None => Ok(None),
        Some(Ok(id)) => Ok(Some(SelfUser { id, bot: None })),
        Some(Err(why)) => {
            notes.add(format!("entities row 0: the own user id is {why}, not kept"));
            Ok(None)
        }
    }
}

/// Row 0 is the account's state; the others are channels, by bare id.
fn read_states(scope: Scope<'_>, account: &mut Account, notes: &mut Notes) -> Result<()> {
    let id_column = if scope.session.is_some() { "entity_id" } else { "id" };
    let mut fuller = 0_u64;
    scope.each_row("update_state", |table, row| {
        let id = match field::integer(column(table, row, id_column)?) {
            Ok(id) => id,
            Err(why) => {
                notes.add(format!("update_state: id is {why}, row skipped"));
                return Ok(Ok(()));
            }
        };
        let pts = field::counter(column(table, row, "pts")?);
        let qts = field::counter(column(table, row, "qts")?);
        let seq = field::counter(column(table, row, "seq")?);
        let unread = column(table, row, "unread_count")?;
        if id == 0 {
            let date = field::seconds(column(table, row, "date")?);
            match (pts, qts, date, seq) {
                (Ok(pts), Ok(qts), Ok(Some(date)), Ok(seq)) => {
                    account.update_state = Some(UpdateState { pts, qts, date, seq });
                }
                _ => notes.add("update_state row 0: a counter is no integer, skipped".into()),
            }
        } else {
            match (channel(id), pts) {
                (Some(id), Ok(pts)) => account.channel_states.push(ChannelState { id, pts }),
                (None, _) => notes.add(format!("update_state row {id}: no channel, skipped")),
                (_, Err(why)) => notes.add(format!("update_state row {id}: pts is {why}, skipped")),
            }
        }
        let set = |counter: &Result<i32, field::Unfit>| counter.is_ok_and(|counter| counter != 0);
        let of_channel = id != 0 && (set(&qts) || set(&seq));
        let unread = matches!(unread, Value::Integer(count) if count != 0);
        fuller += u64::from(of_channel || unread);
        Ok(Ok(()))
    })?;
    if fuller > 0 {
        notes.add(format!(
            "update_state: qts and seq of channels and counts of unread are not kept, in {fuller} \
             rows"
        ));
    }
    match account.channel_states.len() {
        0 => {}
        count => {
            notes.add(format!("update_state: when {count} channel rows were saved is not kept"));
        }
    }
    Ok(())
}

/// Ids are bare here; one that is marked already is taken as it is.
fn channel(id: i64) -> Option<PeerId> {
    let marked = PeerId::from_marked(id)?;
    if marked.kind() == PeerKind::Channel { Some(marked) } else { PeerId::channel(id) }
}

fn read_sent_files(scope: Scope<'_>, notes: &mut Notes) -> Result<Vec<SentFile>> {
    let mut files = Vec::new();
    let mut old_rows = 0_u64;
    scope.each_row("sent_files", |table, row| {
        if table.column("type").is_none() {
            old_rows += 1;
        } else {
            match sent_file(table, row)? {
                Ok(sent) => files.push(sent),
                Err(why) => notes.add(format!("sent_files: {why}, row skipped")),
            }
        }
        Ok(Ok(()))
    })?;
    if old_rows > 0 {
        notes.add(format!(
            "sent_files: {old_rows} rows are parts of uploads, which expire within a day, and \
             are not kept"
        ));
    }
    Ok(files)
}

fn sent_file(table: &Table, row: &Row<'_>) -> Result<Result<SentFile, &'static str>, SqliteError> {
    let md5 = match column(table, row, "md5_digest")? {
        Value::Blob(bytes) => bytes.try_into().map(Md5).ok(),
        _ => None,
    };
    let kind = match column(table, row, "type")? {
        Value::Integer(0) => Some(FileKind::Document),
        Value::Integer(1) => Some(FileKind::Photo),
        _ => None,
    };
    let size = field::integer(column(table, row, "file_size")?);
    let id = field::integer(column(table, row, "id")?);
    let hash = field::integer(column(table, row, "hash")?);
    Ok(match (md5, kind, size, id, hash) {
        (Some(md5), Some(kind), Ok(size), Ok(id), Ok(hash)) => {
            let key = FileKey { md5, size, kind };
            Ok(SentFile { key, id, access_hash: AccessHash(hash) })
        }
        (None, ..) => Err("md5_digest is not 16 bytes"),
        (_, None, ..) => Err("type is neither 0 nor 1"),
        _ => Err("file_size, id or hash is not an integer"),
    })
}
