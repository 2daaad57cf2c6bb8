//! The stamp of the writer: which process has the store open for writing, for the error that the
//! next one gets. It is written with the first change and taken away on close.

use std::fmt;
use std::io;
use std::time::{Duration, SystemTime};

use super::SECTOR;
use super::disk::Disk;
use super::fields::{put, u32_at, u64_at};
use super::header::WRITER_STAMP_AT;

const MAGIC: [u8; 4] = *b"held";
const HOST_AT: usize = 32;
const LONGEST_HOST: usize = 255;

/// The process that opened a store for writing, and when. A stamp says nothing about whether that
/// writer is still there: the lock does.
///
/// ```
/// use tgsession::{Error, Store};
///
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// let store = Store::create(&path)?;
/// store.session("alice")?;
/// match Store::open(&path) {
///     Err(Error::Busy { holder: Some(holder), .. }) => {
///         assert_eq!(holder.process, std::process::id());
///         println!("stop {holder}"); // process 4242 on server, for 3 s
///     }
///     other => panic!("the store is open, so it is busy: {other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// The number of its process.
    pub process: u32,
    /// The name of its machine.
    pub host: String,
    /// When it opened the store.
    pub since: SystemTime,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.process, self.host)?;
        match self.since.elapsed() {
            Ok(held) => write!(f, ", for {}", HumanDuration(held)),
            Err(_) => Ok(()),
        }
    }
}

/// A duration in the unit that a person would take.
struct HumanDuration(Duration);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            seconds @ 0..120 => write!(f, "{seconds} s"),
            seconds @ 120..7200 => write!(f, "{} min", seconds / 60),
            seconds => write!(f, "{} h", seconds / 3600),
        }
    }
}

impl LockHolder {
    /// This process.
    pub(crate) fn current() -> Self {
        Self { process: std::process::id(), host: host(), since: SystemTime::now() }
    }

    /// Writes the stamp. It need not be durable: after a power cut no process holds the lock.
    pub(crate) fn write(&self, disk: &dyn Disk) -> io::Result<()> {
        disk.write(WRITER_STAMP_AT, &self.to_bytes())
    }

    /// Takes the stamp away.
    pub(crate) fn clear(disk: &dyn Disk) -> io::Result<()> {
        disk.write(WRITER_STAMP_AT, &[0; SECTOR])
    }

    /// Whether the process may still be there. Of another machine that is not known.
    pub(crate) fn may_be_alive(&self) -> bool {
        let is_linux = cfg!(target_os = "linux");
        !is_linux
            || self.host != host()
            || std::path::Path::new(&format!("/proc/{}", self.process)).exists()
    }

    /// The stamp of the last writer, if it is whole.
    pub(crate) fn read(disk: &dyn Disk) -> Option<Self> {
        let mut bytes = [0; SECTOR];
        disk.read(WRITER_STAMP_AT, &mut bytes).ok()?;
        Self::parse(&bytes)
    }

    fn to_bytes(&self) -> [u8; SECTOR] {
        let mut bytes = [0; SECTOR];
        let since = self.since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut end = self.host.len().min(LONGEST_HOST);
        while !self.host.is_char_boundary(end) {
            end -= 1;
        }
        let host = self.host.split_at(end).0;
        put(&mut bytes, 0, &MAGIC);
        put(&mut bytes, 8, &self.process.to_le_bytes());
        put(&mut bytes, 12, &(host.len() as u32).to_le_bytes());
        put(&mut bytes, 16, &since.as_secs().to_le_bytes());
        put(&mut bytes, HOST_AT, host.as_bytes());
        let sum = crc32fast::hash(bytes.get(8..).unwrap_or_default());
        put(&mut bytes, 4, &sum.to_le_bytes());
        bytes
    }

    fn parse(bytes: &[u8; SECTOR]) -> Option<Self> {
        let (_, content) = bytes.split_at_checked(8)?;
        if !bytes.starts_with(&MAGIC) || u32_at(bytes, 4) != crc32fast::hash(content) {
            return None;
        }
        let len = u32_at(bytes, 12) as usize;
        let host = bytes.get(HOST_AT..HOST_AT.checked_add(len)?)?;
        let since = Duration::from_secs(u64_at(bytes, 16));
        Some(Self {
            process: u32_at(bytes, 8),
            host: std::str::from_utf8(host).ok()?.to_owned(),
            since: SystemTime::UNIX_EPOCH.checked_add(since)?,
        })
    }
}

#[cfg(unix)]
fn host() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "this machine".to_owned())
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "this machine".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_back_and_a_damaged_one_is_none() {
        let since = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let holder = LockHolder { process: 77, host: "é".repeat(200), since };
        let bytes = holder.to_bytes();
        let read = LockHolder::parse(&bytes).unwrap();
        assert_eq!((read.process, read.since), (77, since));
        assert_eq!(read.host, "é".repeat(127));
        let mut damaged = bytes;
        damaged[40] ^= 1;
        assert_eq!(LockHolder::parse(&damaged), None);
    }

    #[test]
    fn the_time_held_has_a_unit_that_fits() {
        let shown = |seconds| HumanDuration(Duration::from_secs(seconds)).to_string();
        assert_eq!([shown(5), shown(600), shown(90_000)], ["5 s", "10 min", "25 h"]);
    }
}
