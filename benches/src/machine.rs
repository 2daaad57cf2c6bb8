//! The date, machine and versions of a run, as Markdown above its tables.

use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// The lock file, which has the versions of the compiled crates.
const LOCK: &str = include_str!("../Cargo.lock");
const GRAMMERS_LOCK: &str = include_str!("../grammers/Cargo.lock");

/// The day, the machine, and everyone's version.
#[must_use]
pub fn header() -> String {
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let machine =
        [day(), processor(), memory(), format!("Linux {}", kernel.trim()), file_system(), rust()];
    let lmdb = heed::lmdb_version();
    let lmdb = format!("{}.{}.{}", lmdb.major, lmdb.minor, lmdb.patch);
    let versions = [
        version("tgsession", LOCK),
        format!("{} (SQLite {})", version("rusqlite", LOCK), rusqlite::version()),
        version("redb", LOCK),
        format!("{} (LMDB {lmdb})", version("heed", LOCK)),
        version("fjall", LOCK),
        format!(
            "{} ({})",
            version("grammers-session", GRAMMERS_LOCK),
            version("libsql", GRAMMERS_LOCK)
        ),
    ];
    let machine = machine.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    format!("- {}\n- {}\n", machine.join(", "), versions.join(", "))
}

/// A crate's name and its version in a lock file.
fn version(name: &str, lock: &str) -> String {
    let package = format!("\nname = \"{name}\"\nversion = \"");
    let found = lock.split_once(&package).and_then(|(_, rest)| rest.split_once('"'));
    format!("{name} {}", found.map_or("?", |(version, _)| version))
}

fn processor() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let about = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = value(&about, "model name").unwrap_or(std::env::consts::ARCH);
    format!("{cores} cores of {name}")
}

fn memory() -> String {
    let about = read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = value(&about, "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok());
    kilobytes.map_or_else(String::new, |kilobytes: f64| format!("{:.0} GB", kilobytes / 1e6))
}

/// The value after a name and a colon.
fn value<'a>(lines: &'a str, name: &str) -> Option<&'a str> {
    let found = lines.lines().filter_map(|line| line.split_once(':'));
    found.filter(|(have, _)| have.trim() == name).map(|(_, value)| value.trim()).next()
}

/// The file system of the working directory, where the data lies: the mount with the longest path.
fn file_system() -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let mounts = read_to_string("/proc/self/mounts").unwrap_or_default();
    let kinds = mounts.lines().filter_map(|line| {
        let mut parts = line.split(' ').skip(1);
        let (at, kind) = (parts.next()?, parts.next()?);
        here.starts_with(Path::new(at)).then(|| (at.len(), kind.to_owned()))
    });
    kinds.max_by_key(|(length, _)| *length).map_or_else(String::new, |(_, kind)| kind)
}

/// As the compiler says it, which was asked to build this just before.
fn rust() -> String {
    let said = Command::new("rustc").arg("--version").output();
    let said =
        said.map_or_else(|_| String::new(), |said| String::from_utf8_lossy(&said.stdout).into());
    said.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// Today in UTC, as 2026-11-25.
fn day() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (year, month, day) = civil(since.as_secs() / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// The date of a day counted from 1970-01-01, reckoned in years that begin in March, so that the
/// leap day is the last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year, if month < 10 { month + 3 } else { month - 9 });
    (year + u64::from(month <= 2), month, of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_782), (2026, 11, 25));
    }

    #[test]
    fn the_lock_file_has_a_version_of_a_crate_that_is_used() {
        assert!(version("redb", LOCK).starts_with("redb 4."));
        assert_eq!(version("nobody", LOCK), "nobody ?");
    }
}
