//! Makes a new store of what can be proven of a damaged one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::key::{Protection, StoreKey, Unlocked, unlocked};
use super::{ImportSession, Store, StoreOptions, store_path};
use crate::engine::{RowValue, Salvaged, Table, account_of, salvage};
use crate::error::{Error, Result};
use crate::file::{Disk, FileDisk, FileSeal, KeySlots, PAGE, identity_of, open_to_salvage};
use crate::record::{AccountNo, DcKey, FileRow, PeerKey, TextKey, decode};
use crate::types::{Account, Entity, Progress};

/// The result of [`repair`].
///
/// ```
/// # use tgsession::Store;
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let (path, out) = (folder.path().join("accounts"), folder.path().join("repaired"));
/// # let store = Store::create(&path)?;
/// # store.session("alice")?;
/// # store.close()?;
/// let report = tgsession::repair(&path, &out)?;
/// for lost in &report.lost {
///     println!("lost: {lost}");
/// }
/// assert_eq!(report.sessions, ["alice"]);
/// assert_eq!(Store::open(&out)?.list()?, ["alice"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepairReport {
    /// The sessions, by name.
    pub sessions: Vec<String>,
    /// Entities of all sessions.
    pub entities: u64,
    /// One sentence for each damaged or missing part. Empty: everything was copied.
    pub lost: Vec<String>,
}

/// Makes a new store at `out` of everything that can be proven of a damaged store: records of the
/// log, rows of the base and groups of the segments whose checksums match, each apart from the
/// others. The damaged file is not changed.
///
/// A session whose name is lost is called `recovered N`. If the manifest is lost, rows come from
/// every record and segment that is whole: what was removed may come back then, and the report
/// says so.
///
/// # Errors
///
/// [`Error::WrongKind`] if the file is no store or neither its first sector nor a copy of the root
/// is whole; [`Error::Older`] and [`Error::Newer`]; those of [`Store::create`] for `out`. An encrypted
/// store needs its key: [`StoreOptions::repair`].
pub fn repair(path: impl AsRef<Path>, out: impl AsRef<Path>) -> Result<RepairReport> {
    StoreOptions::default().repair(path, out)
}

impl StoreOptions {
    /// As [`repair`], with the key of an encrypted store. The new store is encrypted, and has the
    /// same keys.
    ///
    /// # Errors
    ///
    /// Those of [`repair`], and [`Error::Key`].
    pub fn repair(&self, path: impl AsRef<Path>, out: impl AsRef<Path>) -> Result<RepairReport> {
        let path = &store_path(path.as_ref());
        let (disk, seal, unlocked) = opened_to_salvage(path, self.key.as_ref())?;
        let salvaged = salvaged_on(path, &disk, &seal, &self.progress)?;
        let protection = unlocked.as_ref().map_or(Protection::None, Protection::Same);
        Store::built(out.as_ref(), self, protection, |store| take_over(store, salvaged))
            .map(|(_, report)| report)
    }
}

/// Puts what was salvaged into an empty store.
pub(super) fn take_over(
    store: &Store,
    (sessions, lost): (Vec<SalvagedSession>, Vec<String>),
) -> Result<RepairReport> {
    let mut report = RepairReport { lost, ..RepairReport::default() };
    let count = sessions.iter().map(|session| session.entities.len() as u64).sum();
    store.progress.begin(Some(count));
    for SalvagedSession { name, account, entities } in sessions {
        let entities = entities.into_iter().inspect(|_| store.progress.step());
        let taken = store.import(&name, ImportSession::new(&account, entities.map(Ok)))?;
        report.entities += taken.entities;
        report.lost.extend(taken.notes.iter().map(|note| format!("{name}: {note}")));
        report.sessions.push(name);
    }
    Ok(report)
}

/// One session of a damaged store, as far as it can be proven.
#[derive(Debug)]
pub(crate) struct SalvagedSession {
    pub(crate) name: String,
    pub(crate) account: Account,
    pub(crate) entities: Vec<Entity>,
}

/// Everything that can be proven of a damaged store, and what is damaged or missing.
pub(crate) fn salvaged_sessions(
    path: &Path,
    key: Option<&StoreKey>,
    progress: &Progress,
) -> Result<(Vec<SalvagedSession>, Vec<String>)> {
    let (disk, seal, _) = opened_to_salvage(path, key)?;
    salvaged_on(path, &disk, &seal, progress)
}

fn opened_to_salvage(
    path: &Path,
    key: Option<&StoreKey>,
) -> Result<(Arc<dyn Disk>, FileSeal, Option<Unlocked>)> {
    let io = |source| Error::io("read", path, source);
    let file = open_to_salvage(path).map_err(|error| super::open_error(path, error))?;
    let disk: Arc<dyn Disk> = Arc::new(FileDisk::new(file, path).map_err(io)?);
    let len = usize::try_from(disk.len().map_err(io)?).unwrap_or(usize::MAX);
    let mut head = vec![0; len.min(PAGE)];
    disk.read(0, &mut head).map_err(io)?;
    let identity = identity_of(&head).map_err(|error| super::open_error(path, error))?;
    let (seal, unlocked) = unlocked(path, identity, &KeySlots::parse(&head), key)?;
    Ok((disk, seal, unlocked))
}

/// The same of the store on a disk.
pub(super) fn salvaged_on(
    path: &Path,
    disk: &Arc<dyn Disk>,
    seal: &FileSeal,
    progress: &Progress,
) -> Result<(Vec<SalvagedSession>, Vec<String>)> {
    let cache = StoreOptions::default().cache_size;
    let salvaged = crate::engine::caught(|| salvage(disk, seal, cache, progress));
    let mut salvaged = salvaged.map_err(|error| error.at(path))?;
    let mut lost = std::mem::take(&mut salvaged.lost);
    progress.begin(Some(salvaged.entities.len() as u64));
    let mut sessions = Vec::new();
    for (number, name) in names(&salvaged, &mut lost) {
        let account = account_rows(&salvaged, number, &mut lost);
        let entities = entities_of(&salvaged, number, &mut lost, progress);
        sessions.push(SalvagedSession { name, account, entities });
    }
    Ok((sessions, lost))
}

/// Every account that has a row, and its name.
fn names(salvaged: &Salvaged, lost: &mut Vec<String>) -> BTreeMap<AccountNo, String> {
    let mut names = BTreeMap::new();
    for (name, row) in rows_of(salvaged, Table::Sessions) {
        let number = <[u8; 4]>::try_from(&**row).map(u32::from_le_bytes);
        if let (Ok(name), Ok(number), false) = (std::str::from_utf8(name), number, name.is_empty())
        {
            names.insert(AccountNo(number), name.to_owned());
        }
    }
    let tables = [Table::Logins, Table::Dcs, Table::States, Table::SentFiles, Table::Extras];
    let with_rows = tables.iter().flat_map(|table| rows_of(salvaged, *table));
    let with_rows = with_rows.filter_map(|(key, _)| account_of(key));
    let with_entities = salvaged.entities.keys().map(PeerKey::account);
    for account in with_rows.chain(with_entities).collect::<BTreeSet<_>>() {
        names.entry(account).or_insert_with(|| {
            lost.push(format!("the name of session number {}", account.0));
            format!("recovered {}", account.0)
        });
    }
    names
}

fn rows_of(salvaged: &Salvaged, table: Table) -> impl Iterator<Item = (&[u8], &RowValue)> {
    let rows = salvaged.rows.iter().filter(move |((of, _), _)| *of == table);
    rows.map(|((_, key), row)| (key.as_ref(), row))
}

fn account_rows(salvaged: &Salvaged, account: AccountNo, lost: &mut Vec<String>) -> Account {
    let mut rows = Account::default();
    let mut lose = |what: &str| {
        lost.push(format!("{what} of session number {} cannot be read", account.0));
    };
    let of_account =
        |table| rows_of(salvaged, table).filter(move |(key, _)| account_of(key) == Some(account));
    for (_, row) in of_account(Table::Logins) {
        match decode((), row) {
            Ok(login) => rows.login = login,
            Err(_) => lose("the login"),
        }
    }
    for (key, row) in of_account(Table::Dcs) {
        match key.try_into().ok().map(|key| decode(DcKey::dc(key), row)) {
            Some(Ok(dc)) => rows.dcs.push(dc),
            _ => lose("a DC"),
        }
    }
    for (key, row) in of_account(Table::States) {
        let id = key.try_into().ok().map(PeerKey::peer);
        match id {
            Some(None) => match decode((), row) {
                Ok(state) => rows.update_state = Some(state),
                Err(_) => lose("the update state"),
            },
            Some(Some(id)) => match decode(id, row) {
                Ok(state) => rows.channel_states.push(state),
                Err(_) => lose("the update state of a channel"),
            },
            None => lose("an update state"),
        }
    }
    for (key, row) in of_account(Table::SentFiles) {
        match key.try_into().ok().map(|key| FileRow::file(key).and_then(|file| decode(file, row))) {
            Some(Ok(file)) => rows.sent_files.push(file),
            _ => lose("a sent file"),
        }
    }
    for (key, row) in of_account(Table::Extras) {
        match TextKey::text(key).and_then(|name| decode(name, row)) {
            Ok(extra) => rows.extras.push(extra),
            Err(_) => lose("a value of a client's own"),
        }
    }
    rows
}

fn entities_of(
    salvaged: &Salvaged,
    account: AccountNo,
    lost: &mut Vec<String>,
    progress: &Progress,
) -> Vec<Entity> {
    let mut entities = Vec::new();
    let (first, last) = (PeerKey::first(account), PeerKey::last(account));
    for (key, row) in salvaged.entities.range(first..=last) {
        progress.step();
        match PeerKey::peer(key).map(|id| decode::<Entity>(id, row)) {
            Some(Ok(entity)) => entities.push(entity),
            _ => lost.push(format!("an entity of session number {}", account.0)),
        }
    }
    entities
}
