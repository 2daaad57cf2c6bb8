//! Where the bytes of a database lie.

/// Where a database lies.
#[derive(Clone, Copy)]
pub(super) enum DatabaseLocation<'a> {
    /// In a file, with its `-wal` and `-journal`.
    File,
    /// In memory, with its `-wal` and its `-journal`.
    Memory(&'a [u8], &'a [Option<Vec<u8>>; 2]),
}
