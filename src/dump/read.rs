//! A dump, read back.

use serde::Deserialize;

use super::FORMAT;
use crate::format::{Parsed, ParsedSession};
use crate::types::{
    AccessHash, Account, AuthKey, ChannelState, DcId, DcOption, Endpoint, Entity, EntityKind,
    Extra, FileKey, FileKind, Md5, PeerId, SelfUser, SentFile, UpdateState,
};

/// Whether a JSON text is a dump of any version.
pub(crate) fn looks_like(text: &str) -> bool {
    text.get(..HEAD.min(text.len())).unwrap_or(text).contains("tgsession-dump/")
}

/// The format is the first key: it stands within this many bytes.
const HEAD: usize = 200;

/// Reads a dump that was made with secrets. The error says what is wrong with it.
pub(crate) fn read(text: &str) -> Result<Parsed, String> {
    let head: Head = serde_json::from_str(text).map_err(|error| where_is(&error))?;
    if head.format != FORMAT {
        return Err(format!("it is a {:?}, and {FORMAT:?} is read here", head.format));
    }
    let dump: Dump = serde_json::from_str(text).map_err(|error| where_is(&error))?;
    let notes: Vec<String> =
        dump.notes.iter().map(|note| format!("when the dump was made: {note}")).collect();
    let mut sessions = Vec::with_capacity(dump.sessions.len());
    for session in dump.sessions {
        let name = session.name.clone();
        let mut session = session.parsed().map_err(|why| format!("session {name:?}: {why}"))?;
        session.notes.clone_from(&notes);
        sessions.push(session);
    }
    Ok(Parsed { format: format!("{FORMAT} of {}", dump.source), sessions })
}

/// The place of an error in a dump. The text there is not repeated: it may be a key.
fn where_is(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "the text ends early",
        serde_json::error::Category::Data => "there is something that no dump has there",
        _ => "it is not JSON",
    };
    format!("line {}, column {}: {what}", error.line(), error.column())
}

#[derive(Deserialize)]
struct Head {
    format: String,
}

/// An unknown key would be lost in silence: it is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dump {
    #[serde(rename = "format")]
    _format: String,
    source: String,
    sessions: Vec<Session>,
    notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    name: String,
    home_dc: Option<i32>,
    test_mode: Option<bool>,
    api_id: Option<i32>,
    user: Option<User>,
    takeout_id: Option<i64>,
    dcs: Vec<Dc>,
    state: Option<State>,
    channel_states: Vec<Channel>,
    entities: Vec<Row>,
    files: Vec<File>,
    #[serde(default)]
    extras: Vec<Small>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    id: i64,
    bot: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dc {
    id: i32,
    ipv4: Option<Address>,
    ipv6: Option<Address>,
    /// Absent in a dump without secrets, null where there is no key.
    #[serde(default, deserialize_with = "present")]
    auth_key: Option<Option<String>>,
    auth_key_id: Option<String>,
    /// It came from a damaged page.
    #[serde(default)]
    auth_key_unproven: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    host: String,
    port: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    pts: i32,
    qts: i32,
    date: i64,
    seq: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Channel {
    id: i64,
    pts: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: i64,
    kind: Option<String>,
    access_hash: Option<i64>,
    usernames: Vec<String>,
    phone: Option<String>,
    name: Option<String>,
    date: Option<i64>,
    #[serde(default)]
    min: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    md5: String,
    size: i64,
    kind: String,
    id: i64,
    access_hash: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Small {
    name: String,
    /// Absent in a dump without secrets.
    value: Option<String>,
    #[serde(rename = "bytes")]
    _bytes: Option<i64>,
}

const WITHOUT_SECRETS: &str = "the dump was made without secrets; make it again with them";

fn present<'de, D: serde::Deserializer<'de>>(key: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(key).map(Some)
}

impl Session {
    fn parsed(self) -> Result<ParsedSession, String> {
        let mut account = Account::default();
        account.login.home_dc = self.home_dc.map(DcId);
        account.login.test_mode = self.test_mode;
        account.login.api_id = self.api_id;
        account.login.user = self.user.map(|user| SelfUser { id: user.id, bot: user.bot });
        account.login.takeout_id = self.takeout_id;
        account.update_state =
            self.state.map(|State { pts, qts, date, seq }| UpdateState { pts, qts, date, seq });
        let unproven = self.dcs.iter().filter(|dc| dc.auth_key_unproven);
        let notes =
            unproven.map(|dc| format!("the auth key of DC {} is unproven", dc.id)).collect();
        account.dcs = self.dcs.into_iter().map(Dc::read).collect::<Result<_, _>>()?;
        account.dcs.sort_by_key(|dc| dc.id);
        account.channel_states =
            self.channel_states.iter().map(Channel::read).collect::<Result<_, _>>()?;
        account.channel_states.sort_by_key(|state| state.id);
        account.sent_files = self.files.iter().map(File::read).collect::<Result<_, _>>()?;
        account.sent_files.sort_by_key(|file| file.key);
        account.extras = self.extras.into_iter().map(Small::read).collect::<Result<_, _>>()?;
        account.extras.sort_by(|one, other| one.name().cmp(other.name()));
        let mut entities =
            self.entities.into_iter().map(Row::read).collect::<Result<Vec<_>, _>>()?;
        entities.sort_by_key(|entity| entity.id);
        let name = Some(self.name);
        Ok(ParsedSession { name, account, entities, notes, ..ParsedSession::default() })
    }
}

impl Dc {
    fn read(self) -> Result<DcOption, String> {
        let id = self.id;
        let mut dc = DcOption::new(DcId(id));
        let address = |address: Address| Endpoint::new(&address.host, address.port);
        dc.ipv4 = self.ipv4.map(address);
        dc.ipv6 = self.ipv6.map(address);
        let key = match (self.auth_key, &self.auth_key_id) {
            (Some(key), _) => key.map(zeroize::Zeroizing::new),
            (None, None) => None,
            (None, Some(_)) => {
                return Err(WITHOUT_SECRETS.into());
            }
        };
        if let Some(key) = key {
            let key = AuthKey::from_hex(&key)
                .ok_or_else(|| format!("the auth key of DC {id} is not 512 hexadecimal digits"))?;
            if self.auth_key_id.is_some_and(|said| said != key.id()) {
                return Err(format!("the auth key of DC {id} is not the one of its auth_key_id"));
            }
            dc.auth_key = Some(key);
        }
        Ok(dc)
    }
}

impl Channel {
    fn read(&self) -> Result<ChannelState, String> {
        Ok(ChannelState { id: peer(self.id)?, pts: self.pts })
    }
}

impl Row {
    fn read(self) -> Result<Entity, String> {
        let mut entity = Entity::new(peer(self.id)?);
        if let Some(kind) = &self.kind {
            let known = EntityKind::ALL.into_iter().find(|known| known.name() == kind);
            let unknown = || format!("entity {}: there is no kind {kind:?}", self.id);
            entity.kind = Some(known.ok_or_else(unknown)?);
        }
        entity.access_hash = self.access_hash.map(AccessHash);
        entity.usernames = self.usernames;
        if self.phone.as_ref().is_some_and(|phone| phone.contains('*')) {
            return Err(WITHOUT_SECRETS.into());
        }
        entity.phone = self.phone;
        entity.name = self.name;
        entity.date = self.date;
        entity.min = self.min;
        Ok(entity)
    }
}

impl Small {
    fn read(self) -> Result<Extra, String> {
        let value = zeroize::Zeroizing::new(self.value.ok_or(WITHOUT_SECRETS)?);
        let extra = Extra::from_hex(&self.name, &value);
        extra.ok_or_else(|| {
            format!(
                "the extra {:?} is invalid: check its name and its hexadecimal digits",
                self.name
            )
        })
    }
}

impl File {
    fn read(&self) -> Result<SentFile, String> {
        let md5: Md5 = self.md5.parse().map_err(|why| format!("a file's md5: {why}"))?;
        let kind = match self.kind.as_str() {
            "document" => FileKind::Document,
            "photo" => FileKind::Photo,
            other => return Err(format!("there is no file kind {other:?}")),
        };
        let key = FileKey { md5, size: self.size, kind };
        Ok(SentFile { key, id: self.id, access_hash: AccessHash(self.access_hash) })
    }
}

fn peer(marked: i64) -> Result<PeerId, String> {
    PeerId::from_marked(marked).ok_or_else(|| "0 is not the id of a peer".to_owned())
}
