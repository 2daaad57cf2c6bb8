//! Prints every row of every table of the databases named, as lines of JSON, for the
//! differential test: `["file", path]`, then per table `["table", name, columns]` and its rows
//! as arrays, `["error", text]` where something is damaged, and `["seek", text]` where a row is not
//! found by its rowid.
//!
//! Numbers and texts are written so that nothing is lost: an integer is `"i5"`, a real the hex of
//! its bits `"r3ff8000000000000"`, a text `"t"` and the hex of its UTF-8, a blob `"b"` and hex.

use std::error::Error;
use std::io::{self, BufWriter, Write};

use tgsession::sqlite::{Database, Encoding, OpenOptions, SqliteError, Table, Value};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(io::stdout().lock());
    for path in std::env::args().skip(1) {
        writeln!(out, "[\"file\",{path:?}]")?;
        match Database::open(path.as_ref(), &OpenOptions::new()) {
            Ok(db) => tables(&mut out, &db)?,
            Err(error) => writeln!(out, "[\"error\",{:?}]", error.to_string())?,
        }
    }
    Ok(out.flush()?)
}

fn tables(out: &mut impl Write, db: &Database) -> Result<(), Box<dyn Error>> {
    for table in db.tables() {
        let names: Vec<_> = table.columns().iter().map(|c| hex(c.name().as_bytes())).collect();
        writeln!(out, "[\"table\",\"{}\",{names:?}]", hex(table.name().as_bytes()))?;
        if let Err(error) = rows(out, db, table) {
            writeln!(out, "[\"error\",{:?}]", error.to_string())?;
        }
    }
    Ok(())
}

fn rows(out: &mut impl Write, db: &Database, table: &Table) -> Result<(), Box<dyn Error>> {
    for (at, row) in db.rows(table).enumerate() {
        let row = row?;
        let value = |column| row.get(column).map(text);
        let line: Vec<_> = (0..table.columns().len()).map(value).collect::<Result<_, _>>()?;
        writeln!(out, "{line:?}")?;
        if at % 16 == 0
            && let Err(error) = found(db, table, row.rowid(), &line)
        {
            writeln!(out, "[\"seek\",{:?}]", error.to_string())?;
        }
    }
    Ok(())
}

/// The same row has to be found by its rowid.
fn found(
    db: &Database,
    table: &Table,
    rowid: Option<i64>,
    line: &[String],
) -> Result<(), Box<dyn Error>> {
    let Some(rowid) = rowid else { return Ok(()) };
    let row = db.row(table, rowid)?.ok_or("a row is not found by its rowid")?;
    let value = |column| row.get(column).map(text);
    let again: Result<Vec<_>, SqliteError> = (0..line.len()).map(value).collect();
    if again? == line { Ok(()) } else { Err("a rowid finds another row".into()) }
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Null => "n".to_owned(),
        Value::Integer(value) => format!("i{value}"),
        Value::Real(value) => format!("r{:016x}", value.to_bits()),
        Value::Text(text) if text.encoding() == Encoding::Utf8 => {
            format!("t{}", hex(text.as_bytes()))
        }
        Value::Text(text) => format!("t{}", hex(text.to_str_lossy().as_bytes())),
        Value::Blob(bytes) => format!("b{}", hex(bytes)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
