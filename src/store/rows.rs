//! Reads one session from the rows of one moment.

use std::ops::Bound;

use super::catalog;
use crate::engine::{EngineError, EngineResult, Rows, Table, View, decoded, get, table_of};
use crate::error::Error;
use crate::record::{AccountNo, DcKey, FileRow, PeerKey, Record, RecordError, TextKey};
use crate::segment::IndexKind;
use crate::types::{
    ChannelState, DcId, DcOption, Entity, Extra, FileKey, Login, PeerId, SentFile, UpdateState,
    fold_phone, fold_username,
};

/// The rows of one session.
pub(super) struct SessionRows<'a> {
    pub(super) view: &'a View,
    pub(super) account: AccountNo,
    pub(super) path: &'a std::path::Path,
    /// The name that the session was opened by.
    pub(super) opened_as: &'a str,
}

impl SessionRows<'_> {
    /// The error of a session that was removed.
    pub(super) fn gone(&self) -> Error {
        catalog::no_session(self.path, self.opened_as)
    }

    pub(super) fn name(&self) -> EngineResult<String> {
        Ok(catalog::name_of(self.view, self.account)?.ok_or_else(|| self.gone())?)
    }

    pub(super) fn login(&self) -> EngineResult<Login> {
        let login = self.record(Table::Logins, &self.account.key(), ())?;
        Ok(login.ok_or_else(|| self.gone())?)
    }

    pub(super) fn dc(&self, id: DcId) -> EngineResult<Option<DcOption>> {
        self.record(Table::Dcs, &DcKey::of(self.account, id), id)
    }

    pub(super) fn home_dc(&self) -> EngineResult<Option<DcOption>> {
        match self.login()?.home_dc {
            Some(id) => Ok(Some(self.dc(id)?.unwrap_or_else(|| DcOption::new(id)))),
            None => Ok(None),
        }
    }

    pub(super) fn dcs(&self) -> EngineResult<Vec<DcOption>> {
        self.records(Table::Dcs, |key| key_of(Table::Dcs, key, |key| Ok(Some(DcKey::dc(key)))))
    }

    pub(super) fn update_state(&self) -> EngineResult<Option<UpdateState>> {
        self.record(Table::States, &PeerKey::of_account(self.account), ())
    }

    pub(super) fn channel_state(&self, id: PeerId) -> EngineResult<Option<ChannelState>> {
        self.record(Table::States, &PeerKey::of(self.account, id), id)
    }

    pub(super) fn channel_states(&self) -> EngineResult<Vec<ChannelState>> {
        self.records(Table::States, |key| key_of(Table::States, key, |key| Ok(PeerKey::peer(key))))
    }

    pub(super) fn entity(&self, id: PeerId) -> EngineResult<Option<Entity>> {
        self.record(Table::Entities, &PeerKey::of(self.account, id), id)
    }

    pub(super) fn entity_by_username(&self, username: &str) -> EngineResult<Option<Entity>> {
        self.indexed(IndexKind::Usernames, &fold_username(username))
    }

    pub(super) fn entity_by_phone(&self, phone: &str) -> EngineResult<Option<Entity>> {
        match fold_phone(phone) {
            Some(phone) => self.indexed(IndexKind::Phones, &phone),
            None => Ok(None),
        }
    }

    pub(super) fn entity_by_name(&self, name: &str) -> EngineResult<Option<Entity>> {
        let mut found = None;
        self.walk(None, usize::MAX, |entity| {
            found = (entity.name.as_deref() == Some(name)).then_some(entity);
            found.is_some()
        })?;
        Ok(found)
    }

    pub(super) fn entities(
        &self,
        after: Option<PeerId>,
        limit: usize,
    ) -> EngineResult<Vec<Entity>> {
        let mut entities = Vec::new();
        if limit > 0 {
            self.walk(after, limit, |entity| {
                entities.push(entity);
                entities.len() == limit
            })?;
        }
        Ok(entities)
    }

    pub(super) fn entity_count(&self) -> EngineResult<u64> {
        if let Some(count) = self.view.entity_count(self.account)? {
            return Ok(count);
        }
        let (mut count, span) = (0, Table::Entities.span(self.account));
        self.view.each(Table::Entities, &span, usize::MAX, &mut |_, _| {
            count += 1;
            Ok(true)
        })?;
        Ok(count)
    }

    pub(super) fn sent_file(&self, key: FileKey) -> EngineResult<Option<SentFile>> {
        self.record(Table::SentFiles, &FileRow::of(self.account, key), key)
    }

    pub(super) fn sent_files(&self) -> EngineResult<Vec<SentFile>> {
        self.records(Table::SentFiles, |key| {
            key_of(Table::SentFiles, key, |key| FileRow::file(key).map(Some))
        })
    }

    pub(super) fn extra(&self, name: &str) -> EngineResult<Option<Extra>> {
        self.record(Table::Extras, &TextKey::of(self.account, name), name.to_owned())
    }

    pub(super) fn extras(&self) -> EngineResult<Vec<Extra>> {
        let table = Table::Extras;
        self.records(table, |key| {
            let name = TextKey::text(key);
            name.map(Some).map_err(|error| EngineError::record(table.name(), key, error))
        })
    }

    /// One record, or `None` where the row is not there.
    fn record<R: Record>(&self, table: Table, key: &[u8], says: R::Key) -> EngineResult<Option<R>> {
        get(self.view, table, key, says)
    }

    /// Every record of this account in a table; `parse` gives what its key says, or `None` to skip
    /// the row.
    fn records<R: Record>(
        &self,
        table: Table,
        parse: impl Fn(&[u8]) -> EngineResult<Option<R::Key>>,
    ) -> EngineResult<Vec<R>> {
        let mut records = Vec::new();
        self.view.each(table, &table.span(self.account), usize::MAX, &mut |key, record| {
            if let Some(says) = parse(key)? {
                records.push(decoded(table, key, says, record)?);
            }
            Ok(true)
        })?;
        Ok(records)
    }

    /// The entity that an index finds under this text, which is folded.
    fn indexed(&self, index: IndexKind, text: &str) -> EngineResult<Option<Entity>> {
        let Some((id, record)) = self.view.find(index, self.account, text)? else {
            return Ok(None);
        };
        let missing = || {
            let key = TextKey::of(self.account, text);
            EngineError::index(table_of(index).name(), &key, "its entity is missing")
        };
        let key = PeerKey::of(self.account, id);
        decoded(Table::Entities, &key, id, &record.ok_or_else(missing)?).map(Some)
    }

    /// Visits the entities after `after` until `visit` says that it has enough, which it will
    /// after `most` of them.
    fn walk(
        &self,
        after: Option<PeerId>,
        most: usize,
        mut visit: impl FnMut(Entity) -> bool,
    ) -> EngineResult<()> {
        let table = Table::Entities;
        let mut span = table.span(self.account);
        if let Some(id) = after {
            span.from = Bound::Excluded(PeerKey::of(self.account, id)[..].into());
        }
        self.view.each(table, &span, most, &mut |key, record| {
            let id = key.try_into().ok().and_then(PeerKey::peer);
            let invalid = || EngineError::index(table.name(), key, "it names no peer");
            Ok(!visit(decoded(table, key, id.ok_or_else(invalid)?, record)?))
        })
    }
}

/// A key of the file as an array, whose length its table has checked.
fn key_of<const N: usize, T>(
    table: Table,
    key: &[u8],
    parse: impl FnOnce(&[u8; N]) -> Result<T, RecordError>,
) -> EngineResult<T> {
    let parsed = key.try_into().map_err(|_| RecordError::Key).and_then(parse);
    parsed.map_err(|error| EngineError::record(table.name(), key, error))
}
