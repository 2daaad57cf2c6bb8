//! Files of a process that is still there, or was killed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::{Database, OpenError, OpenOptions, Row, SqliteError};
use super::telethon;

/// A folder of its own, gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Copies a fixture and the files beside it.
    fn put(&self, name: &str) -> PathBuf {
        for suffix in ["", "-wal", "-journal"] {
            let from = telethon(&format!("{name}{suffix}"));
            if from.exists() {
                fs::copy(&from, self.0.join(format!("{name}{suffix}"))).unwrap();
            }
        }
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

type Listing = BTreeMap<PathBuf, (Vec<u8>, SystemTime)>;

fn listing(folder: &Path) -> Listing {
    let entry = |entry: fs::DirEntry| {
        let modified = entry.metadata().unwrap().modified().unwrap();
        (entry.path(), (fs::read(entry.path()).unwrap(), modified))
    };
    fs::read_dir(folder).unwrap().map(|found| entry(found.unwrap())).collect()
}

fn count(path: &Path) -> usize {
    let db = Database::open(path, &OpenOptions::new()).unwrap();
    db.rows(db.table("entities").unwrap()).map(Result::unwrap).count()
}

/// Without its rollback, a file can be damaged too.
fn count_what_reads(path: &Path) -> usize {
    let Ok(db) = Database::open(path, &OpenOptions::new()) else {
        return 0;
    };
    db.table("entities").map_or(0, |table| db.rows(table).map_while(Result::ok).count())
}

#[test]
fn reading_changes_nothing_in_the_folder() {
    let folder = Folder::new("tgsession-unchanged");
    for name in ["hot_spilled.session", "wal.session", "hot_autovacuum.session"] {
        let path = folder.put(name);
        let before = listing(&folder.0);
        assert!(before.len() >= 2);
        assert!(count(&path) > 0);
        assert_eq!(listing(&folder.0), before, "{name}");
    }
}

#[test]
fn a_journal_whose_super_journal_is_gone_is_not_hot() {
    let folder = Folder::new("tgsession-super");
    let path = folder.put("hot_spilled.session");
    let hot = count(&path);
    let mut journal = fs::read(folder.0.join("hot_spilled.session-journal")).unwrap();
    let super_journal = folder.0.join("super");
    let name = super_journal.to_str().unwrap().as_bytes();
    let sum: u32 = name.iter().map(|byte| u32::from(*byte)).sum();
    let len = u32::try_from(name.len()).unwrap();
    let magic = journal[..8].to_vec();
    journal.extend([name, &len.to_be_bytes(), &sum.to_be_bytes(), &magic].concat());
    fs::write(folder.0.join("hot_spilled.session-journal"), journal).unwrap();
    fs::write(&super_journal, "").unwrap();
    assert_eq!(count(&path), hot);
    fs::remove_file(&super_journal).unwrap();
    let db = Database::open(&path, &OpenOptions::new());
    let rows = |db: Database| db.rows(db.table("entities").unwrap()).map_while(Result::ok).count();
    assert_ne!(db.map(rows).unwrap_or_default(), hot);
}

#[test]
fn a_database_can_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<Database>();
    sent::<Row<'_>>();
}

#[test]
fn what_is_no_database_or_too_large_says_so() {
    let open = |name, options: &OpenOptions| Database::open(&telethon(name), options).unwrap_err();
    let not_sqlite = open("json_0.15.5.session", &OpenOptions::new());
    assert!(matches!(not_sqlite, OpenError::NotSqlite));
    let missing = open("no-such.session", &OpenOptions::new());
    assert!(matches!(missing, OpenError::Io { .. }));
    let small = open("wal.session", &OpenOptions::new().max_memory(1000));
    let (need, limit) = (45_352, 1000);
    assert!(
        matches!(small, OpenError::Damaged(error) if error == SqliteError::Memory { need, limit })
    );
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod locks {
    use std::fs::OpenOptions as FileOptions;
    use std::time::Duration;

    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    use super::*;

    fn range(kind: i32, start: i64, len: i64) -> libc::flock {
        let l_type = kind.try_into().unwrap();
        libc::flock { l_type, l_whence: 0, l_start: start, l_len: len, l_pid: 0 }
    }

    /// Whether a write lock on the range can be had, and the file that then holds it.
    fn write_lock(path: &Path, start: i64, len: i64) -> Option<fs::File> {
        let file = FileOptions::new().read(true).write(true).open(path).unwrap();
        let lock = range(libc::F_WRLCK, start, len);
        fcntl(&file, FcntlArg::F_OFD_SETLK(&lock)).ok().map(|_| file)
    }

    const RESERVED: i64 = 0x4000_0001;
    const SHARED: i64 = 0x4000_0002;

    #[test]
    fn a_writer_waits_for_us_and_we_for_it() {
        let folder = Folder::new("tgsession-locks");
        let path = folder.put("plain_1.40.0.session");
        let options = OpenOptions::new().lock_wait(Duration::from_millis(30));
        let db = Database::open(&path, &options).unwrap();
        assert!(write_lock(&path, SHARED, 510).is_none());
        drop(db);
        let writer = write_lock(&path, SHARED, 510).unwrap();
        assert!(matches!(Database::open(&path, &options), Err(OpenError::Busy)));
        drop(writer);
        assert!(Database::open(&path, &options).is_ok());
    }

    #[test]
    fn the_journal_of_a_living_writer_is_not_hot() {
        let folder = Folder::new("tgsession-reserved");
        let path = folder.put("hot_spilled.session");
        let rolled_back = count(&path);
        let _writer = write_lock(&path, RESERVED, 1).unwrap();
        assert_ne!(count_what_reads(&path), rolled_back);
    }

    #[test]
    fn nobody_checkpoints_while_we_read() {
        let folder = Folder::new("tgsession-checkpoint");
        let path = folder.put("wal.session");
        let shm = folder.0.join("wal.session-shm");
        fs::write(&shm, [0; 32_768]).unwrap();
        let db = Database::open(&path, &OpenOptions::new()).unwrap();
        assert!(write_lock(&shm, 121, 1).is_none());
        drop(db);
        let _checkpointer = write_lock(&shm, 121, 1).unwrap();
        let options = OpenOptions::new().lock_wait(Duration::from_millis(30));
        assert!(matches!(Database::open(&path, &options), Err(OpenError::Busy)));
    }

    #[test]
    fn a_checkpoint_that_ends_while_we_wait_may_make_the_file_longer() {
        let folder = Folder::new("tgsession-checkpointed");
        let whole = telethon("plain_1.45.0.session");
        let (path, shm) = (folder.0.join("a.session"), folder.0.join("a.session-shm"));
        fs::write(&path, &fs::read(&whole).unwrap()[..4_096]).unwrap();
        fs::write(&shm, [0; 32_768]).unwrap();
        let checkpointer = write_lock(&shm, 121, 1).unwrap();
        std::thread::scope(|threads| {
            let opening = threads.spawn(|| count(&path));
            std::thread::sleep(Duration::from_millis(50));
            fs::copy(&whole, &path).unwrap();
            drop(checkpointer);
            assert_eq!(opening.join().unwrap(), count(&whole));
        });
    }
}
