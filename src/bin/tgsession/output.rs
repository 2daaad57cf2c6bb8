//! The two ways out: results on standard output, words for people on standard error.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use console::{Alignment, Term, measure_text_width, pad_str};

use crate::{progress, settings};

/// Standard output, buffered. Flush it when all went well: the end of a result must not be lost
/// without a word.
pub(crate) fn results() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// One line that says what is wrong.
pub(crate) fn complain(text: &str) {
    print_in(Some(RED), "tgsession: ", text);
}

/// One line for a person. A closed standard error is no failure.
pub(crate) fn say(text: &str) {
    if settings::get().quiet {
        return;
    }
    print(text);
}

fn print(text: &str) {
    print_in(None, "", text);
}

/// One line that a person must see, also with `--quiet`.
pub(crate) fn warn(text: &str) {
    print_in(Some(YELLOW), "tgsession: warning: ", text);
}

/// Only what stands before the text is coloured, for people who look for it.
fn print_in(colour: Option<&str>, before: &str, text: &str) {
    let text = one_line(text);
    progress::aside(|| {
        let mut stderr = io::stderr().lock();
        let _ = match colour.filter(|_| coloured(io::stderr().is_terminal())) {
            Some(colour) => writeln!(stderr, "{colour}{before}{RESET}{text}"),
            None => writeln!(stderr, "{before}{text}"),
        };
    });
}

const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[1;33m";
const BOLD: &str = "\u{1b}[1m";
const RESET: &str = "\u{1b}[0m";

/// Colours are for terminals, and for people who have not refused them (<https://no-color.org>).
fn coloured(terminal: bool) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|text| !text.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
    terminal && !refused && !dumb
}

/// The label of a value on standard output, filled up to this many columns.
pub(crate) fn label(text: &str, columns: usize) -> String {
    let text = format!("{text:columns$}");
    if coloured(io::stdout().is_terminal()) { format!("{BOLD}{text}{RESET}") } else { text }
}

/// How many columns the terminal has; without one, as many as people expect.
pub(crate) fn width() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    asked.filter(|columns| *columns > 0).unwrap_or_else(|| {
        let terminal = Term::stderr();
        if terminal.is_term() { usize::from(terminal.size().1) } else { WIDTH }
    })
}

const WIDTH: usize = 100;

/// How many columns a text takes.
pub(crate) fn columns(text: &str) -> usize {
    measure_text_width(text)
}

/// The text in exactly this many columns, filled up or cut.
pub(crate) fn fitted(text: &str, columns: usize) -> String {
    pad_str(&one_line(text), columns, Alignment::Left, Some("…")).into_owned()
}

/// The text without line breaks and other control characters, which a name out of a strange file
/// may have and a terminal would obey.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_spelt_out() {
        assert_eq!(one_line("a\nb\u{1b}[31m ẞ\u{9b}"), "a\\nb\\u{1b}[31m ẞ\\u{9b}");
    }
}
