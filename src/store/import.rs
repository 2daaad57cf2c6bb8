//! Loads a whole session at once: its entities become a segment.

use zeroize::Zeroizing;

use super::claims::Claims;
use super::entity_segment::EntitySegment;
use super::import_report::ImportReport;
use super::late_entities::LateEntities;
use crate::engine::{BulkWrite, EngineResult, RowsMut, Table, encoded};
use crate::error::{Error, Result};
use crate::record::{AccountNo, DcKey, FileRow, PeerKey, TextKey};
use crate::session::entities::Index;
use crate::session::merge::tidy;
use crate::types::{Account, Entity, Extra};

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

/// Puts the entities in: those that come in the order of their ids into one segment, the others, sorted,
/// into another one over it.
pub(super) fn load_entities(
    rows: &mut BulkWrite<'_, '_>,
    no: AccountNo,
    entities: impl Iterator<Item = Result<Entity>>,
) -> EngineResult<ImportReport> {
    let mut report = ImportReport::default();
    let mut late = LateEntities::new(no);
    let (mut segment, mut last) = (EntitySegment::new(rows, no), None);
    for entity in entities {
        let entity = tidy(entity?);
        if last < Some(entity.id) {
            last = Some(entity.id);
            segment.push(&entity)?;
            report.entities += 1;
        } else {
            late.push(&entity)?;
        }
    }
    (report.usernames, report.phones) = segment.indexed();
    let mut claims = Index::ALL.map(Claims::new);
    segment.finish(rows, &mut claims)?;
    if !late.is_empty() {
        let count = late.len();
        late.load(rows, &mut claims, &mut report)?;
        report.notes.push(format!(
            "{count} entities were duplicates, or not sorted by id; duplicates were merged"
        ));
    }
    for claims in claims {
        let index = claims.index();
        *report.indexed(index) -= claims.resolve(rows, no, &mut report.notes)?;
    }
    rows.write_segment()?;
    report.limit_notes();
    Ok(report)
}
