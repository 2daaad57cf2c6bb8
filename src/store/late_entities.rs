//! The entities of an import that do not come in the order of their ids, or twice.

use std::borrow::Cow;

use super::claims::{Claims, texts_of};
use super::entities::EntityWriter;
use super::entity_segment::EntitySegment;
use super::import_report::ImportReport;
use crate::engine::{BulkWrite, EngineResult, Table, append_entity, decoded};
use crate::record::{AccountNo, PeerKey};
use crate::session::entities::EntityView;
use crate::session::merge::{Completeness, merge, merge_reduced};
use crate::types::{Entity, PeerId};

/// These entities as records in memory.
pub(super) struct LateEntities {
    account: AccountNo,
    rows: Vec<LateRow>,
    records: Vec<u8>,
}

/// An entity, and where its record lies.
#[derive(Clone, Copy)]
struct LateRow {
    id: PeerId,
    from: usize,
    to: usize,
}

impl LateEntities {
    pub(super) fn new(account: AccountNo) -> Self {
        Self { account, rows: Vec::new(), records: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn push(&mut self, entity: &Entity) -> EngineResult<()> {
        let from = self.records.len();
        append_entity(entity, &mut self.records)?;
        self.rows.push(LateRow { id: entity.id, from, to: self.records.len() });
        Ok(())
    }

    fn entity(&self, row: LateRow) -> EngineResult<Entity> {
        let record = self.records.get(row.from..row.to).unwrap_or_default();
        decoded(Table::Entities, &PeerKey::of(self.account, row.id), row.id, record)
    }

    /// Writes them into a segment over those that are there, sorted, and each merged with all that the
    /// import has of it. `claims` are those of the entities that are there.
    pub(super) fn load(
        mut self,
        rows: &mut BulkWrite<'_, '_>,
        claims: &mut [Claims],
        report: &mut ImportReport,
    ) -> EngineResult<()> {
        // Those of one id stay in the order in which they came.
        self.rows.sort_unstable_by_key(|row| (row.id, row.from));
        claims.iter_mut().for_each(|claims| claims.retain(|id| !self.has(id)));
        let mut segment = EntitySegment::new(rows, self.account);
        for of_id in self.rows.chunk_by(|one, other| one.id == other.id) {
            let Some(first) = of_id.first() else { continue };
            let stored = EntityWriter::new(rows, self.account);
            let old = stored.entity(first.id)?;
            let new = self.merged(old.clone(), of_id)?;
            let Some(new) = new else { continue };
            report.entities += u64::from(old.is_none());
            for claims in claims.iter_mut() {
                let index = claims.index();
                let texts = texts_of(&new, index);
                let lost = old.as_ref().map_or(0, |old| texts_of(old, index).len());
                *report.indexed(index) += texts.len() as u64;
                *report.indexed(index) -= lost as u64;
                for text in texts {
                    self.claim(&stored, claims, &text, &new)?;
                }
            }
            segment.push(&new)?;
        }
        segment.finish(rows, claims)
    }

    fn merged(&self, old: Option<Entity>, seen: &[LateRow]) -> EngineResult<Option<Entity>> {
        let mut new = old;
        for row in seen {
            let seen = self.entity(*row)?;
            match &mut new {
                // In place: a large entity may have a million small views.
                Some(new) if seen.min => merge_reduced(new, &seen),
                _ => {
                    let merged = merge(new.as_ref(), Cow::Owned(seen), Completeness::Full);
                    new = merged.map(Cow::into_owned).or(new);
                }
            }
        }
        Ok(new)
    }

    fn has(&self, id: PeerId) -> bool {
        self.rows.binary_search_by_key(&id, |row| row.id).is_ok()
    }

    /// Claims a text for an entity that is late, if one that is not shows it too. The collisions of the
    /// segment of late entities tell what several of those show.
    fn claim(
        &self,
        stored: &EntityWriter<'_, BulkWrite<'_, '_>>,
        claims: &mut Claims,
        text: &str,
        entity: &Entity,
    ) -> EngineResult<()> {
        if claims.has(text) {
            claims.add(text, entity);
            return Ok(());
        }
        let holder = stored.holder(claims.index(), text)?;
        if let Some(holder) = holder.filter(|holder| !self.has(*holder))
            && let Some(other) = stored.entity(holder)?
        {
            claims.add(text, entity);
            claims.add(text, &other);
        }
        Ok(())
    }
}
