//! `key_datas`: the folder's own key, sealed under the passcode, and the list of accounts.
//!
//! ```text
//! payload  = salt (32) · block under the passcode: local key (256) · block under it: accounts
//!            · since 7.3 the trailer
//! accounts = count i32 · index i32… · index of the account in front i32
//! ```
//!
//! With a trailer the first block is always under the empty passcode; where the app lock is on it
//! is empty, and only the trailer has the key. The version in the file's head does not tell which
//! it is: bytes after the third array do.

use super::closed::Closed;
use super::sealed::{LocalKey, Unopened};
use super::stream::Stream;
use super::trailer::Trailer;

/// The key file, opened.
pub(super) struct KeyFile {
    /// The key of the accounts' files.
    pub(super) local_key: LocalKey,
    /// The accounts in the order in which they are shown.
    pub(super) indices: Vec<i32>,
}

impl KeyFile {
    pub(super) fn open(payload: &[u8], passcode: &[u8]) -> Result<Self, Closed> {
        let mut stream = Stream::new(payload);
        let (salt, sealed_key, sealed_list) = (stream.bytes()?, stream.bytes()?, stream.bytes()?);
        if salt.len() != SALT_LEN {
            return Err(format!("its salt has {} bytes, not {SALT_LEN}", salt.len()).into());
        }
        let local_key = match stream.left() {
            0 => LocalKey::unwrapped(&LocalKey::from_passcode(passcode, salt), sealed_key)?,
            _ => {
                let trailer = Trailer::read(stream.bytes()?)?;
                if stream.left() > 0 {
                    return Err(format!("{} bytes follow its trailer", stream.left()).into());
                }
                unlocked(salt, sealed_key, &trailer, passcode)?
            }
        };
        let indices = accounts(local_key.open(sealed_list)?.bytes())?;
        Ok(Self { local_key, indices })
    }
}

/// The key of a file with a trailer. Where the app lock is off, no passcode is asked for.
fn unlocked(
    salt: &[u8],
    open_wrap: &[u8],
    trailer: &Trailer<'_>,
    passcode: &[u8],
) -> Result<LocalKey, Closed> {
    if !open_wrap.is_empty() {
        return LocalKey::unwrapped(&LocalKey::from_passcode(b"", salt), open_wrap);
    }
    match passcode {
        [] if trailer.has_committed() => Err(Closed::Passcode),
        _ => trailer.open(passcode),
    }
}

impl LocalKey {
    /// The folder's key out of its sealed block, or that the key which sealed it is another one.
    pub(super) fn unwrapped(key: &Self, sealed: &[u8]) -> Result<Self, Closed> {
        let opened = match key.open(sealed) {
            Err(Unopened::Key) => return Err(Closed::Passcode),
            opened => opened?,
        };
        let found = opened.bytes().len();
        Self::from_slice(opened.bytes())
            .ok_or_else(|| format!("the folder's key has {found} bytes").into())
    }
}

/// The accounts of the list. Which is in front says nothing of a session, and may be missing.
pub(super) fn accounts(list: &[u8]) -> Result<Vec<i32>, String> {
    let mut stream = Stream::new(list);
    let count = stream.i32()?;
    let most = stream.left() / 4;
    if !usize::try_from(count).is_ok_and(|count| count <= most) {
        return Err(format!("it says {count} accounts where {most} fit"));
    }
    (0..count).map(|_| Ok(stream.i32()?)).collect()
}

const SALT_LEN: usize = 32;
