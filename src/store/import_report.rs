//! The result of an import.

use crate::session::entities::Index;

/// At most this many notes are kept; how many there were is said all the same.
const MOST_NOTES: usize = 1_000;

/// The result of [`Store::import`](crate::Store::import).
///
/// ```
/// use tgsession::{Account, Entity, ImportSession, PeerId, Store};
///
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// let two = [1, 2].into_iter().filter_map(PeerId::user);
/// let two = two.map(|id| Ok(Entity::new(id).with_username("durov")));
/// let account = Account::default();
/// let report = Store::create(path)?.import("alice", ImportSession::new(&account, two))?;
/// assert_eq!((report.entities, report.usernames), (2, 1));
/// assert_eq!(report.notes.len(), 1, "the username of both is noted");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportReport {
    /// Entities stored.
    pub entities: u64,
    /// Usernames that now find an entity.
    pub usernames: u64,
    /// Phone numbers that now find an entity.
    pub phones: u64,
    /// One sentence for each value that was not stored as it was.
    pub notes: Vec<String>,
}

impl ImportReport {
    /// How many texts of an index find an entity.
    pub(super) fn indexed(&mut self, index: Index) -> &mut u64 {
        match index {
            Index::Usernames => &mut self.usernames,
            Index::Phones => &mut self.phones,
        }
    }

    /// Says how many notes there are beyond those that are kept.
    pub(super) fn limit_notes(&mut self) {
        let more = self.notes.len().saturating_sub(MOST_NOTES);
        if more > 0 {
            self.notes.truncate(MOST_NOTES);
            self.notes.push(format!("and {more} more of this kind"));
        }
    }
}
