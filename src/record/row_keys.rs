//! Keys. Every one begins with the account's number, and the order of their bytes is the order
//! of what they stand for.

use super::RecordError;
use crate::types::{DcId, FileKey, FileKind, Md5, PeerId};

/// The number that a session goes by within its store. It is never the number of another session
/// as long as rows of it are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AccountNo(pub(crate) u32);

impl AccountNo {
    /// The key of the one row that an account has in a table.
    pub(crate) fn key(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    pub(crate) fn from_key(key: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(key))
    }
}

/// The account's number, big-endian, and as much of `rest` as fits.
fn joined<const N: usize>(account: AccountNo, rest: &[u8]) -> [u8; N] {
    let mut key = [0; N];
    for (place, byte) in key.iter_mut().zip(account.key().iter().chain(rest)) {
        *place = *byte;
    }
    key
}

/// Big-endian with the sign bit turned over, so that bytes sort as the numbers do.
fn sortable(number: i64) -> [u8; 8] {
    (number.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

fn from_sortable(bytes: [u8; 8]) -> i64 {
    (u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed()
}

/// Account, DC.
pub(crate) struct DcKey;

impl DcKey {
    pub(crate) fn of(account: AccountNo, dc: DcId) -> [u8; 8] {
        joined(account, &(dc.0.cast_unsigned() ^ (1 << 31)).to_be_bytes())
    }

    pub(crate) fn dc(key: &[u8; 8]) -> DcId {
        let [_, _, _, _, id @ ..] = *key;
        DcId((u32::from_be_bytes(id) ^ (1 << 31)).cast_signed())
    }
}

/// Account, marked id; 0 stands for the account itself.
pub(crate) struct PeerKey;

impl PeerKey {
    pub(crate) fn of(account: AccountNo, id: PeerId) -> [u8; 12] {
        joined(account, &sortable(id.marked()))
    }

    pub(crate) fn of_account(account: AccountNo) -> [u8; 12] {
        joined(account, &sortable(0))
    }

    /// The smallest and the greatest key of an account.
    pub(crate) fn first(account: AccountNo) -> [u8; 12] {
        joined(account, &[0; 8])
    }

    pub(crate) fn last(account: AccountNo) -> [u8; 12] {
        joined(account, &[0xff; 8])
    }

    pub(crate) fn account(key: &[u8; 12]) -> AccountNo {
        let [a, b, c, d, ..] = *key;
        AccountNo::from_key([a, b, c, d])
    }

    /// The peer, or `None` for the account itself.
    pub(crate) fn peer(key: &[u8; 12]) -> Option<PeerId> {
        let [_, _, _, _, id @ ..] = *key;
        PeerId::from_marked(from_sortable(id))
    }
}

/// Account, text. The text ends with the key.
pub(crate) struct TextKey;

impl TextKey {
    pub(crate) fn of(account: AccountNo, text: &str) -> Vec<u8> {
        [account.key().as_slice(), text.as_bytes()].concat()
    }

    /// The text of a key, which its table has as UTF-8.
    pub(crate) fn text(key: &[u8]) -> Result<String, RecordError> {
        let (_, text) = Self::parts(key)?;
        let text = std::str::from_utf8(text).map(str::to_owned);
        text.map_err(|_| RecordError::Value { field: "name" })
    }

    pub(crate) fn parts(key: &[u8]) -> Result<(AccountNo, &[u8]), RecordError> {
        let (account, text) = key.split_first_chunk().ok_or(RecordError::Key)?;
        Ok((AccountNo::from_key(*account), text))
    }
}

/// Account, MD5, size, kind code.
pub(crate) struct FileRow;

impl FileRow {
    pub(crate) fn of(account: AccountNo, file: FileKey) -> [u8; 29] {
        let FileKey { md5, size, kind } = file;
        joined(account, &[md5.0.as_slice(), &sortable(size), &[code_of(kind)]].concat())
    }

    pub(crate) fn file(key: &[u8; 29]) -> Result<FileKey, RecordError> {
        let (_, rest) = key.split_first_chunk::<4>().ok_or(RecordError::Key)?;
        let (md5, rest) = rest.split_first_chunk().ok_or(RecordError::Key)?;
        let (size, kind) = rest.split_first_chunk().ok_or(RecordError::Key)?;
        let kind = kind_of(kind).ok_or(RecordError::Value { field: "kind" })?;
        Ok(FileKey { md5: Md5(*md5), size: from_sortable(*size), kind })
    }
}

fn code_of(kind: FileKind) -> u8 {
    match kind {
        FileKind::Document => 0,
        FileKind::Photo => 1,
    }
}

fn kind_of(code: &[u8]) -> Option<FileKind> {
    [FileKind::Document, FileKind::Photo].into_iter().find(|kind| [code_of(*kind)] == code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_sort_as_what_they_stand_for(
            a in (any::<u32>(), any::<i64>()), b in (any::<u32>(), any::<i64>()),
        ) {
            let key = |(account, id): (u32, i64)| -> [u8; 12] {
                joined(AccountNo(account), &sortable(id))
            };
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
        }

        #[test]
        fn keys_give_back_what_they_were_made_of(account: u32, id: i64, dc: i32, size: i64) {
            let no = AccountNo(account);
            if let Some(peer) = PeerId::from_marked(id) {
                prop_assert_eq!(PeerKey::peer(&PeerKey::of(no, peer)), Some(peer));
                prop_assert_eq!(PeerKey::account(&PeerKey::of(no, peer)), no);
            }
            prop_assert_eq!(DcKey::dc(&DcKey::of(no, DcId(dc))), DcId(dc));
            let file = FileKey { md5: Md5([7; 16]), size, kind: FileKind::Photo };
            prop_assert_eq!(FileRow::file(&FileRow::of(no, file)), Ok(file));
        }
    }

    #[test]
    fn the_account_itself_has_the_key_of_id_0() {
        assert_eq!(PeerKey::peer(&PeerKey::of_account(AccountNo(9))), None);
    }
}
