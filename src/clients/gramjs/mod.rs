//! GramJS, and teleproto: the folder of `StoreSession` and the text of `StringSession`.

pub(crate) mod store;
pub(crate) mod string;

use crate::format::{FormatSpec, OutputKind, Reader, Writer, the_only};

/// The readers of GramJS.
pub(super) const READERS: &[Reader] = &[
    Reader::String { versioned: true, decode: string::decode },
    Reader::Folder {
        name: "a GramJS store",
        looks_like: store::looks_like,
        read: |files, path, _| store::read(files, path),
    },
];

pub(super) const STRING: FormatSpec =
    FormatSpec::string(string::FORMAT, &string::CAPABILITIES, string::encode);

pub(super) const STORE: FormatSpec = FormatSpec {
    name: store::FORMAT,
    ending: "",
    kind: OutputKind::Folder,
    takes_passphrase: false,
    holds_many: false,
    writer: Writer::Folder {
        capabilities: &store::CAPABILITIES,
        files: |name, sessions, _, lost| {
            store::files(name, the_only(sessions, store::FORMAT)?, lost)
        },
    },
};
