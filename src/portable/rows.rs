//! The sealed content: the session's name and its rows, sorted, with an end mark.

use zeroize::Zeroizing;

use super::PortableError;
use super::bytes::{Reader, Writer};
use crate::record::{self, AccountNo, DcKey, FileRow, MAX_RECORD, PeerKey, Record};
use crate::types::{Account, Entity, Extra, PeerId};

/// One session as it came out of its portable format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Portable {
    /// The name of the session in its source.
    pub(crate) name: Option<String>,
    pub(crate) account: Account,
    /// In the order of their ids.
    pub(crate) entities: Vec<Entity>,
}

/// Keys are those of a store without the account's number in front, since there is one account.
const ACCOUNT: AccountNo = AccountNo(0);

/// Length of the account's number in a key.
const ACCOUNT_LEN: usize = 4;

/// The kind of a row. Its code comes first, and sorts the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Login = 1,
    Dc,
    UpdateState,
    ChannelState,
    Entity,
    SentFile,
    Extra,
}

/// Where a row begins, this code is the end.
const END: u8 = 0;

impl Row {
    const ALL: [Self; 7] = [
        Self::Login,
        Self::Dc,
        Self::UpdateState,
        Self::ChannelState,
        Self::Entity,
        Self::SentFile,
        Self::Extra,
    ];

    fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|row| *row as u8 == code)
    }

    /// Length of the key in bytes; `None` where it is a text after its length.
    fn key_len(self) -> Option<usize> {
        Some(match self {
            Self::Login | Self::UpdateState => 0,
            Self::Dc => 4,
            Self::ChannelState | Self::Entity => 8,
            Self::SentFile => 25,
            Self::Extra => return None,
        })
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Dc => "DC",
            Self::UpdateState => "update state",
            Self::ChannelState => "channel state",
            Self::Entity => "entity",
            Self::SentFile => "sent file",
            Self::Extra => "extra",
        }
    }
}

pub(super) fn write(
    out: &mut Writer,
    name: Option<&str>,
    account: &Account,
    entities: &[Entity],
) -> Result<(), PortableError> {
    let Account { login, dcs, update_state, channel_states, sent_files, extras } = account;
    put_name(out, name)?;
    put(out, Row::Login, &[], login)?;
    put_all(out, Row::Dc, dcs, |dc| DcKey::of(ACCOUNT, dc.id))?;
    if let Some(state) = update_state {
        put(out, Row::UpdateState, &[], state)?;
    }
    put_all(out, Row::ChannelState, channel_states, |state| PeerKey::of(ACCOUNT, state.id))?;
    put_all(out, Row::Entity, entities, |entity| PeerKey::of(ACCOUNT, entity.id))?;
    put_all(out, Row::SentFile, sent_files, |file| FileRow::of(ACCOUNT, file.key))?;
    put_extras(out, extras)?;
    out.put(&[END]);
    Ok(())
}

pub(super) fn read(body: &[u8]) -> Result<Portable, PortableError> {
    let mut rest = Reader::new(body);
    let mut read =
        Portable { name: name(&mut rest)?, account: Account::default(), entities: Vec::new() };
    let mut last = None;
    loop {
        let code = rest.byte()?;
        if code == END {
            break;
        }
        let row = Row::of(code).ok_or(damaged("it has a row of a kind that is not known"))?;
        let key_len = match row.key_len() {
            Some(len) => len,
            None => rest.byte()?.into(),
        };
        let key = rest.take(key_len)?;
        if last.is_none() && row != Row::Login {
            return Err(NO_LOGIN);
        }
        if last.replace((row, key)).is_some_and(|before| before >= (row, key)) {
            return Err(damaged("its rows are not in order"));
        }
        let len = usize::try_from(rest.u32()?).unwrap_or(usize::MAX);
        if len > MAX_RECORD {
            return Err(damaged("a record of it is longer than one may be"));
        }
        take(&mut read, row, key, rest.take(len)?)?;
    }
    match (last, rest.rest()) {
        (None, _) => Err(NO_LOGIN),
        (_, []) => Ok(read),
        _ => Err(damaged("bytes are left after its end")),
    }
}

const NO_LOGIN: PortableError = damaged("it does not begin with the login");

const fn damaged(what: &'static str) -> PortableError {
    PortableError::Damaged { what }
}

/// Puts one row where it belongs.
fn take(read: &mut Portable, row: Row, key: &[u8], record: &[u8]) -> Result<(), PortableError> {
    let account = &mut read.account;
    match row {
        Row::Login => account.login = decoded(row, (), record)?,
        Row::Dc => {
            let id = DcKey::dc(&of_account(key));
            account.dcs.push(decoded(row, id, record)?);
        }
        Row::UpdateState => account.update_state = Some(decoded(row, (), record)?),
        Row::ChannelState => account.channel_states.push(decoded(row, peer(key)?, record)?),
        Row::Entity => read.entities.push(decoded(row, peer(key)?, record)?),
        Row::SentFile => {
            let file = FileRow::file(&of_account(key));
            let file = file.map_err(|error| PortableError::Record { of: row.in_words(), error })?;
            account.sent_files.push(decoded(row, file, record)?);
        }
        Row::Extra => {
            let name = str::from_utf8(key).map_err(|_| damaged("a name in it is not text"))?;
            account.extras.push(decoded(row, name.to_owned(), record)?);
        }
    }
    Ok(())
}

fn peer(key: &[u8]) -> Result<PeerId, PortableError> {
    PeerKey::peer(&of_account(key)).ok_or(damaged("a row of it is of the peer 0"))
}

/// The key as a store has it.
fn of_account<const N: usize>(key: &[u8]) -> [u8; N] {
    let mut whole = [0; N];
    for (place, byte) in whole.iter_mut().zip(ACCOUNT.key().iter().chain(key)) {
        *place = *byte;
    }
    whole
}

fn decoded<R: Record>(row: Row, key: R::Key, record: &[u8]) -> Result<R, PortableError> {
    let decoded = record::decode(key, record);
    decoded.map_err(|error| PortableError::Record { of: row.in_words(), error })
}

/// A row for each value, sorted by key.
fn put_all<R: Record, const N: usize>(
    out: &mut Writer,
    row: Row,
    values: &[R],
    key: impl Fn(&R) -> [u8; N],
) -> Result<(), PortableError> {
    let mut keyed: Vec<([u8; N], &R)> = values.iter().map(|value| (key(value), value)).collect();
    keyed.sort_unstable_by_key(|(key, _)| *key);
    if keyed.windows(2).any(|pair| matches!(pair, [(one, _), (other, _)] if one == other)) {
        return Err(PortableError::Twice { what: row.in_words() });
    }
    for (key, value) in keyed {
        put(out, row, key.get(ACCOUNT_LEN..).unwrap_or_default(), value)?;
    }
    Ok(())
}

/// A row for each extra, sorted by name.
fn put_extras(out: &mut Writer, extras: &[Extra]) -> Result<(), PortableError> {
    let row = Row::Extra;
    let mut extras: Vec<&Extra> = extras.iter().collect();
    extras.sort_unstable_by_key(|extra| extra.name());
    if extras.windows(2).any(|pair| matches!(pair, [a, b] if a.name() == b.name())) {
        return Err(PortableError::Twice { what: row.in_words() });
    }
    for extra in extras {
        let len = u8::try_from(extra.name().len());
        let len = len.map_err(|_| PortableError::TooLarge { what: row.in_words() })?;
        put(out, row, &[&[len], extra.name().as_bytes()].concat(), extra)?;
    }
    Ok(())
}

fn put<R: Record>(out: &mut Writer, row: Row, key: &[u8], value: &R) -> Result<(), PortableError> {
    let too_large = PortableError::TooLarge { what: row.in_words() };
    let record = record::encode(value).map(Zeroizing::new).ok_or(too_large)?;
    let len = u32::try_from(record.len()).map_err(|_| too_large)?;
    out.put(&[row as u8]);
    out.put(key);
    out.put(&len.to_le_bytes());
    out.put(&record);
    Ok(())
}

fn put_name(out: &mut Writer, name: Option<&str>) -> Result<(), PortableError> {
    let len = match name {
        None => 0,
        Some(name) if !is_name(name) => return Err(PortableError::Name),
        Some(name) => u8::try_from(name.len()).map_err(|_| PortableError::Name)?,
    };
    out.put(&[len]);
    out.put(name.unwrap_or_default().as_bytes());
    Ok(())
}

fn name(rest: &mut Reader<'_>) -> Result<Option<String>, PortableError> {
    let len = rest.byte()?;
    let name = str::from_utf8(rest.take(len.into())?).ok();
    match name {
        Some("") => Ok(None),
        Some(name) if is_name(name) => Ok(Some(name.to_owned())),
        _ => Err(damaged("its name is not one that a session can have")),
    }
}

/// Whether a store accepts the name.
fn is_name(name: &str) -> bool {
    (1..=255).contains(&name.len()) && !name.chars().any(char::is_control)
}
