use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::Commit;
use super::batch::BatchRows;
use super::forward::forward;
use super::merge::Completeness;
use super::storage::{Change, Key, Row, Storage, StorageSession, Table};
use crate::error::Result;
use crate::types::{Account, Snapshot};

/// A session that lives in memory and is gone with the process.
///
/// Look-ups by username and phone have an index, as in a store.
///
/// ```
/// use tgsession::{DcId, MemorySession, Session};
///
/// let session = MemorySession::new("alice");
/// session.set_home_dc(DcId(4))?;
/// let copy = MemorySession::from_snapshot("alice", &session.snapshot());
/// assert_eq!(copy.login()?.home_dc, Some(DcId(4)));
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MemorySession(StorageSession<MemoryStorage>);

/// The [`Storage`] of a [`MemorySession`]: an ordered map.
///
/// ```
/// use tgsession::storage::{Key, Row, Storage, StorageSession};
/// use tgsession::{DcId, Login, MemoryStorage, Session};
///
/// let session = StorageSession::new(MemoryStorage::new("alice"));
/// session.set_home_dc(DcId(4))?;
/// let row = session.storage().get(&Key::Login)?;
/// assert_eq!(row, Some(Row::Login(Login::default().with_home_dc(DcId(4)))));
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStorage {
    name: String,
    rows: RwLock<BTreeMap<Key, Row>>,
}

impl MemorySession {
    /// An empty session of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(StorageSession::new(MemoryStorage::new(name)))
    }

    /// A session that holds this. Where several entities show one username or phone, the last
    /// one has it, as if they had been seen in this order.
    #[must_use]
    pub fn from_snapshot(name: &str, snapshot: &Snapshot) -> Self {
        let session = Self::new(name);
        let Account { login, dcs, update_state, channel_states, sent_files, extras } =
            &snapshot.account;
        let rows = [Row::Login(login.clone())].into_iter();
        let rows = rows.chain(dcs.iter().cloned().map(Row::Dc));
        let rows = rows.chain(update_state.map(Row::UpdateState));
        let rows = rows.chain(channel_states.iter().copied().map(Row::ChannelState));
        let rows = rows.chain(sent_files.iter().copied().map(Row::SentFile));
        let rows = rows.chain(extras.iter().cloned().map(Row::Extra));
        let filled = session.0.change(Commit::Buffered, |batch| {
            rows.into_iter().try_for_each(|row| batch.put(row))?;
            batch.see(&snapshot.entities, Completeness::Full)
        });
        debug_assert!(filled.is_ok(), "memory takes everything");
        session
    }

    /// Everything that the session holds, of one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let account = &mut snapshot.account;
        for row in self.0.storage().rows().values().cloned() {
            match row {
                Row::Login(login) => account.login = login,
                Row::Dc(dc) => account.dcs.push(dc),
                Row::UpdateState(state) => account.update_state = Some(state),
                Row::ChannelState(state) => account.channel_states.push(state),
                Row::Entity(entity) => snapshot.entities.push(entity),
                Row::SentFile(file) => account.sent_files.push(file),
                Row::Extra(extra) => account.extras.push(extra),
                Row::Username(..) | Row::Phone(..) => {}
            }
        }
        snapshot
    }
}

impl MemoryStorage {
    /// An empty storage for a session of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rows: RwLock::default() }
    }

    /// No invariant spans two statements under this lock, so one left by a panic is sound.
    fn rows(&self) -> RwLockReadGuard<'_, BTreeMap<Key, Row>> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every row of a table, after this key if there is one.
fn range<'a>(
    rows: &'a BTreeMap<Key, Row>,
    table: Table,
    after: Option<&Key>,
) -> impl Iterator<Item = &'a Row> {
    let from = match after {
        Some(after) => Bound::Excluded(after.clone()),
        None => Bound::Included(table.first()),
    };
    let rows = rows.range((from, Bound::Unbounded));
    rows.take_while(move |(key, _)| key.table() == table).map(|(_, row)| row)
}

impl Storage for MemoryStorage {
    fn name(&self) -> Result<String> {
        Ok(self.name.clone())
    }

    fn get(&self, key: &Key) -> Result<Option<Row>> {
        Ok(self.rows().get(key).cloned())
    }

    fn scan(&self, table: Table, after: Option<&Key>, limit: usize) -> Result<Vec<Row>> {
        Ok(range(&self.rows(), table, after).take(limit).cloned().collect())
    }

    fn apply(&self, changes: Vec<Change>, _durable: bool) -> Result<()> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            match change {
                Change::Put(row) => rows.insert(row.key(), row),
                Change::Remove(key) => rows.remove(&key),
            };
        }
        Ok(())
    }

    fn count(&self, table: Table) -> Result<u64> {
        Ok(range(&self.rows(), table, None).count() as u64)
    }
}

forward!([] MemorySession, |session| session.0);
