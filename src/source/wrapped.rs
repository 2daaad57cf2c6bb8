//! Sessions inside wrappers and archives. [`unwrap`] removes one layer at a time; the content is then
//! recognised as if it were a file of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::open::SourceOptions;
use super::opened::{Found, Inner, Member, Source};
use super::refuse::{cut_short, stranger};
use super::small;
use super::unwrap::{self, Budget, Inside};
use crate::error::{Error, Result};
use crate::file::FileKindFound;
use crate::format::{InMemory, Notes, Parsed, ParsedSession};

#[cfg(test)]
mod tests;

/// More layers than a real source has.
const MOST_LAYERS: usize = 8;

/// The most files without a session that are named, for one archive.
const NAMES: usize = 10;

impl SourceOptions {
    /// Recognises these bytes. If their format is unknown, removes wrappers and tries again.
    pub(super) fn unwrapped(&self, path: &Path, bytes: &[u8]) -> Result<Found> {
        Unwrapping { options: self, budget: Budget::new(), layers: Vec::new() }.look(path, bytes)
    }

    fn plain(&self, path: &Path, bytes: &[u8]) -> Result<Inner> {
        match FileKindFound::of(bytes) {
            FileKindFound::Store => {
                let found = "a tgsession store, which must lie in a file".to_owned();
                Err(stranger(path, found))
            }
            FileKindFound::SqliteCut => Err(cut_short(path)),
            FileKindFound::Sqlite => self.sqlite_in_memory(path, bytes, &[None, None]),
            kind => small::file(path, kind, bytes, self.known()).map(Inner::Parsed),
        }
    }
}

struct Unwrapping<'a> {
    options: &'a SourceOptions,
    budget: Budget,
    /// The layers that were removed so far, the outermost first.
    layers: Vec<String>,
}

impl Unwrapping<'_> {
    fn look(&mut self, path: &Path, bytes: &[u8]) -> Result<Found> {
        let error = match self.options.plain(path, bytes) {
            Err(error @ Error::WrongKind { .. }) => error,
            Err(error) => return Err(error),
            Ok(inner) => return Ok(Found { inner, notes: self.note(), stem: None }),
        };
        let layer = match unwrap::step(bytes, &mut self.budget) {
            Ok(Some(layer)) => layer,
            Ok(None) => return Err(self.named(error)),
            Err(found) => return Err(self.named(stranger(path, found))),
        };
        if self.layers.len() == MOST_LAYERS {
            return Err(stranger(path, format!("wrapped in more than {MOST_LAYERS} layers")));
        }
        let error = self.named(error);
        let gzip = layer.name == "gzip";
        self.layers.push(layer.name);
        let found = match layer.inside {
            Inside::One(bytes) => self.look(path, &bytes),
            Inside::Texts(texts) => self.any_of(path, &texts, error),
            Inside::Files(files) => self.archive(path, files),
        };
        self.layers.pop();
        let mut found = found?;
        if gzip && found.stem.is_none() {
            // `anon.session.gz` holds `anon.session`.
            let inside = path.file_stem().map(Path::new).and_then(Path::file_stem);
            found.stem = inside.map(|stem| stem.to_string_lossy().into_owned());
        }
        Ok(found)
    }

    /// A note that names the removed layers.
    fn note(&self) -> Vec<String> {
        if self.layers.is_empty() {
            return Vec::new();
        }
        vec![format!("taken off around it: {}", self.layers.join(", "))]
    }

    /// The error with the layers that it was found under.
    fn named(&self, error: Error) -> Error {
        match error {
            Error::WrongKind { path, found, hint } if !self.layers.is_empty() => {
                let found = format!("{found}, inside {}", self.layers.join(", "));
                Error::WrongKind { path, found, hint }
            }
            error => error,
        }
    }

    /// Picks the sessions out of several texts.
    fn any_of(
        &mut self,
        path: &Path,
        texts: &[(String, unwrap::Bytes)],
        none: Error,
    ) -> Result<Found> {
        let (mut found, mut failed) = (Vec::new(), None);
        for (name, text) in texts {
            match self.look(path, text) {
                Ok(one) => found.push((name, one)),
                Err(Error::WrongKind { .. }) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if found.len() > 1 {
            let members = found.into_iter().map(|(name, one)| {
                let stem = one.stem.or_else(|| Some(name.clone()));
                self.options.source(path, Found { stem, ..one })
            });
            let inner = Inner::Many(named_apart(members.collect())?);
            return Ok(Found { inner, notes: Vec::new(), stem: None });
        }
        match (found.pop(), failed) {
            (Some((name, mut one)), _) => {
                one.notes.push(format!("read from {name}: no other value is a session"));
                Ok(one)
            }
            (None, Some(error)) => Err(error),
            (None, None) => Err(none),
        }
    }

    /// The sessions among the files of an archive: folders that are one, then single files.
    fn archive(&mut self, path: &Path, files: InMemory) -> Result<Found> {
        let files = files.0.into_iter().map(|(name, bytes)| (path.join(name), bytes));
        let files = InMemory(files.collect());
        let (mut members, mut taken) = (Vec::new(), BTreeSet::new());
        let mut notes = self.note();
        for folder in folders(path, &files) {
            if taken.iter().any(|above| folder.starts_with(above)) {
                continue;
            }
            let read = small::folder(&files, &folder, self.options.known());
            let inner = match read {
                Err(Error::WrongKind { .. }) => continue,
                read => Inner::Parsed(member(read)?),
            };
            let found = Found { inner, notes: notes.clone(), stem: None };
            members.push(self.options.source(&folder, found));
            // Sessions may lie beside a folder `tdata` too.
            let inside = folder.join("tdata");
            let deeper = files.0.keys().any(|file| file.starts_with(&inside));
            taken.insert(if deeper { inside } else { folder });
        }
        let mut strangers = Notes::default();
        let mut strange = 0_usize;
        for (file, bytes) in &files.0 {
            if taken.iter().any(|above| file.starts_with(above)) || is_beside(file) {
                continue;
            }
            match self.file(&files, file, bytes) {
                Err(Error::WrongKind { .. }) => {
                    strange += 1;
                    if strange <= NAMES {
                        let name = file.strip_prefix(path).unwrap_or(file).display();
                        strangers.add(format!("skipped {name} in the archive: not a session"));
                    }
                }
                read => members.push(read?),
            }
        }
        if strange > NAMES {
            strangers.add(format!("and {} more files in the archive", strange - NAMES));
        }
        notes = strangers.into_sentences();
        if members.is_empty() {
            let found = format!("an archive of {} files without a session", files.0.len());
            return Err(stranger(path, found));
        }
        Ok(Found { inner: Inner::Many(named_apart(members)?), notes, stem: None })
    }

    fn file(&mut self, files: &InMemory, path: &Path, bytes: &[u8]) -> Result<Source> {
        let beside = |ending| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            files.0.get(Path::new(&name)).map(|bytes| bytes.to_vec())
        };
        let found = if FileKindFound::of(bytes) == FileKindFound::Sqlite {
            let sides = [beside("-wal"), beside("-journal")];
            let inner = self.options.sqlite_in_memory(path, bytes, &sides);
            inner.map(|inner| Found { inner, notes: self.note(), stem: None })
        } else {
            self.look(path, bytes)
        };
        let found = match found {
            Err(error @ Error::WrongKind { .. }) => return Err(error),
            Err(error) => Found::plain(Inner::Parsed(member(Err(error))?)),
            Ok(found) => found,
        };
        Ok(self.options.source(path, found))
    }
}

/// Turns an error into an unreadable session, so that the other sessions of an archive stay
/// readable. Errors about the passphrase stay errors: the caller can give one.
fn member(read: Result<Parsed>) -> Result<Parsed> {
    match read {
        Err(error @ (Error::NeedsPassphrase { .. } | Error::WrongPassphrase { .. })) => Err(error),
        Err(error) => {
            let cause = std::error::Error::source(&error);
            let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
            let unreadable = Some(format!("{error}{cause}"));
            let session = ParsedSession { unreadable, ..ParsedSession::default() };
            Ok(Parsed::one("unreadable".to_owned(), session))
        }
        Ok(parsed) => Ok(parsed),
    }
}

/// Every folder of an archive, those above first.
fn folders(root: &Path, files: &InMemory) -> BTreeSet<PathBuf> {
    let above = |file: &Path| -> Vec<PathBuf> {
        let above = file.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
        above.map(Path::to_owned).collect()
    };
    files.0.keys().flat_map(|file| above(file)).collect()
}

/// Whether it belongs to another file, or is hidden.
fn is_beside(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || ["-wal", "-journal", "-shm"].iter().any(|end| name.ends_with(end))
}

/// Gives each session a name of its own: the folder's before it where two have the same.
fn named_apart(sources: Vec<Source>) -> Result<Vec<Member>> {
    let (mut members, mut taken) = (Vec::new(), BTreeSet::new());
    for source in sources {
        let mut names = Vec::new();
        for name in source.session_names()? {
            let above = source.path.parent().and_then(Path::file_name).unwrap_or_default();
            let longer = format!("{}-{name}", above.to_string_lossy());
            let numbered = (2_u32..).map(|count| format!("{name}-{count}"));
            let mut wanted = [name.clone(), longer].into_iter().chain(numbered);
            let free = wanted.find(|wanted| !taken.contains(wanted));
            let free = free.unwrap_or_else(|| name.clone());
            taken.insert(free.clone());
            names.push((free, name));
        }
        members.push(Member { source, names });
    }
    Ok(members)
}
