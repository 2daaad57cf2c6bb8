//! The entities of a session, one after the other.

use super::Session;
use crate::error::Result;
use crate::types::{Entity, PeerId};

/// So many entities are read at once.
const PAGE: usize = 1_000;

/// Iterates over the entities of a session in the order of their marked ids. It reads 1,000 at once.
///
/// Entities of a [`SessionView`](crate::SessionView) are of one moment. Of other sessions each page
/// is of a moment of its own. The first error ends the iteration.
///
/// ```
/// use tgsession::{Entities, Entity, MemorySession, PeerId, Session};
///
/// let session = MemorySession::new("alice");
/// session.process_entities(&[Entity::new(PeerId::user(1).expect("a positive id"))])?;
/// for entity in Entities::of(&session) {
///     println!("{}", entity?.id);
/// }
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Entities<S> {
    session: S,
    after: Option<PeerId>,
    page: std::vec::IntoIter<Entity>,
    ended: bool,
}

impl<S: Session> Entities<S> {
    /// All entities of this session. A reference to a session is a session too.
    pub fn of(session: S) -> Self {
        Self { session, after: None, page: Vec::new().into_iter(), ended: false }
    }

    /// The session.
    pub fn session(&self) -> &S {
        &self.session
    }

    fn turn(&mut self) -> Result<Option<Entity>> {
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        let page = self.session.entities(self.after, PAGE)?;
        self.ended = page.len() < PAGE;
        self.after = page.last().map(|entity| entity.id);
        self.page = page.into_iter();
        Ok(self.page.next())
    }
}

impl<S: Session> Iterator for Entities<S> {
    type Item = Result<Entity>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.page.next() {
            Some(entity) => Some(Ok(entity)),
            None => self.turn().transpose(),
        }
    }
}
