//! Telegram Desktop's folder in a build that cannot read it.

use crate::format::{FormatSpec, OutputKind, Reader, Writer};

pub(super) const READERS: &[Reader] = &[];

pub(super) const FOLDER: FormatSpec = FormatSpec {
    name: "tdata",
    ending: "",
    kind: OutputKind::Folder,
    takes_passphrase: true,
    holds_many: true,
    writer: Writer::Absent("only a build with the feature `tdata` writes it"),
};
