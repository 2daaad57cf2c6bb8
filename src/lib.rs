//! The session store of a Telegram client: one transactional file, pure Rust to the last
//! dependency.

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

pub mod sqlite;
