//! File names, which are percent-encoded keys, ids as the client marks them, and the auth key as
//! node prints a `Buffer`.

use zeroize::Zeroizing;

use crate::types::{AuthKey, PeerId, PeerKind};

/// The client marks a channel by putting `-100` before the digits of its id. For ids of ten digits,
/// as all were for long, that is the id subtracted from -10^12.
pub(super) fn marked(id: PeerId) -> String {
    match id.kind() {
        PeerKind::User => id.bare().to_string(),
        PeerKind::Group => format!("-{}", id.bare()),
        PeerKind::Channel => format!("-100{}", id.bare()),
    }
}

/// The peer that [`marked`] marked. A group whose own id begins with 100 looks like a channel of a
/// short id, which none has; and groups have the hash 0.
pub(super) fn unmarked(text: &str, hash: i64) -> Option<PeerId> {
    let digits = |text: &str| -> Option<i64> {
        let all = !text.starts_with('0') && text.bytes().all(|c| c.is_ascii_digit());
        text.parse().ok().filter(|_| all)
    };
    let Some(rest) = text.strip_prefix('-') else {
        return digits(text).and_then(PeerId::user);
    };
    match rest.strip_prefix("100") {
        Some(bare) if bare.len() >= CHANNEL_DIGITS || hash != 0 => {
            digits(bare).and_then(PeerId::channel)
        }
        _ => digits(rest).and_then(PeerId::group),
    }
}

const CHANNEL_DIGITS: usize = 10;

/// The key of a file, if its name is one.
pub(super) fn key_of(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The name of a key's file: all but letters, digits and `-_.~` in upper-case hexadecimal.
pub(super) fn file_of(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'-' | b'_' | b'.' | b'~' => name.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
            byte => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name
}

/// The key in `{"type":"Buffer","data":[1,2]}`, read without the JSON parser, whose values are not
/// wiped. The error completes "the auth key is".
pub(super) fn auth_key(text: &str) -> Result<AuthKey, String> {
    let no_buffer = || "no Buffer".to_owned();
    let (head, rest) = text.split_once('[').ok_or_else(no_buffer)?;
    let (numbers, tail) = rest.split_once(']').ok_or_else(no_buffer)?;
    let bare = |text: &str| text.split_ascii_whitespace().collect::<String>();
    let in_order = (bare(head) == r#"{"type":"Buffer","data":"#, bare(tail) == "}");
    let swapped = (bare(head) == r#"{"data":"#, bare(tail) == r#","type":"Buffer"}"#);
    if in_order != (true, true) && swapped != (true, true) {
        return Err(no_buffer());
    }
    let mut bytes = Zeroizing::new([0; AuthKey::LEN]);
    let mut count = 0;
    for number in numbers.split(',').map(str::trim).filter(|_| !bare(numbers).is_empty()) {
        let byte = number.parse().map_err(|_| "not made of bytes".to_owned())?;
        if let Some(place) = bytes.get_mut(count) {
            *place = byte;
        }
        count += 1;
    }
    match count {
        AuthKey::LEN => Ok(AuthKey::new(&bytes)),
        count => Err(format!("{count} bytes long")),
    }
}

/// What [`auth_key`] reads.
pub(super) fn buffer(key: &AuthKey) -> Zeroizing<Vec<u8>> {
    // Made large enough at once: a buffer that grows leaves its content behind.
    let mut text = Zeroizing::new(Vec::with_capacity(2 * 24 + 4 * AuthKey::LEN));
    text.extend_from_slice(br#"{"type":"Buffer","data":["#);
    for (at, byte) in key.as_bytes().iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        let digits = [byte / 100, byte / 10 % 10, byte % 10].map(|digit| b'0' + digit);
        let leading = if *byte > 99 { 0 } else { 1 + usize::from(*byte < 10) };
        text.extend(digits.iter().skip(leading));
    }
    text.extend_from_slice(b"]}");
    text
}
