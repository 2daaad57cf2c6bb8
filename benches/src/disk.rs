//! Files on the disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tempfile::TempDir;

/// A folder in the working directory, so that it is on a real disk; gone when dropped.
#[must_use]
pub fn folder() -> TempDir {
    tempfile::Builder::new().prefix(".bench-").tempdir_in(".").unwrap()
}

/// The bytes that everything in `folder` takes on the disk, as `du` counts them.
#[must_use]
pub fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => size(&entry.path()),
            Ok(data) => data.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}
