//! The formats that are folders of files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::{Export, ExportReport, ExportSession};
use crate::error::{Error, Result};
use crate::file::{folder_of, sync_folder};
use crate::format::{NamedFiles, Writer};

impl Export {
    /// Writes a folder beside its place and gives it its name when all is in it.
    pub(super) fn write_folder<'a>(
        &self,
        path: &Path,
        sessions: impl IntoIterator<Item = impl Into<ExportSession<'a>>>,
    ) -> Result<ExportReport> {
        let failed = |source| Error::io("write", path, source);
        if path.symlink_metadata().is_ok() {
            // A folder cannot be replaced in one step, and between two nothing would be there.
            return Err(Error::AlreadyExists { path: path.to_owned() });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (files, report) = self.folder(&name, sessions)?;
        let temporary = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".tmp")
            .tempdir_in(folder_of(path))
            .map_err(failed)?;
        write(temporary.path(), &files).map_err(failed)?;
        fs::rename(temporary.path(), path).map_err(failed)?;
        // It is not there any more, and nothing is to be removed.
        let _ = temporary.keep();
        sync_folder(folder_of(path)).map_err(failed)?;
        Ok(report)
    }

    /// The files of a folder of this name, and what they lack.
    pub(super) fn folder<'a>(
        &self,
        name: &str,
        sessions: impl IntoIterator<Item = impl Into<ExportSession<'a>>>,
    ) -> Result<(NamedFiles, ExportReport)> {
        let (capabilities, files) = match &self.format.spec().writer {
            Writer::Folder { capabilities, files } => (*capabilities, files),
            Writer::Absent(why) => return Err(self.unfit(why)),
            _ => return Err(self.unfit("it is no folder of files")),
        };
        let mut work = self.begin(sessions, capabilities)?;
        let passphrase = self.given_passphrase();
        let files = files(name, &mut work.sessions, passphrase, &mut work.lost)?;
        Ok((files, self.end(work, capabilities)?))
    }
}

/// Writes the files and makes them durable.
fn write(folder: &Path, files: &NamedFiles) -> io::Result<()> {
    let at_once = files.len() > FEW && can_sync_at_once();
    let mut inner = Vec::new();
    for (name, content) in files {
        if let Some((parent, _)) = name.split_once('/')
            && inner.last() != Some(&parent)
        {
            make_folder(&folder.join(parent))?;
            inner.push(parent);
        }
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(folder.join(name))?;
        file.write_all(content)?;
        if !at_once {
            file.sync_all()?;
        }
    }
    if !at_once {
        inner.iter().try_for_each(|parent| sync_folder(&folder.join(parent)))?;
    }
    if at_once { sync_at_once(folder) } else { sync_folder(folder) }
}

/// A folder within, for its owner alone.
fn make_folder(path: &Path) -> io::Result<()> {
    let builder = fs::DirBuilder::new();
    #[cfg(unix)]
    let builder = {
        let mut builder = builder;
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
    };
    builder.create(path)
}

/// To sync more files than these takes longer than to sync all that the disk waits for: 20,000
/// entities took 20 s.
const FEW: usize = 50;

const fn can_sync_at_once() -> bool {
    cfg!(target_os = "linux")
}

#[cfg(target_os = "linux")]
fn sync_at_once(folder: &Path) -> io::Result<()> {
    Ok(nix::unistd::syncfs(File::open(folder)?)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_at_once(_: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
