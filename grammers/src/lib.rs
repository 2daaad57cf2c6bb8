//! A session of [`tgsession`] as the session storage of a grammers 0.11 client.
//!
//! [`GrammersSession`] is a `grammers_session::Session` over any [`tgsession::Session`]: one of a
//! store, a [`tgsession::MemorySession`], or one over your own
//! [`Storage`](tgsession::storage::Storage). Nothing in it is C, so it links beside any SQLite.
//!
//! ```
//! use std::sync::Arc;
//!
//! use grammers_session::storages::erase;
//! use tgsession::MemorySession;
//! use tgsession_grammers::GrammersSession;
//!
//! let session = Arc::new(GrammersSession::new(MemorySession::new("alice"))?);
//! // What `SenderPool::new` does with it:
//! let erased = erase(Arc::clone(&session));
//! assert_eq!(erased.home_dc_id().unwrap(), 2);
//! # Ok::<(), tgsession::Error>(())
//! ```
//!
//! **Durability**: the home DC, DCs and the account's own user are durable when the future is done.
//! Peers and update states are visible when the call returns, and durable within the flush interval
//! of the store. **Blocking**: no call waits for the disk in the calling thread, unless the flush
//! interval is 0 or the store has no room in memory for more changes.
//! **Errors** are those of [`tgsession`]; grammers gives them as `InvocationError::Session`.

mod data;
mod peers;
mod session;
mod tl;

pub use self::session::GrammersSession;

/// The example of the README, compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
