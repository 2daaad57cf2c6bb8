//! `complete`: the object as Telegram sent it, in the TL layer of the release that wrote it, the
//! only place for names and kinds.
//!
//! ```text
//! user              flags · flags2 · id · hash if flags.0 · first name if flags.1 · last name if flags.2 · ...
//! channel           flags · flags2 · id · hash if flags.13 · title · ...
//! channelForbidden  flags · id · hash · title · ...
//! chat              flags · id · title · ...
//! chatForbidden     id · title
//! ```
//!
//! What follows differs from layer to layer, and so do the constructors of the first two. That
//! these begin like this is not taken on trust: id and hash are those of the row, or the object is
//! not read.

use super::tl::Reader;
use crate::types::{AccessHash, EntityKind, PeerId, PeerKind};

const CHANNEL_FORBIDDEN: u32 = 0x17d4_93d5;
const CHAT: u32 = 0x41cb_f256;
const CHAT_FORBIDDEN: u32 = 0x6592_a1a7;

/// The fields of an object that are kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: Option<String>,
    pub(super) kind: Option<EntityKind>,
}

/// The head of the object of this peer; `None` if its layout is unknown.
pub(super) fn head(bytes: &[u8], id: PeerId, hash: Option<AccessHash>) -> Option<Head> {
    let mut reader = Reader(bytes);
    let constructor = reader.int()?.cast_unsigned();
    match id.kind() {
        PeerKind::User => user(reader, id, hash?),
        PeerKind::Group => {
            match constructor {
                CHAT => drop(reader.int()?),
                CHAT_FORBIDDEN => {}
                _ => return None,
            }
            same(reader.long()?, id.bare())?;
            Some(Head { name: name(&[reader.string()?]), kind: Some(EntityKind::Group) })
        }
        PeerKind::Channel => channel(reader, constructor != CHANNEL_FORBIDDEN, id, hash?),
    }
}

fn user(mut reader: Reader<'_>, id: PeerId, hash: AccessHash) -> Option<Head> {
    let flags = Flags(reader.int()?);
    let _flags2 = reader.int()?;
    same(reader.long()?, id.bare())?;
    same(flags.has(0), true)?;
    same(reader.long()?, hash.0)?;
    let first = if flags.has(1) { reader.string()? } else { "" };
    let last = if flags.has(2) { reader.string()? } else { "" };
    let kind = if flags.has(14) { EntityKind::Bot } else { EntityKind::User };
    Some(Head { name: name(&[first, last]), kind: Some(kind) })
}

fn channel(mut reader: Reader<'_>, has_more: bool, id: PeerId, hash: AccessHash) -> Option<Head> {
    let flags = Flags(reader.int()?);
    let more = Flags(if has_more { reader.int()? } else { 0 });
    same(reader.long()?, id.bare())?;
    same(flags.has(13) || !has_more, true)?;
    same(reader.long()?, hash.0)?;
    let kinds = [
        (more.has(17), EntityKind::Direct),
        (flags.has(30), EntityKind::Forum),
        (flags.has(26), EntityKind::Gigagroup),
        (flags.has(8), EntityKind::Supergroup),
        (flags.has(5), EntityKind::Channel),
    ];
    let kind = kinds.into_iter().find_map(|(is, kind)| is.then_some(kind));
    Some(Head { name: name(&[reader.string()?]), kind })
}

#[derive(Clone, Copy)]
struct Flags(i32);

impl Flags {
    fn has(self, bit: u32) -> bool {
        (self.0 >> bit) & 1 == 1
    }
}

fn same<T: PartialEq>(found: T, expected: T) -> Option<()> {
    (found == expected).then_some(())
}

/// The parts that there are, with a blank between them.
fn name(parts: &[&str]) -> Option<String> {
    let parts: Vec<_> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    Some(parts.join(" ")).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::tl::put_string;
    use super::*;

    const HASH: i64 = -77;

    fn object(numbers: &[&[u8]], texts: &[&str]) -> Vec<u8> {
        let mut bytes = numbers.concat();
        texts.iter().for_each(|text| put_string(&mut bytes, text).unwrap());
        bytes
    }

    fn read(bytes: &[u8], id: Option<PeerId>) -> Option<(Option<String>, Option<EntityKind>)> {
        head(bytes, id.unwrap(), Some(AccessHash(HASH))).map(|head| (head.name, head.kind))
    }

    #[test]
    fn names_and_kinds_are_read_and_the_rest_is_not_looked_at() {
        let (int, long) = (i32::to_le_bytes, i64::to_le_bytes);
        let some = |name: &str, kind| Some((Some(name.to_owned()), Some(kind)));
        let user =
            object(&[&int(1), &int(0b111), &int(9), &long(5), &long(HASH)], &["A", "B", "?"]);
        assert_eq!(read(&user, PeerId::user(5)), some("A B", EntityKind::User));
        let bot = object(&[&int(2), &int(0x4005), &int(0), &long(5), &long(HASH)], &["B"]);
        assert_eq!(read(&bot, PeerId::user(5)), some("B", EntityKind::Bot));
        for (flags, more, kind) in [
            (1 << 5, 0, EntityKind::Channel),
            (1 << 8, 0, EntityKind::Supergroup),
            (1 << 8 | 1 << 26, 0, EntityKind::Gigagroup),
            (1 << 8 | 1 << 30, 0, EntityKind::Forum),
            (1 << 8, 1 << 17, EntityKind::Direct),
        ] {
            let numbers: [&[u8]; 5] =
                [&int(3), &int(flags | 1 << 13), &int(more), &long(6), &long(HASH)];
            assert_eq!(read(&object(&numbers, &["C"]), PeerId::channel(6)), some("C", kind));
        }
        let forbidden = CHANNEL_FORBIDDEN.to_le_bytes();
        let forbidden = object(&[&forbidden, &int(1 << 5), &long(6), &long(HASH)], &["D"]);
        assert_eq!(read(&forbidden, PeerId::channel(6)), some("D", EntityKind::Channel));
        let chat = object(&[&CHAT.to_le_bytes(), &int(0), &long(7)], &["E"]);
        assert_eq!(read(&chat, PeerId::group(7)), some("E", EntityKind::Group));
        let forbidden = object(&[&CHAT_FORBIDDEN.to_le_bytes(), &long(7)], &["F"]);
        assert_eq!(read(&forbidden, PeerId::group(7)), some("F", EntityKind::Group));
    }

    #[test]
    fn an_object_of_another_or_cut_is_not_read() {
        let (int, long) = (i32::to_le_bytes, i64::to_le_bytes);
        let user = object(&[&int(1), &int(0b11), &int(0), &long(5), &long(HASH)], &["A"]);
        assert!(read(&user, PeerId::user(5)).is_some());
        assert_eq!(read(&user, PeerId::user(6)), None);
        assert_eq!(read(&user, PeerId::channel(5)), None, "without the flag there is no hash");
        assert_eq!(head(&user, PeerId::user(5).unwrap(), Some(AccessHash(1))), None);
        assert_eq!(head(&user, PeerId::user(5).unwrap(), None), None);
        for len in 0..user.len() {
            assert_eq!(read(&user[..len], PeerId::user(5)), None, "{len}");
        }
        let chat = object(&[&int(1), &int(0), &long(7)], &["E"]);
        assert_eq!(read(&chat, PeerId::group(7)), None, "a chat is told by its constructor");
    }
}
