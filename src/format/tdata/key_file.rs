//! `key_datas`: the folder's own key, sealed under the passcode, and the list of accounts.
//!
//! ```text
//! payload  = salt (32) · block under the passcode: local key (256) · block under it: accounts
//! accounts = count i32 · index i32… · index of the account in front i32
//! ```

use super::sealed::{LocalKey, Unopened};
use super::stream::Stream;

/// The key file, opened.
pub(super) struct KeyFile {
    /// What the accounts' files are sealed under.
    pub(super) local_key: LocalKey,
    /// The accounts in the order in which they are shown.
    pub(super) indices: Vec<i32>,
}

/// Why a key file stays closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// The passcode is another one.
    Passcode,
    /// The file cannot be, in these words.
    Form(String),
}

impl<E: Into<String>> From<E> for Closed {
    fn from(why: E) -> Self {
        Self::Form(why.into())
    }
}

impl KeyFile {
    pub(super) fn open(payload: &[u8], passcode: &[u8]) -> Result<Self, Closed> {
        let mut stream = Stream::new(payload);
        let (salt, sealed_key, sealed_list) = (stream.bytes()?, stream.bytes()?, stream.bytes()?);
        if salt.len() != SALT_LEN {
            return Err(format!("its salt has {} bytes, not {SALT_LEN}", salt.len()).into());
        }
        let key = match LocalKey::from_passcode(passcode, salt).open(sealed_key) {
            Err(Unopened::Key) => return Err(Closed::Passcode),
            opened => opened?,
        };
        let local_key = LocalKey::from_slice(key.bytes())
            .ok_or_else(|| format!("the folder's key has {} bytes", key.bytes().len()))?;
        let indices = accounts(local_key.open(sealed_list)?.bytes())?;
        Ok(Self { local_key, indices })
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
