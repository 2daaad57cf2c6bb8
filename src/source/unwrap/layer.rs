//! One layer around a session, and how much may be unpacked.

use zeroize::Zeroizing;

use crate::format::InMemory;

/// Bytes that may hold a key.
pub(in crate::source) type Bytes = Zeroizing<Vec<u8>>;

/// The content of a layer.
pub(in crate::source) enum Inside {
    /// One thing.
    One(Bytes),
    /// Texts by name. Any of them may be a session.
    Texts(Vec<(String, Bytes)>),
    /// Files by their paths in an archive.
    Files(InMemory),
}

/// One layer that was removed.
pub(in crate::source) struct Layer {
    /// Its name, as in "inside `name`".
    pub(in crate::source) name: String,
    pub(in crate::source) inside: Inside,
}

impl Layer {
    pub(in crate::source) fn one(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), inside: Inside::One(Zeroizing::new(bytes.into())) }
    }
}

/// The remaining bound of bytes and steps.
pub(in crate::source) struct Budget {
    pub(super) bytes: u64,
    pub(in crate::source) steps: u32,
}

/// All that is unpacked from one source together. A session of a million entities has 80 MB.
pub(in crate::source) const MOST_BYTES: u64 = 256 << 20;

/// No source has as many layers around its sessions.
pub(in crate::source) const MOST_STEPS: u32 = 1_000;

impl Budget {
    pub(in crate::source) fn new() -> Self {
        Self { bytes: MOST_BYTES, steps: MOST_STEPS }
    }

    /// Takes this many bytes off.
    pub(in crate::source) fn take(&mut self, bytes: usize) -> Result<(), String> {
        let left = u64::try_from(bytes).ok().and_then(|bytes| self.bytes.checked_sub(bytes));
        self.bytes = left.ok_or_else(too_large)?;
        Ok(())
    }
}

pub(in crate::source) fn too_large() -> String {
    let most = MOST_BYTES >> 20;
    format!(
        "compressed data that unpacks to more than {most} MiB; unpack it and give what is in it"
    )
}
