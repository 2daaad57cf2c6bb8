//! What `get SRC QUERY` may mean: a name, a link, a phone number, an id, or `me`.

use tgsession::Lookup;

/// A query as a person types it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    /// The account's own user.
    Me,
    /// A number that may be an id or a phone.
    Number { digits: String, marked: Option<i64> },
    /// A phone number, as it begins with `+`.
    Phone(String),
    /// An id out of a link.
    Id(i64),
    /// A username that cannot be a name: it has `@`, or is from a link.
    Username(String),
    /// A username or a name.
    Text(String),
}

impl Query {
    pub(crate) fn new(text: &str) -> Self {
        let text = text.trim();
        if matches!(text, "me" | "self") {
            return Self::Me;
        }
        if let Some(query) = link(text) {
            return query;
        }
        if let Some(name) = text.strip_prefix('@') {
            return Self::Username(name.to_owned());
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let phone_like = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')');
        if text.starts_with('+') && digits.len() > 4 && text.chars().all(phone_like) {
            return Self::Phone(digits);
        }
        if let Ok(id) = text.parse::<i64>() {
            return Self::Number { digits, marked: Some(id) };
        }
        if digits.len() > 4 && text.chars().all(phone_like) {
            return Self::Number { digits, marked: None };
        }
        Self::Text(text.to_owned())
    }

    /// What to look for, the likeliest first.
    pub(crate) fn lookups(&self) -> Vec<Lookup> {
        match self {
            Self::Me => Vec::new(),
            Self::Number { digits, marked } => {
                let id = marked.map(Lookup::Id).into_iter();
                id.chain([Lookup::Phone(digits.clone())]).collect()
            }
            Self::Phone(digits) => vec![Lookup::Phone(digits.clone())],
            Self::Id(id) => vec![Lookup::Id(*id)],
            Self::Username(name) => vec![Lookup::Username(name.clone())],
            Self::Text(text) => vec![Lookup::Username(text.clone()), Lookup::Name(text.clone())],
        }
    }

    /// As in "session a has no ...". A number may be a phone and is not repeated.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Me => "entity of its own user".to_owned(),
            Self::Id(id) => format!("entity with id {id}"),
            Self::Number { .. } => "entity with that id or phone number".to_owned(),
            Self::Phone(_) => "entity with that phone number".to_owned(),
            Self::Username(name) => format!("entity with username {name:?}"),
            Self::Text(text) => format!("entity with username or name {text:?}"),
        }
    }
}

/// `https://t.me/durov`, `t.me/c/1234567890/5`, `durov.t.me`, `tg://resolve?domain=durov`,
/// `tg://user?id=1`, `https://web.telegram.org/k/#-1234567890`.
fn link(text: &str) -> Option<Query> {
    if let Some(rest) = text.strip_prefix("tg://") {
        let value = |key: &str| {
            let query = rest.split_once('?')?.1;
            query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
        };
        let username = value("domain").map(|name| Query::Username(name.to_owned()));
        let phone = || value("phone").map(|phone| Query::Phone(phone.to_owned()));
        let id = || value("id").and_then(|id| id.parse().ok()).map(Query::Id);
        return username.or_else(phone).or_else(id);
    }
    let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let bare = bare.unwrap_or(text);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let host = host.strip_prefix("www.").unwrap_or(host).to_lowercase();
    if host == "web.telegram.org" {
        let peer = bare.split_once('#')?.1;
        return Some(
            peer.parse().map_or_else(
                |_| Query::Username(peer.trim_start_matches('@').to_owned()),
                Query::Id,
            ),
        );
    }
    if let Some(name) = host.strip_suffix(".t.me") {
        return Some(Query::Username(name.to_owned()));
    }
    if !matches!(host.as_str(), "t.me" | "telegram.me" | "telegram.dog") {
        return None;
    }
    let mut parts = path.split(['/', '?']).filter(|part| !part.is_empty());
    match parts.next()? {
        "c" => parts.next()?.parse().ok().map(Query::Id),
        "s" => parts.next().map(|name| Query::Username(name.to_owned())),
        phone
            if phone
                .strip_prefix('+')
                .is_some_and(|rest| rest.bytes().all(|c| c.is_ascii_digit())) =>
        {
            Some(Query::Phone(phone.to_owned()))
        }
        name => Some(Query::Username(name.trim_start_matches('@').to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_somebody_is_understood() {
        let username = || Query::Username("durov".to_owned());
        let number = |digits: &str, marked| Query::Number { digits: digits.to_owned(), marked };
        let cases = [
            ("me", Query::Me),
            ("@durov", username()),
            ("https://t.me/durov", username()),
            ("t.me/durov?start=1", username()),
            ("http://telegram.me/s/durov/", username()),
            ("durov.t.me", username()),
            ("tg://resolve?domain=durov&post=5", username()),
            ("https://web.telegram.org/k/#@durov", username()),
            ("https://web.telegram.org/a/#-1001234567890", Query::Id(-1_001_234_567_890)),
            ("https://t.me/c/1234567890/17", Query::Id(1_234_567_890)),
            ("tg://user?id=777", Query::Id(777)),
            ("tg://resolve?phone=15550001111", Query::Phone("15550001111".to_owned())),
            ("https://t.me/+15550001111", Query::Phone("+15550001111".to_owned())),
            ("+1 (555) 000-1111", Query::Phone("15550001111".to_owned())),
            ("1 555 000-1111", number("15550001111", None)),
            ("-1001234567890", number("1001234567890", Some(-1_001_234_567_890))),
            ("777", number("777", Some(777))),
            ("Forbidden chat", Query::Text("Forbidden chat".to_owned())),
            ("durov", Query::Text("durov".to_owned())),
            ("", Query::Text(String::new())),
        ];
        for (text, query) in cases {
            assert_eq!(Query::new(text), query, "{text}");
        }
    }
}
