//! The tool, run as a person would run it. One binary for all of these tests: they run beside each other, and are linked
//! once.

#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod busy;
mod columns;
mod dump;
mod encryption;
mod export;
mod facts;
mod folders;
mod formats;
mod import;
mod query;
mod read;
mod refusals;
#[cfg(unix)]
mod run;
mod safety;
mod salvage;
mod secrets;
mod support;
#[cfg(target_os = "linux")]
mod terminal;
mod trials;
mod wrapped;
