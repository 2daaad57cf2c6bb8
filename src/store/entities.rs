//! Entities and the indexes that find them, changed together in one transaction.

use redb::{ReadableTable, Table, WriteTransaction};

use super::fault::{Fault, Step};
use super::tables::{ENTITIES, Index, PHONES, USERNAMES, encoded, get, owner};
use crate::record::{AccountNo, PeerKey, TextKey};
use crate::session::merge::{fold_phone, fold_username, merge, tidy};
use crate::types::{Entity, PeerId};

/// The entity tables of one account, open for writing.
pub(super) struct EntityTables<'t> {
    account: AccountNo,
    entities: Table<'t, &'static [u8; 12], &'static [u8]>,
    usernames: Table<'t, &'static [u8], i64>,
    phones: Table<'t, &'static [u8], i64>,
}

impl<'t> EntityTables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction, account: AccountNo) -> Step<Self> {
        Ok(Self {
            account,
            entities: transaction.open_table(ENTITIES.definition())?,
            usernames: transaction.open_table(USERNAMES.definition())?,
            phones: transaction.open_table(PHONES.definition())?,
        })
    }

    /// Takes one entity in; says whether that changed anything.
    pub(super) fn see(&mut self, seen: &Entity) -> Step<bool> {
        let mut seen = tidy(seen.clone());
        if seen.min {
            self.drop_what_others_hold(&mut seen)?;
        }
        let old = self.get(seen.id)?;
        let Some(new) = merge(old.as_ref(), &seen) else { return Ok(false) };
        self.take_from_others(&new)?;
        if let Some(old) = &old {
            self.unindex(old, Some(&new))?;
        }
        self.index(&new)?;
        self.put(&new)?;
        Ok(true)
    }

    /// Takes one username from the record of an entity that lost it; the index is not touched.
    pub(super) fn lose_username(&mut self, id: PeerId, folded: &str) -> Step<()> {
        let Some(mut entity) = self.get(id)? else { return Ok(()) };
        entity.usernames.retain(|name| fold_username(name) != folded);
        self.put(&entity)
    }

    /// Takes the phone from the record of an entity that lost it; the index is not touched.
    pub(super) fn lose_phone(&mut self, id: PeerId) -> Step<()> {
        let Some(mut entity) = self.get(id)? else { return Ok(()) };
        entity.phone = None;
        self.put(&entity)
    }

    pub(super) fn remove(&mut self, id: PeerId) -> Step<()> {
        if let Some(old) = self.get(id)? {
            self.unindex(&old, None)?;
            self.entities.remove(&PeerKey::of(self.account, id))?;
        }
        Ok(())
    }

    pub(super) fn has(&self, id: PeerId) -> Step<bool> {
        Ok(self.entities.get(&PeerKey::of(self.account, id))?.is_some())
    }

    fn get(&self, id: PeerId) -> Step<Option<Entity>> {
        get(&self.entities, ENTITIES, &PeerKey::of(self.account, id), id)
    }

    fn put(&mut self, entity: &Entity) -> Step<()> {
        let record = encoded("an entity", entity)?;
        let key = PeerKey::of(self.account, entity.id);
        self.entities.insert(&key, record.as_slice())?;
        Ok(())
    }

    /// A reduced view claims nothing that another entity holds.
    fn drop_what_others_hold(&self, seen: &mut Entity) -> Step<()> {
        let mut free = Vec::with_capacity(seen.usernames.len());
        for name in seen.usernames.drain(..) {
            let holder = self.holder(USERNAMES, &fold_username(&name))?;
            if holder.is_none_or(|holder| holder == seen.id) {
                free.push(name);
            }
        }
        seen.usernames = free;
        if let Some(phone) = seen.phone.as_deref().and_then(fold_phone) {
            let holder = self.holder(PHONES, &phone)?;
            seen.phone.take_if(|_| holder.is_some_and(|holder| holder != seen.id));
        }
        Ok(())
    }

    fn take_from_others(&mut self, new: &Entity) -> Step<()> {
        for name in &new.usernames {
            let folded = fold_username(name);
            match self.holder(USERNAMES, &folded)? {
                Some(holder) if holder != new.id => self.lose_username(holder, &folded)?,
                _ => {}
            }
        }
        if let Some(phone) = new.phone.as_deref().and_then(fold_phone) {
            match self.holder(PHONES, &phone)? {
                Some(holder) if holder != new.id => self.lose_phone(holder)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn holder(&self, index: Index, text: &str) -> Step<Option<PeerId>> {
        let rows = if index.name == PHONES.name { &self.phones } else { &self.usernames };
        let key = TextKey::of(self.account, text);
        match rows.get(key.as_slice())? {
            Some(marked) => Ok(Some(owner(index, &key, marked.value())?)),
            None => Ok(None),
        }
    }

    fn index(&mut self, new: &Entity) -> Step<()> {
        for name in &new.usernames {
            let key = TextKey::of(self.account, &fold_username(name));
            self.usernames.insert(key.as_slice(), new.id.marked())?;
        }
        if let Some(phone) = new.phone.as_deref().and_then(fold_phone) {
            let key = TextKey::of(self.account, &phone);
            self.phones.insert(key.as_slice(), new.id.marked())?;
        }
        Ok(())
    }

    /// Removes the index rows of `old` that `new` has not.
    fn unindex(&mut self, old: &Entity, new: Option<&Entity>) -> Step<()> {
        let kept: Vec<String> =
            new.iter().flat_map(|new| &new.usernames).map(|name| fold_username(name)).collect();
        for folded in old.usernames.iter().map(|name| fold_username(name)) {
            if !kept.contains(&folded) {
                self.usernames.remove(TextKey::of(self.account, &folded).as_slice())?;
            }
        }
        let phone = |entity: &Entity| entity.phone.as_deref().and_then(fold_phone);
        match phone(old) {
            Some(gone) if new.and_then(phone).as_ref() != Some(&gone) => {
                self.phones.remove(TextKey::of(self.account, &gone).as_slice())?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether seeing these entities would change anything, decided on what is committed.
pub(super) fn would_change(
    table: &impl ReadableTable<&'static [u8; 12], &'static [u8]>,
    account: AccountNo,
    seen: &[Entity],
) -> Result<bool, Fault> {
    for seen in seen {
        let seen = tidy(seen.clone());
        let old = get(table, ENTITIES, &PeerKey::of(account, seen.id), seen.id)?;
        if merge(old.as_ref(), &seen).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
