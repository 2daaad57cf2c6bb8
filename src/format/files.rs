//! The files of a folder that is a session: on the disk, or in memory, out of an archive.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use zeroize::Zeroizing;

/// Where the files of a folder lie.
pub(crate) trait Files {
    /// The ordinary file at this path, and when it was written, where that is known.
    #[cfg_attr(not(feature = "tdata"), allow(dead_code, reason = "tdata alone asks for it"))]
    fn file(&self, path: &Path) -> Option<Option<SystemTime>>;

    /// The first `most` bytes of a file.
    fn read(&self, path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>>;

    /// Everything that lies in the folder, and whether it is an ordinary file.
    fn list(&self, folder: &Path) -> io::Result<Vec<(PathBuf, bool)>>;
}

/// The files of this machine.
pub(crate) struct Disk;

impl Files for Disk {
    fn file(&self, path: &Path) -> Option<Option<SystemTime>> {
        let about = fs::metadata(path).ok()?;
        about.is_file().then(|| about.modified().ok())
    }

    fn read(&self, path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
        let file = fs::File::open(path)?;
        // Growing would leave a copy of the content behind.
        let len = file.metadata()?.len().min(most);
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(len).unwrap_or(0) + 1));
        file.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        let entries = folder.read_dir()?.map(|entry| {
            let entry = entry?;
            Ok((entry.path(), entry.file_type()?.is_file()))
        });
        entries.collect()
    }
}

/// Files in memory, by their paths.
#[derive(Default)]
pub(crate) struct InMemory(pub(crate) BTreeMap<PathBuf, Zeroizing<Vec<u8>>>);

impl Files for InMemory {
    fn file(&self, path: &Path) -> Option<Option<SystemTime>> {
        self.0.contains_key(path).then_some(None)
    }

    fn read(&self, path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
        let bytes = self.0.get(path).ok_or(ErrorKind::NotFound)?;
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
        Ok(Zeroizing::new(bytes.iter().take(most).copied().collect()))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        let mut found: Vec<(PathBuf, bool)> = Vec::new();
        // The paths are sorted by their parts: those below one folder stand together.
        for (path, _) in self.0.range(folder.to_owned()..) {
            let Ok(rest) = path.strip_prefix(folder) else { break };
            let mut parts = rest.components();
            let Some(first) = parts.next() else { continue };
            let path = folder.join(first);
            if found.last().is_none_or(|(last, _)| *last != path) {
                found.push((path, parts.next().is_none()));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_memory_are_listed_and_read_as_those_of_a_disk() {
        let names = ["a/b", "a/c/d", "a/c/e", "f"];
        let folder = tempfile::tempdir().unwrap();
        let mut memory = InMemory::default();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
            memory.0.insert(path, Zeroizing::new(name.as_bytes().to_vec()));
        }
        for at in ["", "a", "a/c"] {
            let at = folder.path().join(at);
            let mut listed = Disk.list(&at).unwrap();
            listed.sort();
            assert_eq!(memory.list(&at).unwrap(), listed);
        }
        for name in ["a/b", "a", "f", "none"] {
            let path = folder.path().join(name);
            assert_eq!(memory.file(&path).is_some(), Disk.file(&path).is_some(), "{name}");
            let read = |files: &dyn Files| files.read(&path, 2).ok().map(|bytes| bytes.to_vec());
            assert_eq!(read(&memory), read(&Disk), "{name}");
        }
    }
}
