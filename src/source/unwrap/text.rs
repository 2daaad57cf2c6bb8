//! Wrappers around a session string in source code, in `.env` files and in JSON.

use serde_json::Value;
use zeroize::Zeroizing;

use super::layer::{Bytes, Inside, Layer};

/// Invisible characters that are copied along with text.
const INVISIBLE: [char; 9] = [
    '\u{feff}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{2028}',
    '\u{ad}',
];

/// Opening and closing quotes.
const QUOTES: [(&str, &str); 9] = [
    ("\"\"\"", "\"\"\""),
    ("'''", "'''"),
    ("```", "```"),
    ("\"", "\""),
    ("'", "'"),
    ("`", "`"),
    ("\u{201c}", "\u{201d}"),
    ("\u{2018}", "\u{2019}"),
    ("\u{ab}", "\u{bb}"),
];

/// Keywords before the name of a variable.
const KEYWORDS: [&str; 9] =
    ["export ", "set ", "setx ", "declare -x ", "ENV ", "const ", "let ", "var ", "- "];

/// A longer name is rather a session string with padding after it.
const MOST_NAME: usize = 100;

/// A shorter text is no session.
const LEAST_TEXT: usize = 100;

/// The largest file that is searched for several texts.
const MOST_TEXT: usize = 16 << 20;

/// The most texts of one file that may be sessions.
const MOST_TEXTS: usize = 500;

/// Text that is something else than a session, and what to do about it.
pub(super) fn named(text: &str) -> Option<&'static str> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || INVISIBLE.contains(&c));
    let head: String = text.chars().take(64).collect::<String>().to_ascii_lowercase();
    if ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| head.starts_with(tag)) {
        return Some("an HTML page, as a refused download leaves it; fetch the file itself");
    }
    if head.starts_with("version https://git-lfs.github.com/spec/") {
        return Some(
            "a Git LFS pointer and not the file it stands for; fetch that with git lfs pull",
        );
    }
    None
}

/// Removes one layer around the whole text.
pub(super) fn step(text: &str) -> Option<Layer> {
    if text.contains(INVISIBLE) {
        let seen: Zeroizing<String> =
            Zeroizing::new(text.chars().filter(|c| !INVISIBLE.contains(c)).collect());
        return Some(Layer::one("a byte order mark or zero-width characters", seen.as_bytes()));
    }
    let text = text.trim().trim_end_matches([';', ',']).trim_end();
    if let Some(inner) = quoted(text) {
        return Some(Layer { name: "quotes".to_owned(), inside: Inside::One(unescaped(inner)) });
    }
    if let Some((name, argument)) = call(text) {
        return Some(Layer::one(format!("a call of {name}"), argument));
    }
    let (name, value) = assignment(text)?;
    let whole = !value.contains('\n') || quoted(unlettered(value)).is_some() || is_word(value);
    whole.then(|| Layer::one(format!("{name}=..."), value))
}

/// The texts in JSON, or in the lines of a file, that are long enough for a session.
pub(super) fn several(text: &str) -> Option<Layer> {
    let trimmed = text.trim();
    let mut texts = Vec::new();
    if trimmed.len() > MOST_TEXT {
        return None;
    }
    let name = if trimmed.starts_with(['{', '[']) {
        match serde_json::from_str::<Value>(trimmed) {
            Ok(value) => collect("value", &value, &mut texts),
            Err(_) => lines(trimmed, &mut texts),
        }
        "JSON"
    } else {
        lines(trimmed, &mut texts);
        "a file of several lines"
    };
    (!texts.is_empty()).then(|| Layer { name: name.to_owned(), inside: Inside::Texts(texts) })
}

fn collect(key: &str, value: &Value, texts: &mut Vec<(String, Bytes)>) {
    match value {
        Value::String(text) if text.len() >= LEAST_TEXT && texts.len() < MOST_TEXTS => {
            texts.push((key.to_owned(), Zeroizing::new(text.as_bytes().to_vec())));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(key, value, texts)),
        Value::Object(values) => values.iter().for_each(|(key, value)| collect(key, value, texts)),
        _ => {}
    }
}

/// A text of one line is left out: [`step`] has tried it.
fn lines(text: &str, texts: &mut Vec<(String, Bytes)>) {
    if text.lines().filter(|line| !line.trim().is_empty()).nth(1).is_none() {
        return;
    }
    let long = text.lines().enumerate().filter(|(_, line)| line.len() >= LEAST_TEXT);
    for (at, line) in long.take(MOST_TEXTS) {
        let name = assignment(line.trim()).map(|(name, _)| name.to_owned());
        let name = name.unwrap_or_else(|| format!("line {}", at + 1));
        texts.push((name, Zeroizing::new(line.as_bytes().to_vec())));
    }
}

/// The text between quotes that enclose all of it. A letter of a Python literal may precede them.
fn quoted(text: &str) -> Option<&str> {
    let text = unlettered(text);
    QUOTES.iter().find_map(|(open, close)| {
        let inner = text.strip_prefix(open)?.strip_suffix(close)?;
        (!inner.contains(close)).then_some(inner)
    })
}

/// A literal without the letters of `b'..'` and `rb'..'`.
fn unlettered(text: &str) -> &str {
    let rest = text.trim_start_matches(['b', 'B', 'r', 'R', 'u', 'U', 'f', 'F']);
    if text.len() - rest.len() <= 2 && rest.starts_with(['"', '\'']) { rest } else { text }
}

/// The text that a literal stands for. Only what can be in a session string is of interest.
fn unescaped(literal: &str) -> Bytes {
    let mut bytes = Zeroizing::new(Vec::with_capacity(literal.len()));
    let mut rest = literal.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let (byte, behind) = match (first, behind) {
            (b'\\', [b'n' | b'r' | b't' | b'\n', behind @ ..]) => (b'\n', behind),
            (b'\\', [b'u', b'0', b'0', b'3', b'd' | b'D', behind @ ..]) => (b'=', behind),
            (b'\\', [byte, behind @ ..]) => (*byte, behind),
            _ => (*first, behind),
        };
        bytes.push(byte);
        rest = behind;
    }
    bytes
}

/// The function name and first argument of a text like `StringSession('..')`.
fn call(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("new ").unwrap_or(text);
    let (name, rest) = text.strip_suffix(')')?.split_once('(')?;
    let name = name.trim();
    let in_name = |c: char| c.is_ascii_alphanumeric() || "_.:".contains(c);
    if name.is_empty() || name.len() > MOST_NAME || !name.chars().all(in_name) {
        return None;
    }
    let argument = rest.trim();
    let literal = unlettered(argument);
    let end = match literal.chars().next().filter(|c| "\"'`".contains(*c)) {
        Some(quote) => literal.get(1..)?.find(quote).map(|end| end + 2)?,
        None => literal.find(',').unwrap_or(literal.len()),
    };
    literal.get(..end).filter(|argument| !argument.is_empty()).map(|argument| (name, argument))
}

/// The name and the value of `NAME=value`, `export NAME=value`, `NAME: value` and the like.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let text = KEYWORDS.iter().find_map(|word| text.strip_prefix(word)).unwrap_or(text);
    let text = text.trim_start();
    let text = text.strip_prefix("$env:").unwrap_or(text);
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c)))?;
    let (name, rest) = text.split_at_checked(end)?;
    let rest = rest.trim_start();
    let value = if let Some(value) = rest.strip_prefix('=') {
        value
    } else {
        // A colon may be a part of something else.
        rest.strip_prefix(": ").or_else(|| rest.strip_prefix(":="))?
    };
    let value = value.trim();
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let empty = value.trim_matches('=').is_empty();
    (starts && name.len() <= MOST_NAME && !empty).then_some((name, value))
}

/// Whether a text is one word of base64, broken over lines or not.
fn is_word(text: &str) -> bool {
    let text = text.trim_end_matches(['=', '\n', '\r', ' ']);
    text.chars().all(|c| c.is_ascii_alphanumeric() || "+/-_\r\n".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: &str = "1ApWapzMBu8Oqd-lXFkY_3EBH==";

    /// The text without all of its layers.
    fn peeled(text: &str) -> String {
        let mut text = text.to_owned();
        while let Some(layer) = step(&text) {
            let Inside::One(bytes) = layer.inside else { panic!() };
            text = String::from_utf8(bytes.to_vec()).unwrap();
        }
        text.split_whitespace().collect()
    }

    #[test]
    fn what_stands_around_a_string_comes_off_in_any_order() {
        let mut around = vec![
            "X".to_owned(),
            "\"X\"".into(),
            " 'X' \n".into(),
            "`X`".into(),
            "```X```".into(),
            "\u{201c}X\u{201d}".into(),
            "b'X'".into(),
            "StringSession('X')".into(),
            "sessions.StringSession(b\"X\"),".into(),
            "new StringSession(`X`);".into(),
            "TelegramClient(StringSession(\"X\"), 1, 'hash')".into(),
            "client(X, 12345)".into(),
            "SESSION=X".into(),
            "SESSION = 'X'".into(),
            "export SESSION=\"X\"".into(),
            "$env:SESSION = 'X'".into(),
            "  - SESSION=X".into(),
            "session: 'X'".into(),
            "const session = \"X\";".into(),
            "session := `X`".into(),
            "\u{feff}X".into(),
            "'X\\n'".into(),
        ];
        let nested = format!("\u{feff}export A=\"{}\"", "StringSession('X')");
        around.push(nested);
        for text in &around {
            for word in [WORD, &WORD.replace('O', "\r\nO"), &WORD.replace('O', "\u{200b}O")] {
                let expected: String = WORD.into();
                assert_eq!(peeled(&text.replace('X', word)), expected, "{text}");
            }
        }
    }

    #[test]
    fn a_bare_string_is_left_as_it_is() {
        for text in [WORD, "", "=", "==", "a=", "A=\n", "()", "f()", "\"", "'a\"", "1=a", "a:b"] {
            assert!(step(text).is_none(), "{text}");
        }
        assert!(step(&format!("{}=x", "a".repeat(MOST_NAME + 1))).is_none());
    }

    #[test]
    fn texts_are_found_in_lines_and_in_json_by_name() {
        let long = "x".repeat(LEAST_TEXT);
        let names = |text: String| -> Vec<String> {
            let Some(layer) = several(&text) else { return Vec::new() };
            let Inside::Texts(texts) = layer.inside else { panic!() };
            texts.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(format!("A=1\nexport B='{long}'\n# c\n{long}")), ["B", "line 4"]);
        assert_eq!(names(format!("B={long}\n\n")), [""; 0]);
        assert_eq!(names(format!("{{\"a\": 1, \"b\": [{{\"c\": \"{long}\"}}]}}")), ["c"]);
        assert_eq!(names("{\"a\": 1}".into()), [""; 0]);
        assert!(names(vec![long; MOST_TEXTS + 9].join("\n")).len() == MOST_TEXTS);
    }

    #[test]
    fn pages_and_pointers_are_named() {
        for text in ["\n<!DOCTYPE html>\n<p>", "<HTML lang=en>", "\u{feff}<html>"] {
            assert!(named(text).unwrap().contains("HTML"), "{text}");
        }
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 28672\n";
        assert!(named(pointer).unwrap().contains("git lfs pull"));
        assert_eq!(named(WORD), None);
    }
}
