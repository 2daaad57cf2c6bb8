//! The committed part of a write-ahead log (file format, section 4).

use super::pages::Overlay;
use super::{SqliteError, bytes};

/// The pages of a log, which replace those of its database.
#[derive(Debug)]
pub(super) struct Log {
    /// Pages of the database after the last commit.
    pub(super) page_count: u32,
    pub(super) pages: Overlay,
}

/// Reads a `-wal`; `None` if it holds no commit, as when its header is not whole.
pub(super) fn read(wal: Vec<u8>) -> Result<Option<Log>, SqliteError> {
    let Some(head) = Head::parse(&wal)? else {
        return Ok(None);
    };
    let Some((page_count, places)) = head.commits(&wal) else {
        return Ok(None);
    };
    let pages = Overlay::new(wal, head.page_size, places);
    Ok(Some(Log { page_count, pages }))
}

/// The log's header, if its checksum matches.
struct Head {
    big_endian: bool,
    page_size: u32,
    salts: [u8; 8],
    sum: Sum,
}

impl Head {
    fn parse(wal: &[u8]) -> Result<Option<Self>, SqliteError> {
        let Some(head) = wal.first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let field = |at| bytes::u32_at(head, at).unwrap_or_default();
        let (magic, version, page_size) = (field(0), field(4), field(8));
        let sized = (512..=65_536).contains(&page_size) && page_size.is_power_of_two();
        if magic & !1 != MAGIC || !sized {
            return Ok(None);
        }
        let big_endian = magic & 1 == 1;
        let mut sum = Sum::default();
        sum.add(head.get(..24).unwrap_or_default(), big_endian);
        let expected = Sum { a: field(24), b: field(28) };
        if sum != expected && !cfg!(fuzzing) {
            return Ok(None);
        }
        if version != VERSION {
            return Err(SqliteError::WalVersion { found: version });
        }
        let salts = head.get(16..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        Ok(Some(Self { big_endian, page_size, salts, sum }))
    }

    /// The page count of the last commit, and where the pages up to it are.
    fn commits(&self, wal: &[u8]) -> Option<(u32, Vec<(u32, usize)>)> {
        let size = FRAME + self.page_size as usize;
        let (mut sum, mut places, mut commit) = (self.sum, Vec::new(), None);
        for (index, frame) in wal.get(HEAD..)?.chunks_exact(size).enumerate() {
            let Some((page, pages)) = self.frame(frame, &mut sum) else {
                break;
            };
            places.push((page, HEAD + index * size + FRAME));
            if pages != 0 {
                commit = Some((pages, places.len()));
            }
        }
        let (pages, frames) = commit?;
        places.truncate(frames);
        Some((pages, places))
    }

    /// A frame's page number and the page count of its commit, if the frame is of this log.
    fn frame(&self, frame: &[u8], sum: &mut Sum) -> Option<(u32, u32)> {
        let field = |at| bytes::u32_at(frame, at);
        let page = field(0)?;
        if frame.get(8..16)? != self.salts || page == 0 {
            return None;
        }
        sum.add(frame.get(..8)?, self.big_endian);
        sum.add(frame.get(FRAME..)?, self.big_endian);
        let whole = *sum == Sum { a: field(16)?, b: field(20)? };
        // A fuzzer cannot guess checksums, and would never get further.
        (whole || cfg!(fuzzing)).then_some((page, field(4)?))
    }
}

/// The running checksum over header and frames (section 4.2).
#[derive(Clone, Copy, Default, Eq, PartialEq)]
struct Sum {
    a: u32,
    b: u32,
}

impl Sum {
    fn add(&mut self, bytes: &[u8], big_endian: bool) {
        let word = if big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        let (words, _) = bytes.as_chunks::<4>();
        let (pairs, _) = words.as_chunks::<2>();
        for [first, second] in pairs {
            self.a = self.a.wrapping_add(word(*first)).wrapping_add(self.b);
            self.b = self.b.wrapping_add(word(*second)).wrapping_add(self.a);
        }
    }
}

/// The log's header, by which a reader notices that the log was begun anew.
pub(super) const HEAD: usize = 32;
const FRAME: usize = 24;
/// The lowest bit says which byte order the checksums have.
const MAGIC: u32 = 0x377f_0682;
const VERSION: u32 = 3_007_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of 512-byte pages; each frame is a page number and a commit's page count.
    fn log(frames: &[(u32, u32)], big_endian: bool) -> Vec<u8> {
        let mut wal = Vec::new();
        let mut put = |words: &[u32]| wal.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        put(&[MAGIC | u32::from(big_endian), VERSION, 512]);
        put(&[0, 0x1111, 0x2222]); // checkpoint number, salts
        let mut sum = Sum::default();
        sum.add(&wal, big_endian);
        wal.extend([sum.a.to_be_bytes(), sum.b.to_be_bytes()].concat());
        for (page, commit) in frames {
            let head = [page.to_be_bytes(), commit.to_be_bytes()].concat();
            let content = vec![u8::try_from(*page).unwrap(); 512];
            sum.add(&head, big_endian);
            sum.add(&content, big_endian);
            wal.extend(head);
            wal.extend([0x1111_u32, 0x2222, sum.a, sum.b].map(u32::to_be_bytes).concat());
            wal.extend(content);
        }
        wal
    }

    fn pages(wal: Vec<u8>) -> Option<u32> {
        read(wal).unwrap().map(|log| log.page_count)
    }

    #[test]
    fn frames_count_up_to_the_last_commit() {
        for big_endian in [false, true] {
            assert_eq!(pages(log(&[(2, 0), (1, 3), (2, 0)], big_endian)), Some(3));
            assert_eq!(pages(log(&[(2, 0)], big_endian)), None);
        }
    }

    #[test]
    fn a_frame_that_does_not_sum_up_ends_the_log() {
        let mut wal = log(&[(2, 2), (3, 3)], false);
        let last = wal.len() - 1;
        wal[last] ^= 1;
        assert_eq!(pages(wal.clone()), Some(2));
        wal.truncate(HEAD + FRAME + 511);
        assert_eq!(pages(wal), None);
    }

    #[test]
    fn a_frame_with_another_salt_ends_the_log() {
        let mut wal = log(&[(2, 2), (3, 3)], false);
        wal[HEAD + FRAME + 512 + 8] ^= 1;
        assert_eq!(pages(wal), Some(2));
    }

    #[test]
    fn a_header_that_is_not_whole_is_an_empty_log() {
        let wal = log(&[(2, 2)], false);
        assert_eq!(pages(vec![]), None);
        for at in [0, 3, 11, 12, 24] {
            let mut wal = wal.clone();
            wal[at] ^= 0x10;
            assert_eq!(pages(wal), None, "byte {at}");
        }
    }

    #[test]
    fn a_version_not_known_is_an_error() {
        let mut wal = log(&[], false);
        wal[7] += 1;
        let mut sum = Sum::default();
        sum.add(&wal[..24], false);
        wal[24..].copy_from_slice(&[sum.a.to_be_bytes(), sum.b.to_be_bytes()].concat());
        assert_eq!(read(wal).unwrap_err(), SqliteError::WalVersion { found: VERSION + 1 });
    }
}
