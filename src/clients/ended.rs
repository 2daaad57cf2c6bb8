//! The error of binary formats that are cut short.

/// The bytes end within the value that was to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::clients) struct Ended;

impl From<Ended> for String {
    fn from(Ended: Ended) -> Self {
        "it ends too early".into()
    }
}
