//! Shared by the tests of the tool: a folder to work in, the real binary, and what a folder
//! looked like before.

pub(crate) mod expected;
pub(crate) mod reports;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use serde_json::Value;
use tempfile::TempDir;

pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Where the files written by real Telethon releases are.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/telethon")
}

/// A folder of the test's own, in which the tool runs.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(TempDir::new()?))
    }

    /// A folder that holds copies of these fixtures, with the files that belong to them.
    pub(crate) fn with(names: &[&str]) -> Result<Self> {
        let folder = Self::new()?;
        for name in names {
            folder.add(name)?;
        }
        Ok(folder)
    }

    pub(crate) fn add(&self, name: &str) -> Result {
        fs::copy(
            fixtures().join(format!("{name}.session")),
            self.path(&format!("{name}.session")),
        )?;
        for side in ["journal", "wal", "shm"] {
            let file = format!("{name}.session-{side}");
            if fixtures().join(&file).exists() {
                fs::copy(fixtures().join(&file), self.path(&file))?;
            }
        }
        Ok(())
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result {
        Ok(fs::write(self.path(name), content)?)
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The tool with these arguments, standing in this folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tgsession"));
        command.args(arguments).current_dir(self.root()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Ran> {
        Ran::of(self.command(arguments).output()?)
    }

    /// Runs the tool, which must succeed, and gives its standard output.
    pub(crate) fn results(&self, arguments: &[&str]) -> Result<String> {
        let ran = self.run(arguments)?;
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        Ok(ran.stdout)
    }

    /// Runs the tool, which must succeed, and reads its standard output as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Result<Value> {
        Ok(serde_json::from_str(&self.results(arguments)?)?)
    }

    /// Every file with its bytes and when it was last written.
    pub(crate) fn content(&self) -> Result<Content> {
        let mut content = Content::new();
        for entry in fs::read_dir(self.root())? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            // A file that is closed to us has no bytes to compare.
            let bytes = if metadata.is_file() { fs::read(entry.path()).ok() } else { None };
            let name = entry.file_name().to_string_lossy().into_owned();
            content.insert(name, (bytes, metadata.modified()?));
        }
        Ok(content)
    }
}

pub(crate) type Content = BTreeMap<String, (Option<Vec<u8>>, SystemTime)>;

/// A run of the tool that is over.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: Output) -> Result<Self> {
        Ok(Self {
            code: output.status.code().ok_or("ended by a signal")?,
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
    }

    /// It ended with this code and said why in one line that has all these words in it.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stderr.starts_with("tgsession: "), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is missing: {self:?}");
        }
    }
}
