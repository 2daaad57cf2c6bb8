//! The first words of a `CREATE` statement: what it makes, and its name.

use super::clause;
use super::table::{self, CreateTable};
use super::token::{SyntaxError, Token, Tokens};

/// The table or index that a statement of the schema makes.
#[derive(Clone, Debug)]
pub(in super::super) enum Created {
    Table(CreateTable),
    /// A virtual table, kept by a module and not in the file's format.
    Virtual(String),
    View(String),
    Trigger(String),
    /// An index and the table it is on.
    Index(String, String),
}

/// Parses a statement. Tables are parsed whole, other objects only as far as their names.
pub(in super::super) fn parse(sql: &str) -> Result<Created, SyntaxError> {
    let mut tokens = Tokens::new(sql)?;
    tokens.expect("create")?;
    if !tokens.word("temp")? {
        tokens.word("temporary")?;
    }
    let error = tokens.error();
    let Token::Word(word) = tokens.take()? else {
        return Err(error);
    };
    match word.to_ascii_lowercase().as_str() {
        "table" => {
            not_there(&mut tokens)?;
            table::parse(&mut tokens).map(Created::Table)
        }
        "virtual" => {
            tokens.expect("table")?;
            name_of(&mut tokens).map(Created::Virtual)
        }
        "view" => name_of(&mut tokens).map(Created::View),
        "trigger" => name_of(&mut tokens).map(Created::Trigger),
        "unique" => {
            tokens.expect("index")?;
            index(&mut tokens)
        }
        "index" => index(&mut tokens),
        _ => Err(error),
    }
}

fn index(tokens: &mut Tokens<'_>) -> Result<Created, SyntaxError> {
    let name = name_of(tokens)?;
    tokens.expect("on")?;
    Ok(Created::Index(name, clause::name(tokens)?))
}

fn name_of(tokens: &mut Tokens<'_>) -> Result<String, SyntaxError> {
    not_there(tokens)?;
    clause::name(tokens)
}

/// `IF NOT EXISTS`, which SQLite leaves out of the schema and others may not.
fn not_there(tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
    if tokens.word("if")? {
        tokens.expect("not")?;
        tokens.expect("exists")?;
    }
    Ok(())
}
