//! Small databases, made by hand, a word beside each field.

use super::super::{Database, OpenOptions, Salvage, SqliteError, Value};

/// A row of `sqlite_schema` as a record; each part is shorter than 58 bytes.
fn entry(kind: &str, name: &str, table: &str, root: u8, sql: Option<&str>) -> Vec<u8> {
    let text = |text: &str| u8::try_from(13 + 2 * text.len()).unwrap();
    let mut record = vec![6, text(kind), text(name), text(table), 1]; // header length, types
    record.push(sql.map_or(0, text));
    for part in [kind, name, table] {
        record.extend(part.as_bytes());
    }
    record.push(root);
    record.extend(sql.unwrap_or_default().as_bytes());
    record
}

/// A database of two pages of 512 bytes: the schema, and a leaf with one cell at 256.
fn bytes(schema: &[Vec<u8>], root: &[u8], cell: &[u8]) -> Vec<u8> {
    let mut main = b"SQLite format 3\0\x02\x00\x01\x01\x00\x40\x20\x20".to_vec();
    main.resize(100, 0);
    main[47] = 4; // schema format
    main.extend([0x0d, 0, 0]); // leaf of a table, no free block
    main.extend([0, u8::try_from(schema.len()).unwrap()]); // cells
    main.extend([1, 0, 0]); // content from 256, no fragments
    let mut content = Vec::new();
    for (row, record) in (1..).zip(schema) {
        main.extend(u16::try_from(256 + content.len()).unwrap().to_be_bytes());
        content.extend([u8::try_from(record.len()).unwrap(), row]); // payload length, rowid
        content.extend(record);
    }
    main.resize(256, 0);
    main.extend(content);
    main.resize(512, 0);
    main.extend(root);
    main.resize(512 + 256, 0);
    main.extend(cell);
    main.resize(1024, 0);
    main
}

fn open(main: Vec<u8>) -> Result<Database, SqliteError> {
    Database::from_bytes(main, None, None, &OpenOptions::new())
}

fn table() -> Vec<u8> {
    entry("table", "t", "t", 2, Some("create table t(a)"))
}

const LEAF: [u8; 10] = [0x0d, 0, 0, 0, 1, 1, 0, 0, 1, 0]; // one cell, at 256

fn database(cell: &[u8]) -> Database {
    open(bytes(&[table()], &LEAF, cell)).unwrap()
}

fn refused(schema: &[Vec<u8>]) -> SqliteError {
    open(bytes(schema, &LEAF, &[])).unwrap_err()
}

#[test]
fn a_row_reads() {
    let db = database(&[3, 7, 2, 1, 42]); // payload length, rowid; header length, type, value
    let row = db.rows(db.table("T").unwrap()).next().unwrap().unwrap();
    assert_eq!((row.rowid(), row.get(0)), (Some(7), Ok(Value::Integer(42))));
    let (column, columns) = (1, 1);
    assert_eq!(row.get(1), Err(SqliteError::NoSuchColumn { column, columns }));
}

#[test]
fn an_empty_payload_before_a_zero_is_a_row_of_nothing() {
    let row = |cell| {
        let db = database(cell);
        let row = db.rows(db.table("t").unwrap()).next().unwrap().unwrap();
        row.get(0).map(|value| value.is_null())
    };
    assert_eq!(row(&[0, 7, 0]), Ok(true));
    assert!(row(&[0, 7, 2]).is_err());
}

#[test]
fn a_header_that_counts_more_pages_than_there_are_is_an_error() {
    let mut main = bytes(&[table()], &LEAF, &[]);
    main[31] = 3; // pages; change counter and "valid for" are both 0
    let (header, file) = (3, 2);
    assert_eq!(open(main).unwrap_err(), SqliteError::PagesMissing { header, file });
}

#[test]
fn a_newer_schema_format_is_an_error() {
    let mut main = bytes(&[table()], &LEAF, &[]);
    main[47] = 5;
    assert_eq!(open(main).unwrap_err(), SqliteError::SchemaFormat { found: 5 });
}

#[test]
fn each_wrong_row_of_the_schema_has_its_error() {
    let sql = Some("create table t(a)");
    let named = |name| entry("table", name, "t", 2, sql);
    assert_eq!(refused(&[named("u")]), SqliteError::SchemaName { row: 1 });
    let kind = entry("view", "t", "t", 2, sql);
    assert_eq!(refused(&[kind]), SqliteError::SchemaName { row: 1 });
    let no_sql = entry("table", "t", "t", 2, Some("drop table t"));
    assert_eq!(refused(&[no_sql]), SqliteError::SchemaRow { row: 1 });
    let outside = entry("table", "t", "t", 3, sql);
    assert_eq!(refused(&[outside]), SqliteError::SchemaRoot { row: 1 });
    assert_eq!(refused(&[table(), table()]), SqliteError::SchemaTwice { row: 2 });
    let torn = entry("table", "t", "t", 2, Some("create table t(a"));
    let (row, at) = (1, 16);
    assert_eq!(refused(&[torn]), SqliteError::SchemaSql { row, at });
    let orphan = entry("index", "sqlite_autoindex_t_1", "t", 2, None);
    assert_eq!(refused(&[table(), orphan]), SqliteError::SchemaOrphan { row: 2 });
}

#[test]
fn a_journal_for_pages_of_another_size_is_an_error() {
    let mut journal = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    journal.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]); // records, nonce, pages
    journal.extend([0, 0, 2, 0, 0, 0, 4, 0]); // sector 512, page size 1024
    journal.resize(512, 0);
    let main = bytes(&[table()], &LEAF, &[]);
    let (found, page_size) = (1024, 512);
    assert_eq!(
        Database::from_bytes(main, None, Some(journal), &OpenOptions::new()).unwrap_err(),
        SqliteError::JournalPageSize { found, page_size }
    );
}

#[test]
fn a_row_older_than_a_column_has_its_default() {
    let sql = "create table t(a, b default -5, c)";
    let schema = entry("table", "t", "t", 2, Some(sql));
    let cell = [3, 7, 2, 1, 42]; // payload length, rowid; header length, type, value
    let db = open(bytes(&[schema], &LEAF, &cell)).unwrap();
    let row = db.rows(db.table("t").unwrap()).next().unwrap().unwrap();
    let values = [0, 1, 2].map(|column| row.get(column).unwrap());
    let expected = [Value::Integer(42), Value::Integer(-5), Value::Null];
    assert_eq!(values, expected);
}

#[test]
fn a_key_sorted_downwards_is_found() {
    let sql = "create table t(a, primary key(a desc)) without rowid";
    let schema = entry("table", "t", "t", 2, Some(sql));
    let leaf = [
        0x0a, 0, 0, // leaf of an index, no free block
        0, 3, 1, 0, 0, // three cells, content from 256, no fragments
        1, 0, 1, 4, 1, 8, // the cells
    ];
    let cells = [[3, 2, 1, 30], [3, 2, 1, 20], [3, 2, 1, 10]]; // lengths, type, value
    let db = open(bytes(&[schema], &leaf, cells.as_flattened())).unwrap();
    let table = db.table("t").unwrap();
    for key in [10, 20, 30] {
        let row = db.row(table, key).unwrap().unwrap();
        assert_eq!((row.rowid(), row.get(0)), (None, Ok(Value::Integer(key))));
    }
    assert!(db.row(table, 15).unwrap().is_none());
}

#[test]
fn a_page_that_is_free_is_not_salvaged() {
    let mut main = bytes(&[table()], &LEAF, &[3, 7, 2, 1, 42]);
    let leaf = main[512..].to_vec();
    main.extend(leaf); // page 3: rows that nothing leads to
    main[1024 + 257] = 8; // under another rowid
    main.extend([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3]); // page 4: next trunk, one leaf, page 3
    main.resize(2048, 0);
    let count = |main: &[u8]| {
        let salvage = Salvage::from_bytes(main.to_vec(), None, None, &OpenOptions::new());
        salvage.rows(salvage.table("t").unwrap()).count()
    };
    assert_eq!(count(&main), 2);
    main[35] = 4; // the first trunk
    assert_eq!(count(&main), 1);
}

#[test]
fn a_payload_that_begins_where_its_page_ends_is_an_error() {
    let leaf = [0x0d, 0, 0, 0, 1, 1, 0, 0, 1, 254]; // one cell, at 510
    let mut cell = vec![0; 254];
    cell.extend([2, 7]); // payload length, rowid
    let db = open(bytes(&[table()], &leaf, &cell)).unwrap();
    let row = db.rows(db.table("t").unwrap()).next().unwrap();
    let (page, cell) = (2, 0);
    assert_eq!(row.unwrap_err(), SqliteError::CellOutside { page, cell });
}
