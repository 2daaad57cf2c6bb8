//! The two ways out: results on standard output, words for people on standard error.

use std::io::{self, BufWriter, StdoutLock, Write};

/// Standard output, buffered. Flush it when all went well: the end of a result must not be lost
/// without a word.
pub(crate) fn results() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// One line that says what is wrong.
pub(crate) fn complain(text: &str) {
    say(&format!("tgsession: {text}"));
}

/// One line for a person. Nobody may be listening, and that is no failure.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", one_line(text));
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
