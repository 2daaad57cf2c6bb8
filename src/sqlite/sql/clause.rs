//! Names, and the clauses that are read only to get past them.

use super::token::{SyntaxError, Token, Tokens};

/// A name of a table, a column or a constraint.
pub(super) fn name(tokens: &mut Tokens<'_>) -> Result<String, SyntaxError> {
    let error = tokens.error();
    match tokens.take()? {
        Token::Word(word) if is_name(word) || is_join(word) => Ok(word.to_owned()),
        Token::Name(name) | Token::Text(name) => Ok(name),
        _ => Err(error),
    }
}

/// A name where the words of joins are not taken.
pub(super) fn id(tokens: &mut Tokens<'_>) -> Result<String, SyntaxError> {
    if matches!(tokens.peek(), Token::Word(word) if is_join(word)) {
        return Err(tokens.error());
    }
    name(tokens)
}

/// `ASC` or `DESC`, then perhaps `NULLS FIRST` or `NULLS LAST`; whether it is `DESC`.
pub(super) fn order(tokens: &mut Tokens<'_>) -> Result<bool, SyntaxError> {
    let descending = tokens.word("desc")?;
    if !descending {
        tokens.word("asc")?;
    }
    if tokens.word("nulls")? && !tokens.word("first")? {
        tokens.expect("last")?;
    }
    Ok(descending)
}

pub(super) fn on_conflict(tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
    if !tokens.word("on")? {
        return Ok(());
    }
    tokens.expect("conflict")?;
    one_of(tokens, &["rollback", "abort", "fail", "ignore", "replace"])
}

fn one_of(tokens: &mut Tokens<'_>, words: &[&str]) -> Result<(), SyntaxError> {
    for word in words {
        if tokens.word(word)? {
            return Ok(());
        }
    }
    Err(tokens.error())
}

/// After `NOT`: `NULL` or `DEFERRABLE`.
pub(super) fn not(tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
    if tokens.peek().is("deferrable") {
        return deferrable(tokens);
    }
    tokens.expect("null")?;
    on_conflict(tokens)
}

pub(super) fn deferrable(tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
    tokens.expect("deferrable")?;
    if tokens.word("initially")? {
        one_of(tokens, &["deferred", "immediate"])?;
    }
    Ok(())
}

/// `REFERENCES`, the columns, and what to do.
pub(super) fn references(tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
    tokens.expect("references")?;
    name(tokens)?;
    if tokens.peek().is_sign(b'(') {
        parentheses(tokens)?;
    }
    loop {
        if tokens.word("on")? {
            one_of(tokens, &["delete", "update", "insert"])?;
            action(tokens)?;
        } else if tokens.word("match")? {
            name(tokens)?;
        } else if tokens.peek().is("deferrable") {
            deferrable(tokens)?;
        } else if tokens.peek().is("not") {
            tokens.take()?;
            return not(tokens);
        } else {
            return Ok(());
        }
    }
}

fn action(tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
    if tokens.word("set")? {
        return one_of(tokens, &["null", "default"]);
    }
    if tokens.word("no")? {
        return tokens.expect("action");
    }
    one_of(tokens, &["cascade", "restrict"])
}

/// Whatever is between a pair of parentheses, which must not be nothing.
pub(super) fn parentheses(tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
    tokens.expect_sign(b'(')?;
    let empty = tokens.error();
    let mut depth = 1_usize;
    let mut inner = 0_usize;
    while depth > 0 {
        let error = tokens.error();
        match tokens.take()? {
            Token::Sign(b'(') => depth += 1,
            Token::Sign(b')') => depth -= 1,
            Token::Sign(b';') | Token::End => return Err(error),
            _ => inner += 1,
        }
    }
    if inner == 0 { Err(empty) } else { Ok(()) }
}

/// Whether a bare word can be a name: every word but the reserved ones.
pub(super) fn is_name(word: &str) -> bool {
    !is_join(word) && !RESERVED.iter().any(|reserved| word.eq_ignore_ascii_case(reserved))
}

fn is_join(word: &str) -> bool {
    JOINS.iter().any(|join| word.eq_ignore_ascii_case(join))
}

/// Words that SQLite accepts as a name in some places only.
const JOINS: [&str; 7] = ["cross", "full", "inner", "left", "natural", "outer", "right"];

/// Words that SQLite never accepts as a name.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "add", "all", "alter", "and", "as", "autoincrement", "between", "case", "check", "collate",
    "commit", "constraint", "create", "default", "deferrable", "delete", "distinct", "drop",
    "else", "escape", "except", "exists", "foreign", "from", "group", "having", "in", "index",
    "insert", "intersect", "into", "is", "isnull", "join", "limit", "not", "nothing", "notnull",
    "null", "on", "or", "order", "primary", "references", "returning", "select", "set", "table",
    "then", "to", "transaction", "union", "unique", "update", "using", "values", "when", "where",
];
