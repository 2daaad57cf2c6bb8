//! The value of a `DEFAULT`, as it stands in rows that were written before their column.

use super::super::Encoding;
use super::token::{SyntaxError, Token, Tokens};
use super::{Affinity, Constant, clause};

/// A literal of a `DEFAULT`.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Literal {
    /// `NULL`, or something that is not constant, for which SQLite gives `NULL` too.
    Null,
    /// A number as written, and whether it is negated.
    Number(String, bool),
    /// `TRUE` or `FALSE`, which SQLite stores as an integer whatever the column prefers.
    Truth(bool),
    Text(String),
    Blob(Vec<u8>),
}

/// What follows `DEFAULT`.
pub(super) fn default(tokens: &mut Tokens<'_>) -> Result<Literal, SyntaxError> {
    if tokens.peek().is_sign(b'(') {
        let expression = tokens.clone();
        clause::parentheses(tokens)?;
        return Ok(constant(expression).unwrap_or(Literal::Null));
    }
    let negative = tokens.sign(b'-')?;
    if !negative {
        tokens.sign(b'+')?;
    }
    literal(tokens, negative)
}

/// An expression in parentheses, if it is no more than a literal.
fn constant(mut tokens: Tokens<'_>) -> Result<Literal, SyntaxError> {
    let (mut depth, mut negative) = (0, false);
    loop {
        if tokens.sign(b'(')? {
            depth += 1;
        } else if tokens.sign(b'-')? {
            negative = !negative;
        } else if !tokens.sign(b'+')? {
            break;
        }
    }
    if matches!(tokens.peek(), Token::Word(word) if clause::is_name(word) && truth(word).is_none())
    {
        return Ok(Literal::Null);
    }
    let literal = literal(&mut tokens, negative)?;
    for _ in 0..depth {
        tokens.expect_sign(b')')?;
    }
    Ok(literal)
}

fn literal(tokens: &mut Tokens<'_>, negative: bool) -> Result<Literal, SyntaxError> {
    let error = tokens.error();
    match tokens.take()? {
        Token::Number(number) => Ok(Literal::Number(number.to_owned(), negative)),
        Token::Text(text) if !negative => Ok(Literal::Text(text)),
        // Text and blobs that are negated are numbers: not worth the trouble of a reader.
        Token::Text(text) => Ok(Literal::Number(leading_number(&text), negative)),
        Token::Name(name) => Ok(Literal::Text(name)),
        Token::Blob(hex) => Ok(Literal::Blob(unhex(hex))),
        Token::Word(word) => match truth(word) {
            Some(truth) if !negative => Ok(Literal::Truth(truth)),
            Some(truth) => Ok(Literal::Number(u8::from(truth).to_string(), true)),
            None if is_null(word) => Ok(Literal::Null),
            None if clause::is_name(word) => Ok(Literal::Text(word.to_owned())),
            None => Err(error),
        },
        Token::Sign(_) | Token::End => Err(error),
    }
}

fn truth(word: &str) -> Option<bool> {
    match word {
        _ if word.eq_ignore_ascii_case("true") => Some(true),
        _ if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// `CURRENT_TIMESTAMP` and its kin are not constant.
fn is_null(word: &str) -> bool {
    let words = ["null", "current_time", "current_date", "current_timestamp"];
    words.iter().any(|null| word.eq_ignore_ascii_case(null))
}

impl Literal {
    /// The value that a column of this affinity gets.
    pub(in super::super) fn stored(self, affinity: Affinity, encoding: Encoding) -> Constant {
        let value = match self {
            Self::Null => return Constant::Null,
            Self::Truth(truth) => Constant::Integer(truth.into()),
            Self::Blob(bytes) => return Constant::Blob(bytes),
            Self::Number(text, negative) if affinity == Affinity::Text => {
                return Constant::Text(encoding.encode(&number_text(&text, negative)));
            }
            Self::Number(text, negative) => number(&text, negative).unwrap_or(Constant::Null),
            Self::Text(text) => match affinity {
                Affinity::Blob | Affinity::Text => Constant::Text(encoding.encode(&text)),
                _ => {
                    number_of_text(&text).unwrap_or_else(|| Constant::Text(encoding.encode(&text)))
                }
            },
        };
        prefer_real(value, affinity)
    }
}

/// A number in a text column: small integers are counted, others stay as written.
fn number_text(text: &str, negative: bool) -> String {
    let sign = if negative { "-" } else { "" };
    let counted = is_hex(text) || !text.contains(['.', 'e', 'E']);
    match number(text, negative) {
        Some(Constant::Integer(value)) if counted && i32::try_from(value).is_ok() => {
            value.to_string()
        }
        _ => format!("{sign}{text}"),
    }
}

fn is_hex(text: &str) -> bool {
    text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"))
}

/// A literal: an integer if it fits in 64 bits, else a real.
fn number(text: &str, negative: bool) -> Option<Constant> {
    if let Some(hex) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        let value = u64::from_str_radix(hex, 16).ok()?.cast_signed();
        return Some(Constant::Integer(if negative { value.wrapping_neg() } else { value }));
    }
    let signed = format!("{}{text}", if negative { "-" } else { "" });
    match signed.parse() {
        Ok(value) => Some(Constant::Integer(value)),
        Err(_) => signed.parse().ok().map(whole),
    }
}

/// A text that is all number becomes one where the column prefers numbers.
fn number_of_text(text: &str) -> Option<Constant> {
    let text = text.trim_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    let numeric = bare.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && !bare.contains(['x', 'X'])
        && bare.bytes().any(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(value) if numeric => Some(Constant::Integer(value)),
        _ => text.parse().ok().filter(|_| numeric).map(whole),
    }
}

/// A real that is a whole number is kept as an integer by all numeric affinities.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "the comparison is there to find out whether the cast lost anything"
)]
fn whole(value: f64) -> Constant {
    let cast = value as i64;
    let fits = cast != i64::MIN && cast != i64::MAX && cast as f64 == value;
    if fits { Constant::Integer(cast) } else { Constant::Real(value) }
}

#[expect(clippy::cast_precision_loss, reason = "SQLite casts it in the same way")]
fn prefer_real(value: Constant, affinity: Affinity) -> Constant {
    match value {
        Constant::Integer(value) if affinity == Affinity::Real => Constant::Real(value as f64),
        value => value,
    }
}

/// The number that a text begins with, 0 if none.
fn leading_number(text: &str) -> String {
    let end = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let number = text.get(..end).unwrap_or_default();
    if number.bytes().any(|byte| byte.is_ascii_digit()) { number } else { "0" }.to_owned()
}

fn unhex(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, _) = hex.as_bytes().as_chunks();
    let byte = |[high, low]: &[u8; 2]| Some((digit(*high)? << 4) | digit(*low)?);
    pairs.iter().filter_map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &str, affinity: Affinity) -> Constant {
        let literal = default(&mut Tokens::new(text).unwrap()).unwrap();
        literal.stored(affinity, Encoding::Utf8)
    }

    fn text(text: &str) -> Constant {
        Constant::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn literals_are_themselves_without_an_affinity() {
        let blob = |text| stored(text, Affinity::Blob);
        assert_eq!(blob("-5"), Constant::Integer(-5));
        assert_eq!(blob("+1.5"), Constant::Real(1.5));
        assert_eq!(blob("0x10"), Constant::Integer(16));
        assert_eq!(blob("'it''s'"), text("it's"));
        assert_eq!(blob("x'00fF'"), Constant::Blob(vec![0, 255]));
        assert_eq!(blob("null"), Constant::Null);
        assert_eq!(blob("true"), Constant::Integer(1));
        assert_eq!(blob("bare"), text("bare"));
        assert_eq!(blob("-9223372036854775808"), Constant::Integer(i64::MIN));
        assert_eq!(blob("9223372036854775808"), Constant::Real(9_223_372_036_854_775_808.0));
    }

    #[test]
    fn an_expression_counts_if_it_is_a_literal() {
        let blob = |text| stored(text, Affinity::Blob);
        assert_eq!(blob("((-(5)))"), Constant::Integer(-5));
        assert_eq!(blob("(1 + 2)"), Constant::Null);
        assert_eq!(blob("(random())"), Constant::Null);
        assert_eq!(blob("current_timestamp"), Constant::Null);
    }

    #[test]
    fn the_affinity_converts_it() {
        assert_eq!(stored("'5'", Affinity::Integer), Constant::Integer(5));
        assert_eq!(stored("'5.0'", Affinity::Numeric), Constant::Integer(5));
        assert_eq!(stored("'5x'", Affinity::Integer), text("5x"));
        assert_eq!(stored("5", Affinity::Real), Constant::Real(5.0));
        assert_eq!(stored("007", Affinity::Text), text("7"));
        assert_eq!(stored("-1.50", Affinity::Text), text("-1.50"));
        assert_eq!(stored("1e3", Affinity::Text), text("1e3"));
        assert_eq!(stored("true", Affinity::Text), Constant::Integer(1));
        assert_eq!(stored("0x1E", Affinity::Text), text("30"));
    }
}
