//! The entities of the tables: runs, of which the newer ones lie over the older ones.

mod edit;
mod tables;

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use super::fault::{Fault, Step};
use super::rows::{Value, Visit};
use crate::record::{AccountNo, PeerKey, Record};
use crate::run::{Index, Key, Row, Run, RunError, Walk};
use crate::types::Entity;

pub(super) use self::edit::{Edit, Merge};
pub(super) use self::tables::{EntityRows, IndexRows};

/// All runs of one committed state.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    newest_first: Vec<Arc<Run>>,
    /// Accounts that were removed since: what runs have of them counts for nothing.
    removed: BTreeSet<AccountNo>,
}

/// An entity as some run has it.
enum Held<'a> {
    Record(&'a [u8]),
    Gone,
}

impl Runs {
    /// Of these, the newest of which comes last, without what they have of removed accounts.
    pub(super) fn of(
        oldest_first: impl DoubleEndedIterator<Item = Arc<Run>>,
        removed: BTreeSet<AccountNo>,
    ) -> Self {
        Self { newest_first: oldest_first.rev().collect(), removed }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Run>> {
        self.newest_first.iter()
    }

    fn of_account(&self, account: AccountNo) -> impl Iterator<Item = (usize, &Arc<Run>)> {
        let removed = self.is_removed(account);
        let runs = self.newest_first.iter().enumerate();
        runs.filter(move |(_, run)| run.spans(account.0) && !removed)
    }

    fn is_removed(&self, account: AccountNo) -> bool {
        !self.removed.is_empty() && self.removed.contains(&account)
    }

    /// About how many bytes are of accounts that were removed.
    pub(super) fn of_nobody(&self) -> Step<u64> {
        let mut bytes = 0;
        for run in self.iter().filter(|_| !self.removed.is_empty()) {
            let (mut all, mut dead) = (0, 0);
            run.accounts(&mut |account, rows, gone| {
                let rows = u64::from(rows) + u64::from(gone);
                all += rows;
                dead += if self.is_removed(AccountNo(account)) { rows } else { 0 };
            })?;
            bytes += run.len() as u64 * dead / all.max(1);
        }
        Ok(bytes)
    }

    fn held(&self, key: &Key) -> Step<Option<Held<'_>>> {
        for (_, run) in self.of_account(PeerKey::account(key)) {
            if let Some(Row { payload, .. }) = run.get(key)? {
                return Ok(Some(match payload {
                    Some(payload) => Held::Record(payload),
                    None => Held::Gone,
                }));
            }
        }
        Ok(None)
    }

    /// The record of an entity.
    pub(super) fn get(&self, key: &Key) -> Step<Option<Value>> {
        Ok(match self.held(key)? {
            Some(Held::Record(payload)) => Some(Value::record(Entity::TAG, payload)),
            _ => None,
        })
    }

    /// The entity that shows this text, which is folded, and its record. A run may have what a
    /// newer one has changed, so whoever shows it there must be shown so by no newer one.
    pub(super) fn holder(
        &self,
        index: Index,
        account: AccountNo,
        text: &str,
    ) -> Step<Option<(Key, Value)>> {
        for (at, run) in self.of_account(account) {
            let (mut holder, mut newer) = (None, Ok(()));
            run.holders(index, account.0, text, &mut |row| {
                match (self.is_changed_before(at, &row.key), row.payload) {
                    (Ok(false), Some(payload)) => {
                        holder = Some((row.key, Value::record(Entity::TAG, payload)));
                    }
                    (Ok(_), _) => {}
                    (Err(fault), _) => newer = Err(fault),
                }
                Ok(holder.is_some() || newer.is_err())
            })?;
            newer?;
            if holder.is_some() {
                return Ok(holder);
            }
        }
        Ok(None)
    }

    fn is_changed_before(&self, at: usize, key: &Key) -> Step<bool> {
        let account = PeerKey::account(key);
        for (_, run) in self.of_account(account).take_while(|(newer, _)| *newer < at) {
            if run.get(key)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Shows every entity within these bounds, in the order of the keys.
    pub(super) fn each(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, visit: Visit<'_>) -> Step<()> {
        let within = |key: &Key| match to {
            Bound::Included(to) => key.as_slice() <= to,
            Bound::Excluded(to) => key.as_slice() < to,
            Bound::Unbounded => true,
        };
        let (first, but) = match from {
            Bound::Included(from) => (key_of(from), None),
            Bound::Excluded(from) => (key_of(from), Some(from)),
            Bound::Unbounded => (Key::default(), None),
        };
        let mut merged = Merged::from(self.iter().map(Arc::as_ref), &first)?;
        let mut record = Vec::new();
        while let Some(Row { key, payload }) = merged.next()? {
            if !within(&key) {
                break;
            }
            let left_out = but == Some(key.as_slice()) || self.is_removed(PeerKey::account(&key));
            let Some(payload) = payload.filter(|_| !left_out) else { continue };
            record.clear();
            record.push(Entity::TAG);
            record.extend_from_slice(payload);
            if !visit(&key, &record)? {
                break;
            }
        }
        Ok(())
    }

    /// How many entities an account has, where one run says it all.
    pub(super) fn count(&self, account: AccountNo) -> Step<Option<u64>> {
        let mut counts = Vec::new();
        for (_, run) in self.of_account(account) {
            counts.extend(Some(run.count(account.0)?).filter(|count| *count != (0, 0)));
        }
        Ok(match counts.as_slice() {
            [] => Some(0),
            [(rows, _)] => Some(*rows),
            _ => None,
        })
    }
}

/// As much of a key as there is, and zeros.
fn key_of(bytes: &[u8]) -> Key {
    let mut key = Key::default();
    for (place, byte) in key.iter_mut().zip(bytes) {
        *place = *byte;
    }
    key
}

/// Runs as one: of each entity what the newest says.
pub(super) struct Merged<'a>(Vec<Walk<'a>>);

impl<'a> Merged<'a> {
    /// These, the newest first, from a key on.
    pub(super) fn from(runs: impl Iterator<Item = &'a Run>, first: &Key) -> Step<Self> {
        let walks: Result<_, RunError> = runs.map(|run| run.walk(first)).collect();
        Ok(Self(walks?))
    }

    pub(super) fn next(&mut self) -> Step<Option<Row<'a>>> {
        // The first of those with the smallest key is the newest.
        let Some(row) = self.0.iter().filter_map(Walk::front).min_by_key(|row| row.key) else {
            return Ok(None);
        };
        for walk in &mut self.0 {
            if walk.front().is_some_and(|front| front.key == row.key) {
                walk.advance()?;
            }
        }
        Ok(Some(row))
    }
}

impl From<RunError> for Fault {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Io(error) => Self::Disk(error),
            RunError::Damage(damage) => Self::Block(damage),
            RunError::Record(key, error) => Self::record("entities", &key, error),
        }
    }
}
