//! What people and services put around a session: quotes, `NAME=value`, base64, gzip, a ZIP.
//!
//! [`step`] takes one layer off; the caller looks at what is then there, and asks again if it is
//! still no session. All layers together are bounded in number and in bytes.

mod archive;
mod encoded;
mod text;

use zeroize::Zeroizing;

use crate::format::InMemory;

/// Bytes that may hold a key.
pub(super) type Bytes = Zeroizing<Vec<u8>>;

/// What was inside a layer.
pub(super) enum Inside {
    /// One thing.
    One(Bytes),
    /// Texts by name, of which any may be a session.
    Texts(Vec<(String, Bytes)>),
    /// Files by their paths in an archive.
    Files(InMemory),
}

/// One layer, taken off.
pub(super) struct Layer {
    /// What it was, as in "inside `name`".
    pub(super) name: String,
    pub(super) inside: Inside,
}

impl Layer {
    fn one(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), inside: Inside::One(Zeroizing::new(bytes.into())) }
    }
}

/// How much may still be unpacked.
pub(super) struct Budget {
    bytes: u64,
    steps: u32,
}

/// All that is unpacked from one source together. A session of a million entities has 80 MB.
const MOST_BYTES: u64 = 256 << 20;

/// No source has as many layers around its sessions.
const MOST_STEPS: u32 = 1_000;

impl Budget {
    pub(super) fn new() -> Self {
        Self { bytes: MOST_BYTES, steps: MOST_STEPS }
    }

    /// Takes so many bytes off.
    fn take(&mut self, bytes: usize) -> Result<(), String> {
        let left = u64::try_from(bytes).ok().and_then(|bytes| self.bytes.checked_sub(bytes));
        self.bytes = left.ok_or_else(too_large)?;
        Ok(())
    }
}

fn too_large() -> String {
    let most = MOST_BYTES >> 20;
    format!("packed data that unpacks to more than {most} MiB; unpack it and give what is in it")
}

/// Takes one layer off; `None` where there is none that is known.
///
/// # Errors
///
/// What the bytes are, as in "it is ...", where that is known and nothing can be taken out of it.
pub(super) fn step(bytes: &[u8], budget: &mut Budget) -> Result<Option<Layer>, String> {
    budget.steps = budget.steps.checked_sub(1).ok_or("wrapped in too many layers")?;
    if let Some(layer) = archive::open(bytes, budget)? {
        return Ok(Some(layer));
    }
    if let Some(text) = encoded::utf16(bytes) {
        budget.take(text.len())?;
        return Ok(Some(Layer::one("UTF-16 text", text.as_bytes())));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(None) };
    if let Some(found) = text::named(text) {
        return Err(found.to_owned());
    }
    let layer = text::step(text).or_else(|| encoded::step(text));
    let layer = layer.or_else(|| text::several(text));
    match &layer {
        Some(Layer { inside: Inside::One(bytes), .. }) => budget.take(bytes.len())?,
        Some(Layer { inside: Inside::Texts(texts), .. }) => {
            budget.take(texts.iter().map(|(_, text)| text.len()).sum())?;
        }
        _ => {}
    }
    Ok(layer)
}
