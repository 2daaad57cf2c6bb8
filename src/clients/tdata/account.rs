//! One account's file: who is logged in, where, and the keys.
//!
//! ```text
//! content = block id u32 (75) · byte array
//! array   = -1 i32 · -1 i32 · user id u64 · home DC i32 · keys · keys to destroy
//!           before wide ids:  user id i32 · home DC i32 · keys · keys to destroy
//! keys    = count i32 · (DC i32 · key (256))…
//! ```

use super::stream::Stream;
use crate::format::Notes;
use crate::types::{Account, AuthKey, DcId, DcOption, SelfUser};

/// The account in an account file's opened block, or what is wrong with it.
pub(super) fn decode(content: &[u8], notes: &mut Notes) -> Result<Account, String> {
    let mut stream = Stream::new(content);
    match stream.u32()? {
        AUTHORIZATION => {}
        // The length of a block follows from its id, so nothing after an unknown block can be read.
        other => return Err(format!("it begins with block {other} and not with the login, 75")),
    }
    let account = authorization(stream.bytes()?, notes)?;
    match stream.left() {
        0 => {}
        left => notes.add(format!("{left} bytes after the login were not read")),
    }
    Ok(account)
}

fn authorization(bytes: &[u8], notes: &mut Notes) -> Result<Account, String> {
    let mut stream = Stream::new(bytes);
    let mut account = Account::default();
    let (user, home) = match (stream.i32()?, stream.i32()?) {
        (-1, -1) => (i64::try_from(stream.u64()?).unwrap_or(-1), stream.i32()?),
        (user, home) => (user.into(), home),
    };
    match user {
        0 => notes.add("no user is logged in".into()),
        ..0 => notes.add("the user id is invalid, not kept".into()),
        id => account.login.user = Some(SelfUser { id, bot: None }),
    }
    account.login.home_dc = (home != 0).then_some(DcId(home));
    account.dcs = keys(&mut stream, notes)?;
    if let Some(home) = account.login.home_dc
        && !account.dcs.iter().any(|dc| dc.id == home)
    {
        notes.add(format!("there is no key of DC {home}, the home DC"));
    }
    match skip_keys(&mut stream)? {
        0 => {}
        count => notes.add(format!("{count} keys that were to be destroyed are not taken")),
    }
    match stream.left() {
        0 => {}
        left => notes.add(format!("{left} bytes after the keys were not read")),
    }
    Ok(account)
}

/// One DC for each key, in the order of their ids.
fn keys(stream: &mut Stream<'_>, notes: &mut Notes) -> Result<Vec<DcOption>, String> {
    let count = key_count(stream)?;
    let mut dcs = Vec::with_capacity(count);
    for _ in 0..count {
        let id = DcId(stream.i32()?);
        dcs.push(DcOption::new(id).with_key(AuthKey::new(stream.array()?)));
    }
    dcs.sort_by_key(|dc| dc.id);
    dcs.dedup_by(|dc, kept| {
        let again = dc.id == kept.id;
        if again && dc.auth_key != kept.auth_key {
            notes.add(format!("DC {} has several keys; the first is taken", dc.id));
        }
        again
    });
    Ok(dcs)
}

fn skip_keys(stream: &mut Stream<'_>) -> Result<usize, String> {
    let count = key_count(stream)?;
    for _ in 0..count {
        stream.i32()?;
        stream.array::<{ AuthKey::LEN }>()?;
    }
    Ok(count)
}

/// A count of keys that there is room for.
fn key_count(stream: &mut Stream<'_>) -> Result<usize, String> {
    let count = stream.i32()?;
    let most = stream.left() / (4 + AuthKey::LEN);
    let fits = usize::try_from(count).ok().filter(|count| *count <= most);
    fits.ok_or_else(|| format!("it says {count} keys where {most} fit"))
}

/// The block that Telegram Desktop calls `dbiMtpAuthorization`; it writes no other here.
const AUTHORIZATION: u32 = 75;
