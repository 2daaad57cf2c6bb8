//! The session store of a Telegram client: one transactional file, pure Rust to the last
//! dependency.
//!
//! A client must remember, for each account, its auth keys and DC addresses, where its updates
//! stand, and every user, group and channel it has seen with the access hash that only its own
//! account can use. A [`Store`] keeps that in one file that survives a crash at any moment, finds
//! entities by id, username and phone, and holds any number of accounts; [`Source`] reads the
//! SQLite `.session` files of before.
//!
//! It is not a message archive, it does not talk to the network, and it shares nothing between
//! accounts. One process writes a file at a time, others may read it; keep it on a local disk.
//!
//! # Where to start
//!
//! - [`Store`] is the file, [`StoreSession`] one account in it.
//! - [`Session`] is what a client talks to; [`MemorySession`] is the same without a file.
//! - [`storage::Storage`] keeps a session anywhere else: four short methods.
//! - [`Source`] reads a store or a legacy file, and [`Store::import`] takes it in.
//! - [`Entity`], [`DcOption`], [`AuthKey`], [`UpdateState`] and the others are plain values.
//! - [`Error`] names the path, what was found and what to do.
//! - [`sqlite`] reads any SQLite database file, and knows nothing of Telegram.
//!
//! # Example
//!
//! ```
//! use tgsession::{AccessHash, DcId, DcOption, Endpoint, Entity, PeerId, Session, Store};
//!
//! # fn main() -> tgsession::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("accounts");
//! let store = Store::open_or_create(&path)?;
//! let session = store.session("alice")?;
//!
//! session.set_dc(&DcOption::new(DcId(2)).at(Endpoint::new("149.154.167.51", 443)))?;
//! session.set_home_dc(DcId(2))?;
//!
//! let mut durov = Entity::new(PeerId::user(1).expect("a positive id"));
//! durov.access_hash = Some(AccessHash(-42));
//! durov.usernames = vec!["durov".into()];
//! session.process_entities(&[durov])?;
//!
//! let found = session.entity_by_username("@Durov")?.expect("just stored");
//! assert_eq!(found.access_hash, Some(AccessHash(-42)));
//! # Ok(())
//! # }
//! ```
//!
//! # Durability
//!
//! | what | durable |
//! |---|---|
//! | logins, DCs, auth keys, extras | when the call returns |
//! | the same through [`update_later`](Session::update_later) | when its [`Ticket`] is done |
//! | making, renaming, removing and importing sessions | when the call returns |
//! | entities, update states, sent files | within the [flush interval](StoreOptions::flush_interval), one second |
//! | everything before [`flush`](Session::flush), [`close`](Store::close) or the last drop | when that returns |
//!
//! This is the promise of a [`Store`]. A crash at any moment leaves the state after one of the calls,
//! never a part of one. The flusher is a thread and needs no call: a store in a `static`, or a process that
//! ends by `std::process::exit`, loses at most the writes of the last flush interval.
//!
//! # Threads, processes and async
//!
//! [`Store`], [`StoreSession`] and every other [`Session`] are `Send + Sync`, and all calls take
//! `&self`. Clone a handle for each thread, or share it. Each call is atomic, also one that reads, changes
//! and writes; [`Session::update`] makes several changes atomic.
//!
//! One process writes a store. Another that wants to write gets [`Error::Busy`], or waits:
//! [`StoreOptions::wait`]. Any number of processes read it: [`Store::open_read_only`]. After a
//! `fork` the child's handles give [`Error::Forked`] on writes: open the store after the fork.
//!
//! The calls are not `async`. A look-up takes microseconds. A write to entities, update states and
//! sent files goes to memory; it waits for the disk only if the flush interval is 0 or the write
//! buffer is full. So neither needs a blocking thread. A call that changes a login or a DC waits for
//! the disk, unless you await its ticket instead:
//!
//! ```
//! use tgsession::{AuthKey, DcId, Session, StoreSession};
//!
//! async fn log_in(session: &StoreSession, key: AuthKey) -> tgsession::Result<()> {
//!     let ((), ticket) = session.update_later(|batch| {
//!         batch.set_auth_key(DcId(4), Some(key))?;
//!         batch.set_home_dc(DcId(4))
//!     })?;
//!     // Visible to every reader now, and durable after this. Any executor will do.
//!     ticket.await
//! }
//! ```
//!
//! # Errors
//!
//! Every call returns the same type, [`Error`]. Its message names the path, the fault and the remedy, and
//! contains no secret.
//! [`Error::kind`] says what a caller can do about it. No input makes a call panic.
//!
//! ```
//! use tgsession::{ErrorKind, Store};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("accounts");
//! # let store = Store::create(&path)?;
//! match Store::open(&path) {
//!     Ok(store) => println!("{} sessions", store.list()?.len()),
//!     Err(error) => match error.kind() {
//!         ErrorKind::Busy => println!("another handle writes it, try again later: {error}"),
//!         ErrorKind::NotFound => println!("there is no such store: {error}"),
//!         ErrorKind::Damaged => println!("tgsession::repair recovers the undamaged part: {error}"),
//!         // The request was refused, or the operating system failed.
//!         _ => return Err(error),
//!     },
//! }
//! # Ok::<(), tgsession::Error>(())
//! ```
//!
//! # Guides
//!
//! The folder `docs` of the repository has a guide for each of these ways here: from Telethon, Pyrogram, grammers
//! and rusqlite; many accounts in one store; hosts whose disk forgets; your own storage.
//!
//! # Features
//!
//! None is on by default: the library alone keeps sessions and reads the SQLite files of every
//! client. `convert` reads all other formats and writes them (`Export`), `tdata` reads and writes
//! Telegram Desktop's folder, `passphrase` opens and seals portable sessions, `encryption` encrypts
//! stores, `serde` derives `Serialize` and `Deserialize` for the public types, `cli` builds the
//! command-line tool `tgsession`, `conformance` has the tests that every storage passes.

// docs.rs builds with a nightly compiler, and says beside each item which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "a test that fails should say where"
    )
)]

mod cipher;
#[cfg_attr(
    not(feature = "convert"),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "what writes sessions is reached only with it"
    )
)]
mod clients;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "convert")]
pub mod dump;
mod engine;
mod error;
#[cfg(feature = "convert")]
mod export;
#[cfg_attr(
    not(feature = "convert"),
    allow(dead_code, unused_imports, reason = "what writes sessions is reached only with it")
)]
mod file;
#[cfg_attr(
    not(feature = "convert"),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "what writes sessions is reached only with it"
    )
)]
mod format;
#[cfg(all(any(test, fuzzing), feature = "convert"))]
pub mod fuzzing;
mod map;
#[cfg(feature = "convert")]
mod portable;
mod record;
mod segment;
mod session;
mod source;
pub mod sqlite;
mod store;
#[cfg(feature = "convert")]
mod string;
mod types;
#[cfg(all(test, feature = "convert"))]
mod vectors;
mod wal;

pub use self::error::{Error, ErrorKind, KeyError, Result};
#[cfg(feature = "convert")]
pub use self::export::{Export, ExportReport, ExportSession, Format, Loss, UnknownFormat};
pub use self::file::LockHolder;
pub use self::session::{
    Commit, Entities, MemorySession, MemoryStorage, Session, SessionBatch, Ticket, storage,
};
pub use self::source::{Lookup, Source, SourceOptions, SourceSession};
pub use self::store::{
    CheckReport, ImportReport, ImportSession, KeyInfo, KeyKind, ReadView, RepairReport,
    SessionView, Store, StoreKey, StoreOptions, StoreSession, repair, store_path,
};
pub use self::types::{
    AccessHash, Account, AuthKey, ChannelState, DcId, DcOption, Endpoint, Entity, EntityKind,
    Extra, FileKey, FileKind, Login, Md5, PeerId, PeerKind, Progress, SelfUser, SentFile, Snapshot,
    UpdateChange, UpdateState,
};

/// The README's example, compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// And those of the guides.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../docs/library.md")]
    struct Library;

    #[doc = include_str!("../docs/many-accounts.md")]
    struct ManyAccounts;

    #[doc = include_str!("../docs/from-telethon.md")]
    struct FromTelethon;

    #[doc = include_str!("../docs/from-rusqlite.md")]
    struct FromRusqlite;

    #[cfg(feature = "conformance")]
    #[doc = include_str!("../docs/own-storage.md")]
    struct OwnStorage;
}
