//! The folded texts under which usernames and phone numbers are indexed.

use std::borrow::Cow;

/// A username as the index has it: without `@`, in lower case.
pub(crate) fn fold_username(username: &str) -> String {
    bare_username(username).to_lowercase()
}

/// The same, of most usernames without a copy.
pub(crate) fn folded_username(username: &str) -> Cow<'_, str> {
    let is_folded = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if username.bytes().all(is_folded) {
        Cow::Borrowed(username)
    } else {
        Cow::Owned(fold_username(username))
    }
}

/// A phone number as the index has it: its digits without zeros in front; `None` if none is left.
/// Old files hold phones as integers and so lost those zeros.
pub(crate) fn fold_phone(phone: &str) -> Option<String> {
    let digits: Cow<'_, str> = if is_digits(phone) {
        Cow::Borrowed(phone)
    } else {
        Cow::Owned(phone.chars().filter(char::is_ascii_digit).collect())
    };
    let significant = digits.trim_start_matches('0');
    (!significant.is_empty()).then(|| significant.to_owned())
}

/// Whether these are digits alone, as most phone numbers come.
pub(crate) fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether this is a username as Telegram gives it: it needs no tidying.
pub(crate) fn is_plain_username(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A username without white space around it and without `@`.
pub(crate) fn bare_username(username: &str) -> &str {
    let username = username.trim();
    username.strip_prefix('@').unwrap_or(username)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_found_without_the_zeros_in_front() {
        assert_eq!(fold_phone("+0015550").as_deref(), Some("15550"));
        assert_eq!(fold_phone("000"), None);
    }

    #[test]
    fn a_username_is_folded_the_same_with_and_without_a_copy() {
        for name in ["durov", "Durov", "@durov", " durov ", "\u{d6}zil", "a_1", "", "@"] {
            assert_eq!(folded_username(name), fold_username(name), "{name:?}");
        }
    }
}
