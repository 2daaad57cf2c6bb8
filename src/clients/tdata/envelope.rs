//! The file around every payload: which of a name's files is the good one, and its MD5.
//!
//! ```text
//! "TDF$" · version i32 LE · payload · MD5(payload · its length i32 LE · version · "TDF$")
//! ```

use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use crate::error::{DamagedPart, Error, Result};
use crate::format::Files;

/// A file of a `tdata` folder whose MD5 is right.
#[derive(Debug)]
pub(super) struct TdfFile {
    /// Where it was found.
    pub(super) path: PathBuf,
    /// The content: still encrypted, so no secret.
    pub(super) payload: Vec<u8>,
    /// A newer file of the same name that is damaged.
    pub(super) instead_of: Option<PathBuf>,
}

impl TdfFile {
    /// Reads the file of this name: the one with the ending `s`, or of the older two the newer
    /// one; where that is damaged, the next that is not.
    pub(super) fn read(files: &dyn Files, folder: &Path, name: &str) -> Result<Self> {
        let mut first_error = None;
        let mut instead_of = None;
        for path in candidates(files, folder, name) {
            match read_one(files, &path) {
                Ok(payload) => return Ok(Self { path, payload, instead_of }),
                Err(error) => {
                    first_error.get_or_insert(error);
                    instead_of.get_or_insert(path);
                }
            }
        }
        let path = || folder.join(format!("{name}s"));
        Err(first_error.unwrap_or_else(|| Error::NotFound { path: path() }))
    }
}

/// Whether there is a file of this name in any of its endings, with the magic of one.
pub(super) fn exists(files: &dyn Files, folder: &Path, name: &str) -> bool {
    candidates(files, folder, name).iter().any(|path| {
        let magic = files.read(path, MAGIC.len() as u64);
        magic.is_ok_and(|magic| magic.as_slice() == MAGIC)
    })
}

/// Whether there is anything of this name, damaged or not.
pub(super) fn is_named(files: &dyn Files, folder: &Path, name: &str) -> bool {
    !candidates(files, folder, name).is_empty()
}

/// The payload of a whole file, or what is wrong with it.
pub(super) fn payload(bytes: &[u8]) -> Result<&[u8], String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it does not begin with TDF$")?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(TOO_SHORT)?;
    let (payload, md5) = rest.split_last_chunk::<16>().ok_or(TOO_SHORT)?;
    if *md5 != digest(payload, *version)? {
        return Err("its MD5 does not hold".into());
    }
    Ok(payload)
}

/// A whole file of this payload.
pub(super) fn file(payload: &[u8]) -> Option<Vec<u8>> {
    let md5 = digest(payload, WRITTEN_VERSION.to_le_bytes()).ok()?;
    Some([MAGIC, &WRITTEN_VERSION.to_le_bytes(), payload, &md5].concat())
}

/// The right value of the last 16 bytes of a file.
pub(super) fn digest(payload: &[u8], version: [u8; 4]) -> Result<[u8; 16], String> {
    let len = i32::try_from(payload.len()).map_err(|_| "it is too large")?;
    let md5 = Md5::new()
        .chain_update(payload)
        .chain_update(len.to_le_bytes())
        .chain_update(version)
        .chain_update(MAGIC);
    Ok(md5.finalize().into())
}

/// The files that exist for a name, best first. `s` is written whole and then renamed. Older
/// releases wrote `0` and `1` in turn.
fn candidates(files: &dyn Files, folder: &Path, name: &str) -> Vec<PathBuf> {
    // A pipe of that name would be waited on for ever.
    let file = |ending: char| {
        let path = folder.join(format!("{name}{ending}"));
        let modified = files.file(&path)?;
        Some((path, modified))
    };
    let mut older: Vec<_> = ['0', '1'].into_iter().filter_map(file).collect();
    older.sort_by_key(|(_, modified)| std::cmp::Reverse(*modified));
    file('s').into_iter().chain(older).map(|(path, _)| path).collect()
}

fn read_one(files: &dyn Files, path: &Path) -> Result<Vec<u8>> {
    let bytes = files.read(path, MOST_BYTES + 1);
    let bytes = bytes.map_err(|error| Error::io("read", path, error))?;
    let damaged = |why| Error::damaged(path, DamagedPart::Format(why));
    if bytes.len() as u64 > MOST_BYTES {
        return Err(damaged(format!("it is larger than {MOST_BYTES} bytes")));
    }
    payload(&bytes).map(<[u8]>::to_vec).map_err(damaged)
}

/// Telegram Desktop passes over files of a newer release than itself: this is 5.8.3, as
/// @mtcute/convert writes.
const WRITTEN_VERSION: i32 = 5_008_003;

const MAGIC: &[u8; 4] = b"TDF$";
const TOO_SHORT: &str = "it is shorter than an empty file of its kind";

/// Real ones have a few kilobytes: 260 bytes for each key.
const MOST_BYTES: u64 = 1 << 20;
