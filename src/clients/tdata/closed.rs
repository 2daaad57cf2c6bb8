//! Why a key file stays closed.

/// Why a key file stays closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// The passcode is another one.
    Passcode,
    /// The app lock is on, and there is no sealed key that the passcode could open.
    AppLock,
    /// The trailer has this version, which is newer than the one that is known.
    Newer(u32),
    /// The file is invalid, for this reason.
    Format(String),
}

impl<E: Into<String>> From<E> for Closed {
    fn from(why: E) -> Self {
        Self::Format(why.into())
    }
}
