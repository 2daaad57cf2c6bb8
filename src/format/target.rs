//! The writers of formats, and the sessions that they get.

use std::io::{self, Seek, Write};
use std::mem;
use std::path::Path;

use zeroize::Zeroizing;

use super::capabilities::{Capabilities, EntityCapabilities};
use super::facts;
use super::lost::{Losses, NO_PLACE};
use crate::error::{Error, Result};
use crate::sqlite::writer::WriteError;
use crate::types::{Account, DcOption, Entity, PeerKind};

/// A format that sessions are written in.
pub(crate) trait Target: Sync {
    /// Its name: `telethon`, `pyrogram-string`.
    fn name(&self) -> &'static str;

    /// The values that it can hold.
    fn capabilities(&self) -> &'static Capabilities;

    /// Writes the sessions, which have been fitted; one, unless [`Capabilities::many`] says more. Their
    /// entities are still to be fitted, by [`Outgoing::entity`].
    fn write(&self, work: Writing<'_, '_>) -> Result<()>;
}

/// The sessions to write, and the output.
pub(crate) struct Writing<'s, 'a> {
    pub(crate) sessions: &'s mut [Outgoing<'a>],
    /// What could not be written.
    pub(crate) lost: &'s mut Losses,
    pub(crate) out: &'s mut dyn Output,
}

impl<'s, 'a> Writing<'s, 'a> {
    /// The parts, for a format that holds one session.
    pub(crate) fn of_one(
        self,
        format: &'static str,
    ) -> Result<(&'s mut Outgoing<'a>, &'s mut Losses, &'s mut dyn Output)> {
        Ok((the_only(self.sessions, format)?, self.lost, self.out))
    }
}

/// The output of a format's writer.
pub(crate) trait Output: Write + Seek {}

impl<T: Write + Seek> Output for T {}

/// A format of one account without entities, which is made in memory at once.
pub(crate) struct AccountTarget<E = fn(&Account) -> Result<Zeroizing<Vec<u8>>>> {
    pub(crate) name: &'static str,
    pub(crate) capabilities: &'static Capabilities,
    pub(crate) encode: E,
}

impl<E: Fn(&Account) -> Result<Zeroizing<Vec<u8>>> + Sync> Target for AccountTarget<E> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn capabilities(&self) -> &'static Capabilities {
        self.capabilities
    }

    fn write(&self, work: Writing<'_, '_>) -> Result<()> {
        let (session, _, out) = work.of_one(self.name)?;
        let bytes = (self.encode)(&session.account)?;
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
    /// The next entity. Values without a place in the format are removed and counted.
    pub(crate) fn entity(
        &mut self,
        capabilities: &EntityCapabilities,
        lost: &mut Losses,
    ) -> Option<Result<Entity>> {
        loop {
            match self.entities.next()? {
                Ok(entity) => {
                    if let Some(entity) = entity_for(entity, capabilities, lost) {
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

/// Removes the values of an entity that have no place in the format; `None` if nothing useful
/// remains.
fn entity_for(
    mut entity: Entity,
    capabilities: &EntityCapabilities,
    lost: &mut Losses,
) -> Option<Entity> {
    let id = entity.id;
    if !facts::is_possible(id) {
        lost.add("entities", "no user, group or channel can have this id", id);
        return None;
    }
    if !(capabilities.holds)(id) {
        lost.add("entities", "the format has no ids of this range", id);
        return None;
    }
    if entity.min && !capabilities.min {
        lost.add("entities", "only a reduced view of it was seen, without a hash of its own", id);
        return None;
    }
    if entity.access_hash.is_none() && !capabilities.no_hash && id.kind() != PeerKind::Group {
        lost.add("entities", "its access hash is not known", id);
        return None;
    }
    if entity.kind.take_if(|kind| !capabilities.kinds.contains(kind)).is_some() {
        lost.add("entities.kind", NO_PLACE, id);
    }
    if entity.usernames.len() > capabilities.usernames {
        let more = entity.usernames.drain(capabilities.usernames..);
        more.for_each(|_| lost.add("entities.usernames", NO_PLACE, id));
    }
    if !capabilities.phone && entity.phone.take().is_some() {
        lost.add("entities.phone", NO_PLACE, id);
    }
    if !capabilities.name && entity.name.take().is_some() {
        lost.add("entities.name", NO_PLACE, id);
    }
    if !capabilities.date && entity.date.take().is_some() {
        lost.add("entities.date", NO_PLACE, id);
    }
    Some(entity)
}

/// Counts all entities as lost, for a format that keeps none.
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

/// An error of the database writer, as the error of an export. An I/O error gets its path from the
/// caller that knows it; any other error is due to the session.
pub(crate) fn unwritten(error: WriteError) -> Error {
    match error {
        WriteError::Io(source) => Error::io("write", Path::new(""), source),
        error => Error::Unfit { format: "a SQLite file", why: error.to_string() },
    }
}

/// The I/O error of an export's output. The caller that knows the path puts it in.
pub(crate) fn written(done: io::Result<()>) -> Result<()> {
    done.map_err(|source| Error::io("write", Path::new(""), source))
}
