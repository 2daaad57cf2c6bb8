//! A segment of entities that an import writes.

use super::claims::Claims;
use crate::engine::{BulkWrite, EngineResult, append_entity};
use crate::record::{AccountNo, PeerKey};
use crate::segment::{IndexKind, SegmentBuilder};
use crate::types::{Entity, fold_phone, folded_username};

/// A segment of entities of one account while it is written.
pub(super) struct EntitySegment<'w> {
    builder: SegmentBuilder<'w>,
    account: AccountNo,
    /// The last record that was encoded.
    record: Vec<u8>,
}

impl<'w> EntitySegment<'w> {
    /// Begins a segment that is newer than all others.
    pub(super) fn new(rows: &mut BulkWrite<'_, 'w>, account: AccountNo) -> Self {
        Self { builder: rows.builder(), account, record: Vec::new() }
    }

    /// Adds an entity, whose id is greater than that of the last one.
    pub(super) fn push(&mut self, entity: &Entity) -> EngineResult<()> {
        self.record.clear();
        append_entity(entity, &mut self.record)?;
        let payload = self.record.split_first().map(|(_, payload)| payload);
        self.builder.push(&PeerKey::of(self.account, entity.id), payload)?;
        for name in &entity.usernames {
            self.builder.index(IndexKind::Usernames, &folded_username(name));
        }
        if let Some(phone) = entity.phone.as_deref().and_then(fold_phone) {
            self.builder.index(IndexKind::Phones, &phone);
        }
        Ok(())
    }

    /// How many usernames and phones its entities have.
    pub(super) fn indexed(&self) -> (u64, u64) {
        self.builder.indexed()
    }

    /// Writes the rest of it. What several of its entities show is claimed by each of them.
    pub(super) fn finish(
        self,
        rows: &mut BulkWrite<'_, '_>,
        claims: &mut [Claims],
    ) -> EngineResult<()> {
        if self.builder.is_empty() {
            return Ok(());
        }
        let (segment, collisions) = rows.add(self.builder)?;
        for (claims, collisions) in claims.iter_mut().zip(collisions) {
            claims.add_collisions(&segment, &collisions)?;
        }
        Ok(())
    }
}
