//! Loading a whole session at once: rows in the order of their keys, appended behind the last.

use std::cmp::Reverse;
use std::ops::Bound;

use zeroize::Zeroizing;

use super::direct::Direct;
use super::entities::EntityTables;
use super::fault::Step;
use super::rows::RowsMut;
use super::tables::{Table, add_dense, encoded, entity_records, get, index_rows, owned_by};
use crate::error::Result;
use crate::record::{AccountNo, DcKey, FileRow, PeerKey, TextKey};
use crate::session::merge::{fold_phone, fold_username, tidy};
use crate::types::{Account, Entity, PeerId};

/// At most so many notes are kept; how many there were is said all the same.
const MOST_NOTES: usize = 1_000;

/// What a row of an entity takes beside its record, and one of an index beside its text, in bytes.
const ENTITY_ROW: u64 = 16;
const INDEX_ROW: u64 = 20;

/// What [`Store::import`](crate::Store::import) brought in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportReport {
    /// Entities stored.
    pub entities: u64,
    /// Usernames that now find an entity.
    pub usernames: u64,
    /// Phone numbers that now find an entity.
    pub phones: u64,
    /// What was not stored as it came, one sentence each.
    pub notes: Vec<String>,
}

/// Puts everything of a session but its entities in.
pub(super) fn load_account(rows: &mut Direct<'_>, no: AccountNo, account: &Account) -> Step<()> {
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
    Ok(())
}

/// Puts the entities in: those that come in the order of their ids behind each other, the others
/// afterwards one by one.
pub(super) fn load_entities(
    rows: &mut Direct<'_>,
    no: AccountNo,
    entities: impl Iterator<Item = Result<Entity>>,
) -> Step<ImportReport> {
    let mut report = ImportReport::default();
    let mut usernames = Claims::default();
    let mut phones = Claims::default();
    let mut late = Vec::new();
    let mut table = rows.transaction().open_table(entity_records())?;
    let mut cursor = table.upper_bound_mut(Bound::Included(&no.last::<12>()))?;
    let (mut last, mut bytes) = (None, 0);
    for entity in entities {
        let entity = tidy(entity?);
        if last >= Some(entity.id) {
            late.push(entity);
            continue;
        }
        last = Some(entity.id);
        for name in &entity.usernames {
            usernames.add(&fold_username(name), entity.id);
        }
        if let Some(phone) = entity.phone.as_deref().and_then(fold_phone) {
            phones.add(&phone, entity.id);
        }
        let record = encoded("an entity", &entity)?;
        cursor.insert_before(&PeerKey::of(no, entity.id), record.as_slice())?;
        bytes += ENTITY_ROW + record.len() as u64;
        report.entities += 1;
    }
    cursor.close()?;
    drop(table);
    add_dense(rows.transaction(), bytes + usernames.bytes() + phones.bytes())?;
    report.usernames = settle(rows, no, Table::Usernames, usernames, &mut report.notes)?;
    report.phones = settle(rows, no, Table::Phones, phones, &mut report.notes)?;
    if !late.is_empty() {
        report.entities += merge_late(rows, no, &late)?;
        let count = late.len();
        report.notes.push(format!(
            "{count} entities came twice or out of order; those that came twice are merged"
        ));
    }
    cap(&mut report.notes);
    Ok(report)
}

/// Takes in what came out of order, one by one. Says how many of them are new.
fn merge_late(rows: &mut Direct<'_>, no: AccountNo, late: &[Entity]) -> Step<u64> {
    let mut tables = EntityTables::new(rows, no);
    let mut new = 0;
    for entity in late {
        new += u64::from(!tables.has(entity.id)?);
        tables.see(entity)?;
    }
    Ok(new)
}

/// Who showed which text. A million of them are held at once, so they share one allocation.
#[derive(Default)]
struct Claims {
    text: Vec<u8>,
    claims: Vec<Claim>,
}

#[derive(Clone, Copy)]
struct Claim {
    id: PeerId,
    start: u32,
    end: u32,
}

impl Claims {
    /// Texts beyond 4 GiB in all are not indexed: their entities stay, found by id.
    fn add(&mut self, text: &str, id: PeerId) {
        let start = u32::try_from(self.text.len());
        let end = u32::try_from(self.text.len() + text.len());
        if let (Ok(start), Ok(end)) = (start, end) {
            self.text.extend_from_slice(text.as_bytes());
            self.claims.push(Claim { id, start, end });
        }
    }

    /// About what they take as rows.
    fn bytes(&self) -> u64 {
        self.text.len() as u64 + self.claims.len() as u64 * INDEX_ROW
    }

    /// Sorts by text, as the index does, and by id where texts are equal.
    fn sort(&mut self) {
        let Self { text, claims } = self;
        claims.sort_unstable_by(|a, b| a.text(text).cmp(b.text(text)).then(a.id.cmp(&b.id)));
    }

    /// The claims to each text.
    fn groups(&self) -> impl Iterator<Item = &[Claim]> {
        self.claims.chunk_by(|a, b| self.text_of(*a) == self.text_of(*b))
    }

    fn text_of(&self, claim: Claim) -> &[u8] {
        claim.text(&self.text)
    }
}

impl Claim {
    fn text(self, all: &[u8]) -> &[u8] {
        all.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Gives each text one owner, fills the index with the owners, and takes the text from the
/// others. Says how many texts there are.
fn settle(
    rows: &mut Direct<'_>,
    no: AccountNo,
    index: Table,
    mut claims: Claims,
    notes: &mut Vec<String>,
) -> Step<u64> {
    claims.sort();
    let mut contested = Vec::new();
    let mut count = 0;
    let mut table = rows.transaction().open_table(index_rows(index))?;
    let behind = TextKey::of(AccountNo(no.0.saturating_add(1)), "");
    let mut cursor = table.upper_bound_mut(Bound::Excluded(behind.as_slice()))?;
    for group in claims.groups() {
        let [first, rest @ ..] = group else { continue };
        let owner = if rest.is_empty() { first.id } else { owner_of(rows, no, *first, group)? };
        let key = [no.key().as_slice(), claims.text_of(*first)].concat();
        cursor.insert_before(key.as_slice(), &owned_by(owner))?;
        count += 1;
        if !rest.is_empty() {
            contested.push((group, owner));
        }
    }
    cursor.close()?;
    drop(table);
    for (group, owner) in contested {
        let text =
            String::from_utf8_lossy(group.first().map_or(&[], |claim| claims.text_of(*claim)));
        take_from_losers(rows, no, index, &text, group, owner)?;
        note(notes, index, &text, group.len(), owner);
    }
    Ok(count)
}

/// The claimant seen last; absent is oldest, and on a tie the smallest marked id has it.
fn owner_of(rows: &Direct<'_>, no: AccountNo, first: Claim, group: &[Claim]) -> Step<PeerId> {
    let mut dated = Vec::with_capacity(group.len());
    for claim in group {
        let key = PeerKey::of(no, claim.id);
        let entity: Option<Entity> = get(rows, Table::Entities, &key, claim.id)?;
        dated.push((Reverse(entity.and_then(|entity| entity.date)), claim.id));
    }
    Ok(dated.into_iter().min().map_or(first.id, |(_, id)| id))
}

fn take_from_losers(
    rows: &mut Direct<'_>,
    no: AccountNo,
    index: Table,
    text: &str,
    group: &[Claim],
    owner: PeerId,
) -> Step<()> {
    let mut tables = EntityTables::new(rows, no);
    for claim in group.iter().filter(|claim| claim.id != owner) {
        if index == Table::Usernames {
            tables.lose_username(claim.id, text)?;
        } else {
            tables.lose_phone(claim.id)?;
        }
    }
    Ok(())
}

/// A phone number is nobody's business, so it is not in its note.
fn note(notes: &mut Vec<String>, index: Table, text: &str, shown_by: usize, owner: PeerId) {
    let what = if index == Table::Usernames {
        format!("the username {text:?}")
    } else {
        "one phone number".to_owned()
    };
    notes.push(format!("{what} is shown by {shown_by} entities: {owner}, seen last, keeps it"));
}

fn cap(notes: &mut Vec<String>) {
    let more = notes.len().saturating_sub(MOST_NOTES);
    if more > 0 {
        notes.truncate(MOST_NOTES);
        notes.push(format!("and {more} more of this kind"));
    }
}
