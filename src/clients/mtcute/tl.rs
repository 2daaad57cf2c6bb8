//! Telegram's binary notation, as far as mtcute's values need it.

/// Bytes that are being read; every answer is `None` where they end too early.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (found, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*found)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn int(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn long(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// A text after its length, with zeros up to a multiple of 4 from its own start.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        let (header, len) = match self.byte()? {
            LONG => {
                let [low, middle, high] = self.array()?;
                (4, u32::from_le_bytes([low, middle, high, 0]) as usize)
            }
            len => (1, usize::from(len)),
        };
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest.get(padding(header + len)..)?;
        std::str::from_utf8(text).ok()
    }
}

/// Puts a text as [`Reader::string`] takes it; `None` if it has 2^24 bytes or more.
pub(super) fn put_string(to: &mut Vec<u8>, text: &str) -> Option<()> {
    let header = match u8::try_from(text.len()) {
        Ok(len) if len < LONG => {
            to.push(len);
            1
        }
        _ => {
            let [low, middle, high, 0] = u32::try_from(text.len()).ok()?.to_le_bytes() else {
                return None;
            };
            to.extend([LONG, low, middle, high]);
            4
        }
    };
    to.extend_from_slice(text.as_bytes());
    to.resize(to.len() + padding(header + text.len()), 0);
    Some(())
}

/// A length byte that says that three bytes of length follow.
const LONG: u8 = 254;

fn padding(len: usize) -> usize {
    len.next_multiple_of(4) - len
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_reads_back(len in prop_oneof![0..10_usize, 250..260_usize], after in any::<i32>()) {
            let text = "x".repeat(len);
            let mut bytes = Vec::new();
            put_string(&mut bytes, &text).unwrap();
            prop_assert_eq!(bytes.len() % 4, 0);
            bytes.extend(after.to_le_bytes());
            let mut reader = Reader(&bytes);
            prop_assert_eq!(reader.string(), Some(text.as_str()));
            prop_assert_eq!(reader.int(), Some(after));
            prop_assert_eq!(reader.byte(), None);
        }
    }

    #[test]
    fn a_text_of_16_mebibytes_has_no_length() {
        assert_eq!(put_string(&mut Vec::new(), &"x".repeat(1 << 24)), None);
    }
}
