//! Usernames and phones that several entities of one import show.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::entities::EntityWriter;
use crate::engine::{BulkWrite, EngineResult, Table, decoded};
use crate::record::{AccountNo, PeerKey, Record};
use crate::segment::{Collision, Segment};
use crate::session::entities::Index;
use crate::types::{Entity, PeerId, fold_phone, fold_username};

/// How good a claim is, the best first: a full view is better than a reduced one, then a later date
/// than an earlier one, none being the earliest. On a tie the smallest marked id has it.
type Claimant = (bool, Reverse<Option<i64>>, PeerId);

/// The entities that show each text of one index.
pub(super) struct Claims {
    index: Index,
    claimants: BTreeMap<String, Vec<Claimant>>,
}

/// The texts of an entity in an index, folded.
pub(super) fn texts_of(entity: &Entity, index: Index) -> Vec<String> {
    match index {
        Index::Usernames => entity.usernames.iter().map(|name| fold_username(name)).collect(),
        Index::Phones => entity.phone.as_deref().and_then(fold_phone).into_iter().collect(),
    }
}

impl Claims {
    pub(super) fn new(index: Index) -> Self {
        Self { index, claimants: BTreeMap::new() }
    }

    pub(super) fn index(&self) -> Index {
        self.index
    }

    /// This entity shows this text, which is folded.
    pub(super) fn add(&mut self, text: &str, entity: &Entity) {
        let claimant = (entity.min, Reverse(entity.date), entity.id);
        self.claimants.entry(text.to_owned()).or_default().push(claimant);
    }

    /// Whether some entity claims this text.
    pub(super) fn has(&self, text: &str) -> bool {
        self.claimants.contains_key(text)
    }

    /// Forgets the claims of all but these entities.
    pub(super) fn retain(&mut self, keep: impl Fn(PeerId) -> bool) {
        for claimants in self.claimants.values_mut() {
            claimants.retain(|(_, _, id)| keep(*id));
        }
    }

    /// Adds what the rows of a segment show that have a hash with others. What several show is among it.
    pub(super) fn add_collisions(
        &mut self,
        segment: &Segment,
        collisions: &[Collision],
    ) -> EngineResult<()> {
        // A row may have several such hashes, and is read once.
        let mut slots = collisions.concat();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            let row = segment.row_at(slot, |row| {
                let record = |payload: &[u8]| [&[Entity::TAG], payload].concat();
                Ok((row.key, row.payload.map(record)))
            });
            let (key, record) = row?;
            let (Some(id), Some(record)) = (PeerKey::peer(&key), record) else { continue };
            let entity = decoded::<Entity>(Table::Entities, &key, id, &record)?;
            for text in texts_of(&entity, self.index) {
                self.add(&text, &entity);
            }
        }
        Ok(())
    }

    /// Gives each text that several show to the best of them. Takes it from the others, and says how many
    /// they are.
    pub(super) fn resolve(
        self,
        rows: &mut BulkWrite<'_, '_>,
        no: AccountNo,
        notes: &mut Vec<String>,
    ) -> EngineResult<u64> {
        let mut lost: BTreeMap<PeerId, BTreeSet<String>> = BTreeMap::new();
        for (text, mut claimants) in self.claimants {
            claimants.sort_unstable();
            // One that is late may claim a text against one that is not, and against another late one.
            claimants.dedup();
            let [(_, _, owner), losers @ ..] = claimants.as_slice() else { continue };
            if losers.is_empty() {
                continue;
            }
            note(notes, self.index, &text, claimants.len(), *owner);
            for (_, _, id) in losers {
                lost.entry(*id).or_default().insert(text.clone());
            }
        }
        let mut tables = EntityWriter::new(rows, no);
        for (id, texts) in &lost {
            tables.lose(*id, self.index, &|text| texts.contains(text))?;
        }
        Ok(lost.values().map(|texts| texts.len() as u64).sum())
    }
}

/// A phone number is private, so it is not in its note.
fn note(notes: &mut Vec<String>, index: Index, text: &str, shown_by: usize, owner: PeerId) {
    let what = if index == Index::Usernames {
        format!("the username {text:?}")
    } else {
        "one phone number".to_owned()
    };
    notes.push(format!("{shown_by} entities have {what}; a look-up finds {owner}"));
}
