//! Why a log is not read.

/// Why a log is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// It is encrypted, not under the default key, and no key was given.
    NeedsKey,
    /// The key is another one.
    WrongKey,
    /// It is no log, or damaged, in these words.
    Format(String),
}

impl<E: Into<String>> From<E> for Closed {
    fn from(why: E) -> Self {
        Self::Format(why.into())
    }
}
