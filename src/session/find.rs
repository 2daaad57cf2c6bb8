//! Finds the entity that a person names by a text, by the rules of Telethon's `get_input_entity`.

use super::Session;
use crate::error::Result;
use crate::types::{Entity, PeerId};

pub(super) fn find<S: Session + ?Sized>(session: &S, text: &str) -> Result<Option<Entity>> {
    if matches!(text.trim(), "me" | "self") {
        let own = session.login()?.user.and_then(|user| PeerId::user(user.id));
        return own.map_or(Ok(None), |id| session.entity(id));
    }
    if let Some(id) = id_in_link(text) {
        return session.entity_by_bare_id(id);
    }
    let hit = if let Some(phone) = phone(text) {
        session.entity_by_phone(&phone)?
    } else if let Some(username) = username(text) {
        session.entity_by_username(&username)?
    } else {
        None
    };
    let hit = match hit {
        Some(entity) => Some(entity),
        None => session.entity_by_name(text)?,
    };
    // A number that is no stored phone number may be an id. Telethon does not look for ids here.
    match (hit, text.trim().parse::<i64>()) {
        (Some(entity), _) => Ok(Some(entity)),
        (None, Ok(id)) if id < 0 => {
            PeerId::from_marked(id).map_or(Ok(None), |id| session.entity(id))
        }
        (None, Ok(id)) if id > 0 => session.entity_by_bare_id(id),
        (None, _) => Ok(None),
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
    let path = value_in_link(text, "domain").or_else(|| after_host(text)).unwrap_or(text);
    let name = path.strip_prefix('@').unwrap_or(path);
    let name = name.strip_suffix('/').unwrap_or(name);
    is_username(name).then(|| name.to_lowercase())
}

/// The id in `tg://user?id=1` or `t.me/c/1234567890/5`.
fn id_in_link(text: &str) -> Option<i64> {
    let text = text.trim();
    let private = || after_host(text)?.strip_prefix("c/")?.split('/').next();
    value_in_link(text, "id").or_else(private)?.parse().ok()
}

/// The value of this key in a `tg://` link.
fn value_in_link<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, query) = text.strip_prefix("tg://")?.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

/// The part of a link to Telegram that follows the host.
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
    use crate::types::{Login, SelfUser};

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
            "tg://resolve?domain=durov&post=5",
        ] {
            assert_eq!(username(text).as_deref(), Some("durov"), "{text}");
        }
    }

    #[test]
    fn own_ids_and_ids_in_links_find_whom_they_mean() {
        let session = crate::session::MemorySession::new("m");
        let user = Some(SelfUser { id: 5, bot: None });
        session.set_login(&Login { user, ..Login::default() }).unwrap();
        let id = |text: &str| session.find(text).unwrap().map(|entity| entity.id.marked());
        assert_eq!(id("me"), None, "nothing is known of it yet");
        let ids = [5, -7, -1_000_000_000_009];
        let known = ids.map(|id| Entity::new(PeerId::from_marked(id).unwrap()));
        session.process_entities(&known).unwrap();
        for (text, marked) in [
            ("me", 5),
            (" self ", 5),
            ("5", 5),
            ("-7", -7),
            ("-1000000000009", -1_000_000_000_009),
            ("9", -1_000_000_000_009),
            ("tg://user?id=5", 5),
            ("https://t.me/c/9/17", -1_000_000_000_009),
        ] {
            assert_eq!(id(text), Some(marked), "{text}");
        }
        for text in ["0", "-8", "6", "tg://user?id=x", "t.me/c/", "99999999999999999999"] {
            assert_eq!(id(text), None, "{text}");
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
