//! The declared type of a column, and the affinity it asks for.

use super::Affinity;
use super::clause::is_name;
use super::token::{SyntaxError, Token, Tokens};

/// A type: words and perhaps numbers in parentheses. `GENERATED ALWAYS` is not part of it.
pub(super) fn type_name(tokens: &mut Tokens<'_>) -> Result<String, SyntaxError> {
    let start = tokens.start();
    let mut only = None;
    let mut words = 0;
    while let Some(word) = type_word(tokens) {
        tokens.take()?;
        words += 1;
        only = Some(word);
    }
    if words > 0 && tokens.peek().is_sign(b'(') {
        words += 1;
        type_size(tokens)?;
    }
    match only.filter(|_| words == 1) {
        Some(word) => Ok(word),
        None => Ok(tokens.since(start).trim().to_owned()),
    }
}

fn type_word(tokens: &Tokens<'_>) -> Option<String> {
    match tokens.peek() {
        Token::Word(word) if is_name(word) && !is_generated(tokens) => Some((*word).to_owned()),
        Token::Name(name) | Token::Text(name) => Some(name.clone()),
        _ => None,
    }
}

/// One or two signed numbers in parentheses.
fn type_size(tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
    tokens.expect_sign(b'(')?;
    loop {
        if !tokens.sign(b'-')? {
            tokens.sign(b'+')?;
        }
        let error = tokens.error();
        if !matches!(tokens.take()?, Token::Number(_)) {
            return Err(error);
        }
        if !tokens.sign(b',')? {
            return tokens.expect_sign(b')');
        }
    }
}

/// Whether `GENERATED ALWAYS AS` comes next; each of the first two words alone can be a type.
fn is_generated(tokens: &Tokens<'_>) -> bool {
    let mut ahead = tokens.clone();
    let mut next = |word| ahead.word(word) == Ok(true);
    next("generated") && next("always") && next("as")
}

/// The affinity that a declared type asks for; the order of the questions matters.
pub(super) fn affinity(declared_type: &str) -> Affinity {
    let name = declared_type.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match () {
        () if has(&["INT"]) => Affinity::Integer,
        () if has(&["CHAR", "CLOB", "TEXT"]) => Affinity::Text,
        () if has(&["BLOB"]) || name.is_empty() => Affinity::Blob,
        () if has(&["REAL", "FLOA", "DOUB"]) => Affinity::Real,
        () => Affinity::Numeric,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affinities_follow_the_type_name() {
        let pairs = [
            ("BIGINT", Affinity::Integer),
            ("CHARINT", Affinity::Integer),
            ("varchar", Affinity::Text),
            ("", Affinity::Blob),
            ("double precision", Affinity::Real),
            ("decimal", Affinity::Numeric),
        ];
        assert!(pairs.iter().all(|(name, expected)| affinity(name) == *expected));
    }
}
