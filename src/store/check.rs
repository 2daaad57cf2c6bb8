//! The thorough walk: every record decodes, every index row finds what it names.

use std::collections::BTreeSet;

use redb::{ReadTransaction, ReadableTable, TableHandle};

use super::catalog;
use super::engine::{Engine, check_structure, said_by};
use super::fault::{Fault, Step, shown};
use super::tables::{
    DCS, ENTITIES, Index, LOGINS, PHONES, Records, SENT_FILES, STATES, USERNAMES, open,
};
use crate::error::Result;
use crate::record::{AccountNo, DcKey, FileRow, PeerKey, Record, RecordError, TextKey, decode};
use crate::session::merge::{fold_phone, fold_username};
use crate::types::{ChannelState, DcOption, Entity, Login, PeerId, SentFile, UpdateState};

/// At most so many problems are listed.
const MOST_PROBLEMS: usize = 100;

/// What a thorough check found. Whole is one without problems.
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
pub(super) fn check(engine: &Engine) -> Result<CheckReport> {
    let mut report = CheckReport::default();
    if engine.whole_heads() < 2 {
        report.problem("one of the two copies of the header is damaged; the other was used".into());
    }
    let accounts = engine.read(|transaction| {
        let sessions = catalog::sessions(transaction)?;
        report.sessions = sessions.len() as u64;
        report.records += sessions.len() as u64;
        Ok(sessions.into_iter().map(|(_, account)| account).collect::<BTreeSet<_>>())
    })?;
    let mut walk = |name: &str, table: &dyn Fn(&mut Walk<'_>) -> Step<()>| {
        let done = engine.read(|transaction| {
            table(&mut Walk { transaction, accounts: &accounts, report: &mut report })
        });
        if let Err(error) = done {
            let why = said_by(&error);
            report.problem(format!("table {name} cannot be read to its end: {why}"));
        }
    };
    walk("logins", &|walk| walk.records::<4, Login>(LOGINS, |_| Ok(())));
    walk("dcs", &|walk| walk.records::<8, DcOption>(DCS, |key| Ok(DcKey::dc(key))));
    walk("states", &|walk| walk.states());
    walk("sent_files", &|walk| walk.records::<29, SentFile>(SENT_FILES, FileRow::file));
    walk("entities", &|walk| walk.entities());
    walk("usernames", &|walk| {
        walk.index(USERNAMES, |entity, text| {
            entity.usernames.iter().any(|name| fold_username(name) == text)
        })
    });
    walk("phones", &|walk| {
        walk.index(PHONES, |entity, text| {
            entity.phone.as_deref().and_then(fold_phone).as_deref() == Some(text)
        })
    });
    if let Some(problem) = check_structure(engine.path())? {
        report.problem(format!("writing would fail: {problem}"));
    }
    Ok(report)
}

struct Walk<'a> {
    transaction: &'a ReadTransaction,
    accounts: &'a BTreeSet<AccountNo>,
    report: &'a mut CheckReport,
}

impl Walk<'_> {
    fn records<const N: usize, R: Record>(
        &mut self,
        table: Records<N>,
        says: impl Fn(&[u8; N]) -> Result<R::Key, RecordError>,
    ) -> Step<()> {
        self.rows(table, |key, record| {
            decode::<R>(says(key)?, record)?;
            Ok(())
        })
    }

    fn states(&mut self) -> Step<()> {
        self.rows(STATES, |key, record| match PeerKey::peer(key) {
            Some(id) => decode::<ChannelState>(id, record).map(drop),
            None => decode::<UpdateState>((), record).map(drop),
        })
    }

    /// Every row of a table of records, whose account must exist.
    fn rows<const N: usize>(
        &mut self,
        table: Records<N>,
        check: impl Fn(&[u8; N], &[u8]) -> Result<(), RecordError>,
    ) -> Step<()> {
        let name = table.name();
        let Some(table) = open(self.transaction, table)? else { return Ok(()) };
        for row in table.iter()? {
            let (key, record) = row?;
            self.count(name, key.value());
            if let Err(error) = check(key.value(), record.value()) {
                let key = shown(key.value());
                self.report.problem(format!("table {name}, key {key}: {error}"));
            }
        }
        Ok(())
    }

    fn count(&mut self, table: &str, key: &[u8]) {
        self.report.records += 1;
        let account = key.first_chunk().map(|account| AccountNo::from_key(*account));
        if account.is_none_or(|account| !self.accounts.contains(&account)) {
            let key = shown(key);
            self.report.problem(format!("table {table}, key {key}: it belongs to no session"));
        }
    }

    /// Every entity decodes, and every username and phone of it is indexed to it.
    fn entities(&mut self) -> Step<()> {
        let Some(table) = open(self.transaction, ENTITIES)? else { return Ok(()) };
        let usernames = open(self.transaction, USERNAMES)?;
        let phones = open(self.transaction, PHONES)?;
        for row in table.iter()? {
            let (key, record) = row?;
            self.count("entities", key.value());
            self.report.entities += 1;
            let account = PeerKey::account(key.value());
            let Some(id) = PeerKey::peer(key.value()) else {
                self.report.problem(format!(
                    "table entities: a row of account {} names nobody",
                    account.0
                ));
                continue;
            };
            let entity = match decode::<Entity>(id, record.value()) {
                Ok(entity) => entity,
                Err(error) => {
                    self.report.problem(format!("table entities, id {id}: {error}"));
                    continue;
                }
            };
            let finds = |index: &Option<_>, text: &str| -> Step<bool> {
                let index: &Option<redb::ReadOnlyTable<&'static [u8], i64>> = index;
                let Some(index) = index else { return Ok(false) };
                let row = index.get(TextKey::of(account, text).as_slice())?;
                Ok(row.is_some_and(|row| row.value() == id.marked()))
            };
            for name in &entity.usernames {
                if !finds(&usernames, &fold_username(name))? {
                    self.report
                        .problem(format!("entity {id}: its username {name:?} does not find it"));
                }
            }
            if let Some(phone) = entity.phone.as_deref().and_then(fold_phone)
                && !finds(&phones, &phone)?
            {
                self.report.problem(format!("entity {id}: its phone does not find it"));
            }
        }
        Ok(())
    }

    /// Every row of an index names an entity that shows the text.
    fn index(&mut self, index: Index, shows: impl Fn(&Entity, &str) -> bool) -> Step<()> {
        let name = index.name();
        let Some(rows) = open(self.transaction, index)? else { return Ok(()) };
        let entities = open(self.transaction, ENTITIES)?;
        for row in rows.iter()? {
            let (key, marked) = row?;
            self.count(name, key.value());
            if !names_its_entity(&entities, key.value(), marked.value(), &shows)? {
                let key = shown(key.value());
                self.report
                    .problem(format!("table {name}, key {key}: its entity does not show it"));
            }
        }
        Ok(())
    }
}

fn names_its_entity(
    entities: &Option<redb::ReadOnlyTable<&'static [u8; 12], &'static [u8]>>,
    key: &[u8],
    marked: i64,
    shows: impl Fn(&Entity, &str) -> bool,
) -> Result<bool, Fault> {
    let Ok((account, text)) = TextKey::parts(key) else { return Ok(false) };
    let (Some(id), Ok(text)) = (PeerId::from_marked(marked), std::str::from_utf8(text)) else {
        return Ok(false);
    };
    let Some(entities) = entities else { return Ok(false) };
    let Some(record) = entities.get(&PeerKey::of(account, id))? else { return Ok(false) };
    Ok(decode::<Entity>(id, record.value()).is_ok_and(|entity| shows(&entity, text)))
}
