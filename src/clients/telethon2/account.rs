//! Everything but the entities, of both branches: where one has a table or a column that the
//! other has not, what is there is taken.

use crate::error::Result;
use crate::format::sqlite_file::{SqliteFile, column};
use crate::format::{Notes, field};
use crate::sqlite::{Row, SqliteError, Table, Value};
use crate::types::{
    Account, ChannelState, DcId, DcOption, Endpoint, PeerId, SelfUser, UpdateState,
};

pub(super) fn read(file: &SqliteFile, notes: &mut Notes) -> Result<Account> {
    let mut account = Account::default();
    read_dcs(file, &mut account, notes)?;
    read_user(file, &mut account, notes)?;
    read_session(file, &mut account, notes)?;
    file.each_row("state", |table, row| {
        account.update_state = state(table, row, notes)?.or(account.update_state);
        Ok(Ok(()))
    })?;
    read_channels(file, "channelstate", "id", &mut account, notes)?;
    read_channels(file, "channel", "channel_id", &mut account, notes)?;
    Ok(account)
}

fn read_dcs(file: &SqliteFile, account: &mut Account, notes: &mut Notes) -> Result<()> {
    file.each_row("datacenter", |table, row| {
        let Some(id) = dc_id(column(table, row, "id")?) else {
            notes.add("datacenter: id is no DC's number, row skipped".into());
            return Ok(Ok(()));
        };
        let mut dc = DcOption::new(id);
        dc.auth_key = match file.auth_key("datacenter", id, column(table, row, "auth")?, notes) {
            Ok(key) => key,
            Err(error) => return Ok(Err(error)),
        };
        for name in ["addr", "ipv4_addr", "ipv6_addr"] {
            match field::text(column(table, row, name)?).map(|text| text.as_deref().map(socket)) {
                Ok(None) => {}
                Ok(Some(Some(end))) => dc = dc.at(end),
                _ => notes.add(format!("datacenter row {id}: {name} is no address, not kept")),
            }
        }
        let port = field::integer(column(table, row, "port")?).map(u16::try_from);
        for name in ["ipv4", "ipv6"] {
            match (field::text(column(table, row, name)?), &port) {
                (Ok(None), _) => {}
                (Ok(Some(host)), Ok(Ok(port))) => dc = dc.at(Endpoint::new(&host, *port)),
                _ => notes.add(format!("datacenter row {id}: {name} is no address, not kept")),
            }
        }
        account.dcs.push(dc);
        Ok(Ok(()))
    })
}

/// `HOST:PORT`. The host may have colons, in brackets or not.
fn socket(text: &str) -> Option<Endpoint> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    (!host.is_empty()).then(|| Endpoint::new(host, port))
}

/// `user` of version 10. Its username is skipped: an account has none, only entities have.
fn read_user(file: &SqliteFile, account: &mut Account, notes: &mut Notes) -> Result<()> {
    file.each_row("user", |table, row| {
        login(
            account,
            notes,
            [column(table, row, "id")?, column(table, row, "dc")?, column(table, row, "bot")?],
        );
        if !field::is_blank(column(table, row, "username")?) {
            notes.add("user: the account's own username is not kept".into());
        }
        Ok(Ok(()))
    })
}

/// `session` of v2-stale2. A state of zeros is one that was never known.
fn read_session(file: &SqliteFile, account: &mut Account, notes: &mut Notes) -> Result<()> {
    file.each_row("session", |table, row| {
        login(
            account,
            notes,
            [
                column(table, row, "user_id")?,
                column(table, row, "dc_id")?,
                column(table, row, "bot")?,
            ],
        );
        let never = UpdateState { pts: 0, qts: 0, date: 0, seq: 0 };
        account.update_state = state(table, row, notes)?.filter(|state| *state != never);
        match column(table, row, "takeout_id")? {
            Value::Integer(id) => account.login.takeout_id = Some(id),
            value if field::is_blank(value) => {}
            _ => notes.add("session: takeout_id is not an integer, not kept".into()),
        }
        Ok(Ok(()))
    })?;
    if account.login.user.is_some_and(|user| user.id == 0) {
        // The zeros are those of a file taken over from Telethon 1: that it is no bot is not known.
        account.login.user = own_id(file)?.map(|id| SelfUser { id, bot: None });
    }
    Ok(())
}

fn login(account: &mut Account, notes: &mut Notes, [id, dc, bot]: [Value<'_>; 3]) {
    match field::integer(id) {
        Ok(id) => {
            let bot = field::integer(bot).ok().map(|bot| bot != 0);
            account.login.user = Some(SelfUser { id, bot });
        }
        Err(why) => notes.add(format!("the own user id is {why}, not kept")),
    }
    match dc_id(dc) {
        Some(dc) => account.login.home_dc = Some(dc),
        None => notes.add("the number of the home DC is invalid, not kept".into()),
    }
}

/// What Telethon 1 had written as the hash of an entity 0.
fn own_id(file: &SqliteFile) -> Result<Option<i64>> {
    let mut own = None;
    file.each_row("entity", |table, row| {
        if column(table, row, "id")? == Value::Integer(0) {
            own = field::integer(column(table, row, "hash")?).ok();
        }
        Ok(Ok(()))
    })?;
    Ok(own)
}

fn state(
    table: &Table,
    row: &Row<'_>,
    notes: &mut Notes,
) -> Result<Option<UpdateState>, SqliteError> {
    let counter = |name| Ok::<_, SqliteError>(field::counter(column(table, row, name)?));
    let date = field::seconds(column(table, row, "date")?);
    match (counter("pts")?, counter("qts")?, date, counter("seq")?) {
        (Ok(pts), Ok(qts), Ok(Some(date)), Ok(seq)) => {
            Ok(Some(UpdateState { pts, qts, date, seq }))
        }
        _ => {
            notes.add(format!("{}: a counter is no integer, skipped", table.name()));
            Ok(None)
        }
    }
}

fn read_channels(
    file: &SqliteFile,
    table: &str,
    id: &str,
    account: &mut Account,
    notes: &mut Notes,
) -> Result<()> {
    file.each_row(table, |table, row| {
        let bare = field::integer(column(table, row, id)?);
        let pts = field::counter(column(table, row, "pts")?);
        match (bare.map(PeerId::channel), pts) {
            (Ok(Some(id)), Ok(pts)) => account.channel_states.push(ChannelState { id, pts }),
            _ => notes.add(format!("{}: id or pts is none, row skipped", table.name())),
        }
        Ok(Ok(()))
    })
}

fn dc_id(value: Value<'_>) -> Option<DcId> {
    field::integer(value).ok().and_then(|id| i32::try_from(id).ok()).map(DcId)
}
