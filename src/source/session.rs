//! One session of a source, read from wherever it lies.

use crate::error::Result;
use crate::format::{self, facts};
use crate::session::{self, Session};
use crate::store::{ImportSession, SessionView};
use crate::types::{Account, DcId, Entity};

/// One session of a [`Source`](super::Source). Iterating it gives its entities in the order of their marked ids.
///
/// ```
/// use tgsession::Source;
///
/// let source = Source::open("tests/fixtures/telethon/plain_1.45.0.session")?;
/// let mut session = source.session("plain_1.45.0")?;
/// assert!(session.account().login.home_dc.is_some());
/// assert_eq!(session.by_ref().count(), 119);
/// // What could not be read:
/// assert!(session.notes().iter().any(|note| note.contains("phone is not a number")));
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Debug)]
pub struct SourceSession<'a> {
    pub(super) name: String,
    pub(super) account: Account,
    pub(super) entities: Entities<'a>,
    /// Notes of the source around it.
    pub(super) notes: Vec<String>,
    /// Values of the account that cannot be right.
    pub(super) doubts: Vec<String>,
    pub(super) impossible: Impossible,
}

/// Entities with impossible ids.
#[derive(Debug, Default)]
pub(super) struct Impossible {
    kept: bool,
    count: u64,
    swapped: u64,
    examples: Vec<i64>,
}

/// The most ids that a note names.
const EXAMPLES: usize = 5;

impl Impossible {
    /// Whether an entity is given out.
    fn passes(&mut self, entity: &Entity) -> bool {
        if facts::is_possible(entity.id) {
            return true;
        }
        self.count += 1;
        self.swapped += u64::from(facts::is_swapped(entity));
        if self.examples.len() < EXAMPLES {
            self.examples.push(entity.id.marked());
        }
        self.kept
    }

    fn sentence(&self) -> Option<String> {
        let Self { count, swapped, .. } = self;
        let ids: Vec<_> = self.examples.iter().map(ToString::to_string).collect();
        let more = if *count > ids.len() as u64 { ", ..." } else { "" };
        let swap = match swapped {
            0 => String::new(),
            _ => format!("; id and access hash appear to be swapped in {swapped} of them"),
        };
        let what = format!(
            "entities: {count} have an id that no user, group or channel can have ({}{more}){swap}",
            ids.join(", ")
        );
        let end = if self.kept { "" } else { "; they are left out" };
        (*count > 0).then(|| format!("{what}{end}"))
    }
}

#[derive(Debug)]
pub(super) enum Entities<'a> {
    Store(Box<session::Entities<SessionView>>),
    Sqlite(Box<format::Entities<'a>>),
    /// With the notes of the session.
    Parsed(std::slice::Iter<'a, Entity>, &'a [String]),
}

impl SourceSession<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Everything but the entities.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The number of entities, if it is known without decoding them. Of a database it is the number of
    /// rows of the table, also of rows that are not entities of this session: counting them reads
    /// every page of the table.
    #[must_use]
    pub fn entity_count(&self) -> Option<u64> {
        match &self.entities {
            Entities::Store(entities) => entities.session().entity_count().ok(),
            Entities::Sqlite(entities) => Some(entities.row_count()),
            Entities::Parsed(entities, _) => Some(entities.len() as u64),
        }
    }

    /// Also gives entities with impossible ids, which an export counts. By default they are left out,
    /// except those of a store.
    #[must_use]
    pub fn with_impossible_ids(mut self) -> Self {
        self.impossible.kept = true;
        self
    }

    /// Values that cannot be right, one sentence each: addresses of other DCs, DCs and ids that do
    /// not exist. Complete once the entities have been read to the end.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        self.doubts.iter().cloned().chain(self.impossible.sentence()).collect()
    }

    /// The DCs whose auth keys come from a damaged page of a salvaged file, and may be wrong.
    #[must_use]
    pub fn unproven_keys(&self) -> Vec<DcId> {
        match &self.entities {
            Entities::Sqlite(entities) => entities.notes().unproven().to_vec(),
            _ => Vec::new(),
        }
    }

    /// Values of the source that the account and the entities read so far lack, one sentence each.
    /// The list is complete when the iteration over the entities has ended.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let inside = match &self.entities {
            Entities::Store(_) => Vec::new(),
            Entities::Sqlite(entities) => entities.notes().into_sentences(),
            Entities::Parsed(_, notes) => notes.to_vec(),
        };
        self.notes.iter().cloned().chain(self.doubts()).chain(inside).collect()
    }
}

impl Iterator for SourceSession<'_> {
    type Item = Result<Entity>;

    fn next(&mut self) -> Option<Self::Item> {
        self.entities.next(&mut self.impossible)
    }
}

impl Entities<'_> {
    fn next(&mut self, impossible: &mut Impossible) -> Option<Result<Entity>> {
        loop {
            let entity = match self {
                Self::Store(entities) => return entities.next(),
                Self::Sqlite(entities) => entities.next(),
                Self::Parsed(entities, _) => entities.next().cloned().map(Ok),
            }?;
            if entity.as_ref().map_or(true, |entity| impossible.passes(entity)) {
                return Some(entity);
            }
        }
    }
}

impl<'a> From<&'a mut SourceSession<'_>> for ImportSession<'a> {
    fn from(session: &'a mut SourceSession<'_>) -> Self {
        let SourceSession { account, entities, impossible, .. } = session;
        Self::new(account, std::iter::from_fn(move || entities.next(impossible)))
    }
}
