//! Random databases are what was written, and their indexes in order.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::super::super::{Database, Value};
use super::super::{Index, compare};
use super::{Numbers, Owned, finished, keys, rows, values, writer};

/// A table and what is in it.
#[derive(Debug)]
struct Model {
    name: String,
    /// The column that is the rowid.
    alias: Option<usize>,
    columns: usize,
    indexes: Vec<Vec<usize>>,
    rows: Vec<(i64, Vec<Owned>)>,
}

impl Model {
    fn new(numbers: &mut Numbers, name: String, rows: usize, long: u64) -> Self {
        let columns = 1 + numbers.below(6) as usize;
        let alias = Some(numbers.below(9) as usize).filter(|column| *column < columns);
        let column = |numbers: &mut Numbers| numbers.below(columns as u64) as usize;
        let index = |numbers: &mut Numbers| {
            (0..=numbers.below(3)).map(|_| column(numbers)).collect::<Vec<_>>()
        };
        let indexes = (0..numbers.below(4)).map(|_| index(numbers)).collect();
        let mut rowid = numbers.next().cast_signed() >> numbers.below(64);
        rowid = rowid.min(i64::MAX >> 1);
        let rows = (0..rows).map(|_| {
            rowid += 1 + (numbers.below(1 << 40) >> numbers.below(63)).cast_signed();
            let mut row: Vec<_> = (0..columns).map(|_| value(numbers, long)).collect();
            if let Some(alias) = alias {
                row[alias] = Owned::Integer(rowid);
            }
            (rowid, row)
        });
        let rows = rows.collect();
        Self { name, alias, columns, indexes, rows }
    }

    fn sql(&self) -> String {
        let column = |at| match at {
            at if Some(at) == self.alias => format!("c{at} INTEGER PRIMARY KEY"),
            at => format!("c{at}"),
        };
        let columns: Vec<_> = (0..self.columns).map(column).collect();
        format!("CREATE TABLE {} ({})", self.name, columns.join(", "))
    }

    fn index_sql(&self, number: usize) -> String {
        let columns: Vec<_> = self.indexes[number].iter().map(|at| format!("c{at}")).collect();
        format!("CREATE INDEX i{number}_{} ON {} ({})", self.name, self.name, columns.join(", "))
    }

    /// The keys of its indexes are in order, and each row has one.
    fn check_indexes(&self, db: &Database) {
        for (number, columns) in self.indexes.iter().enumerate() {
            let found = keys(db, &format!("i{number}_{}", self.name));
            let fields = u16::try_from(columns.len()).unwrap() + 1;
            for pair in found.windows(2) {
                assert_eq!(compare::records(&pair[0], &pair[1], fields), Ordering::Less);
            }
            let encode = |rowid: i64, row: &[Owned]| {
                let key = columns.iter().map(|at| row[*at].value());
                let mut record = zeroize::Zeroizing::default();
                let key: Vec<_> = key.chain([Value::Integer(rowid)]).collect();
                super::super::record::encode(key.into_iter(), &mut record);
                record.to_vec()
            };
            let mut expected: Vec<_> = self.rows.iter().map(|(id, row)| encode(*id, row)).collect();
            let mut found = found;
            expected.sort();
            found.sort();
            assert_eq!(found, expected);
        }
    }
}

/// A value of any class; about one in 30 has up to `long` bytes.
fn value(numbers: &mut Numbers, long: u64) -> Owned {
    let end = if numbers.below(30) == 0 { long } else { 30 };
    let len = numbers.below(end) as usize;
    let class = numbers.below(8);
    match class {
        0 => Owned::Null,
        1..=3 => Owned::Integer(numbers.next().cast_signed() >> numbers.below(64)),
        4 => Owned::Real((numbers.next().cast_signed() >> numbers.below(64)) as f64 / 8.0),
        5 => Owned::Text("short, and equal to others".chars().take(len % 4).collect()),
        6 => Owned::Text((0..len).map(|_| ['a', '\0', '\u{e9}', '9'][len % 4]).collect()),
        _ => Owned::Blob((0..len).map(|_| numbers.next() as u8).collect()),
    }
}

fn round_trip(seed: u64, page_size: u32, tables: usize, count: usize) {
    let mut numbers = Numbers(seed);
    let long = u64::from(page_size) * 4;
    let count = |numbers: &mut Numbers| numbers.below(count as u64 + 1) as usize;
    let models: Vec<_> = (0..tables)
        .map(|number| {
            let rows = count(&mut numbers);
            Model::new(&mut numbers, format!("t{number}"), rows, long)
        })
        .collect();
    let mut db = writer(page_size);
    for model in &models {
        let sql: Vec<_> = (0..model.indexes.len()).map(|n| model.index_sql(n)).collect();
        let indexes = sql.iter().zip(&model.indexes).map(|(sql, at)| Index::explicit(sql, at));
        let mut table = db.table(&model.sql(), &indexes.collect::<Vec<_>>()).unwrap();
        for (rowid, row) in &model.rows {
            table.row(*rowid, &values(row)).unwrap();
        }
        table.finish().unwrap();
    }
    let db = finished(db);
    assert_eq!(db.tables().len(), models.len());
    for model in &models {
        assert_eq!(rows(&db, &model.name), model.rows);
        model.check_indexes(&db);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn what_is_written_reads_back(seed: u64, shift in 9..17_u32, tables in 0..4_usize, count in 0..200_usize) {
        round_trip(seed, 1 << shift, tables, count);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn thousands_of_rows_read_back(seed: u64, shift in 9..17_u32, count in 2_000..5_000_usize) {
        round_trip(seed, 1 << shift, 1, count);
    }
}

#[test]
fn the_rowid_may_be_any_integer() {
    let mut db = writer(512);
    let index = Index::explicit("CREATE INDEX i ON t (id)", &[0]);
    let mut table = db.table("CREATE TABLE t (id INTEGER PRIMARY KEY)", &[index]).unwrap();
    let ids = [i64::MIN, -1, 0, 1, 1 << 47, i64::MAX];
    for id in ids {
        table.row(id, &[Value::Null]).unwrap();
    }
    table.finish().unwrap();
    let db = finished(db);
    assert_eq!(rows(&db, "t"), ids.map(|id| (id, vec![Owned::Integer(id)])));
    assert_eq!(keys(&db, "i").len(), ids.len());
}

/// Else the index would hold an integer that is not equal to what the column reads as.
#[test]
fn an_integer_in_a_real_column_is_a_real_in_table_and_index() {
    let mut db = writer(512);
    let index = Index::explicit("CREATE INDEX i ON t (a)", &[0]);
    let mut table = db.table("CREATE TABLE t (a REAL)", &[index]).unwrap();
    table.row(1, &[Value::Integer(i64::MAX)]).unwrap();
    table.finish().unwrap();
    let db = finished(db);
    assert_eq!(rows(&db, "t"), [(1, vec![Owned::Real(9_223_372_036_854_775_808.0)])]);
    let record = [2, 7, 0x43, 0xe0, 0, 0, 0, 0, 0, 0]; // header length, type, value
    let mut pages = (2..=db.page_count()).map(|page| db.pages.page(page).unwrap());
    assert!(pages.any(|page| page.ends_with(&record)));
    assert_eq!(keys(&db, "i"), [[3, 7, 9, 0x43, 0xe0, 0, 0, 0, 0, 0, 0]]);
}

#[test]
fn a_nan_is_null() {
    let mut db = writer(512);
    let index = Index::automatic(&[0]);
    let mut table = db.table("CREATE TABLE t (a REAL UNIQUE)", &[index]).unwrap();
    table.row(1, &[Value::Real(f64::NAN)]).unwrap();
    table.row(2, &[Value::Null]).unwrap(); // no NULL is equal to another
    table.finish().unwrap();
    assert_eq!(rows(&finished(db), "t"), [(1, vec![Owned::Null]), (2, vec![Owned::Null])]);
}
