//! The rules for entities in their plainest form: no index, every look-up walks. Sessions are
//! compared with it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::session::merge::{Completeness, merge, tidy};
use crate::types::{Entity, PeerId, fold_phone, fold_username};

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) entities: BTreeMap<PeerId, Entity>,
}

impl Model {
    /// Takes one entity in; says whether that changed anything.
    pub(super) fn see(&mut self, seen: &Entity, completeness: Completeness) -> bool {
        let mut seen = tidy(seen.clone());
        if seen.min {
            self.drop_what_others_hold(&mut seen);
        }
        let old = self.entities.get(&seen.id);
        let Some(new) = merge(old, Cow::Owned(seen), completeness).map(Cow::into_owned) else {
            return false;
        };
        self.take_from_others(&new);
        self.entities.insert(new.id, new);
        true
    }

    pub(super) fn by_username(&self, username: &str) -> Option<&Entity> {
        self.entities.values().find(|entity| holds_username(entity, username))
    }

    pub(super) fn by_phone(&self, phone: &str) -> Option<&Entity> {
        self.entities.values().find(|entity| holds_phone(entity, phone))
    }

    pub(super) fn by_name(&self, name: &str) -> Option<&Entity> {
        self.entities.values().find(|entity| entity.name.as_deref() == Some(name))
    }

    fn drop_what_others_hold(&self, seen: &mut Entity) {
        let id = seen.id;
        let others = || self.entities.values().filter(move |other| other.id != id);
        seen.usernames.retain(|name| !others().any(|other| holds_username(other, name)));
        seen.phone.take_if(|phone| others().any(|other| holds_phone(other, phone)));
    }

    fn take_from_others(&mut self, new: &Entity) {
        for other in self.entities.values_mut().filter(|other| other.id != new.id) {
            for name in &new.usernames {
                let taken = fold_username(name);
                other.usernames.retain(|name| fold_username(name) != taken);
            }
            if new.phone.as_deref().is_some_and(|phone| holds_phone(other, phone)) {
                other.phone = None;
            }
        }
    }
}

fn holds_username(entity: &Entity, username: &str) -> bool {
    let folded = fold_username(username);
    entity.usernames.iter().any(|name| fold_username(name) == folded)
}

fn holds_phone(entity: &Entity, phone: &str) -> bool {
    let folded = fold_phone(phone);
    folded.is_some() && entity.phone.as_deref().and_then(fold_phone) == folded
}
