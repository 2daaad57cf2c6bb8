//! Keeps auth keys out of core dumps of the tool.

/// From now on a crash of this process, or of a child that it starts, writes no core dump.
#[cfg(unix)]
pub(crate) fn forbid() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    // Linux does not apply a limit of 0 where core dumps go to a program such as systemd-coredump. It
    // applies a limit of 1 byte there, and such a file is too small to be written elsewhere (core(5)).
    let limit = if cfg!(target_os = "linux") { 1 } else { 0 };
    // A system that refuses this has no core dumps, or not by this limit.
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_CORE) {
        let _ = setrlimit(Resource::RLIMIT_CORE, most.min(limit), most);
    }
}

#[cfg(not(unix))]
pub(crate) fn forbid() {}
