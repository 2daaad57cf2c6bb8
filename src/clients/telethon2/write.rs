//! Files of Telethon's v2 branch, written: version 10 as it is since 2023-10-13.

use crate::error::{Error, Result};
use crate::format::database::{Writer, one_row, text};
use crate::format::{Address, Need, OtherDcs, unwritten, without_entities};
use crate::format::{Capabilities, Losses, Target, Writing};
use crate::sqlite::Value;
use crate::sqlite::writer::{DatabaseWriter, WriterOptions};
use crate::types::{Account, DcOption, Endpoint, PeerKind};

/// The format.
pub(crate) struct Telethon2File;

const FORMAT: &str = "telethon2";

const VERSION: i64 = 10;

/// The home DC is in the row of the own user, so the user is needed.
const CAPABILITIES: Capabilities = Capabilities {
    other_dcs: OtherDcs::All,
    address: Address::Both,
    user: Need::Needed,
    bot: Need::Needed,
    auth_key: Need::Kept,
    update_state: true,
    channel_states: true,
    ..Capabilities::MINIMAL
};

const VERSION_TABLE: &str = "CREATE TABLE version (
                version integer primary key
            )";

const DATACENTER: &str = "CREATE TABLE datacenter(
                id integer primary key,
                ipv4_addr text,
                ipv6_addr text,
                auth blob
            )";

const USER: &str = "CREATE TABLE user(
                id integer primary key,
                dc integer not null,
                bot integer not null,
                username text
            )";

const STATE: &str = "CREATE TABLE state(
                pts integer not null,
                qts integer not null,
                date integer not null,
                seq integer not null
            )";

const CHANNELSTATE: &str = "CREATE TABLE channelstate(
                id integer primary key,
                pts integer not null
            )";

impl Target for Telethon2File {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn write(&self, work: Writing<'_, '_>) -> Result<()> {
        let (session, lost, out) = work.of_one(FORMAT)?;
        without_entities(session, lost)?;
        let mut db = DatabaseWriter::new(out, &WriterOptions::new()).map_err(unwritten)?;
        one_row(&mut db, VERSION_TABLE, VERSION, &[Value::Integer(VERSION)]).map_err(unwritten)?;
        write_dcs(&session.account.dcs, &mut db)?;
        write_user(&session.account, &mut db)?;
        write_states(&session.account, &mut db, lost)?;
        db.finish().map_err(unwritten)?;
        Ok(())
    }
}

fn write_dcs(dcs: &[DcOption], db: &mut Writer<'_>) -> Result<()> {
    let mut table = db.table(DATACENTER, &[]).map_err(unwritten)?;
    for dc in dcs {
        let (ipv4, ipv6) = (dc.ipv4.as_ref().map(socket), dc.ipv6.as_ref().map(socket));
        let (ipv4, ipv6) = (text(ipv4.as_deref()), text(ipv6.as_deref()));
        let key = dc.auth_key.as_ref().map_or(Value::Null, |key| Value::Blob(key.as_bytes()));
        let id = i64::from(dc.id.0);
        table.row(id, &[Value::Integer(id), ipv4, ipv6, key]).map_err(unwritten)?;
    }
    table.finish().map_err(unwritten)
}

/// Without brackets, as the client itself joins the two.
fn socket(end: &Endpoint) -> String {
    format!("{}:{}", end.host, end.port)
}

fn write_user(account: &Account, db: &mut Writer<'_>) -> Result<()> {
    let lacks = |what| Error::Lacks { format: FORMAT, what };
    let user = account.login.user.ok_or_else(|| lacks("the account's own user id"))?;
    let home = account.login.home_dc.ok_or_else(|| lacks("the home DC"))?;
    let bot = Value::Integer(i64::from(user.bot.unwrap_or_default()));
    let (id, dc) = (Value::Integer(user.id), Value::Integer(i64::from(home.0)));
    one_row(db, USER, user.id, &[id, dc, bot, Value::Null]).map_err(unwritten)
}

/// The client reads the states of channels only together with that of the account.
fn write_states(account: &Account, db: &mut Writer<'_>, lost: &mut Losses) -> Result<()> {
    let mut table = db.table(STATE, &[]).map_err(unwritten)?;
    if let Some(state) = account.update_state {
        let [pts, qts, seq] = [state.pts, state.qts, state.seq].map(i64::from);
        table.row(1, &[pts, qts, state.date, seq].map(Value::Integer)).map_err(unwritten)?;
    }
    table.finish().map_err(unwritten)?;

    let mut rows = Vec::with_capacity(account.channel_states.len());
    for state in &account.channel_states {
        if account.update_state.is_none() {
            lost.add("channel_states", "the account's own state is not known", state.id);
        } else if state.id.kind() != PeerKind::Channel {
            lost.add("channel_states", "it is not a channel's", state.id);
        } else {
            rows.push((state.id.bare(), i64::from(state.pts)));
        }
    }
    rows.sort_unstable();
    let mut table = db.table(CHANNELSTATE, &[]).map_err(unwritten)?;
    for (id, pts) in rows {
        table.row(id, &[id, pts].map(Value::Integer)).map_err(unwritten)?;
    }
    table.finish().map_err(unwritten)
}
