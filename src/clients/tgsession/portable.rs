//! Portable sessions, as bytes and as text.

use std::path::Path;

use zeroize::Zeroizing;

use super::capabilities::{ALL, ENTITIES};
use crate::error::{Error, Result};
use crate::format::{
    Capabilities, Known, Parsed, ParsedSession, Target, Writing, damaged, written,
};
use crate::portable::{self, PortableError};

pub(super) const FORMAT: &str = "portable";
pub(super) const FORMAT_TEXT: &str = "portable-string";

pub(super) fn looks_like(bytes: &[u8]) -> bool {
    portable::is_portable(bytes)
}

/// Reads the bytes.
pub(super) fn read(path: &Path, bytes: &[u8], known: Known<'_>) -> Result<Parsed> {
    // A passphrase is given for all sources at once, and not all are sealed.
    let opened = match portable::decode(bytes, None) {
        Err(PortableError::NeedsPassphrase) if known.passphrase.is_some() => {
            portable::decode(bytes, known.passphrase)
        }
        opened => opened,
    };
    let session = opened.map_err(|error| match error {
        PortableError::NeedsPassphrase => {
            Error::NeedsPassphrase { path: path.to_owned(), what: "its passphrase" }
        }
        PortableError::WrongPassphrase => Error::WrongPassphrase { path: path.to_owned() },
        PortableError::Newer { found } => Error::Newer {
            path: path.to_owned(),
            what: "portable format",
            found: found.into(),
            newest: portable::VERSION.into(),
        },
        error => damaged(path, error.to_string()),
    })?;
    let session = ParsedSession {
        name: session.name,
        account: session.account,
        entities: session.entities,
        ..ParsedSession::default()
    };
    Ok(Parsed::one(format!("portable v{}", portable::VERSION), session))
}

/// Reads the text; `None` where it is another text.
pub(super) fn read_text(path: &Path, text: &str, known: Known<'_>) -> Option<Result<Parsed>> {
    portable::is_text(text).then(|| {
        let bytes = portable::from_text(text).map_err(|error| damaged(path, error.to_string()))?;
        read(path, &bytes, known)
    })
}

/// One session, sealed under a passphrase if there is one.
pub(super) struct PortableFile {
    passphrase: Option<Zeroizing<Vec<u8>>>,
    /// As base64url text, not as bytes.
    text: bool,
}

impl PortableFile {
    pub(super) fn new(passphrase: Option<&[u8]>, text: bool) -> Self {
        Self { passphrase: passphrase.map(|bytes| Zeroizing::new(bytes.to_vec())), text }
    }
}

impl Target for PortableFile {
    fn name(&self) -> &'static str {
        if self.text { FORMAT_TEXT } else { FORMAT }
    }

    fn capabilities(&self) -> &'static Capabilities {
        &ALL
    }

    fn write(&self, work: Writing<'_, '_>) -> Result<()> {
        let (session, lost, out) = work.of_one(self.name())?;
        let mut entities = Vec::new();
        while let Some(entity) = session.entity(&ENTITIES, lost) {
            entities.push(entity?);
        }
        let passphrase = self.passphrase.as_ref().map(|passphrase| passphrase.as_slice());
        let (name, account) = (Some(session.name.as_str()), &session.account);
        let bytes = portable::encode(name, account, &entities, passphrase)
            .map_err(|why| Error::Unfit { format: self.name(), why: why.to_string() })?;
        if self.text {
            written(out.write_all(portable::to_text(&bytes).as_bytes()))?;
            written(out.write_all(b"\n"))
        } else {
            written(out.write_all(&bytes))
        }
    }
}
