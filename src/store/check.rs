//! The thorough walk: every record decodes, every index row finds what it names.

use std::collections::BTreeSet;

use super::catalog;
use crate::engine::{Engine, EngineResult, Rows, Span, Table, View, owned_by, said_by, shown};
use crate::error::Result;
use crate::record::{AccountNo, DcKey, FileRow, PeerKey, Record, RecordError, TextKey, decode};
use crate::types::{
    ChannelState, DcOption, Entity, Extra, Login, PeerId, Progress, SentFile, UpdateState,
    fold_phone, fold_username,
};

/// At most this many problems are listed.
const MOST_PROBLEMS: usize = 100;

/// The result of a thorough check. A store without problems is whole.
///
/// ```
/// # use tgsession::Store;
/// # fn main() -> tgsession::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("accounts");
/// let store = Store::create(&path)?;
/// store.session("alice")?;
/// let report = store.check()?;
/// for problem in &report.problems {
///     eprintln!("{}: {problem}", path.display());
/// }
/// assert_eq!((report.sessions, report.problems.len()), (1, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// Sessions.
    pub sessions: u64,
    /// Entities of all sessions.
    pub entities: u64,
    /// Records and index rows in all tables, or rows in a legacy file.
    pub records: u64,
    /// Everything that is not as it must be, one sentence each, up to a hundred.
    pub problems: Vec<String>,
}

impl CheckReport {
    pub(crate) fn problem(&mut self, problem: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }
}

/// Checks everything in the store. An error means that the check itself could not go on.
pub(super) fn check(engine: &Engine, progress: &Progress) -> Result<CheckReport> {
    let mut report = CheckReport::default();
    progress.begin(engine.read(entities_in).unwrap_or_default());
    engine.damage()?.into_iter().for_each(|problem| report.problem(problem));
    let view = engine.view()?;
    let accounts = catalog::accounts(&view).map_err(|error| error.at(engine.path()))?;
    report.sessions = accounts.len() as u64;
    report.records += report.sessions;
    let mut walk = |table: Table, work: &dyn Fn(&mut TableCheck<'_>) -> EngineResult<()>| {
        let (view, accounts) = (&view, &accounts);
        if let Err(error) = work(&mut TableCheck { view, accounts, report: &mut report, progress })
        {
            let (name, why) = (table.name(), said_by(&error.at(engine.path())));
            report.problem(format!("table {name} cannot be read to its end: {why}"));
        }
    };
    walk(Table::Logins, &|walk| walk.records::<4, Login>(Table::Logins, |_| Ok(())));
    walk(Table::Dcs, &|walk| walk.records::<8, DcOption>(Table::Dcs, |key| Ok(DcKey::dc(key))));
    walk(Table::States, &|walk| walk.states());
    walk(Table::SentFiles, &|walk| walk.records::<29, SentFile>(Table::SentFiles, FileRow::file));
    walk(Table::Extras, &|walk| walk.extras());
    walk(Table::Entities, &|walk| walk.entities());
    walk(Table::Usernames, &|walk| {
        walk.changed_index(Table::Usernames, |entity, text| {
            entity.usernames.iter().any(|name| fold_username(name) == text)
        })
    });
    walk(Table::Phones, &|walk| {
        walk.changed_index(Table::Phones, |entity, text| {
            entity.phone.as_deref().and_then(fold_phone).as_deref() == Some(text)
        })
    });
    Ok(report)
}

struct TableCheck<'a> {
    view: &'a View,
    accounts: &'a BTreeSet<AccountNo>,
    report: &'a mut CheckReport,
    progress: &'a Progress,
}

/// How many entities all sessions have, where that can be told without counting them.
pub(super) fn entities_in(view: &View) -> EngineResult<Option<u64>> {
    let mut all = Some(0);
    for account in catalog::accounts(view)? {
        let count = view.entity_count(account)?;
        all = all.zip(count).map(|(all, count)| all + count);
    }
    Ok(all)
}

impl TableCheck<'_> {
    fn records<const N: usize, R: Record>(
        &mut self,
        table: Table,
        says: impl Fn(&[u8; N]) -> Result<R::Key, RecordError>,
    ) -> EngineResult<()> {
        self.rows(table, |key: &[u8; N], record| {
            decode::<R>(says(key)?, record)?;
            Ok(())
        })
    }

    fn states(&mut self) -> EngineResult<()> {
        self.rows(Table::States, |key, record| match PeerKey::peer(key) {
            Some(id) => decode::<ChannelState>(id, record).map(drop),
            None => decode::<UpdateState>((), record).map(drop),
        })
    }

    fn extras(&mut self) -> EngineResult<()> {
        self.each_row(Table::Extras, |key, record| {
            decode::<Extra>(TextKey::text(key)?, record).map(drop)
        })
    }

    /// Every row of a table of records with keys of one length, whose account must exist.
    fn rows<const N: usize>(
        &mut self,
        table: Table,
        check: impl Fn(&[u8; N], &[u8]) -> Result<(), RecordError>,
    ) -> EngineResult<()> {
        self.each_row(table, |key, record| {
            check(key.try_into().map_err(|_| RecordError::Key)?, record)
        })
    }

    fn each_row(
        &mut self,
        table: Table,
        check: impl Fn(&[u8], &[u8]) -> Result<(), RecordError>,
    ) -> EngineResult<()> {
        self.view.each(table, &Span::ALL, usize::MAX, &mut |key, record| {
            count(self.report, self.accounts, table, key);
            if let Err(error) = check(key, record) {
                let (name, key) = (table.name(), shown(key));
                self.report.problem(format!("table {name}, key {key}: {error}"));
            }
            Ok(true)
        })
    }

    /// Every entity decodes, and every username and phone of it is indexed to it.
    fn entities(&mut self) -> EngineResult<()> {
        let accounts = self.accounts;
        accounts.iter().try_for_each(|account| self.entities_of(*account))
    }

    fn entities_of(&mut self, account: AccountNo) -> EngineResult<()> {
        let table = Table::Entities;
        self.view.each(table, &table.span(account), usize::MAX, &mut |key, record| {
            self.progress.step();
            self.report.records += 1;
            self.report.entities += 1;
            let Ok(key) = key.try_into() else { return Ok(true) };
            let Some(id) = PeerKey::peer(key) else {
                let problem =
                    format!("table entities, account {}: 0 is not the id of a peer", account.0);
                self.report.problem(problem);
                return Ok(true);
            };
            match decode::<Entity>(id, record) {
                Ok(entity) => indexed(self.view, self.report, account, &entity)?,
                Err(error) => self.report.problem(format!("table entities, id {id}: {error}")),
            }
            Ok(true)
        })
    }

    /// Every index row in memory names an entity that shows the text. Segments have no such rows:
    /// their entities are found by their own records.
    fn changed_index(
        &mut self,
        index: Table,
        shows: impl Fn(&Entity, &str) -> bool,
    ) -> EngineResult<()> {
        for (key, row) in self.view.changed_rows(index) {
            if !names_its_entity(self.view, &key, &row, &shows)? {
                let (name, key) = (index.name(), shown(&key));
                self.report.problem(format!(
                    "table {name}, key {key}: the index names an entity that does not have this value"
                ));
            }
        }
        Ok(())
    }
}

fn count(report: &mut CheckReport, accounts: &BTreeSet<AccountNo>, table: Table, key: &[u8]) {
    report.records += 1;
    let account = key.first_chunk().map(|account| AccountNo::from_key(*account));
    if account.is_none_or(|account| !accounts.contains(&account)) {
        let (name, key) = (table.name(), shown(key));
        report.problem(format!("table {name}, key {key}: it belongs to no session"));
    }
}

fn indexed(
    view: &View,
    report: &mut CheckReport,
    account: AccountNo,
    entity: &Entity,
) -> EngineResult<()> {
    let id = entity.id;
    let mut finds = |index, text: &str| -> EngineResult<bool> {
        report.records += 1;
        let row = view.get(index, &TextKey::of(account, text))?;
        Ok(row.is_some_and(|row| *row == owned_by(id)))
    };
    let mut lost = Vec::new();
    for name in &entity.usernames {
        if !finds(Table::Usernames, &fold_username(name))? {
            lost.push(format!("entity {id}: its username {name:?} is missing from the index, or leads to another entity"));
        }
    }
    if let Some(phone) = entity.phone.as_deref().and_then(fold_phone)
        && !finds(Table::Phones, &phone)?
    {
        lost.push(format!(
            "entity {id}: its phone number is missing from the index, or leads to another entity"
        ));
    }
    lost.into_iter().for_each(|problem| report.problem(problem));
    Ok(())
}

fn names_its_entity(
    view: &View,
    key: &[u8],
    row: &[u8],
    shows: impl Fn(&Entity, &str) -> bool,
) -> EngineResult<bool> {
    let Ok((account, text)) = TextKey::parts(key) else { return Ok(false) };
    let id = row.try_into().ok().and_then(|row| PeerId::from_marked(i64::from_le_bytes(row)));
    let (Some(id), Ok(text)) = (id, std::str::from_utf8(text)) else { return Ok(false) };
    let Some(record) = view.get(Table::Entities, &PeerKey::of(account, id))? else {
        return Ok(false);
    };
    Ok(decode::<Entity>(id, &record).is_ok_and(|entity| shows(&entity, text)))
}
