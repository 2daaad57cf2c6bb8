use bincode::de::read::Reader;
use bincode::de::{BorrowDecoder, Decode};
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{BorrowDecode, Encode};

use super::{Record, RecordError};
use crate::types::{AccessHash, Entity, EntityKind, PeerId};

/// The bit of the first field that marks a reduced (`min`) view.
const MIN: u8 = 0x80;

/// The bits of the second field: which fields follow.
mod field {
    pub(super) const HASH: u8 = 1;
    pub(super) const USERNAME: u8 = 2;
    pub(super) const USERNAMES: u8 = 4;
    pub(super) const PHONE: u8 = 8;
    pub(super) const NAME: u8 = 16;
    pub(super) const DATE: u8 = 32;
    pub(super) const FAR_DATE: u8 = 64;
    pub(super) const ALL: u8 = 127;
}

/// An entity as it stands in its record: kind code with the `min` bit; a byte that says what else
/// there is; access hash, usernames, phone, name, date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EntityFields<'a> {
    what: u8,
    hash: Option<[u8; 8]>,
    pub(crate) usernames: Texts<'a>,
    /// Empty: none.
    pub(crate) phone: &'a str,
    /// Empty: none.
    name: &'a str,
    date: Option<i64>,
}

/// Texts; there is seldom more than one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts<'a> {
    first: Option<&'a str>,
    more: Vec<&'a str>,
}

impl<'a> Texts<'a> {
    fn of(texts: &'a [String]) -> Self {
        let mut texts = texts.iter().map(String::as_str);
        Self { first: texts.next(), more: texts.collect() }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a str> {
        self.first.into_iter().chain(self.more.iter().copied())
    }
}

impl Encode for EntityFields<'_> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let near = self.date.map(u32::try_from);
        let has = |there: bool, bit: u8| if there { bit } else { 0 };
        let present = has(self.hash.is_some(), field::HASH)
            | has(
                self.usernames.first.is_some() && self.usernames.more.is_empty(),
                field::USERNAME,
            )
            | has(!self.usernames.more.is_empty(), field::USERNAMES)
            | has(!self.phone.is_empty(), field::PHONE)
            | has(!self.name.is_empty(), field::NAME)
            | has(matches!(near, Some(Ok(_))), field::DATE)
            | has(matches!(near, Some(Err(_))), field::FAR_DATE);
        self.what.encode(encoder)?;
        present.encode(encoder)?;
        if let Some(hash) = &self.hash {
            hash.encode(encoder)?;
        }
        if !self.usernames.more.is_empty() {
            (self.usernames.more.len() as u64 + 1).encode(encoder)?;
        }
        for name in self.usernames.iter() {
            name.encode(encoder)?;
        }
        for text in [self.phone, self.name] {
            if !text.is_empty() {
                text.encode(encoder)?;
            }
        }
        match (near, self.date) {
            (Some(Ok(near)), _) => near.to_le_bytes().encode(encoder),
            (Some(Err(_)), Some(far)) => far.to_le_bytes().encode(encoder),
            _ => Ok(()),
        }
    }
}

/// There is one record of each entity: what could be said shorter is refused.
impl<'de, C> BorrowDecode<'de, C> for EntityFields<'de> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        let [what, present] = <[u8; 2]>::decode(decoder)?;
        let has = |bit| present & bit != 0;
        let twice = |one, other| has(one) && has(other);
        if present & !field::ALL != 0
            || twice(field::USERNAME, field::USERNAMES)
            || twice(field::DATE, field::FAR_DATE)
        {
            return Err(DecodeError::Other("a set of fields that no release writes"));
        }
        let mut fields = Self { what, ..Self::default() };
        if has(field::HASH) {
            fields.hash = Some(Decode::decode(decoder)?);
        }
        if has(field::USERNAME) {
            fields.usernames.first = Some(BorrowDecode::borrow_decode(decoder)?);
        }
        if has(field::USERNAMES) {
            fields.usernames = several(decoder)?;
        }
        if has(field::PHONE) {
            fields.phone = some_text(decoder)?;
        }
        if has(field::NAME) {
            fields.name = some_text(decoder)?;
        }
        if has(field::DATE) {
            fields.date = Some(i64::from(u32::from_le_bytes(Decode::decode(decoder)?)));
        }
        if has(field::FAR_DATE) {
            let far = i64::from_le_bytes(Decode::decode(decoder)?);
            if u32::try_from(far).is_ok() {
                return Err(DecodeError::Other("a date longer than it need be"));
            }
            fields.date = Some(far);
        }
        Ok(fields)
    }
}

fn several<'de, D: BorrowDecoder<'de>>(decoder: &mut D) -> Result<Texts<'de>, DecodeError> {
    let count = u64::decode(decoder)?;
    // Each takes a byte at least.
    let most = usize::try_from(count).map_err(|_| DecodeError::LimitExceeded)?;
    if count < 2 || decoder.borrow_reader().peek_read(most).is_none() {
        return Err(DecodeError::Other("an invalid list"));
    }
    decoder.claim_container_read::<&str>(most)?;
    let first = Some(BorrowDecode::borrow_decode(decoder)?);
    let more = (1..most).map(|_| BorrowDecode::borrow_decode(decoder)).collect::<Result<_, _>>()?;
    Ok(Texts { first, more })
}

fn some_text<'de, D: BorrowDecoder<'de>>(decoder: &mut D) -> Result<&'de str, DecodeError> {
    match BorrowDecode::borrow_decode(decoder)? {
        "" => Err(DecodeError::Other("an empty text")),
        text => Ok(text),
    }
}

impl Record for Entity {
    const TAG: u8 = 0x42;

    type Key = PeerId;

    type Fields<'a> = EntityFields<'a>;

    fn fields(&self) -> Self::Fields<'_> {
        let min = if self.min { MIN } else { 0 };
        EntityFields {
            what: code_of(self.kind) | min,
            hash: self.access_hash.map(|hash| hash.0.to_le_bytes()),
            usernames: Texts::of(&self.usernames),
            phone: self.phone.as_deref().unwrap_or_default(),
            name: self.name.as_deref().unwrap_or_default(),
            date: self.date,
        }
    }

    fn from_fields(id: PeerId, fields: Self::Fields<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            id,
            kind: kind_of(fields.what & !MIN)?,
            access_hash: fields.hash.map(|bytes| AccessHash(i64::from_le_bytes(bytes))),
            min: fields.what & MIN != 0,
            usernames: fields.usernames.iter().map(str::to_owned).collect(),
            phone: text(fields.phone),
            name: text(fields.name),
            date: fields.date,
        })
    }
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// 0 is "not known"; the kinds count from 1.
fn code_of(kind: Option<EntityKind>) -> u8 {
    let place = EntityKind::ALL.iter().position(|known| Some(*known) == kind);
    place.map_or(0, |place| place as u8 + 1)
}

fn kind_of(code: u8) -> Result<Option<EntityKind>, RecordError> {
    match code.checked_sub(1) {
        None => Ok(None),
        Some(place) => match EntityKind::ALL.get(usize::from(place)) {
            Some(kind) => Ok(Some(*kind)),
            None => Err(RecordError::Value { field: "kind" }),
        },
    }
}
