//! Loads a whole session at once: its entities become a segment.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::entities::EntityWriter;
use crate::engine::{BulkWrite, EngineResult, RowsMut, Table, decoded, encoded};
use crate::error::{Error, Result};
use crate::record::{AccountNo, DcKey, FileRow, MAX_RECORD, PeerKey, Record, TextKey, encode_into};
use crate::segment::{Collision, IndexKind, Segment};
use crate::session::entities::Index;
use crate::session::merge::{Completeness, tidy};
use crate::types::{Account, Entity, Extra, PeerId, fold_phone, fold_username, folded_username};

/// At most this many notes are kept; how many there were is said all the same.
const MOST_NOTES: usize = 1_000;

/// The result of [`Store::import`](crate::Store::import).
///
/// ```
/// use tgsession::{Account, Entity, ImportSession, PeerId, Store};
///
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// let two = [1, 2].into_iter().filter_map(PeerId::user);
/// let two = two.map(|id| Ok(Entity::new(id).with_username("durov")));
/// let account = Account::default();
/// let report = Store::create(path)?.import("alice", ImportSession::new(&account, two))?;
/// assert_eq!((report.entities, report.usernames), (2, 1));
/// assert_eq!(report.notes.len(), 1, "the username of both is noted");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportReport {
    /// Entities stored.
    pub entities: u64,
    /// Usernames that now find an entity.
    pub usernames: u64,
    /// Phone numbers that now find an entity.
    pub phones: u64,
    /// One sentence for each value that was not stored as it was.
    pub notes: Vec<String>,
}

/// Puts everything of a session but its entities in.
pub(super) fn load_account(
    rows: &mut BulkWrite<'_, '_>,
    no: AccountNo,
    account: &Account,
) -> EngineResult<()> {
    rows.put(Table::Logins, &no.key(), &encoded("a login", &account.login)?)?;
    for dc in &account.dcs {
        let record = Zeroizing::new(encoded("a DC", dc)?);
        rows.put(Table::Dcs, &DcKey::of(no, dc.id), &record)?;
    }
    if let Some(state) = &account.update_state {
        rows.put(Table::States, &PeerKey::of_account(no), &encoded("a state", state)?)?;
    }
    for state in &account.channel_states {
        rows.put(Table::States, &PeerKey::of(no, state.id), &encoded("a state", state)?)?;
    }
    for file in &account.sent_files {
        rows.put(Table::SentFiles, &FileRow::of(no, file.key), &encoded("a sent file", file)?)?;
    }
    if let Some(extra) = account.extras.get(Extra::MOST) {
        let why = "a session holds at most 64 extras";
        return Err(Error::BadExtra { name: extra.name().to_owned(), why }.into());
    }
    for extra in &account.extras {
        let record = Zeroizing::new(encoded("an extra", extra)?);
        rows.put(Table::Extras, &TextKey::of(no, extra.name()), &record)?;
    }
    Ok(())
}

/// Puts the entities in: those that come in the order of their ids into one segment, the others
/// afterwards one by one.
pub(super) fn load_entities(
    rows: &mut BulkWrite<'_, '_>,
    no: AccountNo,
    entities: impl Iterator<Item = Result<Entity>>,
) -> EngineResult<ImportReport> {
    let mut report = ImportReport::default();
    let mut late = Vec::new();
    let mut builder = rows.builder();
    let (mut last, mut record) = (None, Vec::new());
    for entity in entities {
        let entity = tidy(entity?);
        if last >= Some(entity.id) {
            late.push(entity);
            continue;
        }
        last = Some(entity.id);
        record.clear();
        if !encode_into(&entity, &mut record) {
            return Err(Error::TooLarge { what: "an entity", most: MAX_RECORD }.into());
        }
        let payload = record.split_first().map(|(_, payload)| payload);
        builder.push(&PeerKey::of(no, entity.id), payload)?;
        for name in &entity.usernames {
            builder.index(IndexKind::Usernames, &folded_username(name));
        }
        if let Some(phone) = entity.phone.as_deref().and_then(fold_phone) {
            builder.index(IndexKind::Phones, &phone);
        }
        report.entities += 1;
    }
    (report.usernames, report.phones) = builder.indexed();
    if !builder.is_empty() {
        let (segment, [usernames, phones]) = rows.add(builder)?;
        let notes = &mut report.notes;
        report.usernames -=
            resolve_collisions(rows, no, &segment, Table::Usernames, usernames, notes)?;
        report.phones -= resolve_collisions(rows, no, &segment, Table::Phones, phones, notes)?;
        rows.write_segment()?;
    }
    if !late.is_empty() {
        report.entities += merge_late(rows, no, &late)?;
        let count = late.len();
        report.notes.push(format!(
            "{count} entities were duplicates, or not sorted by id; duplicates were merged"
        ));
    }
    cap(&mut report.notes);
    Ok(report)
}

/// Takes in what came out of order, one by one. Says how many of them are new.
fn merge_late(rows: &mut BulkWrite<'_, '_>, no: AccountNo, late: &[Entity]) -> EngineResult<u64> {
    let mut tables = EntityWriter::new(rows, no);
    let mut new = 0;
    for entity in late {
        new += u64::from(!tables.has(entity.id)?);
        tables.see(entity, Completeness::Full)?;
    }
    Ok(new)
}

/// The entities that show each text.
type Claims = BTreeMap<String, Vec<(Reverse<Option<i64>>, PeerId)>>;

/// Gives each text that several show one owner: the claimant seen last; absent is oldest, and on a
/// tie the smallest marked id has it. Takes it from the others, and says how many they are.
fn resolve_collisions(
    rows: &mut BulkWrite<'_, '_>,
    no: AccountNo,
    segment: &Segment,
    index: Table,
    collisions: Vec<Collision>,
    notes: &mut Vec<String>,
) -> EngineResult<u64> {
    let mut claims = Claims::new();
    for slots in collisions {
        claim(&mut claims, no, segment, index, &slots)?;
    }
    let mut losers = 0;
    // Those alone whose hashes are the same claim nothing that anybody else does.
    for (text, mut claimants) in claims.into_iter().filter(|(_, claimants)| claimants.len() > 1) {
        claimants.sort_unstable();
        let mut claimants = claimants.into_iter().map(|(_, id)| id);
        let Some(owner) = claimants.next() else { continue };
        let (mut tables, mut shown_by) = (EntityWriter::new(rows, no), 1);
        for id in claimants {
            let of = if index == Table::Usernames { Index::Usernames } else { Index::Phones };
            tables.lose(id, of, &text)?;
            shown_by += 1;
            losers += 1;
        }
        note(notes, index, &text, shown_by, owner);
    }
    Ok(losers)
}

/// Notes what the rows in these slots show that has the hash which brought them together.
fn claim(
    claims: &mut Claims,
    no: AccountNo,
    segment: &Segment,
    index: Table,
    slots: &[u32],
) -> EngineResult<()> {
    let mut shown: BTreeMap<u64, Claims> = BTreeMap::new();
    for slot in slots {
        let row = segment.row_at(*slot, |row| {
            let record = |payload: &[u8]| [&[Entity::TAG], payload].concat();
            Ok((row.key, row.payload.map(record)))
        });
        let (key, record) = row?;
        let (Some(id), Some(record)) = (PeerKey::peer(&key), record) else { continue };
        let entity: Entity = decoded(Table::Entities, &key, id, &record)?;
        let texts: Vec<String> = match index {
            Table::Usernames => entity.usernames.iter().map(|name| fold_username(name)).collect(),
            _ => entity.phone.as_deref().and_then(fold_phone).into_iter().collect(),
        };
        for text in texts {
            let of_hash = shown.entry(segment.hash(no.0, &text)).or_default();
            of_hash.entry(text).or_default().push((Reverse(entity.date), id));
        }
    }
    // All of them show something of the one hash; of others they may show something by chance.
    let of_all = |of_hash: &Claims| of_hash.values().map(Vec::len).sum::<usize>() == slots.len();
    for of_hash in shown.into_values().filter(of_all) {
        claims.extend(of_hash);
    }
    Ok(())
}

/// A phone number is private, so it is not in its note.
fn note(notes: &mut Vec<String>, index: Table, text: &str, shown_by: usize, owner: PeerId) {
    let what = if index == Table::Usernames {
        format!("the username {text:?}")
    } else {
        "one phone number".to_owned()
    };
    notes.push(format!(
        "{shown_by} entities have {what}; a look-up finds {owner}, which was seen last"
    ));
}

fn cap(notes: &mut Vec<String>) {
    let more = notes.len().saturating_sub(MOST_NOTES);
    if more > 0 {
        notes.truncate(MOST_NOTES);
        notes.push(format!("and {more} more of this kind"));
    }
}
