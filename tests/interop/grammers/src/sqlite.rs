//! `SqliteSession` of grammers-session 0.11.

use std::net::{SocketAddrV4, SocketAddrV6};

use grammers_session::Session;
use grammers_session::storages::SqliteSession;
use grammers_session::types::{
    ChannelKind, ChannelState, DcOption, PeerAuth, PeerId, PeerInfo, UpdateState, UpdatesState,
};
use serde_json::{Map, Value, json};

use crate::{Result, channels_found, channels_of, hex, key_of, list, number, small, text};

pub(crate) async fn read(file: &str, account: &Value) -> Result<Value> {
    let session = SqliteSession::open(file).await?;
    let home = session.home_dc_id()?;
    let home_dc = session.dc_option(home)?.ok_or("the home DC is not known")?;
    let mut keys = Map::new();
    for id in 1..=5 {
        if let Some(key) = session.dc_option(id)?.and_then(|dc| dc.auth_key) {
            keys.insert(id.to_string(), json!(hex(&key)));
        }
    }
    let own = session.peer(PeerId::self_user()).await?;
    let Some(PeerInfo::User { id: user, bot, .. }) = own else {
        return Err("the account's own user is not known".into());
    };
    let mut by_id = Map::new();
    let mut kinds = Map::new();
    for peer in list(&account["peers"], "peers")? {
        let marked = number(&peer["id"], "id")?;
        let id = PeerId::from_bot_api_dialog_id(marked).ok_or("an id out of range")?;
        let info = session.peer(id).await?.ok_or_else(|| format!("{marked} is not known"))?;
        let hash = info.auth().map_or(0, |auth| auth.hash());
        by_id.insert(marked.to_string(), json!(hash));
        kinds.insert(marked.to_string(), json!(kind(&info)));
    }
    let state = session.updates_state().await?;
    Ok(json!({
        "dc": home,
        "host": home_dc.ipv4.ip().to_string(),
        "port": home_dc.ipv4.port(),
        "keys": keys,
        "user": user,
        // A plain user and one that may be a bot are the same row.
        "bot": bot == Some(true),
        "by_id": by_id,
        "kinds": kinds,
        "state": [state.pts, state.qts, state.date, state.seq],
        "channels": channels_found(state.channels.iter().map(|state| (state.id, state.pts))),
    }))
}

/// The kind in our words.
fn kind(info: &PeerInfo) -> &'static str {
    match info {
        PeerInfo::User { bot: Some(true), .. } => "bot",
        PeerInfo::User { .. } => "user",
        PeerInfo::Chat { .. } => "group",
        PeerInfo::Channel { kind: Some(ChannelKind::Megagroup), .. } => "supergroup",
        PeerInfo::Channel { kind: Some(ChannelKind::Broadcast), .. } => "channel",
        PeerInfo::Channel { .. } => "another kind of channel",
    }
}

pub(crate) async fn write(file: &str, account: &Value) -> Result<Value> {
    let session = SqliteSession::open(file).await?;
    session.set_home_dc_id(small(&account["home"], "home")?).await?;
    for dc in list(&account["dcs"], "dcs")? {
        let port = number(&dc["port"], "port")?.try_into()?;
        let ipv4 = SocketAddrV4::new(text(&dc["host"], "host")?.parse()?, port);
        let ipv6 = SocketAddrV6::new(text(&dc["ipv6"], "ipv6")?.parse()?, port, 0, 0);
        let id = small(&dc["id"], "id")?;
        let dc = DcOption { id, ipv4, ipv6, auth_key: Some(key_of(dc)?) };
        session.set_dc_option(&dc).await?;
    }
    for peer in list(&account["peers"], "peers")? {
        session.cache_peer(info(peer)?).await?;
    }
    let user = &account["user"];
    let own = PeerInfo::User {
        id: number(&user["id"], "user")?,
        auth: None,
        bot: user["bot"].as_bool(),
        is_self: Some(true),
    };
    session.cache_peer(own).await?;
    let [pts, qts, date, seq] = list(&account["state"], "state")? else {
        return Err("a state has four numbers".into());
    };
    let channels = channels_of(account)?;
    let state = UpdatesState {
        pts: small(pts, "pts")?,
        qts: small(qts, "qts")?,
        date: small(date, "date")?,
        seq: small(seq, "seq")?,
        channels: channels.into_iter().map(|(id, pts)| ChannelState { id, pts }).collect(),
    };
    session.set_update_state(UpdateState::All(state)).await?;
    Ok(json!({}))
}

pub(crate) async fn meet(file: &str, account: &Value) -> Result<Value> {
    let session = SqliteSession::open(file).await?;
    for peer in list(&account["met"], "met")? {
        session.cache_peer(info(peer)?).await?;
    }
    Ok(json!({}))
}

fn info(peer: &Value) -> Result<PeerInfo> {
    let marked = number(&peer["id"], "id")?;
    let id = PeerId::from_bot_api_dialog_id(marked).and_then(PeerId::bare_id);
    let id = id.ok_or("an id out of range")?;
    let auth = Some(PeerAuth::from_hash(number(&peer["hash"], "hash")?));
    Ok(match text(&peer["kind"], "kind")? {
        "user" => PeerInfo::User { id, auth, bot: Some(false), is_self: None },
        "bot" => PeerInfo::User { id, auth, bot: Some(true), is_self: None },
        "group" => PeerInfo::Chat { id },
        "supergroup" => PeerInfo::Channel { id, auth, kind: Some(ChannelKind::Megagroup) },
        "channel" => PeerInfo::Channel { id, auth, kind: Some(ChannelKind::Broadcast) },
        other => return Err(format!("there is no kind {other}").into()),
    })
}
