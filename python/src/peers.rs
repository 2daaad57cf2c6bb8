//! Entities that a client has just seen.

use pyo3::prelude::*;
use tgsession::{AccessHash, Entity, PeerId, Session, SessionBatch};

use crate::session::NativeSession;
use crate::values::{kind, peer};

/// Id, kind, access hash, usernames (`None`: not spoken of), phone, name.
type SeenRow = (
    i64,
    Option<pyo3::pybacked::PyBackedStr>,
    Option<i64>,
    Option<Vec<String>>,
    Option<String>,
    Option<String>,
);

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
    entity.usernames = usernames.unwrap_or_default();
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
                for Seen { mut entity, speaks_of_usernames } in rows {
                    let old = batch.entity(entity.id)?;
                    if let Some(old) = &old {
                        entity.name = entity.name.or_else(|| old.name.clone());
                        if !speaks_of_usernames {
                            entity.usernames.clone_from(&old.usernames);
                        }
                    }
                    put(batch, old.as_ref(), entity, stale)?;
                }
                Ok(())
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
                    let Some(old) = batch.entity(id)? else { continue };
                    let mut entity = old.clone();
                    entity.usernames = usernames;
                    entity.date = Some(date);
                    put(batch, Some(&old), entity, stale)?;
                }
                Ok(())
            })
        })
    }
}

/// Takes an entity in. The store moves a date alone only once a day, so an entity whose date is
/// older than `stale` is removed first, in the same batch.
fn put(
    batch: &mut SessionBatch<'_>,
    old: Option<&Entity>,
    mut entity: Entity,
    stale: i64,
) -> tgsession::Result<()> {
    if let Some(old) = old {
        let age = entity.date.unwrap_or(0).saturating_sub(old.date.unwrap_or(0));
        if age > stale {
            entity.kind = entity.kind.or(old.kind);
            entity.access_hash = entity.access_hash.or(old.access_hash);
            batch.remove_entity(entity.id)?;
        }
    }
    batch.process_entities(&[entity]).map(drop)
}
