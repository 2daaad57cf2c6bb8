//! What `tgsession` is measured with: a synthetic world, and the peers it is measured against.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop, and say where")]

pub mod args;
pub mod clock;
pub mod disk;
pub mod grammers;
#[cfg(feature = "peers")]
pub mod machine;
pub mod peers;
pub mod people;
#[cfg(feature = "peers")]
pub mod plot;
pub mod process;
pub mod relay;
pub mod table;
#[cfg(feature = "peers")]
pub mod telethon;
pub mod works;
