//! Entities and the indexes that find them, changed together.

use crate::engine::{
    Rows, RowsMut, Step, Table, Value, View, decoded, encoded, get, owned_by, owner,
};
use crate::record::{AccountNo, PeerKey, TextKey, encode};
use crate::session::merge::{merge, tidy};
use crate::types::{Entity, PeerId, fold_phone, fold_username, folded_username};

/// How many of these entities, from the first on, would change nothing.
pub(super) fn known(view: &View, account: AccountNo, seen: &[Entity]) -> Step<usize> {
    for (count, entity) in seen.iter().enumerate() {
        if news(view, account, entity)?.is_some() {
            return Ok(count);
        }
    }
    Ok(seen.len())
}

/// What seeing an entity changes.
struct News {
    old: Option<Entity>,
    new: Entity,
}

/// What seeing this entity would change, or `None` where that is nothing.
fn news(rows: &(impl Rows + ?Sized), account: AccountNo, seen: &Entity) -> Step<Option<News>> {
    let stored = rows.get(Table::Entities, &PeerKey::of(account, seen.id))?;
    news_over(rows, account, seen, stored)
}

/// What seeing this entity would change over what is stored of it.
fn news_over(
    rows: &(impl Rows + ?Sized),
    account: AccountNo,
    seen: &Entity,
    stored: Option<Value>,
) -> Step<Option<News>> {
    let key = PeerKey::of(account, seen.id);
    // Most are seen as they are stored, which can be told without decoding them.
    if let Some(stored) = &stored
        && encode(seen).is_some_and(|record| *record == **stored)
    {
        return Ok(None);
    }
    let mut seen = tidy(seen.clone());
    if seen.min {
        drop_what_others_hold(rows, account, &mut seen)?;
    }
    let stored = stored.map(|record| decoded(Table::Entities, &key, seen.id, &record));
    let old = stored.transpose()?;
    Ok(merge(old.as_ref(), &seen).map(|new| News { old, new }))
}

/// A reduced view claims nothing that another entity holds.
fn drop_what_others_hold(
    rows: &(impl Rows + ?Sized),
    account: AccountNo,
    seen: &mut Entity,
) -> Step<()> {
    let mut free = Vec::with_capacity(seen.usernames.len());
    for name in seen.usernames.drain(..) {
        let holder = holder(rows, Table::Usernames, account, &fold_username(&name))?;
        if holder.is_none_or(|holder| holder == seen.id) {
            free.push(name);
        }
    }
    seen.usernames = free;
    if let Some(phone) = seen.phone.as_deref().and_then(fold_phone) {
        let holder = holder(rows, Table::Phones, account, &phone)?;
        seen.phone.take_if(|_| holder.is_some_and(|holder| holder != seen.id));
    }
    Ok(())
}

fn holder(
    rows: &(impl Rows + ?Sized),
    index: Table,
    account: AccountNo,
    text: &str,
) -> Step<Option<PeerId>> {
    let key = TextKey::of(account, text);
    match rows.get(index, &key)? {
        Some(row) => Ok(Some(owner(index, &key, &row)?)),
        None => Ok(None),
    }
}

/// The entity tables of one account, for writing.
pub(super) struct EntityTables<'a, R: ?Sized> {
    rows: &'a mut R,
    account: AccountNo,
}

impl<'a, R: RowsMut + ?Sized> EntityTables<'a, R> {
    pub(super) fn new(rows: &'a mut R, account: AccountNo) -> Self {
        Self { rows, account }
    }

    /// Takes one entity in; says whether that changed anything.
    pub(super) fn see(&mut self, seen: &Entity) -> Step<bool> {
        let Some(News { old, new }) = news(self.rows, self.account, seen)? else {
            return Ok(false);
        };
        self.index(&new)?;
        if let Some(old) = &old {
            self.unindex(old, Some(&new))?;
        }
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
            self.rows.remove(Table::Entities, &PeerKey::of(self.account, id))?;
        }
        Ok(())
    }

    pub(super) fn has(&self, id: PeerId) -> Step<bool> {
        Ok(self.rows.get(Table::Entities, &PeerKey::of(self.account, id))?.is_some())
    }

    fn get(&self, id: PeerId) -> Step<Option<Entity>> {
        get(self.rows, Table::Entities, &PeerKey::of(self.account, id), id)
    }

    fn put(&mut self, entity: &Entity) -> Step<()> {
        let record = encoded("an entity", entity)?;
        self.rows.set(Table::Entities, &PeerKey::of(self.account, entity.id), &record)
    }

    /// Has everything that an entity shows find it, and nobody else.
    fn index(&mut self, new: &Entity) -> Step<()> {
        for name in &new.usernames {
            let folded = folded_username(name);
            if let Some(holder) = self.claim(Table::Usernames, &folded, new.id)? {
                self.lose_username(holder, &folded)?;
            }
        }
        if let Some(phone) = new.phone.as_deref().and_then(fold_phone)
            && let Some(holder) = self.claim(Table::Phones, &phone, new.id)?
        {
            self.lose_phone(holder)?;
        }
        Ok(())
    }

    /// Has a text find this entity; says whom it has found before, if that was another.
    fn claim(&mut self, index: Table, text: &str, id: PeerId) -> Step<Option<PeerId>> {
        let holder = holder(self.rows, index, self.account, text)?;
        if holder != Some(id) {
            self.rows.set(index, &TextKey::of(self.account, text), &owned_by(id))?;
        }
        Ok(holder.filter(|holder| *holder != id))
    }

    /// Removes the index rows of `old` that `new` has not.
    fn unindex(&mut self, old: &Entity, new: Option<&Entity>) -> Step<()> {
        let kept: Vec<String> =
            new.iter().flat_map(|new| &new.usernames).map(|name| fold_username(name)).collect();
        for folded in old.usernames.iter().map(|name| fold_username(name)) {
            if !kept.contains(&folded) {
                self.rows.remove(Table::Usernames, &TextKey::of(self.account, &folded))?;
            }
        }
        let phone = |entity: &Entity| entity.phone.as_deref().and_then(fold_phone);
        match phone(old) {
            Some(gone) if new.and_then(phone).as_ref() != Some(&gone) => {
                self.rows.remove(Table::Phones, &TextKey::of(self.account, &gone))
            }
            _ => Ok(()),
        }
    }
}
