//! Entities that a client has just seen.

use pyo3::prelude::*;
use pyo3::types::PyString;
use tgsession::{AccessHash, Entity, PeerId, Session, SessionBatch};

use crate::session::NativeSession;
use crate::values::{kind, peer};

/// Id, kind, access hash, usernames (`None`: not spoken of), phone, name.
type SeenRow = (
    i64,
    Option<pyo3::pybacked::PyBackedStr>,
    Option<i64>,
    Option<Usernames>,
    Option<String>,
    Option<String>,
);

/// Given as a list, or as a text where there is one.
struct Usernames(Vec<String>);

impl<'a, 'py> FromPyObject<'a, 'py> for Usernames {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match object.cast::<PyString>() {
            Ok(one) => Ok(Self(vec![one.extract()?])),
            Err(_) => object.extract().map(Self),
        }
    }
}

struct Seen {
    entity: Entity,
    speaks_of_usernames: bool,
}

fn seen((id, of_kind, hash, usernames, phone, name): SeenRow, date: i64) -> PyResult<Seen> {
    let mut entity = Entity::new(peer(id)?);
    entity.kind = of_kind.as_deref().map(kind).transpose()?;
    entity.access_hash = hash.map(AccessHash);
    entity.date = Some(date);
    entity.phone = phone;
    entity.name = name;
    let speaks_of_usernames = usernames.is_some();
    entity.usernames = usernames.map(|names| names.0).unwrap_or_default();
    Ok(Seen { entity, speaks_of_usernames })
}

#[pymethods]
impl NativeSession {
    /// Takes in full views of entities. Gives how many changed something.
    fn process(&self, py: Python<'_>, rows: Vec<SeenRow>, date: i64) -> PyResult<usize> {
        let entities = rows
            .into_iter()
            .map(|row| seen(row, date).map(|seen| seen.entity))
            .collect::<PyResult<Vec<_>>>()?;
        self.work(py, |session| session.process_entities(&entities))
    }

    /// Takes in full views, but what they do not speak of stays: usernames that are `None`, a name
    /// that is `None`. Their dates are kept to within `stale` seconds.
    fn update_peers(
        &self,
        py: Python<'_>,
        rows: Vec<SeenRow>,
        date: i64,
        stale: i64,
    ) -> PyResult<()> {
        let rows = rows.into_iter().map(|row| seen(row, date)).collect::<PyResult<Vec<_>>>()?;
        self.work(py, |session| {
            session.update(|batch| {
                rows.into_iter().try_for_each(|seen| update_peer(batch, seen, date, stale))
            })
        })
    }

    /// Replaces the usernames of entities that are known. Of others nothing is kept.
    fn update_usernames(
        &self,
        py: Python<'_>,
        rows: Vec<(i64, Vec<String>)>,
        date: i64,
        stale: i64,
    ) -> PyResult<()> {
        self.work(py, |session| {
            session.update(|batch| {
                for (id, usernames) in rows {
                    let Some(id) = PeerId::from_marked(id) else { continue };
                    let Some(mut entity) = batch.entity(id)? else { continue };
                    if entity.usernames != usernames || is_stale(&entity, date, stale) {
                        entity.usernames = usernames;
                        entity.date = entity.date.max(Some(date));
                        replace(batch, entity)?;
                    }
                }
                Ok(())
            })
        })
    }
}

/// `merge_entities` of the library keeps a phone that a view lacks. The storages of the Pyrogram
/// family forget it, as [`SessionBatch::process_entities`] does, which would forget the name too.
fn update_peer(
    batch: &mut SessionBatch<'_>,
    Seen { mut entity, speaks_of_usernames }: Seen,
    date: i64,
    stale: i64,
) -> tgsession::Result<()> {
    let id = entity.id;
    let Some(old) = batch.entity(id)? else { return batch.process_entities(&[entity]).map(drop) };
    let refresh = is_stale(&old, date, stale);
    entity.name = entity.name.or(old.name);
    if !speaks_of_usernames {
        entity.usernames = old.usernames;
    }
    batch.process_entities(&[entity])?;
    if !refresh {
        return Ok(());
    }
    let Some(mut stored) = batch.entity(id)? else { return Ok(()) };
    stored.date = Some(date);
    replace(batch, stored)
}

fn is_stale(old: &Entity, date: i64, stale: i64) -> bool {
    date.saturating_sub(old.date.unwrap_or(0)) > stale
}

/// Stores exactly this entity. Merging would keep a date that is less than a day older, and the
/// usernames of a reduced (`min`) entity.
fn replace(batch: &mut SessionBatch<'_>, entity: Entity) -> tgsession::Result<()> {
    batch.remove_entity(entity.id)?;
    batch.process_entities(&[entity]).map(drop)
}
