//! The sessions of this crate pass the suite, and the suite finds the faults of broken storages.

#![cfg(feature = "conformance")]
#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::cell::Cell;
use std::sync::Arc;

use tgsession::conformance::{self, Suite};
use tgsession::storage::{Change, Key, Row, Storage, StorageSession, Table};
use tgsession::{Error, MemorySession, MemoryStorage, Result, Session, Store, StoreSession};

#[test]
fn a_session_in_memory_passes() {
    let reopen = |session: Arc<MemorySession>| Ok(session);
    let suite = Suite::new(|| Ok(Arc::new(MemorySession::new("m")))).reopened_by(reopen);
    suite.second_by(|session| Ok(Arc::clone(session))).run().unwrap();
    conformance::run(|| Ok(Box::new(MemorySession::new("m")) as Box<dyn Session>)).unwrap();
}

#[test]
fn a_session_of_a_store_passes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let count = Cell::new(0);
    let make = || {
        count.set(count.get() + 1);
        Store::open_or_create(&path)?.session(&format!("s{}", count.get()))
    };
    let reopen = |session: StoreSession| {
        let name = session.name()?;
        drop(session);
        Store::open(&path)?.open_session(&name)
    };
    Suite::new(make).reopened_by(reopen).run().unwrap();

    let store = Store::open(&path).unwrap();
    let count = Cell::new(0);
    let make = || {
        count.set(count.get() + 1);
        store.session(&format!("t{}", count.get()))
    };
    let second = |session: &StoreSession| store.open_session(&session.name()?);
    Suite::new(make).second_by(second).run().unwrap();
    drop(store);
    assert_eq!(Store::open(&path).unwrap().check().unwrap().problems, Vec::<String>::new());
}

#[cfg(feature = "serde")]
#[path = "../examples/json_file.rs"]
mod json_file;

#[cfg(feature = "serde")]
#[test]
fn the_storage_of_the_guide_passes_and_has_under_150_lines() {
    json_file::main().unwrap();
    assert!(include_str!("../examples/json_file.rs").lines().count() < 150);
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    ForgetsUsernames,
    IgnoresAfter,
    ListsBackwards,
    GivesTooMany,
    AppliesTheFirstHalf,
    NeverRemoves,
    NeverReplaces,
    Miscounts,
    CutsNames,
    SaysDoneWhenItFailed,
}

const FAULTS: [Fault; 10] = [
    Fault::ForgetsUsernames,
    Fault::IgnoresAfter,
    Fault::ListsBackwards,
    Fault::GivesTooMany,
    Fault::AppliesTheFirstHalf,
    Fault::NeverRemoves,
    Fault::NeverReplaces,
    Fault::Miscounts,
    Fault::CutsNames,
    Fault::SaysDoneWhenItFailed,
];

struct Faulty(MemoryStorage, Fault);

impl Storage for Faulty {
    fn name(&self) -> Result<String> {
        self.0.name()
    }

    fn get(&self, key: &Key) -> Result<Option<Row>> {
        self.0.get(key)
    }

    fn scan(&self, table: Table, after: Option<&Key>, limit: usize) -> Result<Vec<Row>> {
        let mut rows = match self.1 {
            Fault::IgnoresAfter => self.0.scan(table, None, limit)?,
            Fault::GivesTooMany => self.0.scan(table, after, limit.saturating_add(1))?,
            _ => self.0.scan(table, after, limit)?,
        };
        if self.1 == Fault::ListsBackwards {
            rows.reverse();
        }
        Ok(rows)
    }

    fn count(&self, table: Table) -> Result<u64> {
        Ok(self.0.count(table)? + u64::from(self.1 == Fault::Miscounts))
    }

    fn apply(&self, mut changes: Vec<Change>, durable: bool) -> Result<()> {
        match self.1 {
            Fault::ForgetsUsernames => {
                changes.retain(|change| change.key().table() != Table::Usernames)
            }
            Fault::AppliesTheFirstHalf => changes.truncate(changes.len().div_ceil(2)),
            Fault::NeverRemoves => changes.retain(|change| matches!(change, Change::Put(_))),
            Fault::NeverReplaces => {
                changes.retain(|change| !matches!(self.0.get(&change.key()), Ok(Some(_))));
            }
            Fault::CutsNames => changes.iter_mut().for_each(|change| {
                if let Change::Put(Row::Entity(entity)) = change
                    && let Some(name) = &mut entity.name
                {
                    *name = name.chars().take(255).collect();
                }
            }),
            Fault::SaysDoneWhenItFailed if changes.len() > 3 => return Ok(()),
            _ => {}
        }
        self.0.apply(changes, durable)
    }
}

#[test]
fn each_of_ten_faults_of_a_storage_is_found() {
    for fault in FAULTS {
        let make = || Ok(StorageSession::new(Faulty(MemoryStorage::new("m"), fault)));
        let found = conformance::run(make);
        assert!(found.is_err(), "{fault:?} is not found");
    }
}

/// The storage forgets everything when it is opened again, durable changes too.
#[test]
fn a_storage_that_loses_durable_changes_is_found() {
    let make = || Ok(StorageSession::new(MemoryStorage::new("m")));
    let lost = Suite::new(make).reopened_by(|_| make()).run().unwrap_err();
    assert_eq!(lost.all().len(), 1);
    assert!(lost.to_string().starts_with("durability: the key"), "{lost}");
}

/// Each handle has a copy of its own.
#[test]
fn handles_that_do_not_share_a_session_are_found() {
    let make = || Ok(MemorySession::new("m"));
    let apart = Suite::new(make).second_by(|_| make()).run().unwrap_err();
    assert_eq!(apart.all().len(), 1);
    assert!(apart.to_string().starts_with("two handles: the other handle sees"), "{apart}");
}

#[test]
fn a_storage_that_fails_is_an_error_of_each_case() {
    let failed = conformance::run(|| Err::<MemorySession, _>(Error::other("no network")));
    assert!(failed.unwrap_err().all().iter().all(|why| why.contains("no network")));
}
