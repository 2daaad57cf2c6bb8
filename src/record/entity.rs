use super::{Record, RecordError};
use crate::types::{AccessHash, Entity, EntityKind, PeerId};

/// The bit of the first field that marks a reduced (`min`) view.
const MIN: u8 = 0x80;

impl Record for Entity {
    const TAG: u8 = 0x41;

    type Key = PeerId;

    /// kind code with the `min` bit; access hash, little-endian; usernames; phone; name; date.
    /// Empty text stands for none.
    type Fields<'a> = (u8, Option<[u8; 8]>, Vec<&'a str>, &'a str, &'a str, Option<i64>);

    fn fields(&self) -> Self::Fields<'_> {
        let min = if self.min { MIN } else { 0 };
        (
            code_of(self.kind) | min,
            self.access_hash.map(|hash| hash.0.to_le_bytes()),
            self.usernames.iter().map(String::as_str).collect(),
            self.phone.as_deref().unwrap_or_default(),
            self.name.as_deref().unwrap_or_default(),
            self.date,
        )
    }

    fn from_fields(id: PeerId, fields: Self::Fields<'_>) -> Result<Self, RecordError> {
        let (what, hash, usernames, phone, name, date) = fields;
        Ok(Self {
            id,
            kind: kind_of(what & !MIN)?,
            access_hash: hash.map(|bytes| AccessHash(i64::from_le_bytes(bytes))),
            min: what & MIN != 0,
            usernames: usernames.into_iter().map(str::to_owned).collect(),
            phone: text(phone),
            name: text(name),
            date,
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
