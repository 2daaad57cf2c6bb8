//! Keeps auth keys out of core dumps of the tool.

/// From now on a crash of this process, or of a child that it starts, writes no core dump.
#[cfg(unix)]
pub(crate) fn forbid() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    // A system that refuses this has no core dumps, or not by this limit.
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_CORE) {
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, most);
    }
}

#[cfg(not(unix))]
pub(crate) fn forbid() {}
