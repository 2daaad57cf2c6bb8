//! Running a process and asking the kernel what it took.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The resources that a process used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken {
    /// Whether it ended with code 0.
    pub success: bool,
    /// From its start to its end.
    pub wall: Duration,
    /// The most memory it had at once in bytes, pages of mapped files among it.
    pub peak: u64,
    /// The most of it that was not pages of files. Sampled, so it can be a little low.
    pub peak_anonymous: u64,
}

/// Runs it to its end without looking, which is the exact way to time it.
pub fn time(command: &mut Command) -> Taken {
    run(command, |pid| wait(pid, 0))
}

/// Runs it to its end, and looks at its memory every half millisecond.
pub fn watch(command: &mut Command) -> Taken {
    let mut most = 0;
    let taken = run(command, |pid| {
        loop {
            most = most.max(resident(pid, "RssAnon:"));
            if let Some(ended) = wait(pid, libc::WNOHANG) {
                return Some(ended);
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    });
    Taken { peak_anonymous: most, ..taken }
}

/// Runs it to its end. Returns the number that it prints.
pub fn printed_number(command: &mut Command) -> f64 {
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap().trim().parse().unwrap()
}

#[expect(clippy::zombie_processes, reason = "`wait4` has waited, and said what it took")]
fn run(command: &mut Command, until: impl FnOnce(i32) -> Option<(i32, u64)>) -> Taken {
    let start = Instant::now();
    let child: Child = command.stdout(Stdio::null()).spawn().unwrap();
    let (status, peak) = until(child.id().cast_signed()).unwrap();
    let wall = start.elapsed();
    Taken { success: status == 0, wall, peak, peak_anonymous: 0 }
}

/// The status and the peak memory of a child that has ended.
fn wait(pid: i32, flags: i32) -> Option<(i32, u64)> {
    let mut status = 0;
    // SAFETY: `rusage` is plain numbers, of which zero is a value of each.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live variables of the types that the call fills.
    let ended = unsafe { libc::wait4(pid, &raw mut status, flags, &raw mut usage) };
    (ended == pid).then(|| (status, usage.ru_maxrss.cast_unsigned() * 1024))
}

/// A line of the kernel's account of a process's memory, in bytes; 0 when it is gone.
#[must_use]
pub fn resident(pid: i32, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let found = status.lines().find_map(|have| have.strip_prefix(line));
    let kilobytes = found.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    kilobytes.map_or(0, |kilobytes: u64| kilobytes * 1024)
}

/// Ends this process as a power switch would: no destructor runs.
pub fn die() -> ! {
    // SAFETY: no pointer is involved, and the process is this one.
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
    unreachable!("killed")
}
