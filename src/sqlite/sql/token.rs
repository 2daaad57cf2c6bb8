//! Tokens of SQL text.

/// A token. A name keeps no quotes; a literal keeps its text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Token<'a> {
    /// A bare word: a keyword or a name.
    Word(&'a str),
    /// A name in double quotes, backticks or brackets.
    Name(String),
    /// A text literal, or a name in single quotes.
    Text(String),
    /// A number as written.
    Number(&'a str),
    /// The hex digits of a blob literal.
    Blob(&'a str),
    /// One byte of punctuation.
    Sign(u8),
    End,
}

impl Token<'_> {
    /// Whether this is the bare word `keyword`.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub(super) fn is_sign(&self, sign: u8) -> bool {
        *self == Self::Sign(sign)
    }
}

/// Where the text makes no sense.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) struct SyntaxError {
    pub(in super::super) at: usize,
}

/// Cuts text into tokens, one ahead.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    /// Where the next token begins, and where it ends.
    start: usize,
    end: usize,
    next: Token<'a>,
    /// Where the token before it ended.
    before: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, SyntaxError> {
        let mut tokens = Self { text, start: 0, end: 0, next: Token::End, before: 0 };
        tokens.take()?;
        Ok(tokens)
    }

    /// The next token, which stays.
    pub(super) fn peek(&self) -> &Token<'a> {
        &self.next
    }

    /// The next token.
    pub(super) fn take(&mut self) -> Result<Token<'a>, SyntaxError> {
        self.before = self.end;
        self.start = self.end + skip(self.rest(self.end));
        let (token, len) = token(self.rest(self.start)).ok_or(self.error())?;
        self.end = self.start + len;
        Ok(std::mem::replace(&mut self.next, token))
    }

    /// Takes the next token if it is this word.
    pub(super) fn word(&mut self, keyword: &str) -> Result<bool, SyntaxError> {
        let found = self.next.is(keyword);
        if found {
            self.take()?;
        }
        Ok(found)
    }

    /// Takes the next token if it is this sign.
    pub(super) fn sign(&mut self, sign: u8) -> Result<bool, SyntaxError> {
        let found = self.next.is_sign(sign);
        if found {
            self.take()?;
        }
        Ok(found)
    }

    /// The next token has to be this word.
    pub(super) fn expect(&mut self, keyword: &str) -> Result<(), SyntaxError> {
        if self.word(keyword)? { Ok(()) } else { Err(self.error()) }
    }

    /// The next token has to be this sign.
    pub(super) fn expect_sign(&mut self, sign: u8) -> Result<(), SyntaxError> {
        if self.sign(sign)? { Ok(()) } else { Err(self.error()) }
    }

    /// At the next token.
    pub(super) fn error(&self) -> SyntaxError {
        SyntaxError { at: self.start }
    }

    /// Where the next token begins.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// The text from `start` to the end of the last token taken.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.before).unwrap_or_default()
    }

    fn rest(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }
}

/// Bytes of white space and comments.
fn skip(text: &str) -> usize {
    let mut rest = text;
    loop {
        let before = rest;
        rest = rest.trim_start_matches([' ', '\t', '\n', '\x0c', '\r']);
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.find('\n').and_then(|end| comment.get(end..)).unwrap_or_default();
        } else if let Some(comment) = rest.strip_prefix("/*").filter(|rest| !rest.is_empty()) {
            rest = comment.find("*/").and_then(|end| comment.get(end + 2..)).unwrap_or_default();
        }
        if rest.len() == before.len() {
            return text.len() - rest.len();
        }
    }
}

/// The token at the start of `text`, and its length.
fn token(text: &str) -> Option<(Token<'_>, usize)> {
    let Some(first) = text.bytes().next() else {
        return Some((Token::End, 0));
    };
    match first {
        b'\'' => quoted(text, '\'').map(|(name, len)| (Token::Text(name), len)),
        b'"' => quoted(text, '"').map(|(name, len)| (Token::Name(name), len)),
        b'`' => quoted(text, '`').map(|(name, len)| (Token::Name(name), len)),
        b'[' => {
            let len = text.find(']')?;
            Some((Token::Name(text.get(1..len)?.to_owned()), len + 1))
        }
        b'0'..=b'9' => number(text),
        b'.' if digits(text.get(1..)?) > 0 => number(text),
        b'x' | b'X' if text.get(1..2) == Some("'") => blob(text),
        _ if is_word(first) && first != b'$' => word(text),
        b'!' | b'%'..=b'/' | b';'..=b'>' | b'|' | b'~' => Some((Token::Sign(first), 1)),
        _ => None,
    }
}

/// A word of letters, digits, `_`, `$` and whatever is not ASCII.
fn word(text: &str) -> Option<(Token<'_>, usize)> {
    let len = text.bytes().position(|byte| !is_word(byte)).unwrap_or(text.len());
    Some((Token::Word(text.get(..len)?), len))
}

/// The text between two `quote`s. Two quotes in a row stand for one.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let (mut name, mut at) = (String::new(), 1);
    loop {
        let len = text.get(at..)?.find(quote)?;
        name.push_str(text.get(at..at + len)?);
        at += len + 1;
        if !text.get(at..)?.starts_with(quote) {
            return Some((name, at));
        }
        name.push(quote);
        at += 1;
    }
}

fn blob(text: &str) -> Option<(Token<'_>, usize)> {
    let hex = text.get(2..)?;
    let hex = hex.get(..hex.find('\'')?)?;
    let whole = hex.len() % 2 == 0 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then_some((Token::Blob(hex), hex.len() + 3))
}

fn number(text: &str) -> Option<(Token<'_>, usize)> {
    let len = number_len(text);
    let runs_on = text.as_bytes().get(len).is_some_and(|next| is_word(*next));
    Some((Token::Number(text.get(..len)?), len)).filter(|_| !runs_on)
}

fn number_len(text: &str) -> usize {
    let tail = |at| text.get(at..).unwrap_or_default();
    if let Some(hex) = tail(0).strip_prefix("0x").or(tail(0).strip_prefix("0X")) {
        let digits = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits > 0 {
            return digits + 2;
        }
    }
    let mut len = digits(text);
    if tail(len).starts_with('.') {
        len += 1 + digits(tail(len + 1));
    }
    if tail(len).starts_with(['e', 'E']) {
        let sign = usize::from(tail(len + 1).starts_with(['+', '-']));
        let exponent = digits(tail(len + 1 + sign));
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    len
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
        let mut tokens = Tokens::new(text)?;
        let mut all = Vec::new();
        while *tokens.peek() != Token::End {
            all.push(tokens.take()?);
        }
        Ok(all)
    }

    #[test]
    fn names_come_in_four_quotes() {
        let named = |name: &str| Token::Name(name.to_owned());
        let tokens = all(r#"a_$1 "b""c" `d``e` [f g] 'h''i' "#).unwrap();
        let expected = [Token::Word("a_$1"), named("b\"c"), named("d`e"), named("f g")];
        assert_eq!(tokens[..4], expected);
        assert_eq!(tokens[4..], [Token::Text("h'i".to_owned())]);
    }

    #[test]
    fn comments_are_space() {
        let tokens = all("a--x\nb/* , */c -- end").unwrap();
        assert_eq!(tokens, [Token::Word("a"), Token::Word("b"), Token::Word("c")]);
    }

    #[test]
    fn numbers_and_blobs_are_kept_as_written() {
        let tokens = all("1 1.5e-3 .5 0x1F x'00fF' -2").unwrap();
        let number = Token::Number;
        let expected = [number("1"), number("1.5e-3"), number(".5"), number("0x1F")];
        assert_eq!(tokens[..4], expected);
        assert_eq!(tokens[4..], [Token::Blob("00fF"), Token::Sign(b'-'), number("2")]);
    }

    #[test]
    fn what_is_no_token_is_an_error_with_its_place() {
        for text in ["ab \"", "ab '", "ab [", "ab 1x", "ab x'0'", "ab x'0g'", "ab #", "ab \x01"] {
            assert_eq!(all(text), Err(SyntaxError { at: 3 }), "{text}");
        }
    }
}
