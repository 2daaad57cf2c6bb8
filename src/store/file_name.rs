//! The file of a store, from the path that a caller gives.

use std::path::{Path, PathBuf};

/// The extension of a store's file name.
const EXTENSION: &str = "tgsession";

/// The file that a path means: itself if there is such a file or it ends in `.tgsession`, else
/// the path with that added.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("accounts");
/// assert!(tgsession::store_path(&path).ends_with("accounts.tgsession"));
/// ```
#[must_use]
pub fn store_path(path: &Path) -> PathBuf {
    let named = path.extension().is_some_and(|extension| extension == EXTENSION);
    if named || path.symlink_metadata().is_ok() {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(EXTENSION);
    name.into()
}
