//! The names of the files of an account.

use md5::{Digest, Md5};

/// The name of an account's file, without the ending.
pub(super) fn file_name(index: i32) -> String {
    let data = match index {
        0 => "data".to_owned(),
        _ => format!("data#{}", i64::from(index) + 1),
    };
    let digest = Md5::digest(data);
    digest.iter().take(8).map(|byte| format!("{:02X}", byte.rotate_left(4))).collect()
}
