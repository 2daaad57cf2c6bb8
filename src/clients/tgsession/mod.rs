//! Our own formats: portable sessions and dumps. Both have a place for everything.

mod capabilities;
mod dump;
mod portable;

use self::dump::DumpFile;
use self::portable::PortableFile;
use crate::format::{FormatSpec, OutputKind, Reader, Writer};

/// The readers of our own formats.
pub(super) const READERS: &[Reader] = &[
    Reader::File { has_magic: true, looks_like: portable::looks_like, read: portable::read },
    Reader::Text(portable::read_text),
    Reader::Text(dump::read_text),
];

pub(super) const PORTABLE: FormatSpec = FormatSpec {
    name: portable::FORMAT,
    ending: ".tgsp",
    kind: OutputKind::File,
    takes_passphrase: true,
    holds_many: false,
    writer: Writer::Sealed(|passphrase| Ok(Box::new(PortableFile::new(passphrase, false)))),
};

pub(super) const PORTABLE_STRING: FormatSpec = FormatSpec {
    takes_passphrase: true,
    ..FormatSpec::text(
        portable::FORMAT_TEXT,
        Writer::Sealed(|passphrase| Ok(Box::new(PortableFile::new(passphrase, true)))),
    )
};

pub(super) const DUMP: FormatSpec =
    FormatSpec { ending: ".json", holds_many: true, ..FormatSpec::file(dump::FORMAT, &DumpFile) };
