//! The binary `Session` of grammers-session 0.7.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use grammers_session_tl::{MessageBox, Session};
use serde_json::{Map, Value, json};

use crate::{Result, channels_found, channels_of, hex, key_of, list, number, small, text};

pub(crate) fn read(file: &str) -> Result<Value> {
    let session = Session::load_file(file)?;
    let user = session.get_user().ok_or("the account's own user is not known")?;
    let dcs = session.get_dcs();
    let home = dcs.iter().find(|dc| dc.id == user.dc).ok_or("the home DC is not known")?;
    // As the client of 0.7 makes an address of it.
    let host = home.ipv4.map(|ip| Ipv4Addr::from(ip.to_le_bytes()).to_string());
    let keys: Map<_, _> = dcs
        .iter()
        .filter_map(|dc| Some((dc.id.to_string(), json!(hex(&session.dc_auth_key(dc.id)?)))))
        .collect();
    let state = session.get_state().ok_or("there is no update state")?;
    let channels: Result<Vec<_>> = state.channels.iter().map(|state| channel(state)).collect();
    Ok(json!({
        "dc": user.dc,
        "host": host,
        "port": home.port,
        "keys": keys,
        "user": user.id,
        "bot": user.bot,
        "state": [state.pts, state.qts, state.date, state.seq],
        "channels": channels_found(channels?),
    }))
}

/// The type of a channel's state is private to the crate; its `Debug` has the id and the pts.
fn channel(state: &impl std::fmt::Debug) -> Result<(i64, i32)> {
    let shown = format!("{state:?}");
    let mut numbers =
        shown.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let mut next = || numbers.next().ok_or("a channel state without its numbers");
    Ok((next()?.parse()?, next()?.parse()?))
}

pub(crate) fn write(file: &str, account: &Value) -> Result<Value> {
    let session = Session::new();
    for dc in list(&account["dcs"], "dcs")? {
        let host: IpAddr = text(&dc["host"], "host")?.parse()?;
        let port = number(&dc["port"], "port")?.try_into()?;
        session.insert_dc(small(&dc["id"], "id")?, SocketAddr::new(host, port), key_of(dc)?);
    }
    let user = &account["user"];
    let bot = user["bot"].as_bool().ok_or("bot is neither true nor false")?;
    session.set_user(number(&user["id"], "user")?, small(&account["home"], "home")?, bot);
    // Only the message box can make a state with channels.
    let mut updates = MessageBox::new();
    let [pts, qts, date, seq] = list(&account["state"], "state")? else {
        return Err("a state has four numbers".into());
    };
    for (id, pts) in channels_of(account)? {
        updates.try_set_channel_state(id, pts);
    }
    let mut state = updates.session_state();
    state.pts = small(pts, "pts")?;
    state.qts = small(qts, "qts")?;
    state.date = small(date, "date")?;
    state.seq = small(seq, "seq")?;
    session.set_state(state);
    std::fs::write(file, session.save())?;
    Ok(json!({}))
}
