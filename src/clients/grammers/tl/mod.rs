//! The session files of grammers before SQLite: text in releases 0.1 and 0.2, one binary TL
//! object in 0.3 to 0.8.
//!
//! ```text
//! session      flags u32 · Vector<dataCenter> · [1: user] · [2: updateState]
//! dataCenter   flags u32 · id i32 · [1: ipv4 (4)] · [2: ipv6 (16)] · port i32 · [4: key bytes]
//! dataCenterWs flags u32 · id i32 · url bytes · [1: key bytes]
//! user         id i64 · home DC i32 · bot Bool
//! updateState  pts i32 · qts i32 · date i32 · seq i32 · Vector<channelState>
//! channelState bare channel id i64 · pts i32
//! ```
//!
//! Before every object stands its id (u32), before every vector the vector's and a count (i32);
//! `[n: …]` is there if the flags have the bit n. A DC with one address has it in network order,
//! as 0.3 to 0.7 write it; one with both has both reversed, as 0.8 does.

mod dc;
mod encode;
mod layout;
mod session;
#[cfg(test)]
mod tests;
mod text;
mod wire;

use self::layout::{
    CHANNEL_STATE, FALSE, HAS_STATE, HAS_USER, SESSION, TRUE, UPDATE_STATE, USER, expect, flags,
    vector,
};
pub(crate) use self::session::GrammersTl;
use self::wire::Reader;
use crate::format::Notes;
use crate::types::{Account, ChannelState, DcId, PeerId, SelfUser, UpdateState};

#[cfg(test)]
pub(crate) use self::encode::Unfit;
#[cfg(any(test, fuzzing))]
pub(crate) use self::encode::encode;
use self::write::TARGET;
use crate::error::Result;
use crate::format::{FormatSpec, Known, Parsed, ParsedSession, damaged};
use std::path::Path;
mod write;

pub(in crate::clients) const FILE: FormatSpec = FormatSpec::file("grammers-tl", &TARGET);

/// Reads a file.
pub(super) fn read(path: &Path, bytes: &[u8], _: Known<'_>) -> Result<Parsed> {
    let session = decode(bytes).map_err(|why| damaged(path, why))?;
    let format = format!("grammers-tl {}", session.release);
    let (account, notes) = (session.account, session.notes);
    Ok(Parsed::one(format, ParsedSession { account, notes, ..ParsedSession::default() }))
}

/// Whether a file that begins like this is one, as far as can be told.
pub(crate) fn looks_like(head: &[u8]) -> bool {
    head.starts_with(&SESSION.to_le_bytes()) || text::looks_like(head)
}

/// Reads a file, or says what is wrong in it.
pub(crate) fn decode(bytes: &[u8]) -> Result<GrammersTl, String> {
    if text::looks_like(bytes) {
        return text::decode(bytes);
    }
    let (mut reader, mut notes) = (Reader::new(bytes), Notes::default());
    expect(&mut reader, SESSION, "session")?;
    let flags = flags(&mut reader, HAS_USER | HAS_STATE)?;
    let (dcs, both_addresses) = dc::decode_all(&mut reader, &mut notes)?;
    let mut account = Account { dcs, ..Account::default() };
    if flags & HAS_USER != 0 {
        read_user(&mut reader, &mut account, &mut notes)?;
    } else {
        guess_home(&mut account, &mut notes);
    }
    if flags & HAS_STATE != 0 {
        read_state(&mut reader, &mut account, &mut notes)?;
    }
    match reader.left() {
        0 => {}
        left => notes.add(format!("{left} bytes after the session were not read")),
    }
    let release = if both_addresses { "0.8" } else { "0.3-0.7" };
    Ok(GrammersTl { release, account, notes: notes.into_sentences() })
}

fn read_user(
    reader: &mut Reader<'_>,
    account: &mut Account,
    notes: &mut Notes,
) -> Result<(), String> {
    expect(reader, USER, "user")?;
    let (id, home) = (reader.i64()?, reader.i32()?);
    let bot = match reader.u32()? {
        TRUE => true,
        FALSE => false,
        other => return Err(format!("{other:08x} is neither true nor false")),
    };
    account.login.home_dc = (home != 0).then_some(DcId(home));
    match id {
        // Release 0.8 writes it where it knows the home DC and not the user.
        0 => {}
        ..0 => notes.add("the user id is invalid, not kept".into()),
        _ => account.login.user = Some(SelfUser { id, bot: Some(bot) }),
    }
    Ok(())
}

/// A login that was not finished says no home; the only key is for it.
fn guess_home(account: &mut Account, notes: &mut Notes) {
    let mut with_key = account.dcs.iter().filter(|dc| dc.auth_key.is_some());
    if let (Some(dc), None) = (with_key.next(), with_key.next()) {
        notes.add(format!("no user is logged in; DC {}, the only one with a key, is home", dc.id));
        account.login.home_dc = Some(dc.id);
    }
}

fn read_state(
    reader: &mut Reader<'_>,
    account: &mut Account,
    notes: &mut Notes,
) -> Result<(), String> {
    expect(reader, UPDATE_STATE, "update state")?;
    let (pts, qts) = (reader.i32()?, reader.i32()?);
    let (date, seq) = (reader.i32()?.into(), reader.i32()?);
    account.update_state = Some(UpdateState { pts, qts, date, seq });
    for _ in 0..vector(reader)? {
        expect(reader, CHANNEL_STATE, "channel state")?;
        let (id, pts) = (reader.i64()?, reader.i32()?);
        match PeerId::channel(id) {
            Some(id) => account.channel_states.push(ChannelState { id, pts }),
            None => notes.add(format!("channel {id} is invalid, its state is not kept")),
        }
    }
    account.channel_states.sort_by_key(|state| state.id);
    account.channel_states.dedup_by_key(|state| state.id);
    Ok(())
}
