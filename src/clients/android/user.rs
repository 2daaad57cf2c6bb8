//! The user, in the app's settings: `<string name="user">` holds base64 of a TL `User` of the
//! layer that the app has.
//!
//! The fields before the id differ: none in `userEmpty` and `userSelf`, one word of flags, or two.
//! The ids are those of the layers 15 to 228, in which the id of the user became 64 bits long with
//! layer 133.

use crate::format::key_text;

/// The account's own user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) id: i64,
    /// Whether it is a bot, where there are flags.
    pub(super) bot: Option<bool>,
}

/// Finds the user in the file of settings.
pub(super) fn in_xml(xml: &[u8]) -> Result<User, String> {
    let text = str::from_utf8(xml).map_err(|_| "it is not text")?;
    let there =
        [r#"name="user""#, "name='user'"].into_iter().find_map(|name| text.split_once(name));
    let (_, rest) = there.ok_or("it has no user in it: the login never finished")?;
    let (_, rest) = rest.split_once('>').ok_or(CUT)?;
    let (value, _) = rest.split_once("</string>").ok_or(CUT)?;
    if value.len() > MOST {
        return Err("the user in it is too long".to_owned());
    }
    // The app breaks the lines, and line breaks are written as character references.
    let value = value.replace("&#10;", "").replace("&#13;", "");
    let value: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = key_text::bytes_of(&value, &key_text::STANDARD);
    of_tl(&bytes.ok_or("the user in it is not base64")?)
}

const CUT: &str = "it ends too early";

/// Real ones have a few hundred characters.
const MOST: usize = 1 << 16;

/// The user that these bytes of TL are.
pub(super) fn of_tl(bytes: &[u8]) -> Result<User, String> {
    let (id, rest) = bytes.split_first_chunk().ok_or(CUT)?;
    let constructor = u32::from_le_bytes(*id);
    let (words, wide) = shape(constructor)
        .ok_or_else(|| format!("its user is {constructor:08x}, which no known layer has"))?;
    let (flags, rest) = rest.split_at_checked(4 * words).ok_or(CUT)?;
    let id = if wide {
        i64::from_le_bytes(*rest.first_chunk().ok_or(CUT)?)
    } else {
        i32::from_le_bytes(*rest.first_chunk().ok_or(CUT)?).into()
    };
    if id <= 0 {
        return Err("the id of its user is invalid".to_owned());
    }
    let flags = flags.first_chunk().map(|flags| u32::from_le_bytes(*flags));
    Ok(User { id, bot: flags.map(|flags| flags & BOT != 0) })
}

/// How many words of flags stand before the id, and whether the id has 64 bits.
fn shape(constructor: u32) -> Option<(usize, bool)> {
    match constructor {
        // userEmpty, userSelf.
        0x2002_50ba | 0x7205_35ec | 0x7007_b451 | 0x1c60_e608 => Some((0, false)),
        0xd3bc_4b7a => Some((0, true)),
        // Layers 44 to 132.
        0x22e4_9072 | 0x3289_b590 | 0x6035_39b4 | 0xcb57_4c74 | 0xd10d_979a | 0x2e13_f4c3
        | 0x9384_58c1 => Some((1, false)),
        // Layers 133 to 159.
        0x3ff6_ecb0 | 0x5d99_adee => Some((1, true)),
        // Layers 160 to 228.
        0x8f97_c628 | 0xabb5_f120 | 0xeb60_2f25 | 0x215c_4438 | 0x8331_4fca | 0x5947_6956
        | 0x4b46_c37e | 0x020b_1422 | 0x3177_4388 | 0xb1b8_cc83 => Some((2, true)),
        _ => None,
    }
}

const BOT: u32 = 1 << 14;
