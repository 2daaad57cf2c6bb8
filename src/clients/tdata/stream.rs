//! Values as Qt's data streams lay them out: big-endian, byte arrays after their length.

pub(super) use crate::clients::ended::Ended;

/// Where the next value is taken from.
#[derive(Clone, Debug)]
pub(super) struct Stream<'a> {
    rest: &'a [u8],
}

impl<'a> Stream<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes were not taken yet.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Ended> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Ended)?;
        self.rest = rest;
        Ok(head)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Ended> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    pub(super) fn i32(&mut self) -> Result<i32, Ended> {
        self.array().map(|bytes| i32::from_be_bytes(*bytes))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Ended> {
        self.array().map(|bytes| u64::from_be_bytes(*bytes))
    }

    /// A byte array. Qt writes the length -1 for one that is null, which is read as empty.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Ended> {
        let len = match self.u32()? {
            u32::MAX => 0,
            len => usize::try_from(len).map_err(|_| Ended)?,
        };
        let (head, rest) = self.rest.split_at_checked(len).ok_or(Ended)?;
        self.rest = rest;
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_beyond_the_end_is_refused_and_minus_one_is_nothing() {
        let bytes = [
            0, 0, 0, 2, 7, 8, // two bytes
            0xff, 0xff, 0xff, 0xff, // a null array
            0, 0, 0, 3, 1, 2, // one byte short
        ];
        let mut stream = Stream::new(&bytes);
        assert_eq!(stream.bytes(), Ok([7, 8].as_slice()));
        assert_eq!(stream.bytes(), Ok([].as_slice()));
        assert_eq!(stream.bytes(), Err(Ended));
    }
}
