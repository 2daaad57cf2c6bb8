//! Wrappers around a session: quotes, `NAME=value`, base64, gzip, ZIP.
//!
//! [`step`] removes one layer. The caller tries to recognise the content, and calls it again if that
//! fails. The number of layers and the unpacked bytes are bounded.

mod archive;
mod encoded;
mod layer;
mod text;

pub(super) use self::layer::{Budget, Bytes, Inside, Layer};

/// Removes one layer; `None` if there is no known one.
///
/// # Errors
///
/// The kind of the bytes, as in "it is ...", if it is known and nothing can be taken out of them.
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
