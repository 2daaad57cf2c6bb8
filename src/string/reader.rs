//! Fields off the front of bytes, and the byte strings of TL.

/// Reads bytes from the front.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Everything after the fields that were read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(field)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    /// A byte string of TL: its length in one byte, or in three after a 254, and zeros up to a
    /// multiple of four from its own start.
    pub(crate) fn tl_bytes(&mut self) -> Option<&'a [u8]> {
        let (head, len) = match self.u8()? {
            255 => return None,
            254 => {
                let [low, mid, high] = self.array()?;
                (4, u32::from_le_bytes([low, mid, high, 0]))
            }
            len => (1, u32::from(len)),
        };
        let len = usize::try_from(len).ok()?;
        let bytes = self.take(len)?;
        self.take(padding(head + len))?;
        Some(bytes)
    }
}

/// Writes what [`Reader::tl_bytes`] reads. At most 2^24 - 1 bytes can be written.
pub(crate) fn put_tl_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let head = match u8::try_from(bytes.len()) {
        Ok(len @ ..254) => {
            out.push(len);
            1
        }
        _ => {
            let [low, mid, high, ..] = bytes.len().to_le_bytes();
            out.extend([254, low, mid, high]);
            4
        }
    };
    out.extend_from_slice(bytes);
    out.extend([0; 3].iter().take(padding(head + bytes.len())));
}

fn padding(len: usize) -> usize {
    len.next_multiple_of(4) - len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_strings_come_back_and_end_at_a_multiple_of_four() {
        for len in (0..12).chain([252, 253, 254, 255, 256, 70_000]) {
            let (bytes, mut out) = (vec![7; len], vec![]);
            put_tl_bytes(&mut out, &bytes);
            assert_eq!(out.len() % 4, 0, "{len}");
            for cut in [1, 2, 3, 4].into_iter().filter(|cut| *cut < out.len()) {
                assert_eq!(Reader::new(&out[..out.len() - cut]).tl_bytes(), None, "{len} -{cut}");
            }
            out.push(9);
            let mut reader = Reader::new(&out);
            assert_eq!(reader.tl_bytes(), Some(bytes.as_slice()), "{len}");
            assert_eq!(reader.rest(), [9]);
        }
    }

    #[test]
    fn lengths_are_written_as_tl_says() {
        let mut out = vec![];
        put_tl_bytes(&mut out, b"ab");
        assert_eq!(out, [2, b'a', b'b', 0]);
        out.clear();
        put_tl_bytes(&mut out, &[1; 256]);
        assert_eq!(out[..5], [254, 0, 1, 0, 1]);
        assert_eq!(Reader::new(&[255, 0, 0, 0]).tl_bytes(), None);
        assert_eq!(Reader::new(&[254, 0xff, 0xff, 0xff, 1]).tl_bytes(), None);
    }
}
