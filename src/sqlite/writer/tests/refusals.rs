//! The writer refuses impossible tables and rows, and reports every failure of its output.

use std::io::{self, Cursor, Seek, SeekFrom, Write};

use super::super::super::{Encoding, Text, Value};
use super::super::{DatabaseWriter, Index, WriteError, WriterOptions};
use super::{Owned, finished, rows, writer};

/// The error of a table whose rows are these.
fn refused(sql: &str, indexes: &[Index<'_>], rows: &[(i64, &[Value<'_>])]) -> String {
    let mut db = writer(512);
    let mut table = match db.table(sql, indexes) {
        Ok(table) => table,
        Err(error) => return error.to_string(),
    };
    for (rowid, values) in rows {
        if let Err(error) = table.row(*rowid, values) {
            return error.to_string();
        }
    }
    table.finish().unwrap_err().to_string()
}

#[test]
fn rows_that_are_not_the_next_are_refused_and_the_table_goes_on() {
    let mut db = writer(512);
    let mut table = db.table("CREATE TABLE t (a)", &[]).unwrap();
    table.row(5, &[Value::Null]).unwrap();
    for rowid in [5, 4, i64::MIN] {
        let error = table.row(rowid, &[Value::Null]).unwrap_err();
        assert!(matches!(error, WriteError::OutOfOrder { rowid: found, .. } if found == rowid));
    }
    let error = table.row(6, &[]).unwrap_err().to_string();
    assert_eq!(error, "row 6 of table `t` has 0 values for 1 columns");
    table.row(6, &[Value::Integer(6)]).unwrap();
    table.finish().unwrap();
    let expected = [(5, vec![Owned::Null]), (6, vec![Owned::Integer(6)])];
    assert_eq!(rows(&finished(db), "t"), expected);
}

#[test]
fn values_that_sqlite_would_have_changed_are_refused() {
    let sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, phone INTEGER, x REAL)";
    let one = |column: usize, value| {
        let mut values = [Value::Null; 4];
        values[column] = value;
        let mut db = writer(512);
        let mut table = db.table(sql, &[]).unwrap();
        table.row(3, &values).map_err(|error| error.to_string())
    };
    let wrong = |column| {
        Err(format!(
            "row 3 of table `t` has a value in column {column} that SQLite would have stored as \
             another"
        ))
    };
    assert_eq!(one(0, Value::Integer(3)), Ok(()));
    assert_eq!(one(0, Value::Integer(4)), wrong(0));
    assert_eq!(one(1, Value::Integer(4)), wrong(1));
    assert_eq!(one(1, Value::Real(0.5)), wrong(1));
    assert_eq!(one(1, Value::from("4")), Ok(()));
    assert_eq!(one(1, Value::Blob(&[])), Ok(()));
    assert_eq!(one(1, Value::Text(Text::new(b"a\0", Encoding::Utf16Le))), wrong(1));
    assert_eq!(one(2, Value::from("4")), wrong(2));
    assert_eq!(one(2, Value::from("four")), Ok(()));
    assert_eq!(one(2, Value::Real(4.0)), Ok(()));
    assert_eq!(one(3, Value::from("4.5")), wrong(3));
    assert_eq!(one(3, Value::Integer(4)), Ok(()));
}

#[test]
fn a_key_that_is_there_twice_is_refused_in_unique_indexes_alone() {
    let explicit = Index::explicit("CREATE UNIQUE INDEX u ON t (a, b)", &[0, 1]);
    let plain = Index::explicit("CREATE INDEX u ON t (a, b)", &[0, 1]);
    let (one, half) = (Value::Integer(1), Value::Real(0.5));
    let twice: [(i64, &[Value<'_>]); 3] =
        [(1, &[one, half]), (2, &[Value::Null, half]), (7, &[Value::Real(1.0), half])];
    let error = "row 7 has a key that index `u` has already";
    assert_eq!(refused("CREATE TABLE t (a, b)", &[explicit], &twice), error);
    let automatic = refused("CREATE TABLE t (a, b, UNIQUE (b))", &[Index::automatic(&[1])], &twice);
    assert_eq!(automatic, "row 2 has a key that index `sqlite_autoindex_t_1` has already");
    let mut db = writer(512);
    let mut table = db.table("CREATE TABLE t (a, b)", &[plain]).unwrap();
    for (rowid, values) in twice {
        table.row(rowid, values).unwrap();
    }
    table.finish().unwrap();
    assert_eq!(rows(&finished(db), "t").len(), 3);
}

#[test]
fn statements_that_are_not_what_they_should_be_are_refused() {
    let table = |sql| refused(sql, &[], &[]);
    assert_eq!(table("CREATE TABLE"), "the statement is wrong at byte 12: CREATE TABLE");
    assert_eq!(table("CREATE VIEW v AS SELECT 1"), refused_as_other("CREATE VIEW v AS SELECT 1"));
    assert_eq!(
        table("CREATE TABLE t (a)\0"),
        "the statement is wrong at byte 18: CREATE TABLE t (a)\0"
    );
    let new = "table `t` is WITHOUT ROWID or has a generated column: these are not written";
    assert_eq!(table("CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID"), new);
    assert_eq!(table("CREATE TABLE t (a, b AS (a))"), new);
    let mut db = writer(512);
    assert_eq!(
        db.view("CREATE TABLE t (a)").unwrap_err().to_string(),
        refused_as_other("CREATE TABLE t (a)")
    );
    let error = db.trigger("t", "CREATE TRIGGER g INSERT ON t BEGIN SELECT 1; END").unwrap_err();
    assert_eq!(error.to_string(), "`g` is on `t`, which is not there");
}

fn refused_as_other(sql: &str) -> String {
    format!("the statement is wrong at byte 0: {sql}")
}

#[test]
fn indexes_that_cannot_be_the_tables_are_refused() {
    let index =
        |sql, columns| refused("CREATE TABLE t (a, b)", &[Index::explicit(sql, columns)], &[]);
    let outside = "index `i` is on a column that its table does not have, on none, or on over 2000";
    assert_eq!(index("CREATE INDEX i ON t (a)", &[2]), outside);
    assert_eq!(index("CREATE INDEX i ON t (a)", &[]), outside);
    assert_eq!(index("CREATE INDEX i ON u (a)", &[0]), "`i` is on `u`, which is not there");
    assert_eq!(index("CREATE INDEX t ON t (a)", &[0]), "there is a `t` already");
    let automatic = |sql, indexes: &[Index<'_>]| refused(sql, indexes, &[]);
    let missing =
        "table `t` has 1 constraints that need an index, and 0 automatic indexes are given";
    assert_eq!(automatic("CREATE TABLE t (a UNIQUE)", &[]), missing);
    let many = "table `t` has 0 constraints that need an index, and 1 automatic indexes are given";
    let one = [Index::automatic(&[0])];
    assert_eq!(automatic("CREATE TABLE t (a INTEGER PRIMARY KEY)", &one), many);
}

#[test]
fn names_are_taken_once_but_triggers_have_their_own() {
    let mut db = writer(512);
    db.table("CREATE TABLE t (a)", &[]).unwrap().finish().unwrap();
    assert!(matches!(db.table("CREATE TABLE T (a)", &[]), Err(WriteError::SameName { .. })));
    assert!(matches!(db.view("CREATE VIEW t AS SELECT 1"), Err(WriteError::SameName { .. })));
    let trigger = "CREATE TRIGGER t INSERT ON t BEGIN SELECT 1; END";
    db.trigger("T", trigger).unwrap();
    assert!(matches!(db.trigger("t", trigger), Err(WriteError::SameName { .. })));
    db.view("CREATE VIEW v AS SELECT 1").unwrap();
    assert_eq!(finished(db).tables().len(), 1);
}

#[test]
fn a_table_that_is_not_finished_is_an_error() {
    let mut db = writer(512);
    db.table("CREATE TABLE t (a)", &[]).unwrap().row(1, &[Value::Null]).unwrap();
    let error = db.finish().unwrap_err().to_string();
    assert_eq!(error, "`t` was begun and not finished: call finish() on each table");
}

#[test]
fn only_page_sizes_of_sqlite_are_taken() {
    for size in [0, 256, 513, 4095, 131_072] {
        let options = WriterOptions::new().page_size(size);
        let error = DatabaseWriter::new(Cursor::new(Vec::new()), &options).unwrap_err();
        assert!(matches!(error, WriteError::PageSize { found } if found == size));
    }
}

/// Takes this many bytes, refuses once, and takes everything then, as a disk on which somebody made
/// room.
struct Full {
    left: usize,
    bytes: Cursor<Vec<u8>>,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = bytes.len().min(self.left);
        if len == 0 {
            self.left = usize::MAX;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.left -= len;
        self.bytes.write(&bytes[..len])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Full {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[test]
fn an_output_that_failed_once_is_never_finished() {
    let write = |left| -> Result<usize, WriteError> {
        let out = Full { left, bytes: Cursor::new(Vec::new()) };
        let mut db = DatabaseWriter::new(out, &WriterOptions::new())?;
        let mut table = db.table("CREATE TABLE t (a)", &[])?;
        for rowid in 0..100 {
            let _ = table.row(rowid, &[Value::Blob(&[7; 9_000])]); // what fails here shows later
        }
        let _ = table.finish();
        db.finish().map(|out| out.left)
    };
    let enough = 3_000_000;
    let bytes = enough - write(enough).unwrap();
    assert!(bytes > 900_000);
    assert_eq!(write(bytes).unwrap(), 0);
    for left in (0..bytes).step_by(10_007).chain([bytes - 1]) {
        assert!(matches!(write(left), Err(WriteError::Io(_) | WriteError::Unfinished { .. })));
    }
}
