//! gzip and ZIP, unpacked in memory; other archives are named.

use std::io::{Cursor, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zeroize::Zeroizing;
use zip::ZipArchive;
use zip::result::ZipError;

use super::layer::{Budget, Bytes, Inside, Layer, too_large};
use crate::format::InMemory;

/// What begins the archives that are known, and not read.
const NAMED: [(&[u8], &str); 7] = [
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"BZh", "a bzip2 archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"PK\x07\x08", "one part of a ZIP archive in several parts"),
];

/// More files than this are no folder of sessions.
const MOST_FILES: usize = 2_000;

/// Deeper folders are skipped too.
const MOST_DEPTH: usize = 16;

/// Folders of Telegram Desktop that hold gigabytes and no login.
const CACHES: [&str; 4] = ["user_data", "cache", "media_cache", "emoji"];

/// Unpacks an archive; `None` for any other bytes.
pub(super) fn open(bytes: &[u8], budget: &mut Budget) -> Result<Option<Layer>, String> {
    if bytes.starts_with(b"\x1f\x8b") {
        return gunzip(bytes, budget).map(Some);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return unzip(bytes, budget).map(Some);
    }
    let tar = bytes.get(257..262) == Some(b"ustar");
    let named = NAMED.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name);
    match named.or(tar.then_some("a tar archive")) {
        Some(name) => Err(format!("{name}, which is not opened here; unpack it first")),
        None => Ok(None),
    }
}

fn gunzip(bytes: &[u8], budget: &mut Budget) -> Result<Layer, String> {
    let unpacked = unpack(MultiGzDecoder::new(bytes), budget)?;
    let unpacked = unpacked.ok_or("a gzip file that is damaged or cut; copy it again")?;
    Ok(Layer { name: "gzip".to_owned(), inside: Inside::One(unpacked) })
}

/// Everything that this gives; `None` where it is damaged.
fn unpack(from: impl Read, budget: &mut Budget) -> Result<Option<Bytes>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    let most = budget.bytes.saturating_add(1);
    let read = from.take(most).read_to_end(&mut bytes);
    budget.take(bytes.len())?;
    Ok(read.is_ok().then_some(bytes))
}

fn unzip(bytes: &[u8], budget: &mut Budget) -> Result<Layer, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| unopened(&error))?;
    if archive.len() > MOST_FILES {
        return Err(format!("a ZIP archive of more than {MOST_FILES} files; unpack it first"));
    }
    let mut files = InMemory::default();
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(|error| unopened(&error))?;
        let name = file.name().map_err(|error| unopened(&error))?;
        let Some(path) = path_of(&name).filter(|_| file.is_file()) else { continue };
        if file.encrypted() {
            return Err("a ZIP archive under a password; unpack it first".to_owned());
        }
        if file.size() > budget.bytes {
            return Err(too_large());
        }
        drop(file);
        let file = archive.by_index(index).map_err(|error| unopened(&error))?;
        let unpacked = unpack(file, budget)?;
        let unpacked = unpacked.ok_or_else(|| {
            format!("a ZIP archive in which {} is damaged; copy it again", path.display())
        })?;
        files.0.insert(path, unpacked);
    }
    Ok(Layer { name: "a ZIP archive".to_owned(), inside: Inside::Files(files) })
}

fn unopened(error: &ZipError) -> String {
    match error {
        ZipError::UnsupportedArchive(_) => {
            "a ZIP archive in a format that is not opened here; unpack it first".to_owned()
        }
        _ => "a ZIP archive that is damaged or cut; copy it again".to_owned(),
    }
}

/// Where a file lies in the archive; `None` for one that lies outside, or holds nothing for a
/// session. Nothing is written under this name.
fn path_of(name: &str) -> Option<PathBuf> {
    let name = name.replace('\\', "/");
    let path = Path::new(&name);
    let mut parts = path.components();
    let inside = parts.all(|part| match part {
        Component::Normal(name) => {
            let name = name.to_string_lossy();
            !CACHES.contains(&&*name) && !name.starts_with("._") && name != "__MACOSX"
        }
        Component::CurDir => true,
        _ => false,
    });
    let plain = || path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
    (inside && path.components().count() <= MOST_DEPTH).then(plain)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::super::step;
    use super::*;

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    }

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn refused(bytes: &[u8]) -> String {
        step(bytes, &mut Budget::new()).err().unwrap()
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused_before_it_fills_the_memory() {
        let bomb = gzipped(&vec![0; 1 << 20]);
        let mut budget = Budget { bytes: 1 << 16, steps: 9 };
        assert!(step(&bomb, &mut budget).err().unwrap().contains("256 MiB"));
        let bomb = zipped(&[("a", &[0; 70_000]), ("b", &[0; 70_000])]);
        let mut budget = Budget { bytes: 100_000, steps: 9 };
        assert!(step(&bomb, &mut budget).err().unwrap().contains("256 MiB"));
    }

    #[test]
    fn nested_layers_are_bounded() {
        let mut budget = Budget { bytes: 1 << 16, steps: 3 };
        let bytes = gzipped(b"x");
        for _ in 0..3 {
            assert!(step(&bytes, &mut budget).is_ok());
        }
        assert_eq!(step(&bytes, &mut budget).err().unwrap(), "wrapped in too many layers");
    }

    #[test]
    fn cut_and_changed_archives_are_refused_without_a_panic() {
        let tar = [&[b'a'; 257][..], b"ustar\0"].concat();
        let refusals = [(&b"Rar!\x1a\x07\x01"[..], "RAR"), (&tar, "tar"), (b"PK\x05\x06", "empty")];
        for (bytes, name) in refusals {
            assert!(refused(bytes).contains(name), "{name}");
        }
        for whole in [gzipped(&[7; 999]), zipped(&[("a", &[7; 999]), ("b/c", b"x")])] {
            for len in 4..whole.len() {
                assert!(!refused(&whole[..len]).is_empty(), "cut at {len}");
            }
            for at in 0..whole.len() {
                let mut changed = whole.clone();
                changed[at] ^= 0x40;
                drop(step(&changed, &mut Budget::new()));
            }
        }
    }

    #[test]
    fn files_outside_of_the_archive_and_caches_are_left_alone() {
        let deep = format!("{}y", "x/".repeat(MOST_DEPTH));
        let names =
            [&*deep, "../a", "/b", "tdata/user_data/c", "__MACOSX/d", "x/._e", "./f", "g\\h", "i"];
        let files: Vec<_> = names.iter().map(|name| (*name, &b"x"[..])).collect();
        let layer = step(&zipped(&files), &mut Budget::new()).unwrap().unwrap();
        let Inside::Files(files) = layer.inside else { panic!() };
        let paths: Vec<_> = files.0.keys().map(|path| path.to_string_lossy()).collect();
        assert_eq!(paths, ["f", "g/h", "i"]);
    }
}
