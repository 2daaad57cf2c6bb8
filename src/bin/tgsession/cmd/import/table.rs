//! What became of many sessions, at a glance.

use super::{Imported, logged_in};
use crate::output;
use crate::words::thousands;

/// One row a session, said at the end.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<[String; COLUMNS]>,
    any: bool,
}

const COLUMNS: usize = 5;
const HEADS: [&str; COLUMNS] = ["session", "format", "DC", "login", "entities"];

impl Table {
    /// A table with the sources that could not be opened.
    pub(super) fn with(unopened: &[String]) -> Self {
        let mut table = Self::default();
        unopened.iter().for_each(|name| table.add(name, None));
        table
    }

    /// A session that got in, or one that did not.
    pub(super) fn add(&mut self, name: &str, imported: Option<&Imported>) {
        self.any |= imported.is_some();
        let none = || "-".to_owned();
        let row = match imported {
            None => [name.to_owned(), none(), none(), "not imported".to_owned(), none()],
            Some(Imported { form, account, report, .. }) => [
                name.to_owned(),
                form.clone(),
                account.login.home_dc.map_or_else(none, |dc| dc.to_string()),
                logged_in(account),
                thousands(report.entities),
            ],
        };
        self.rows.push(row);
    }

    /// Says it by name, where there is more than a line of it and something got in.
    pub(super) fn say(mut self) {
        self.rows.sort_by(|[one, ..], [other, ..]| one.cmp(other));
        if self.rows.len() > 1 && self.any {
            self.lines().iter().for_each(|line| output::say(line));
        }
    }

    fn lines(&self) -> Vec<String> {
        let heads = HEADS.map(str::to_owned);
        let rows: Vec<_> = std::iter::once(&heads).chain(&self.rows).collect();
        let widths: Vec<usize> = (0..COLUMNS)
            .map(|at| {
                rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell)).max().unwrap_or(0)
            })
            .collect();
        let line = |row: &&[String; COLUMNS]| {
            let cells = row.iter().zip(&widths).map(|(cell, wide)| {
                let space = wide.saturating_sub(width(cell));
                format!("{cell}{}", " ".repeat(space))
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        rows.iter().map(line).collect()
    }
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}
