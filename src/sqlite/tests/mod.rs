//! Tests that need more than one room, and the files they read.

mod fixtures;
mod flips;
mod live;
mod salvage;
mod small;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::{Database, Row, SqliteError, Table, Value};

/// Folders of real files, each with a JSON file of what SQLite reads from it.
const FOLDERS: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/telethon"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/others"),
];

fn telethon(name: &str) -> PathBuf {
    Path::new(FOLDERS[0]).join(name)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value in the fixtures' notation.
fn to_json(value: Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(value) => json!(value),
        Value::Real(value) => json!(value),
        Value::Blob(bytes) => json!({ "hex": hex(bytes) }),
        Value::Text(text) => match text.to_str() {
            Ok(text) => json!(text),
            Err(_) => json!({ "text_hex": hex(text.as_bytes()) }),
        },
    }
}

fn row_to_json(table: &Table, row: &Row<'_>) -> Result<Json, SqliteError> {
    let mut object = Map::new();
    for (index, column) in table.columns().iter().enumerate() {
        object.insert(column.name().to_owned(), to_json(row.get(index)?));
    }
    Ok(object.into())
}

/// All rows of a table, as sorted lines.
fn lines(db: &Database, table: &Table) -> Result<Vec<String>, SqliteError> {
    let mut lines = Vec::new();
    for row in db.rows(table) {
        lines.push(row_to_json(table, &row?)?.to_string());
    }
    lines.sort();
    Ok(lines)
}
