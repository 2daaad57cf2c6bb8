//! `key_value`: the home DC, the own user, where updates stand.
//!
//! ```text
//! dc_main, dc_media           basic DC option; no dc_media: it is the same
//! current_user                the own user
//! updates_pts, _qts, _date, _seq      int
//! updates_channel:ID          pts, 32 bits without sign; ID is bare
//! salts:DC                    server salts of the next hours
//! ```

use super::peers::{OUTSIDE, is_inside};
use super::values::{BasicDcOption, CurrentUser, encode_user};
use crate::error::{Error, Result};
use crate::format::database::Writer;
use crate::format::sqlite_file::{SqliteFile, column};
use crate::format::unwritten;
use crate::format::{Losses, Notes, Outgoing, field};
use crate::sqlite::Value;
use crate::sqlite::writer::Index;
use crate::types::{Account, ChannelState, DcOption, Endpoint, PeerId, PeerKind, UpdateState};

/// The name of the format.
pub(super) const FORMAT: &str = "mtcute";

pub(super) const SQL: &str = "CREATE TABLE key_value (
              key text primary key,
              value blob not null
          )";

const CHANNEL: &str = "updates_channel:";

/// Characters of a key that a note shows: a damaged one can be of any length.
const MOST_SHOWN: usize = 40;

/// The rows read so far, in any order.
#[derive(Debug, Default)]
struct Found {
    account: Account,
    main: Option<BasicDcOption>,
    media: Option<BasicDcOption>,
    pts: Option<i32>,
    qts: Option<i32>,
    date: Option<i32>,
    seq: Option<i32>,
    salts: u64,
    unknown: u64,
}

pub(super) fn read(file: &SqliteFile, notes: &mut Notes) -> Result<Account> {
    let mut found = Found::default();
    file.each_row("key_value", |table, row| {
        let key = field::text(column(table, row, "key")?);
        let value = column(table, row, "value")?;
        let (Ok(Some(key)), Value::Blob(value)) = (key, value) else {
            notes.add("key_value: a key is no text or its value no bytes, row skipped".into());
            return Ok(Ok(()));
        };
        if found.take(&key, value, notes).is_none() {
            let name: String = key.chars().take(MOST_SHOWN).collect();
            notes.add(format!("key_value: {name:?} is not what mtcute writes there, not kept"));
        }
        Ok(Ok(()))
    })?;
    Ok(found.into_account(notes))
}

impl Found {
    /// `None` for a value that does not fit its key.
    fn take(&mut self, key: &str, value: &[u8], notes: &mut Notes) -> Option<()> {
        let int = |value: &[u8]| value.try_into().map(i32::from_le_bytes).ok();
        match key {
            "dc_main" => self.main = Some(BasicDcOption::decode(value)?),
            "dc_media" => self.media = Some(BasicDcOption::decode(value)?),
            "current_user" => self.take_user(CurrentUser::decode(value)?, notes),
            "updates_pts" => self.pts = Some(int(value)?),
            "updates_qts" => self.qts = Some(int(value)?),
            "updates_date" => self.date = Some(int(value)?),
            "updates_seq" => self.seq = Some(int(value)?),
            key => match key.strip_prefix(CHANNEL) {
                Some(id) => {
                    let id = PeerId::channel(id.parse().ok()?)?;
                    let pts = int(value).filter(|pts| *pts >= 0)?;
                    self.account.channel_states.push(ChannelState { id, pts });
                }
                None if key.starts_with("salts:") => self.salts += 1,
                None => self.unknown += 1,
            },
        }
        Some(())
    }

    fn take_user(&mut self, user: Option<CurrentUser>, notes: &mut Notes) {
        let Some(CurrentUser { user, usernames, premium }) = user else { return };
        self.account.login.user = Some(user);
        if usernames > 0 {
            notes.add(format!("key_value: the {usernames} usernames in current_user are not kept"));
        }
        if premium {
            notes.add("key_value: that the own user has Premium is not kept".into());
        }
    }

    fn into_account(self, notes: &mut Notes) -> Account {
        let mut account = self.account;
        if let Some(media) = &self.media
            && self.main.as_ref().is_none_or(|main| main != media)
        {
            notes.add(format!("key_value: the address of DC {} for media is not kept", media.id));
        }
        match self.main {
            Some(BasicDcOption { id, endpoint, test_mode }) => {
                account.login.home_dc = Some(id);
                account.login.test_mode = test_mode;
                account.dcs.push(DcOption::new(id).at(endpoint));
            }
            None => notes.add("key_value: without dc_main the home DC is not known".into()),
        }
        match (self.pts, self.qts, self.date, self.seq) {
            (Some(pts), Some(qts), Some(date), Some(seq)) => {
                account.update_state = Some(UpdateState { pts, qts, date: date.into(), seq });
            }
            (None, None, None, None) => {}
            _ => notes.add("key_value: of pts, qts, date and seq one is missing, skipped".into()),
        }
        if self.salts > 0 {
            notes.add(format!("key_value: the server salts of {} DCs are not kept", self.salts));
        }
        if self.unknown > 0 {
            notes.add(format!("key_value: {} unknown keys are not kept", self.unknown));
        }
        account
    }
}

pub(super) fn write(session: &Outgoing<'_>, lost: &mut Losses, db: &mut Writer<'_>) -> Result<()> {
    let index = Index::automatic(&[0]);
    let mut table = db.table(SQL, &[index]).map_err(unwritten)?;
    for (rowid, (key, value)) in (1..).zip(pairs(session, lost)?) {
        table.row(rowid, &[Value::from(&*key), Value::Blob(&value)]).map_err(unwritten)?;
    }
    table.finish().map_err(unwritten)
}

/// The keys and values in the order in which mtcute comes to write them.
fn pairs(session: &Outgoing<'_>, lost: &mut Losses) -> Result<Vec<(String, Vec<u8>)>> {
    let mut pairs = Vec::new();
    let mut put = |key: &str, value: Vec<u8>| pairs.push((key.to_owned(), value));
    let account = &session.account;
    if let Some((home, endpoint)) = session.home().and_then(|dc| Some((dc, address(dc)?))) {
        let (id, test_mode) = (home.id, account.login.test_mode);
        let main = BasicDcOption { id, endpoint, test_mode };
        put("dc_main", main.encode().ok_or_else(|| unfit(home))?);
    }
    match account.login.user {
        Some(user) if PeerId::user(user.id).is_some_and(is_inside) => {
            put("current_user", encode_user(user));
        }
        Some(user) => lost.add("user", OUTSIDE, user.id),
        None => {}
    }
    if let Some(UpdateState { pts, qts, date, seq }) = account.update_state {
        match i32::try_from(date) {
            Ok(date) => {
                let state = [("pts", pts), ("qts", qts), ("date", date), ("seq", seq)];
                for (name, value) in state {
                    put(&format!("updates_{name}"), value.to_le_bytes().to_vec());
                }
            }
            Err(_) => lost.add_one("state", "mtcute has 32-bit dates"),
        }
    }
    for ChannelState { id, pts } in &account.channel_states {
        if id.kind() != PeerKind::Channel || !is_inside(*id) {
            lost.add("channel_states", OUTSIDE, *id);
        } else if *pts < 0 {
            lost.add("channel_states", "mtcute has no negative pts of channels", *id);
        } else {
            put(&format!("{CHANNEL}{}", id.bare()), pts.to_le_bytes().to_vec());
        }
    }
    Ok(pairs)
}

fn address(dc: &DcOption) -> Option<Endpoint> {
    dc.ipv4.as_ref().or(dc.ipv6.as_ref()).cloned()
}

fn unfit(home: &DcOption) -> Error {
    let why = format!("the home DC is {}, and mtcute knows DCs up to 255", home.id);
    Error::Unfit { format: FORMAT, why }
}
