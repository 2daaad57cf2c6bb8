//! The thorough walk: every record decodes, every index row finds what it names.

use std::collections::BTreeSet;

use redb::ReadableTable;

use super::catalog;
use super::engine::{Engine, check_structure, said_by};
use super::fault::{Fault, Step, shown};
use super::snapshot::Snapshot;
use super::tables::{
    DCS, ENTITIES, Index, LOGINS, OpenRecords, PHONES, Records, SENT_FILES, STATES, USERNAMES,
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
    let accounts = engine.read(|snapshot| {
        let sessions = catalog::sessions(snapshot)?;
        report.sessions = sessions.len() as u64;
        report.records += sessions.len() as u64;
        Ok(sessions.into_iter().map(|(_, account)| account).collect::<BTreeSet<_>>())
    })?;
    let mut walk = |name: &str, table: &dyn Fn(&mut Walk<'_>) -> Step<()>| {
        let done = engine.read(|snapshot| {
            table(&mut Walk { snapshot, accounts: &accounts, report: &mut report })
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
    snapshot: &'a Snapshot,
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
        let name = table.name;
        let Some(table) = self.snapshot.open(table)? else { return Ok(()) };
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
        let Some(table) = self.snapshot.open(ENTITIES)? else { return Ok(()) };
        for row in table.iter()? {
            let (key, record) = row?;
            self.count(ENTITIES.name, key.value());
            self.report.entities += 1;
            let account = PeerKey::account(key.value());
            let Some(id) = PeerKey::peer(key.value()) else {
                self.report
                    .problem(format!("table entities, account {}: id 0 is nobody", account.0));
                continue;
            };
            match decode::<Entity>(id, record.value()) {
                Ok(entity) => self.indexed(account, &entity)?,
                Err(error) => self.report.problem(format!("table entities, id {id}: {error}")),
            }
        }
        Ok(())
    }

    fn indexed(&mut self, account: AccountNo, entity: &Entity) -> Step<()> {
        let id = entity.id;
        for name in &entity.usernames {
            if !self.finds(USERNAMES, account, &fold_username(name), id)? {
                self.report.problem(format!("entity {id}: its username {name:?} does not find it"));
            }
        }
        if let Some(phone) = entity.phone.as_deref().and_then(fold_phone)
            && !self.finds(PHONES, account, &phone, id)?
        {
            self.report.problem(format!("entity {id}: its phone does not find it"));
        }
        Ok(())
    }

    fn finds(&self, index: Index, account: AccountNo, text: &str, id: PeerId) -> Step<bool> {
        let Some(rows) = self.snapshot.open(index)? else { return Ok(false) };
        let row = rows.get(TextKey::of(account, text).as_slice())?;
        Ok(row.is_some_and(|row| row.value() == id.marked()))
    }

    /// Every row of an index names an entity that shows the text.
    fn index(&mut self, index: Index, shows: impl Fn(&Entity, &str) -> bool) -> Step<()> {
        let name = index.name;
        let Some(rows) = self.snapshot.open(index)? else { return Ok(()) };
        let entities = self.snapshot.open(ENTITIES)?;
        for row in rows.iter()? {
            let (key, marked) = row?;
            self.count(name, key.value());
            if !names_its_entity(entities, key.value(), marked.value(), &shows)? {
                let key = shown(key.value());
                self.report
                    .problem(format!("table {name}, key {key}: its entity does not show it"));
            }
        }
        Ok(())
    }
}

fn names_its_entity(
    entities: Option<&OpenRecords<12>>,
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
