//! Session strings, written.

use zeroize::Zeroizing;

use crate::error::Error;
use crate::format::{AccountTarget, Capabilities, Encode, Target};
use crate::string::Unfit;

/// Writes the session string of an account, and ends the line.
pub(super) fn target(
    name: &'static str,
    capabilities: &'static Capabilities,
    encode: Encode,
) -> impl Target {
    let encode = move |account: &_| {
        let unfit = |why: Unfit| Error::Unfit { format: name, why: why.to_string() };
        let text = encode(account).map_err(unfit)?;
        // One allocation: growing would leave a copy of the key behind.
        let mut line = Zeroizing::new(Vec::with_capacity(text.len() + 1));
        line.extend_from_slice(text.as_bytes());
        line.push(b'\n');
        Ok(line)
    };
    AccountTarget { name, capabilities, encode }
}
