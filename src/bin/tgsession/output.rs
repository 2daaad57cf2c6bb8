//! The two ways out: results on standard output, words for people on standard error.

use std::io::{self, BufWriter, StdoutLock, Write};

use console::{Alignment, Term, measure_text_width, pad_str};

use crate::settings;

/// Standard output, buffered. Flush it when all went well: the end of a result must not be lost
/// without a word.
pub(crate) fn results() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// One line that says what is wrong.
pub(crate) fn complain(text: &str) {
    print(&format!("tgsession: {text}"));
}

/// One line for a person. Nobody may be listening, and that is no failure.
pub(crate) fn say(text: &str) {
    if settings::get().quiet {
        return;
    }
    print(text);
}

fn print(text: &str) {
    let _ = writeln!(io::stderr(), "{}", one_line(text));
}

/// One line that a person must see, also with `--quiet`.
pub(crate) fn warn(text: &str) {
    print(&format!("tgsession: warning: {text}"));
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

/// The text in exactly so many columns, filled up or cut.
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
