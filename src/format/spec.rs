//! The name of a format, and how it is written.

use zeroize::Zeroizing;

use super::{Capabilities, Losses, Outgoing, Target};
use crate::error::Result;
use crate::string::Unfit;
use crate::types::Account;

/// A format that sessions can be written in.
pub(crate) struct FormatSpec {
    /// The name that it is asked for by.
    pub(crate) name: &'static str,
    /// What its files are usually called after the name, with the dot.
    pub(crate) ending: &'static str,
    pub(crate) kind: OutputKind,
    /// Whether it is sealed under a passphrase where one is given.
    pub(crate) takes_passphrase: bool,
    /// Whether one file can hold several sessions.
    pub(crate) holds_many: bool,
    pub(crate) writer: Writer,
}

impl FormatSpec {
    /// A SQLite file of one session.
    pub(crate) const fn file(name: &'static str, target: &'static dyn Target) -> Self {
        Self {
            name,
            ending: ".session",
            kind: OutputKind::File,
            takes_passphrase: false,
            holds_many: false,
            writer: Writer::File(target),
        }
    }

    /// A session string.
    pub(crate) const fn string(
        name: &'static str,
        capabilities: &'static Capabilities,
        encode: Encode,
    ) -> Self {
        Self::text(name, Writer::String { capabilities, encode })
    }

    /// One line of text.
    pub(crate) const fn text(name: &'static str, writer: Writer) -> Self {
        Self {
            name,
            ending: ".txt",
            kind: OutputKind::Text,
            takes_passphrase: false,
            holds_many: false,
            writer,
        }
    }
}

/// What a format is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputKind {
    /// One line of text.
    Text,
    File,
    /// A folder of files.
    Folder,
}

/// Writes the session string of a fitted account.
pub(crate) type Encode = fn(&Account) -> Result<Zeroizing<String>, Unfit>;

/// What writes a format.
pub(crate) enum Writer {
    /// A session string.
    String { capabilities: &'static Capabilities, encode: Encode },
    /// A file, or text, written at once.
    File(&'static dyn Target),
    /// A file that is sealed under a passphrase.
    Sealed(SealedTarget),
    /// A folder.
    Folder { capabilities: &'static Capabilities, files: FolderWriter },
    /// This build has no writer of it, for this reason.
    #[cfg_attr(feature = "tdata", expect(dead_code, reason = "this build writes every format"))]
    Absent(&'static str),
}

/// Gives what writes under a passphrase.
pub(crate) type SealedTarget = fn(Option<&[u8]>) -> Result<Box<dyn Target>>;

/// Names and contents of files.
pub(crate) type NamedFiles = Vec<(String, Zeroizing<Vec<u8>>)>;

/// Gives the files of a folder of this name, with fitted sessions, under a passphrase.
pub(crate) type FolderWriter =
    fn(&str, &mut [Outgoing<'_>], Option<&[u8]>, &mut Losses) -> Result<NamedFiles>;
