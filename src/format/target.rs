//! What sessions are written by, and the sessions on their way to it.

use std::io::{self, Seek, Write};
use std::mem;
use std::path::Path;

use zeroize::Zeroizing;

use super::facts;
use super::lost::{Losses, NO_PLACE};
use super::place::{EntityPlace, Place};
use crate::error::{Error, Result};
use crate::sqlite::writer::WriteError;
use crate::types::{Account, DcOption, Entity, PeerKind};

/// A format that sessions are written in.
pub(crate) trait Target: Sync {
    /// Its name: `telethon`, `pyrogram-string`.
    fn name(&self) -> &'static str;

    /// What it has a place for.
    fn place(&self) -> &'static Place;

    /// Writes the sessions, which have been fitted; one, unless [`Place::many`] says more. Their
    /// entities are still to be fitted, by [`Outgoing::entity`].
    fn write(
        &self,
        sessions: &mut [Outgoing<'_>],
        lost: &mut Losses,
        out: &mut dyn Output,
    ) -> Result<()>;
}

/// What a format is written to.
pub(crate) trait Output: Write + Seek {}

impl<T: Write + Seek> Output for T {}

/// A format of one account without entities, which is made in memory at once.
pub(crate) struct AccountTarget {
    pub(crate) name: &'static str,
    pub(crate) place: &'static Place,
    pub(crate) encode: fn(&Account) -> Result<Zeroizing<Vec<u8>>>,
}

impl Target for AccountTarget {
    fn name(&self) -> &'static str {
        self.name
    }

    fn place(&self) -> &'static Place {
        self.place
    }

    fn write(
        &self,
        sessions: &mut [Outgoing<'_>],
        _: &mut Losses,
        out: &mut dyn Output,
    ) -> Result<()> {
        let bytes = (self.encode)(&the_only(sessions, self.name)?.account)?;
        written(out.write_all(&bytes))
    }
}

/// The bytes of a text that holds a key, without a copy of it.
pub(crate) fn into_bytes(mut text: Zeroizing<String>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(mem::take(&mut *text).into_bytes())
}

/// One session on its way out.
pub(crate) struct Outgoing<'a> {
    pub(crate) name: String,
    pub(crate) account: Account,
    pub(crate) entities: Box<dyn Iterator<Item = Result<Entity>> + 'a>,
}

impl Outgoing<'_> {
    /// The next entity, with what there is no place for taken out and counted.
    pub(crate) fn entity(
        &mut self,
        place: &EntityPlace,
        lost: &mut Losses,
    ) -> Option<Result<Entity>> {
        loop {
            match self.entities.next()? {
                Ok(entity) => {
                    if let Some(entity) = entity_for(entity, place, lost) {
                        return Some(Ok(entity));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The home DC, which a fitted session has.
    pub(crate) fn home(&self) -> Option<&DcOption> {
        home(&self.account)
    }
}

/// Takes out of an entity what there is no place for; `None` where nothing that is of use remains.
fn entity_for(mut entity: Entity, place: &EntityPlace, lost: &mut Losses) -> Option<Entity> {
    let id = entity.id;
    if !facts::is_possible(id) {
        lost.add("entities", "no user, group or channel can have this id", id);
        return None;
    }
    if !(place.holds)(id) {
        lost.add("entities", "the format has no ids of this range", id);
        return None;
    }
    if entity.min && !place.min {
        lost.add("entities", "only a reduced view of it was seen, without a hash of its own", id);
        return None;
    }
    if entity.access_hash.is_none() && !place.no_hash && id.kind() != PeerKind::Group {
        lost.add("entities", "its access hash is not known", id);
        return None;
    }
    if entity.kind.take_if(|kind| !place.kinds.contains(kind)).is_some() {
        lost.add("entities.kind", NO_PLACE, id);
    }
    if entity.usernames.len() > place.usernames {
        let more = entity.usernames.drain(place.usernames..);
        more.for_each(|_| lost.add("entities.usernames", NO_PLACE, id));
    }
    if !place.phone && entity.phone.take().is_some() {
        lost.add("entities.phone", NO_PLACE, id);
    }
    if !place.name && entity.name.take().is_some() {
        lost.add("entities.name", NO_PLACE, id);
    }
    if !place.date && entity.date.take().is_some() {
        lost.add("entities.date", NO_PLACE, id);
    }
    Some(entity)
}

/// What to count where a format keeps no entities.
pub(crate) fn without_entities(session: &mut Outgoing<'_>, lost: &mut Losses) -> Result<()> {
    for entity in session.entities.by_ref() {
        lost.add("entities", NO_PLACE, entity?.id);
    }
    Ok(())
}

/// The session of a format that holds one.
pub(crate) fn the_only<'s, 'a>(
    sessions: &'s mut [Outgoing<'a>],
    format: &'static str,
) -> Result<&'s mut Outgoing<'a>> {
    match sessions {
        [session] => Ok(session),
        _ => {
            let why = format!("it holds one session, and there are {}", sessions.len());
            Err(Error::Unfit { format, why })
        }
    }
}

fn home(account: &Account) -> Option<&DcOption> {
    account.dcs.iter().find(|dc| Some(dc.id) == account.login.home_dc)
}

/// What the writer of a database says, as the error of an export. Only what goes wrong with the
/// output is no fault of the session; its path is put in by who knows it.
pub(crate) fn unwritten(error: WriteError) -> Error {
    match error {
        WriteError::Io(source) => Error::io("write", Path::new(""), source),
        error => Error::Unfit { format: "a SQLite file", why: error.to_string() },
    }
}

/// The error of an export's output. Its path is put in by who knows it.
pub(crate) fn written(done: io::Result<()>) -> Result<()> {
    done.map_err(|source| Error::io("write", Path::new(""), source))
}
