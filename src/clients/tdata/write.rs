//! A folder, written: three arrays in the key file, which every release reads and 7.3 brings up to
//! date at its next start.
//!
//! ```text
//! key_datas                salt · key under the passcode · accounts
//! D877F783D5D3EF8Cs        the account: user, home DC, keys
//! D877F783D5D3EF8C/maps    that it has no settings and no caches yet
//! ```
//!
//! The configuration of the server (`configs`) is not written; without it the client has its own,
//! which is that of the production servers.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::envelope;
use super::names::file_name;
use super::sealed::LocalKey;
use crate::error::{Error, Result};
use crate::format::lost::NO_PLACE;
use crate::format::{Capabilities, Losses, Outgoing};
use crate::format::{Need, OtherDcs};
use crate::types::{Account, AuthKey};

const FORMAT: &str = "tdata";

/// The fields of a folder.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    many: true,
    other_dcs: OtherDcs::WithKey,
    test_mode: Need::Kept,
    user: Need::Needed,
    bot: Need::Kept,
    ..Capabilities::MINIMAL
};

/// The most accounts that the client opens.
const MOST_ACCOUNTS: usize = 6;

/// Names and contents.
type Files = Vec<(String, Zeroizing<Vec<u8>>)>;

/// The files of the fitted sessions, sealed under a passcode if there is one.
///
/// # Errors
///
/// [`Error::Unfit`] for bots, for accounts of the test servers, for too many accounts or one user
/// twice.
pub(crate) fn files(
    sessions: &mut [Outgoing<'_>],
    passcode: Option<&[u8]>,
    lost: &mut Losses,
) -> Result<Files> {
    let unfit = |why: String| Error::Unfit { format: FORMAT, why };
    if !(1..=MOST_ACCOUNTS).contains(&sessions.len()) {
        let count = sessions.len();
        return Err(unfit(format!(
            "it holds 1 to {MOST_ACCOUNTS} accounts, and there are {count}"
        )));
    }
    let local = Zeroizing::new(random::<{ LocalKey::LEN }>()?);
    let local_key = LocalKey::from_slice(local.as_slice()).ok_or_else(too_long)?;
    let mut files =
        vec![("key_datas".to_owned(), key_file(&local, &local_key, passcode, sessions.len())?)];
    let mut users = BTreeSet::new();
    for (index, session) in (0..).zip(sessions) {
        check(&session.account, lost)?;
        if !users.insert(session.account.login.user.map(|user| user.id)) {
            return Err(unfit("two sessions are of the same user".to_owned()));
        }
        let name = file_name(index);
        let content = content(&session.account)?;
        files.push((format!("{name}s"), file(&[&sealed(&local_key, &content)?])?));
        // No salt and no key of its own, as before there was a key file; then an empty map.
        files.push((format!("{name}/maps"), file(&[b"", b"", &sealed(&local_key, b"")?])?));
    }
    Ok(files)
}

/// What of the account cannot be said in a folder.
fn check(account: &Account, lost: &mut Losses) -> Result<()> {
    let unfit = |why: &str| Err(Error::Unfit { format: FORMAT, why: why.to_owned() });
    match account.login.test_mode {
        Some(true) => return unfit("the client keeps accounts of the test servers elsewhere"),
        Some(false) => lost.add_one("test_mode", NO_PLACE),
        None => {}
    }
    match account.login.user.and_then(|user| user.bot) {
        Some(true) => unfit("the client does not log in bots"),
        Some(false) => {
            lost.add_one("user.bot", NO_PLACE);
            Ok(())
        }
        None => Ok(()),
    }
}

fn key_file(
    local: &[u8; LocalKey::LEN],
    local_key: &LocalKey,
    passcode: Option<&[u8]>,
    accounts: usize,
) -> Result<Zeroizing<Vec<u8>>> {
    let salt = random::<32>()?;
    let passcode_key = LocalKey::from_passcode(passcode.unwrap_or_default(), &salt);
    let count = i32::try_from(accounts).map_err(|_| too_long())?;
    // The accounts in their order, and the first in front.
    let list: Vec<u8> =
        [count].into_iter().chain(0..count).chain([0]).flat_map(i32::to_be_bytes).collect();
    file(&[&salt, &sealed(&passcode_key, local)?, &sealed(local_key, &list)?])
}

/// The block of the login, in its wide format.
fn content(account: &Account) -> Result<Zeroizing<Vec<u8>>> {
    let lacks = |what| Error::Lacks { format: FORMAT, what };
    let user = account.login.user.ok_or(lacks("the account's own user id"))?;
    let home = account.login.home_dc.ok_or(lacks("the home DC"))?;
    let keys: Vec<_> =
        account.dcs.iter().filter_map(|dc| Some((dc.id.0, dc.auth_key.as_ref()?))).collect();
    let len = LOGIN + keys.len() * (4 + AuthKey::LEN);
    let count = i32::try_from(keys.len()).map_err(|_| too_long())?;
    let array_len = u32::try_from(len).map_err(|_| too_long())?;
    // Growing would leave copies of the keys behind.
    let mut content = Zeroizing::new(Vec::with_capacity(8 + len));
    content.extend_from_slice(&AUTHORIZATION.to_be_bytes());
    content.extend_from_slice(&array_len.to_be_bytes());
    content.extend_from_slice(&[0xff; 8]);
    content.extend_from_slice(&user.id.to_be_bytes());
    content.extend_from_slice(&home.0.to_be_bytes());
    content.extend_from_slice(&count.to_be_bytes());
    for (dc, key) in keys {
        content.extend_from_slice(&dc.to_be_bytes());
        content.extend_from_slice(key.as_bytes());
    }
    // No keys that are to be destroyed.
    content.extend_from_slice(&[0; 4]);
    Ok(content)
}

/// The block that Telegram Desktop calls `dbiMtpAuthorization`.
const AUTHORIZATION: u32 = 75;
/// Bytes of a login without its keys.
const LOGIN: usize = 8 + 8 + 4 + 4 + 4;

fn sealed(key: &LocalKey, content: &[u8]) -> Result<Vec<u8>> {
    key.seal(content, random()?).ok_or_else(too_long)
}

/// A file of these arrays.
fn file(arrays: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>> {
    let mut payload = Vec::new();
    for array in arrays {
        let len = u32::try_from(array.len()).map_err(|_| too_long())?;
        payload.extend_from_slice(&len.to_be_bytes());
        payload.extend_from_slice(array);
    }
    envelope::file(&payload).map(Zeroizing::new).ok_or_else(too_long)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::Other(format!("no random numbers: {error}").into()))?;
    Ok(bytes)
}

/// Lengths here have 32 bits, and nothing is near that.
fn too_long() -> Error {
    Error::Unfit { format: FORMAT, why: "it is too large".to_owned() }
}
