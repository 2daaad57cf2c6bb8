//! The rules that merge a newly seen entity with the stored one. Pure functions, without storage.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::types::{
    Entity, EntityKind, bare_username, fold_username, is_digits, is_plain_username,
};

/// How much of an entity a client has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completeness {
    /// As Telegram shows it: a field that a full view lacks is empty.
    Full,
    /// A part of it: a field that is lacking is unknown.
    Partial,
}

/// A newer date alone is worth a write only when it is more than this many seconds newer.
const DATE_STEP: i64 = 86_400;

/// The entity after `seen` is merged over `old`, or `None` if no change is worth a write.
///
/// `seen` must be [`tidied`]. Whether its usernames and phone are free is not decided here.
pub(crate) fn merge<'a>(
    old: Option<&Entity>,
    seen: Cow<'a, Entity>,
    completeness: Completeness,
) -> Option<Cow<'a, Entity>> {
    let Some(old) = old else { return Some(seen) };
    let date = old.date.max(seen.date);
    let mut new = match completeness {
        Completeness::Partial => extended(old, &seen),
        Completeness::Full if seen.min => filled(old, &seen),
        Completeness::Full => replaced(old, seen.into_owned()),
    };
    new.date = date;
    let same_but_date = Entity { date: old.date, ..new.clone() } == *old;
    (!same_but_date || is_later(old.date, new.date)).then_some(Cow::Owned(new))
}

/// Merges the reduced view `seen` into the stored entity as [`merge`] does, but in place: `old` is not copied.
pub(crate) fn merge_reduced(old: &mut Entity, seen: &Entity) {
    let date = old.date.max(seen.date);
    if fill(old, seen) || is_later(old.date, date) {
        old.date = date;
    }
}

/// Whether a date alone is worth a write.
fn is_later(old: Option<i64>, new: Option<i64>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => new.saturating_sub(old) > DATE_STEP,
        (old, new) => old != new,
    }
}

/// A full view: it replaces every field, except that it keeps a hash, kind or date that it lacks.
fn replaced(old: &Entity, seen: Entity) -> Entity {
    let keeps_min_hash = seen.access_hash.is_none() && old.access_hash.is_some() && old.min;
    Entity {
        kind: seen.kind.or(old.kind),
        access_hash: seen.access_hash.or(old.access_hash),
        min: keeps_min_hash,
        ..seen
    }
}

/// A copy of `old` with the empty fields filled from `seen`, a reduced view.
fn filled(old: &Entity, seen: &Entity) -> Entity {
    let mut new = old.clone();
    fill(&mut new, seen);
    new
}

/// A reduced view: it fills empty fields. Its hash never replaces a full one. Returns whether anything
/// has changed.
fn fill(new: &mut Entity, seen: &Entity) -> bool {
    let mut changed = false;
    if seen.access_hash.is_some() && (new.access_hash.is_none() || new.min) {
        changed |= !new.min || new.access_hash != seen.access_hash;
        new.access_hash = seen.access_hash;
        new.min = true;
    }
    if new.usernames.is_empty() && !seen.usernames.is_empty() {
        new.usernames.clone_from(&seen.usernames);
        changed = true;
    }
    changed
        | fill_field(&mut new.kind, seen.kind.as_ref())
        | fill_field(&mut new.phone, seen.phone.as_ref())
        | fill_field(&mut new.name, seen.name.as_ref())
}

fn fill_field<T: Clone>(field: &mut Option<T>, seen: Option<&T>) -> bool {
    let changes = field.is_none() && seen.is_some();
    if changes {
        *field = seen.cloned();
    }
    changes
}

/// A part: it replaces the fields that it has and keeps the others. The hash of a reduced view
/// never replaces a full one.
fn extended(old: &Entity, seen: &Entity) -> Entity {
    let mut new = old.clone();
    if seen.access_hash.is_some() && (!seen.min || old.access_hash.is_none() || old.min) {
        new.access_hash = seen.access_hash;
        new.min = seen.min;
    }
    if !seen.usernames.is_empty() {
        new.usernames.clone_from(&seen.usernames);
    }
    // Some clients know only "supergroup" for the finer kinds, so it does not replace them.
    let finer = matches!(old.kind, Some(EntityKind::Forum | EntityKind::Direct));
    if !(finer && seen.kind == Some(EntityKind::Supergroup)) {
        new.kind = seen.kind.or(old.kind);
    }
    new.phone = seen.phone.clone().or(new.phone);
    new.name = seen.name.clone().or(new.name);
    new
}

/// The entity as it is stored, see [`tidy`]. Most are tidy when they are seen.
pub(crate) fn tidied(seen: &Entity) -> Cow<'_, Entity> {
    let one_username = match seen.usernames.as_slice() {
        [] => true,
        [one] => is_plain_username(one),
        _ => false,
    };
    let phone = seen.phone.as_deref().is_none_or(|phone| !phone.is_empty() && is_digits(phone));
    if one_username && phone && seen.name.as_deref() != Some("") {
        Cow::Borrowed(seen)
    } else {
        Cow::Owned(tidy(seen.clone()))
    }
}

/// The entity as it is stored: usernames without `@`, empty ones and repetitions; a phone of
/// digits only; no empty text.
pub(crate) fn tidy(mut seen: Entity) -> Entity {
    if !seen.usernames.is_empty() {
        tidy_usernames(&mut seen.usernames);
    }
    if let Some(phone) = seen.phone.as_mut().filter(|phone| !is_digits(phone)) {
        phone.retain(|c| c.is_ascii_digit());
    }
    seen.phone.take_if(|phone| phone.is_empty());
    seen.name.take_if(|name| name.is_empty());
    seen
}

fn tidy_usernames(usernames: &mut Vec<String>) {
    if let [one] = usernames.as_slice()
        && is_plain_username(one)
    {
        return;
    }
    let mut known = BTreeSet::new();
    usernames.retain_mut(|name| {
        if bare_username(name).len() != name.len() {
            *name = bare_username(name).to_owned();
        }
        let folded = fold_username(name);
        !folded.is_empty() && known.insert(folded)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{AccessHash, PeerId};

    fn entity(change: impl FnOnce(&mut Entity)) -> Entity {
        let mut entity = Entity::new(PeerId::user(1).unwrap());
        change(&mut entity);
        entity
    }

    fn merge(old: Option<&Entity>, seen: &Entity) -> Option<Entity> {
        let merged =
            super::merge(old, Cow::Borrowed(seen), Completeness::Full).map(Cow::into_owned);
        if let Some(old) = old.filter(|_| seen.min) {
            let mut in_place = old.clone();
            merge_reduced(&mut in_place, seen);
            assert_eq!(&in_place, merged.as_ref().unwrap_or(old), "in place");
        }
        merged
    }

    fn full() -> Entity {
        entity(|e| {
            e.kind = Some(EntityKind::User);
            e.access_hash = Some(AccessHash(7));
            e.usernames = vec!["alice".into()];
            e.phone = Some("1555".into());
            e.name = Some("Alice".into());
            e.date = Some(1_000_000);
        })
    }

    #[test]
    fn a_reduced_view_never_replaces_a_full_access_hash() {
        let seen = entity(|e| {
            e.min = true;
            e.access_hash = Some(AccessHash(8));
            e.usernames = vec!["other".into()];
            e.name = Some("A.".into());
        });
        assert_eq!(merge(Some(&full()), &seen), None);
    }

    #[test]
    fn a_reduced_view_fills_blanks_and_its_hash_stays_marked() {
        let old = entity(|e| e.name = Some("Alice".into()));
        let seen = entity(|e| {
            e.min = true;
            e.access_hash = Some(AccessHash(8));
            e.phone = Some("1".into());
        });
        let new = merge(Some(&old), &seen).unwrap();
        assert_eq!((new.access_hash, new.min), (Some(AccessHash(8)), true));
        assert_eq!((new.name.as_deref(), new.phone.as_deref()), (Some("Alice"), Some("1")));
    }

    #[test]
    fn a_full_view_replaces_a_reduced_one() {
        let old = entity(|e| {
            e.min = true;
            e.access_hash = Some(AccessHash(8));
        });
        assert_eq!(merge(Some(&old), &full()), Some(full()));
    }

    #[test]
    fn a_full_view_without_a_username_takes_it_away_but_the_hash_stays() {
        let seen = entity(|e| e.name = Some("Alice".into()));
        let new = merge(Some(&full()), &seen).unwrap();
        assert!(new.usernames.is_empty() && new.phone.is_none());
        assert_eq!((new.access_hash, new.kind), (Some(AccessHash(7)), Some(EntityKind::User)));
        assert_eq!(new.date, Some(1_000_000));
    }

    #[test]
    fn a_date_alone_counts_only_when_it_is_more_than_a_day_newer() {
        let later = |by: i64| Entity { date: Some(1_000_000 + by), ..full() };
        assert_eq!(merge(Some(&full()), &later(DATE_STEP)), None);
        assert_eq!(merge(Some(&full()), &later(-5)), None);
        assert_eq!(merge(Some(&full()), &later(DATE_STEP + 1)), Some(later(DATE_STEP + 1)));
        let undated = Entity { date: None, ..full() };
        assert_eq!(merge(Some(&undated), &full()), Some(full()));
    }

    #[test]
    fn what_is_stored_is_tidy() {
        let seen = entity(|e| {
            e.usernames = vec!["@Alice".into(), String::new(), "alice".into(), "bob".into()];
            e.phone = Some("+1 555".into());
            e.name = Some(String::new());
        });
        let stored = tidy(seen);
        assert_eq!(stored.usernames, ["Alice", "bob"]);
        assert_eq!((stored.phone.as_deref(), stored.name), (Some("1555"), None));
        for (name, stored) in
            [("@A_1", "A_1"), (" b ", "b"), ("C", "C"), ("\u{d6}zil", "\u{d6}zil")]
        {
            assert_eq!(tidy(entity(|e| e.usernames = vec![name.into()])).usernames, [stored]);
        }
        for nothing in ["", " ", "@"] {
            assert!(tidy(entity(|e| e.usernames = vec![nothing.into()])).usernames.is_empty());
        }
    }

    #[test]
    fn what_is_not_copied_is_tidy() {
        for username in ["", "@", "Alice", "@Alice", "alice ", "\u{d6}zil"] {
            for phone in [None, Some(""), Some("1555"), Some("+1 555")] {
                for name in [None, Some(""), Some("Alice")] {
                    let seen = entity(|e| {
                        e.usernames = vec![username.into()];
                        e.phone = phone.map(str::to_owned);
                        e.name = name.map(str::to_owned);
                    });
                    assert_eq!(*tidied(&seen), tidy(seen.clone()), "{seen:?}");
                }
            }
        }
        let many = entity(|e| e.usernames = vec!["alice".into(), "Alice".into()]);
        assert_eq!(tidied(&many).usernames, ["alice"]);
        assert!(matches!(tidied(&full()), Cow::Borrowed(_)));
    }

    #[test]
    fn a_part_replaces_what_it_says_and_wipes_nothing() {
        let part = |old: &Entity, change: fn(&mut Entity)| {
            let seen = Cow::Owned(entity(change));
            super::merge(Some(old), seen, Completeness::Partial).map(Cow::into_owned)
        };
        let hash = part(&full(), |e| e.access_hash = Some(AccessHash(9))).unwrap();
        assert_eq!(hash, Entity { access_hash: Some(AccessHash(9)), ..full() });
        let named = part(&full(), |e| e.usernames = vec!["new".into()]).unwrap();
        assert_eq!(named, Entity { usernames: vec!["new".into()], ..full() });
        assert_eq!(part(&full(), |_| {}), None);
        let reduced = part(&full(), |e| (e.min, e.access_hash) = (true, Some(AccessHash(9))));
        assert_eq!(reduced, None, "the full hash stays");
        let old = Entity { min: true, ..full() };
        let whole = part(&old, |e| e.access_hash = Some(AccessHash(9))).unwrap();
        assert_eq!((whole.access_hash, whole.min), (Some(AccessHash(9)), false));
    }
}
