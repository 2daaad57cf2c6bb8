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
//! # Features
//!
//! None is on by default: the library alone keeps sessions and reads the SQLite files of every
//! client. `convert` reads all other formats and writes them (`Export`), `tdata` reads and writes
//! Telegram Desktop's folder, `passphrase` opens and seals portable sessions, `serde` derives
//! `Serialize` and `Deserialize` for the public types, `cli` builds the command-line tool
//! `tgsession`, `conformance` has the tests that every storage passes.

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
pub use self::file::Owner;
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

/// And that of the guide.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Guide;

/// And that of the guide from rusqlite.
#[cfg(doctest)]
#[doc = include_str!("../docs/from-rusqlite.md")]
struct FromRusqlite;
