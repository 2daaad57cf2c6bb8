//! What became of many sessions, at a glance.

use super::outcome::{Failures, Imported, logged_in};
use crate::output;
use crate::words::thousands;

const COLUMNS: usize = 5;
const HEADS: [&str; COLUMNS] = ["session", "format", "DC", "login", "entities"];
/// More rows than this are counted and not shown.
const ROWS: usize = 50;
/// A name is not cut shorter than this.
const SHORTEST: usize = 12;

type Row = [String; COLUMNS];

/// Says one row per session, by name, where there is more than one and something got in.
pub(super) fn say(imported: &[Imported], failures: &Failures) {
    let mut rows: Vec<Row> = imported.iter().map(row).collect();
    let none = || "-".to_owned();
    let failed = |name: &str| [name.to_owned(), none(), none(), "not imported".to_owned(), none()];
    rows.extend(failures.names().map(failed));
    rows.sort_by(|[one, ..], [other, ..]| one.cmp(other));
    if rows.len() > 1 && !imported.is_empty() {
        lines(&rows, output::width()).iter().for_each(|line| output::say(line));
    }
}

fn row(imported: &Imported) -> Row {
    let Imported { format, account, report, .. } = imported;
    [
        imported.name.clone(),
        format.clone(),
        account.login.home_dc.map_or_else(|| "-".to_owned(), |dc| dc.to_string()),
        logged_in(account),
        thousands(report.entities),
    ]
}

fn lines(rows: &[Row], terminal: usize) -> Vec<String> {
    let heads = HEADS.map(str::to_owned);
    let shown: Vec<&Row> = std::iter::once(&heads).chain(rows.iter().take(ROWS)).collect();
    let mut widths = [0; COLUMNS];
    for row in &shown {
        for (wide, cell) in widths.iter_mut().zip(row.iter()) {
            *wide = (*wide).max(output::columns(cell));
        }
    }
    let total = widths.iter().sum::<usize>() + GAP.len() * (COLUMNS - 1);
    if let Some(name) = widths.first_mut() {
        *name = (*name).min(name.saturating_sub(total.saturating_sub(terminal)).max(SHORTEST));
    }
    let line = |row: &&Row| {
        let cells = row.iter().zip(widths).map(|(cell, wide)| output::fitted(cell, wide));
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    let mut lines: Vec<_> = shown.iter().map(line).collect();
    let more = rows.len().saturating_sub(ROWS);
    if more > 0 {
        lines.push(format!("... and {more} more"));
    }
    lines
}

const GAP: &str = "  ";

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &[&str], terminal: usize) -> Vec<String> {
        let rows: Vec<Row> = names
            .iter()
            .map(|name| [name, "f", "2", "logged in", "5"].map(str::to_owned))
            .collect();
        lines(&rows, terminal)
    }

    #[test]
    fn a_long_name_is_cut_so_that_the_table_fits_the_terminal() {
        let long = "n".repeat(200);
        let lines = table(&["a", &long], 60);
        assert!(lines.iter().all(|line| line.chars().count() <= 60), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("nnn…  f")), "{lines:?}");
        assert!(table(&["a", &long], 1000).iter().any(|line| line.contains(&long)));
    }

    #[test]
    fn of_many_rows_fifty_are_shown_and_the_rest_is_counted() {
        let lines = table(&["a"; 200], 80);
        assert_eq!(lines.len(), 52);
        assert_eq!(lines.last().map(String::as_str), Some("... and 150 more"));
    }
}
