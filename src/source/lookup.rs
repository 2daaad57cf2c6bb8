//! Finding one entity of a source.

use crate::error::Result;
use crate::session::Session;
use crate::store::SessionView;
use crate::types::{Entity, PeerId, fold_phone, fold_username};

/// What to find an entity by.
///
/// ```
/// use tgsession::{Lookup, Source};
///
/// let source = Source::open("tests/fixtures/telethon/plain_1.45.0.session")?;
/// let by = Lookup::Username("@USER_ibis67".into());
/// let found = source.entity("plain_1.45.0", &by)?.expect("the file has it");
/// assert_eq!(found.id.marked(), -1_003_739_222_869);
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lookup {
    /// A marked id; if no entity has it, the bare id of a channel, then of a group.
    Id(i64),
    /// A username in any case, with or without `@`.
    Username(String),
    /// A phone number.
    Phone(String),
    /// Exactly this name.
    Name(String),
}

pub(super) fn in_store(session: &SessionView, by: &Lookup) -> Result<Option<Entity>> {
    match by {
        Lookup::Username(username) => session.entity_by_username(username),
        Lookup::Phone(phone) => session.entity_by_phone(phone),
        Lookup::Name(name) => session.entity_by_name(name),
        Lookup::Id(id) => {
            let marked = PeerId::from_marked(*id).map(|id| session.entity(id)).transpose()?;
            match marked.flatten() {
                Some(entity) => Ok(Some(entity)),
                None => session.entity_by_bare_id(*id),
            }
        }
    }
}

/// Reads all entities for the one that is meant; once more for a bare id.
pub(super) fn in_all<I: Iterator<Item = Result<Entity>>>(
    all: impl Fn() -> Result<I>,
    by: &Lookup,
) -> Result<Option<Entity>> {
    match by {
        Lookup::Username(username) => {
            let folded = fold_username(username);
            let shows = |name: &String| fold_username(name) == folded;
            newest(all()?, |entity| entity.usernames.iter().any(shows))
        }
        Lookup::Phone(phone) => {
            let Some(folded) = fold_phone(phone) else { return Ok(None) };
            newest(all()?, |entity| {
                entity.phone.as_deref().and_then(fold_phone).as_ref() == Some(&folded)
            })
        }
        Lookup::Name(name) => first(all()?, |entity| entity.name.as_ref() == Some(name)),
        Lookup::Id(id) => {
            for id in [PeerId::from_marked(*id), PeerId::channel(*id), PeerId::group(*id)] {
                let found = first(all()?, |entity| Some(entity.id) == id)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        }
    }
}

fn first(
    all: impl Iterator<Item = Result<Entity>>,
    fits: impl Fn(&Entity) -> bool,
) -> Result<Option<Entity>> {
    for entity in all {
        let entity = entity?;
        if fits(&entity) {
            return Ok(Some(entity));
        }
    }
    Ok(None)
}

fn newest(
    all: impl Iterator<Item = Result<Entity>>,
    fits: impl Fn(&Entity) -> bool,
) -> Result<Option<Entity>> {
    let mut newest: Option<Entity> = None;
    for entity in all {
        let entity = entity?;
        if fits(&entity) && newest.as_ref().is_none_or(|newest| entity.date > newest.date) {
            newest = Some(entity);
        }
    }
    Ok(newest)
}
