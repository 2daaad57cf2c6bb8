//! Entities and their indexes, changed together. The same for every storage.

use std::borrow::Cow;

use super::merge::{Completeness, merge, tidied};
use crate::types::{Entity, PeerId, fold_phone, fold_username, folded_username};

/// An index of entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    Usernames,
    Phones,
}

impl Index {
    pub(crate) const ALL: [Self; 2] = [Self::Usernames, Self::Phones];
}

/// Entities and their indexes, read.
pub(crate) trait EntityView {
    type Error;

    fn entity(&self, id: PeerId) -> Result<Option<Entity>, Self::Error>;

    /// The entity that an index finds under this folded text.
    fn holder(&self, index: Index, text: &str) -> Result<Option<PeerId>, Self::Error>;
}

/// Entities and their indexes, written.
pub(crate) trait EntityRows: EntityView {
    fn put_entity(&mut self, entity: Cow<'_, Entity>) -> Result<(), Self::Error>;

    fn drop_entity(&mut self, id: PeerId) -> Result<(), Self::Error>;

    /// Sets the entity that an index finds under a text; `None` removes the row.
    fn set_holder(
        &mut self,
        index: Index,
        text: &str,
        holder: Option<PeerId>,
    ) -> Result<(), Self::Error>;
}

/// The entity that is stored after `seen` is merged over `old`, or `None` if that changes nothing.
pub(crate) fn change_of<'a, R: EntityView + ?Sized>(
    rows: &R,
    old: Option<&Entity>,
    seen: &'a Entity,
    completeness: Completeness,
) -> Result<Option<Cow<'a, Entity>>, R::Error> {
    let mut seen = tidied(seen);
    if seen.min {
        drop_what_others_hold(rows, seen.to_mut())?;
    }
    Ok(merge(old, seen, completeness))
}

/// Merges one entity into the stored one; says whether that changed anything.
pub(crate) fn see<R: EntityRows + ?Sized>(
    rows: &mut R,
    seen: &Entity,
    completeness: Completeness,
) -> Result<bool, R::Error> {
    let old = rows.entity(seen.id)?;
    let Some(new) = change_of(rows, old.as_ref(), seen, completeness)? else { return Ok(false) };
    store(rows, old.as_ref(), new)?;
    Ok(true)
}

/// Stores an entity in place of the old one. Its usernames and phone then find it and no other.
pub(crate) fn store<R: EntityRows + ?Sized>(
    rows: &mut R,
    old: Option<&Entity>,
    new: Cow<'_, Entity>,
) -> Result<(), R::Error> {
    index(rows, &new)?;
    if let Some(old) = old {
        unindex(rows, old, Some(&new))?;
    }
    rows.put_entity(new)
}

/// Removes an entity, its usernames and its phone.
pub(crate) fn forget<R: EntityRows + ?Sized>(rows: &mut R, id: PeerId) -> Result<(), R::Error> {
    if let Some(old) = rows.entity(id)? {
        unindex(rows, &old, None)?;
        rows.drop_entity(id)?;
    }
    Ok(())
}

/// Removes usernames or the phone from the record of an entity: those whose folded text `is_lost`. The
/// index stays as it is.
pub(crate) fn lose<R: EntityRows + ?Sized>(
    rows: &mut R,
    id: PeerId,
    index: Index,
    is_lost: &dyn Fn(&str) -> bool,
) -> Result<(), R::Error> {
    let Some(mut entity) = rows.entity(id)? else { return Ok(()) };
    match index {
        Index::Usernames => entity.usernames.retain(|name| !is_lost(&fold_username(name))),
        Index::Phones => {
            entity.phone.take_if(|phone| fold_phone(phone).is_some_and(|phone| is_lost(&phone)));
        }
    }
    rows.put_entity(Cow::Owned(entity))
}

/// A reduced view claims nothing that another entity holds.
fn drop_what_others_hold<R: EntityView + ?Sized>(
    rows: &R,
    seen: &mut Entity,
) -> Result<(), R::Error> {
    let mut free = Vec::with_capacity(seen.usernames.len());
    for name in seen.usernames.drain(..) {
        let holder = rows.holder(Index::Usernames, &fold_username(&name))?;
        if holder.is_none_or(|holder| holder == seen.id) {
            free.push(name);
        }
    }
    seen.usernames = free;
    if let Some(phone) = seen.phone.as_deref().and_then(fold_phone) {
        let holder = rows.holder(Index::Phones, &phone)?;
        seen.phone.take_if(|_| holder.is_some_and(|holder| holder != seen.id));
    }
    Ok(())
}

/// Sets the index rows of an entity, and takes its usernames and phone from other entities.
fn index<R: EntityRows + ?Sized>(rows: &mut R, new: &Entity) -> Result<(), R::Error> {
    for name in &new.usernames {
        claim(rows, Index::Usernames, &folded_username(name), new.id)?;
    }
    match new.phone.as_deref().and_then(fold_phone) {
        Some(phone) => claim(rows, Index::Phones, &phone, new.id),
        None => Ok(()),
    }
}

/// Sets the index row of a text to this entity, and removes the text from its holder before.
fn claim<R: EntityRows + ?Sized>(
    rows: &mut R,
    index: Index,
    text: &str,
    id: PeerId,
) -> Result<(), R::Error> {
    let holder = rows.holder(index, text)?;
    if holder != Some(id) {
        rows.set_holder(index, text, Some(id))?;
    }
    match holder.filter(|holder| *holder != id) {
        Some(other) => lose(rows, other, index, &|shown| shown == text),
        None => Ok(()),
    }
}

/// Removes the index rows of `old` that `new` does not have.
fn unindex<R: EntityRows + ?Sized>(
    rows: &mut R,
    old: &Entity,
    new: Option<&Entity>,
) -> Result<(), R::Error> {
    let kept: Vec<String> =
        new.iter().flat_map(|new| &new.usernames).map(|name| fold_username(name)).collect();
    for folded in old.usernames.iter().map(|name| fold_username(name)) {
        if !kept.contains(&folded) {
            rows.set_holder(Index::Usernames, &folded, None)?;
        }
    }
    let phone = |entity: &Entity| entity.phone.as_deref().and_then(fold_phone);
    match phone(old) {
        Some(gone) if new.and_then(phone).as_ref() != Some(&gone) => {
            rows.set_holder(Index::Phones, &gone, None)
        }
        _ => Ok(()),
    }
}
