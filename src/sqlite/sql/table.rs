//! `CREATE TABLE`, after the grammar of SQLite's documentation.

use super::Affinity;
use super::clause::{
    deferrable, id, is_name, name, not, on_conflict, order, parentheses, references,
};
use super::constant::{self, Literal};
use super::token::{SyntaxError, Token, Tokens};
use super::types::{affinity, type_name};

/// A table as its statement describes it.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct CreateTable {
    pub(in super::super) name: String,
    pub(in super::super) columns: Vec<ColumnDef>,
    pub(in super::super) without_rowid: bool,
    strict: bool,
    has_key: bool,
    /// Columns of the primary key.
    pub(in super::super) key: Vec<KeyPart>,
    /// The column that is the rowid.
    pub(in super::super) rowid: Option<usize>,
    /// `UNIQUE` and `PRIMARY KEY` constraints that may have an index of their own.
    pub(in super::super) indexes: usize,
}

/// A column as its definition describes it.
#[derive(Clone, Debug)]
pub(in super::super) struct ColumnDef {
    pub(in super::super) name: String,
    pub(in super::super) declared_type: String,
    pub(in super::super) affinity: Affinity,
    pub(in super::super) default: Literal,
    pub(in super::super) generated: Generated,
    collation: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) enum Generated {
    No,
    Virtual,
    Stored,
}

/// A column of the primary key.
#[derive(Clone, Debug)]
pub(in super::super) struct KeyPart {
    pub(in super::super) column: usize,
    pub(in super::super) descending: bool,
    collation: String,
}

/// Everything after `CREATE TABLE`.
pub(super) fn parse(tokens: &mut Tokens<'_>) -> Result<CreateTable, SyntaxError> {
    let mut table = CreateTable { name: name(tokens)?, ..CreateTable::default() };
    tokens.expect_sign(b'(')?;
    table.column(tokens)?;
    while tokens.sign(b',')? {
        if is_constraint(tokens.peek()) {
            table.constraints(tokens)?;
            break;
        }
        table.column(tokens)?;
    }
    tokens.expect_sign(b')')?;
    table.options(tokens)?;
    if !tokens.peek().is_sign(b';') && *tokens.peek() != Token::End {
        return Err(tokens.error());
    }
    table.finish().ok_or(tokens.error())
}

impl CreateTable {
    /// A name, a type, and constraints.
    fn column(&mut self, tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
        let error = tokens.error();
        let name = name(tokens)?;
        if self.find(&name).is_some() {
            return Err(error);
        }
        let declared_type = type_name(tokens)?;
        let affinity = affinity(&declared_type);
        self.columns.push(ColumnDef {
            name,
            declared_type,
            affinity,
            default: Literal::Null,
            generated: Generated::No,
            collation: None,
        });
        while self.column_constraint(tokens)? {}
        Ok(())
    }

    fn last(&mut self, tokens: &Tokens<'_>) -> Result<&mut ColumnDef, SyntaxError> {
        self.columns.last_mut().ok_or(tokens.error())
    }

    /// `false` says that no constraint follows.
    fn column_constraint(&mut self, tokens: &mut Tokens<'_>) -> Result<bool, SyntaxError> {
        let Token::Word(word) = *tokens.peek() else {
            return Ok(false);
        };
        match word.to_ascii_lowercase().as_str() {
            "constraint" => {
                tokens.take()?;
                name(tokens)?;
            }
            "default" => {
                tokens.take()?;
                self.last(tokens)?.default = constant::default(tokens)?;
            }
            "null" => {
                tokens.take()?;
                on_conflict(tokens)?;
            }
            "not" => {
                tokens.take()?;
                not(tokens)?;
            }
            "primary" => self.own_key(tokens)?,
            "unique" => {
                tokens.take()?;
                self.indexes += 1;
                on_conflict(tokens)?;
            }
            "check" => {
                tokens.take()?;
                parentheses(tokens)?;
            }
            "references" => references(tokens)?,
            "deferrable" => deferrable(tokens)?,
            "collate" => {
                tokens.take()?;
                self.last(tokens)?.collation = Some(id(tokens)?);
            }
            "generated" | "as" => self.generated(tokens)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `PRIMARY KEY` of one column. `INTEGER PRIMARY KEY DESC` is not the rowid: an old mistake
    /// that SQLite keeps.
    fn own_key(&mut self, tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
        let error = tokens.error();
        tokens.take()?;
        tokens.expect("key")?;
        let descending = order(tokens)?;
        on_conflict(tokens)?;
        let autoincrement = tokens.word("autoincrement")?;
        let column = self.columns.len().checked_sub(1).ok_or(error)?;
        let part = KeyPart { column, descending, collation: String::new() };
        self.set_key(vec![part], !descending, autoincrement).ok_or(error)
    }

    fn set_key(&mut self, key: Vec<KeyPart>, may_be_rowid: bool, counts: bool) -> Option<()> {
        if std::mem::replace(&mut self.has_key, true) {
            return None;
        }
        let single = if let [part] = key.as_slice() { Some(part.column) } else { None };
        let integer = |column: &usize| self.columns.get(*column).is_some_and(ColumnDef::is_integer);
        self.rowid = single.filter(integer).filter(|_| may_be_rowid);
        self.indexes += usize::from(self.rowid.is_none());
        self.key = key;
        (self.rowid.is_some() || !counts).then_some(())
    }

    /// `GENERATED ALWAYS AS (...)`, or without the first two words, or with them taken for a type.
    fn generated(&mut self, tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
        if tokens.word("generated")? {
            tokens.expect("always")?;
        }
        tokens.expect("as")?;
        parentheses(tokens)?;
        let error = tokens.error();
        let kind = match tokens.peek() {
            Token::Word(word) if is_name(word) => match word.to_ascii_lowercase().as_str() {
                "stored" => Generated::Stored,
                "virtual" => Generated::Virtual,
                _ => return Err(error),
            },
            _ => {
                self.last(tokens)?.generated = Generated::Virtual;
                return Ok(());
            }
        };
        tokens.take()?;
        self.last(tokens)?.generated = kind;
        Ok(())
    }

    /// The constraints after the columns; the commas between them may be missing.
    fn constraints(&mut self, tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
        loop {
            self.constraint(tokens)?;
            if !tokens.sign(b',')? && !is_constraint(tokens.peek()) {
                return Ok(());
            }
        }
    }

    fn constraint(&mut self, tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
        let error = tokens.error();
        let Token::Word(word) = tokens.take()? else {
            return Err(error);
        };
        match word.to_ascii_lowercase().as_str() {
            "constraint" => name(tokens).map(|_| ()),
            "primary" => {
                tokens.expect("key")?;
                let (key, counts) = self.key_parts(tokens)?;
                on_conflict(tokens)?;
                self.set_key(key, true, counts).ok_or(error)
            }
            "unique" => {
                self.indexes += 1;
                self.key_parts(tokens)?;
                on_conflict(tokens)
            }
            "check" => {
                parentheses(tokens)?;
                on_conflict(tokens)
            }
            "foreign" => {
                tokens.expect("key")?;
                parentheses(tokens)?;
                references(tokens)
            }
            _ => Err(error),
        }
    }

    /// Columns with their collation and order, and whether `AUTOINCREMENT` follows.
    fn key_parts(&self, tokens: &mut Tokens<'_>) -> Result<(Vec<KeyPart>, bool), SyntaxError> {
        tokens.expect_sign(b'(')?;
        let (mut key, mut counts) = (Vec::new(), false);
        loop {
            let error = tokens.error();
            let column = self.find(&name(tokens)?).ok_or(error)?;
            let collation = if tokens.word("collate")? { id(tokens)? } else { String::new() };
            let descending = order(tokens)?;
            key.push(KeyPart { column, descending, collation });
            counts |= tokens.word("autoincrement")?;
            if !tokens.sign(b',')? {
                break;
            }
        }
        tokens.expect_sign(b')')?;
        Ok((key, counts))
    }

    /// `WITHOUT ROWID` and `STRICT`.
    fn options(&mut self, tokens: &mut Tokens<'_>) -> Result<(), SyntaxError> {
        if !matches!(tokens.peek(), Token::Word(_) | Token::Name(_)) {
            return Ok(());
        }
        loop {
            if tokens.word("without")? {
                tokens.expect("rowid")?;
                self.without_rowid = true;
            } else {
                tokens.expect("strict")?;
                self.strict = true;
            }
            if !tokens.sign(b',')? {
                return Ok(());
            }
        }
    }

    /// Completes the table after the last clause. `None`: SQLite would not have made this table.
    fn finish(mut self) -> Option<Self> {
        if self.without_rowid {
            self.rowid = None;
            if !self.has_key {
                return None;
            }
            self.unique_key();
        }
        if self.strict {
            self.columns.iter_mut().for_each(ColumnDef::be_strict);
        }
        let stored = self.columns.iter().any(|column| column.generated == Generated::No);
        (stored && self.columns.len() <= MAX_COLUMNS).then_some(self)
    }

    /// A column named twice in the key is in it once, unless under another collation.
    fn unique_key(&mut self) {
        let columns = &self.columns;
        let collation = |part: &KeyPart| {
            let own = columns.get(part.column).and_then(|column| column.collation.clone());
            let named = Some(&part.collation).filter(|name| !name.is_empty()).cloned();
            named.or(own).unwrap_or_else(|| "binary".to_owned()).to_ascii_lowercase()
        };
        let mut seen = Vec::new();
        self.key.retain(|part| {
            let entry = (part.column, collation(part));
            let new = !seen.contains(&entry);
            seen.push(entry);
            new
        });
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }
}

impl ColumnDef {
    fn is_integer(&self) -> bool {
        self.declared_type.eq_ignore_ascii_case("integer")
    }

    /// In a strict table, `ANY` is no wish at all.
    fn be_strict(&mut self) {
        if self.declared_type.eq_ignore_ascii_case("any") {
            self.affinity = Affinity::Blob;
        }
    }
}

fn is_constraint(token: &Token<'_>) -> bool {
    ["constraint", "primary", "unique", "check", "foreign"].iter().any(|word| token.is(word))
}

const MAX_COLUMNS: usize = 2000;

#[cfg(test)]
mod tests {
    use super::super::create::{Created, parse};
    use super::*;

    fn table(sql: &str) -> CreateTable {
        match parse(sql) {
            Ok(Created::Table(table)) => table,
            other => panic!("{sql}: {other:?}"),
        }
    }

    fn types(sql: &str) -> Vec<String> {
        table(sql).columns.into_iter().map(|column| column.declared_type).collect()
    }

    #[test]
    fn the_rowid_is_an_integer_primary_key() {
        let rowid = |sql| table(sql).rowid;
        assert_eq!(rowid("create table t(a, b integer primary key)"), Some(1));
        assert_eq!(rowid("create table t(a, b integer, primary key(b desc))"), Some(1));
        assert_eq!(rowid("create table t(b 'INTEGER' primary key asc)"), Some(0));
        assert_eq!(rowid("create table t(b integer primary key desc)"), None);
        assert_eq!(rowid("create table t(b int primary key)"), None);
        assert_eq!(rowid("create table t(b integer(8) primary key)"), None);
        assert_eq!(rowid("create table t(a integer, b, primary key(a, b))"), None);
        assert_eq!(rowid("create table t(b integer primary key) without rowid"), None);
    }

    #[test]
    fn types_are_words_and_sizes() {
        let sql = "create table t(a, b unsigned  big int, c varchar(10), d 'x y' not null)";
        assert_eq!(types(sql), ["", "unsigned  big int", "varchar(10)", "x y"]);
        let sql = "create table t(a int, b int generated always as (a+1) stored, c as (a))";
        assert_eq!(types(sql), ["int", "int", ""]);
        let generated: Vec<_> = table(sql).columns.iter().map(|c| c.generated).collect();
        assert_eq!(generated, [Generated::No, Generated::Stored, Generated::Virtual]);
    }

    #[test]
    fn every_constraint_is_stepped_over() {
        let table = table(
            "CREATE TABLE [t](a INT CONSTRAINT c NOT NULL ON CONFLICT FAIL CHECK(a > (1)) UNIQUE,
             b TEXT COLLATE nocase REFERENCES o(x) ON DELETE SET NULL MATCH full
             NOT DEFERRABLE INITIALLY DEFERRED DEFAULT -1 NULL, /* c */ \"d e\",
             PRIMARY KEY(b COLLATE rtrim DESC, a), CONSTRAINT u UNIQUE(a) ON CONFLICT ABORT
             CHECK(1) FOREIGN KEY(a, b) REFERENCES p ON UPDATE NO ACTION) STRICT, WITHOUT ROWID;",
        );
        let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "d e"]);
        let key: Vec<_> = table.key.iter().map(|part| (part.column, part.descending)).collect();
        assert_eq!(key, [(1, true), (0, false)]);
        assert!(table.without_rowid);
    }

    #[test]
    fn a_column_twice_in_the_key_is_in_it_once() {
        let sql = "create table t(a, b, primary key(a, b, a, b collate nocase)) without rowid";
        let key: Vec<_> = table(sql).key.iter().map(|part| part.column).collect();
        assert_eq!(key, [0, 1, 1]);
    }

    #[test]
    fn what_sqlite_refuses_is_refused() {
        for sql in [
            "create table t",
            "create table t()",
            "create table t(a,)",
            "create table t(a, A)",
            "create table t(a primary key, b primary key)",
            "create table t(a) without rowid",
            "create table t(a, primary key(b))",
            "create table t(a, unique(b))",
            "create table t(a integer primari key, b primary kex)",
            "create table t(a integer primary key",
            "create table t(a int primary key autoincrement)",
            "create table t(a default)",
            "create table t(a check())",
            "create table t(a) with",
            "create table select(a)",
            "create tabel t(a)",
        ] {
            assert!(parse(sql).is_err(), "{sql}");
        }
    }
}
