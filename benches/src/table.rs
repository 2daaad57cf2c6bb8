//! Figures, and how they are shown.

use std::fmt::Write as _;

/// One column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name on the command line and in the plot's file name.
    pub name: &'static str,
    /// The heading.
    pub title: &'static str,
    /// What its figures count.
    pub unit: &'static str,
}

/// One measured figure; less is better.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// The work that was measured.
    pub column: Column,
    /// With how many entities.
    pub size: u64,
    /// The name of the peer.
    pub peer: &'static str,
    /// The median.
    pub value: f64,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub struct Figures(Vec<Figure>);

impl Figures {
    /// Adds a figure and says so on standard error, since a run is long.
    pub fn add(&mut self, figure: Figure) {
        let Figure { column, size, peer, value } = figure;
        eprintln!("{size:>9} {:<14} {peer:<16} {value:>14.3} {}", column.name, column.unit);
        self.take_in(figure);
    }

    /// Adds a figure that has been printed.
    pub fn take_in(&mut self, figure: Figure) {
        self.0.push(figure);
    }

    /// Every figure.
    pub fn iter(&self) -> impl Iterator<Item = &Figure> {
        self.0.iter()
    }

    /// The columns measured at this size, in the order in which they were.
    #[must_use]
    pub fn columns(&self, size: Option<u64>) -> Vec<Column> {
        let mut columns = Vec::new();
        for figure in self.0.iter().filter(|figure| size.is_none_or(|size| figure.size == size)) {
            if !columns.contains(&figure.column) {
                columns.push(figure.column);
            }
        }
        columns
    }

    fn get(&self, column: Column, size: u64, peer: &str) -> Option<f64> {
        let fits = |f: &&Figure| f.column == column && f.size == size && f.peer == peer;
        self.0.iter().find(fits).map(|figure| figure.value)
    }

    /// A Markdown table of one size. `peers` are names and titles: ours first, the limits last.
    #[must_use]
    pub fn markdown(&self, size: u64, peers: &[(&str, &str)]) -> String {
        let columns = self.columns(Some(size));
        let mut text = String::from("| |");
        for column in &columns {
            write!(text, " {}, {} |", column.title, column.unit).unwrap();
        }
        write!(text, "\n|---|{}\n", "---:|".repeat(columns.len())).unwrap();
        for (name, title) in peers {
            let cell = |column: &Column| shown(self.get(*column, size, name));
            line(&mut text, title, columns.iter().map(cell));
        }
        if peers.len() > 1 {
            self.ratios(&mut text, size, &columns, peers);
        }
        text
    }

    fn ratios(&self, text: &mut String, size: u64, columns: &[Column], peers: &[(&str, &str)]) {
        let limits = |name: &str| name == "limits";
        let ratio = |column: &Column, of: &dyn Fn(&str) -> bool| {
            let same = |name: &str| name != "ours" && compares(column, name);
            let others = peers.iter().filter(|(name, _)| same(name) && of(name));
            let best = others.filter_map(|(name, _)| self.get(*column, size, name));
            let best = best.min_by(f64::total_cmp)?;
            Some(format!("{:.2}x", self.get(*column, size, "ours")? / best))
        };
        let cells = |of: &dyn Fn(&str) -> bool| -> Vec<String> {
            columns.iter().map(|column| ratio(column, of).unwrap_or_default()).collect()
        };
        line(text, "**ours / best peer**", cells(&|name| !limits(name)).into_iter());
        if peers.iter().any(|(name, _)| limits(name)) {
            line(text, "ours / limit", cells(&limits).into_iter());
        }
    }
}

/// Telethon's schema has no indexes, and grammers' no names either: filling them, and their size,
/// are another work.
fn compares(column: &Column, peer: &str) -> bool {
    let less = ["telethon_sqlite", "grammers"].contains(&peer);
    !(less && ["bulk", "bytes", "churn"].contains(&column.name))
}

fn line(text: &mut String, title: &str, cells: impl Iterator<Item = String>) {
    write!(text, "| {title} |").unwrap();
    for cell in cells {
        write!(text, " {cell} |").unwrap();
    }
    text.push('\n');
}

/// Three digits that count, with commas between thousands.
fn shown(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value < 10.0 => format!("{value:.2}"),
        Some(value) if value < 100.0 => format!("{value:.1}"),
        Some(value) => grouped(&format!("{value:.0}")),
    }
}

/// Digits with commas between thousands.
#[must_use]
pub fn grouped(digits: &str) -> String {
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}
