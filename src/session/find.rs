//! What a person means by a piece of text, decided as Telethon's `get_input_entity` decides it.

use super::Session;
use crate::error::Result;
use crate::types::Entity;

pub(super) fn find<S: Session + ?Sized>(session: &S, text: &str) -> Result<Option<Entity>> {
    let hit = if let Some(phone) = phone(text) {
        session.entity_by_phone(&phone)?
    } else if let Some(username) = username(text) {
        session.entity_by_username(&username)?
    } else {
        None
    };
    match hit {
        Some(entity) => Ok(Some(entity)),
        None => session.entity_by_name(text),
    }
}

/// The digits of a text that is nothing but digits and what people put between them.
fn phone(text: &str) -> Option<String> {
    let rest: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '+' | '(' | ')' | '-'))
        .collect();
    (!rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit())).then_some(rest)
}

/// The username in `name`, `@name` or a link to it.
fn username(text: &str) -> Option<String> {
    let text = text.trim();
    let path = after_host(text).unwrap_or(text);
    let name = path.strip_prefix('@').unwrap_or(path);
    let name = name.strip_suffix('/').unwrap_or(name);
    is_username(name).then(|| name.to_lowercase())
}

/// What follows the host of a link to Telegram.
fn after_host(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let mut at = 0;
    for prefix in ["https://", "http://", "www."] {
        if lower.get(at..)?.starts_with(prefix) {
            at += prefix.len();
        }
    }
    ["t.me/", "telegram.me/", "telegram.dog/"]
        .iter()
        .find(|host| lower.get(at..).is_some_and(|rest| rest.starts_with(*host)))
        .and_then(|host| text.get(at + host.len()..))
}

/// Telegram's rule: 3 to 32 letters, digits and underscores, a letter first, no underscore last
/// and no two in a row.
fn is_username(name: &str) -> bool {
    let length = name.chars().count();
    (3..=32).contains(&length)
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !name.contains("__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_at_signs_are_taken_off_a_username() {
        for text in [
            "durov",
            "@Durov",
            "t.me/durov",
            "https://t.me/durov/",
            "HTTP://www.telegram.me/DUROV",
            "t.me/@durov",
            " telegram.dog/durov ",
        ] {
            assert_eq!(username(text).as_deref(), Some("durov"), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_a_username_is_left_to_the_name() {
        for text in ["", "ab", "1abc", "a__b", "abc_", "two words", "t.me/+abcdefgh", "\u{131}abc"]
        {
            assert_eq!(username(text), None, "{text}");
        }
    }

    #[test]
    fn a_phone_number_may_be_written_as_people_write_it() {
        assert_eq!(phone("+1 (555) 000-1111").as_deref(), Some("15550001111"));
        assert_eq!(phone("+"), None);
        assert_eq!(phone("12a"), None);
    }
}
