//! Writes databases as standard input says, for the differential test of the writer.
//!
//! A line is a word and what belongs to it, texts and values as `sqlite_rows` prints them:
//! `db PATH PAGE_SIZE USER_VERSION APPLICATION_ID`, `table SQL`, `automatic COLUMN...` and
//! `index SQL COLUMN...` before the rows, `row ROWID VALUE...`, `view SQL`, `trigger TABLE SQL`,
//! `end`. Statements are `t` and the hex of their UTF-8 as well.
//!
//! `many PATH ROWS` writes the table and the two indexes of the test's largest case, and prints
//! how many seconds the rows took, their making included.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead};
use std::iter::Peekable;
use std::time::Instant;

use tgsession::sqlite::Value;
use tgsession::sqlite::writer::{DatabaseWriter, Index, WriterOptions};

type Outcome = Result<(), Box<dyn Error>>;
type Lines<'a> = Peekable<&'a mut dyn Iterator<Item = Vec<String>>>;

fn main() -> Outcome {
    let lines = io::stdin().lock().lines().map_while(Result::ok);
    let mut lines = lines.map(|line| line.split(' ').map(str::to_owned).collect());
    let lines: &mut dyn Iterator<Item = Vec<String>> = &mut lines;
    let mut lines = lines.peekable();
    while let Some(line) = lines.next() {
        match words(&line).as_slice() {
            ["db", path, page_size, user_version, application_id] => {
                let options = WriterOptions::new()
                    .page_size(page_size.parse()?)
                    .user_version(user_version.parse()?)
                    .application_id(application_id.parse()?);
                database(path, &options, &mut lines)?;
            }
            ["many", path, rows] => many(path, rows.parse()?)?,
            _ => return Err(format!("what is {line:?}?").into()),
        }
    }
    Ok(())
}

fn is(line: &[String], word: &str) -> bool {
    line.first().is_some_and(|first| first == word)
}

fn words(line: &[String]) -> Vec<&str> {
    line.iter().map(String::as_str).collect()
}

fn database(path: &str, options: &WriterOptions, lines: &mut Lines<'_>) -> Outcome {
    let mut db = DatabaseWriter::new(File::create(path)?, options)?;
    while let Some(line) = lines.next() {
        match words(&line).as_slice() {
            ["table", sql] => table(&mut db, &text(sql)?, lines)?,
            ["view", sql] => db.view(&text(sql)?)?,
            ["trigger", table, sql] => db.trigger(&text(table)?, &text(sql)?)?,
            ["end"] => break,
            _ => return Err(format!("what is {line:?}?").into()),
        }
    }
    db.finish()?;
    Ok(())
}

fn table(db: &mut DatabaseWriter<File>, sql: &str, lines: &mut Lines<'_>) -> Outcome {
    let columns = |words: &[&str]| words.iter().map(|c| c.parse()).collect::<Result<Vec<_>, _>>();
    let mut indexes = Vec::new();
    while let Some(line) = lines.next_if(|line| is(line, "automatic") || is(line, "index")) {
        indexes.push(match words(&line).as_slice() {
            ["index", sql, named @ ..] => (Some(text(sql)?), columns(named)?),
            [_, named @ ..] => (None, columns(named)?),
            [] => continue,
        });
    }
    let indexes = indexes.iter().map(|(sql, columns)| match sql {
        Some(sql) => Index::explicit(sql, columns),
        None => Index::automatic(columns),
    });
    let indexes: Vec<_> = indexes.collect();
    let mut table = db.table(sql, &indexes)?;
    while let Some(line) = lines.next_if(|line| is(line, "row")) {
        let line = words(&line);
        let [_, rowid, row @ ..] = line.as_slice() else {
            return Err("a row without rowid".into());
        };
        let held = row.iter().map(|word| bytes(word)).collect::<Result<Vec<_>, _>>()?;
        let values = row.iter().zip(&held).map(|(word, held)| value(word, held));
        table.row(rowid.parse()?, &values.collect::<Result<Vec<_>, _>>()?)?;
    }
    Ok(table.finish()?)
}

/// The bytes of a text or a blob, none of any other value.
fn bytes(word: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let hex = word.strip_prefix(['t', 'b']).unwrap_or_default().as_bytes();
    let byte = |pair: &[u8]| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?);
    hex.chunks(2).map(byte).collect()
}

fn text(word: &str) -> Result<String, Box<dyn Error>> {
    Ok(String::from_utf8(bytes(word)?)?)
}

fn value<'a>(word: &str, bytes: &'a [u8]) -> Result<Value<'a>, Box<dyn Error>> {
    Ok(match word.split_at(1) {
        ("i", number) => Value::Integer(number.parse()?),
        ("r", bits) => Value::Real(f64::from_bits(u64::from_str_radix(bits, 16)?)),
        ("t", _) => Value::from(std::str::from_utf8(bytes)?),
        ("b", _) => Value::Blob(bytes),
        _ => Value::Null,
    })
}

/// Entities as Telethon keeps them; the test makes the same rows.
fn many(path: &str, rows: i64) -> Outcome {
    let begun = Instant::now();
    let mut db = DatabaseWriter::new(File::create(path)?, &WriterOptions::new())?;
    let indexes = [
        Index::explicit("CREATE INDEX by_username ON entities (username)", &[2]),
        Index::explicit("CREATE INDEX by_phone ON entities (phone, id)", &[3, 0]),
    ];
    let sql = "CREATE TABLE entities (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, \
               username TEXT, phone INTEGER, name TEXT, date INTEGER)";
    let mut table = db.table(sql, &indexes)?;
    for number in 0..rows {
        let mixed = number.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let id = number * 6_007 + 1_000;
        let username = format!("user_{:08x}", mixed >> 32 & 0xffff_ffff);
        let name = format!("Name {} of {number}", mixed >> 40 & 0xffff);
        let phone = Value::Integer(79_000_000_000 + (mixed >> 20 & 0xfff_ffff));
        let values = [
            Value::Integer(id),
            Value::Integer(mixed),
            if number % 3 == 0 { Value::Null } else { Value::from(username.as_str()) },
            if number % 5 == 0 { phone } else { Value::Null },
            Value::from(name.as_str()),
            Value::Integer(1_700_000_000 + number % 1_000_000),
        ];
        table.row(id, &values)?;
    }
    table.finish()?;
    db.finish()?;
    println!("{}", begun.elapsed().as_secs_f64());
    Ok(())
}
