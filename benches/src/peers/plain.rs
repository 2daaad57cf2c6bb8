//! The records of the key-value peers: what one would write by hand without much thought.

use tgsession::{AccessHash, Entity, PeerId, UpdateState};

/// Hash, date, then each text after its length.
pub(super) fn encode(entity: &Entity) -> Vec<u8> {
    let mut record = Vec::with_capacity(64);
    record.extend(entity.access_hash.map_or(0, |hash| hash.0).to_le_bytes());
    record.extend(entity.date.unwrap_or(0).to_le_bytes()[..5].iter());
    for text in [entity.usernames.first(), entity.phone.as_ref(), entity.name.as_ref()] {
        let text = text.map_or("", String::as_str);
        record.push(u8::try_from(text.len()).unwrap());
        record.extend(text.as_bytes());
    }
    record
}

pub(super) fn decode(id: PeerId, record: &[u8]) -> Entity {
    let (hash, rest) = record.split_first_chunk::<8>().unwrap();
    let (date, rest) = rest.split_first_chunk::<5>().unwrap();
    let (username, rest) = text(rest);
    let (phone, rest) = text(rest);
    let (name, _) = text(rest);
    let mut entity = Entity::new(id);
    entity.access_hash = Some(AccessHash(i64::from_le_bytes(*hash)));
    entity.date =
        Some(i64::from_le_bytes(std::array::from_fn(|at| date.get(at).copied().unwrap_or(0))));
    entity.usernames.extend(username);
    entity.phone = phone;
    entity.name = name;
    entity
}

fn text(from: &[u8]) -> (Option<String>, &[u8]) {
    let (length, rest) = from.split_first().unwrap();
    let (text, rest) = rest.split_at((*length).into());
    let text = (!text.is_empty()).then(|| String::from_utf8(text.to_vec()).unwrap());
    (text, rest)
}

/// The username of a record, without the rest of it.
pub(super) fn username(record: &[u8]) -> &[u8] {
    &record[14..14 + usize::from(record[13])]
}

/// The phone of a record, without the rest of it.
pub(super) fn phone(record: &[u8]) -> &[u8] {
    let from = 14 + usize::from(record[13]);
    &record[from + 1..from + 1 + usize::from(record[from])]
}

pub(super) fn encode_state(state: UpdateState) -> [u8; 20] {
    let mut record = [0; 20];
    record[..4].copy_from_slice(&state.pts.to_le_bytes());
    record[4..8].copy_from_slice(&state.qts.to_le_bytes());
    record[8..12].copy_from_slice(&state.seq.to_le_bytes());
    record[12..].copy_from_slice(&state.date.to_le_bytes());
    record
}

pub(super) fn decode_state(record: &[u8]) -> UpdateState {
    let number = |at: usize| i32::from_le_bytes(record[at..at + 4].try_into().unwrap());
    let date = i64::from_le_bytes(record[12..20].try_into().unwrap());
    UpdateState { pts: number(0), qts: number(4), date, seq: number(8) }
}

/// A key that sorts as the marked ids do.
pub(super) fn key(id: PeerId) -> [u8; 8] {
    (id.marked().cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// The id in the value of an index row.
pub(super) fn owner(value: &[u8]) -> PeerId {
    PeerId::from_marked(i64::from_le_bytes(value.try_into().unwrap())).unwrap()
}
