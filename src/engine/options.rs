//! How a store is opened.

use std::time::Duration;

use crate::types::Progress;

/// How a store is opened.
#[derive(Clone, Debug)]
pub(crate) struct EngineOptions {
    /// After how long buffered changes are durable at the latest.
    pub(crate) flush_interval: Duration,
    /// How much memory the active memtable may take before it is frozen, in bytes.
    pub(crate) buffer_size: usize,
    /// How much of a base redb may keep in memory, in bytes.
    pub(crate) cache_size: usize,
    /// Whether the system is asked for a thread to flush in.
    pub(crate) thread: bool,
    /// Where long calls say how far they are.
    pub(crate) progress: Progress,
}
