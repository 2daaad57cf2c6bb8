//! grammers' `SqliteSession`, releases 0.8 to 0.11: `PRAGMA user_version` 1.
//!
//! ```text
//! dc_home       (dc_id)                        one row, or none: DC 2
//! dc_option     (dc_id, ipv4, ipv6, auth_key)  both addresses with their ports, as text
//! peer_info     (peer_id, hash, subtype)       by marked id; the own user is among them
//! update_state  (pts, qts, date, seq)          one row, or none
//! channel_state (peer_id, pts)                 by bare id, whatever the column's name says
//! ```

mod dcs;
mod peers;
mod states;
#[cfg(test)]
mod tests;

use crate::error::Result;
#[cfg(feature = "convert")]
use crate::format::FormatSpec;
use crate::format::Reader;
use crate::format::sqlite_file::{PeerTable, SqliteFile, SqliteFormat, rows_or_note};
use crate::format::{Address, Need, OtherDcs, unwritten};
use crate::format::{Capabilities, Notes, Tables, Target, Writing};
use crate::sqlite::writer::{DatabaseWriter, WriterOptions};
use crate::types::Account;

#[cfg(feature = "convert")]
pub(crate) mod tl;

/// The readers of grammers.
pub(super) const READERS: &[Reader] = &[
    Reader::Sqlite(&Grammers),
    #[cfg(feature = "convert")]
    Reader::File { has_magic: true, looks_like: tl::looks_like, read: tl::read },
];

#[cfg(feature = "convert")]
pub(super) const FILE: FormatSpec = FormatSpec::file(dcs::FORMAT, &Grammers);

/// The newest `user_version` that is known.
const NEWEST: i32 = 1;

/// The tables that a damaged file should have.
const EXPECTED: [&str; 5] =
    [dcs::HOME_SQL, dcs::OPTION_SQL, peers::SQL, states::ACCOUNT_SQL, states::CHANNEL_SQL];

/// The tables, each with a column that no other client's table of this name has.
const OWN: [(&str, &str); 4] = [
    ("dc_option", "ipv4"),
    ("dc_home", "dc_id"),
    ("peer_info", "subtype"),
    ("channel_state", "peer_id"),
];

const CAPABILITIES: Capabilities = Capabilities {
    other_dcs: OtherDcs::All,
    address: Address::BothNeeded,
    user: Need::Kept,
    bot: Need::Needed,
    auth_key: Need::Kept,
    update_state: true,
    channel_states: true,
    entities: Some(peers::PEERS),
    ..Capabilities::MINIMAL
};

/// grammers 0.8 and newer.
pub(crate) struct Grammers;

impl SqliteFormat for Grammers {
    fn described(&self) -> &'static str {
        "a grammers session"
    }

    fn recognises(&self, db: &Tables) -> bool {
        match db {
            Tables::Whole(_) => db.count(OWN.first()) > 0,
            Tables::Saved(_) => db.count(&OWN) > 0,
        }
    }

    fn expected(&self) -> &'static [&'static str] {
        &EXPECTED
    }

    fn format(&self, file: &SqliteFile, notes: &mut Notes) -> Result<String> {
        match file.db() {
            Tables::Whole(db) if db.user_version() > 0 => {
                let newest = (NEWEST.into(), "grammers schema");
                file.note_newer(db.user_version().into(), newest, notes);
                Ok(format!("grammers-sqlite v{}", db.user_version()))
            }
            _ => Ok("grammers-sqlite".to_owned()),
        }
    }

    fn account(&self, file: &SqliteFile, _: &str, notes: &mut Notes) -> Result<Account> {
        let mut account = Account::default();
        account.login.home_dc = dcs::read_home(file, notes)?;
        account.dcs = dcs::read_options(file, notes)?;
        account.login.user = peers::read_user(file, notes)?;
        account.update_state = states::read_account(file, notes)?;
        account.channel_states = states::read_channels(file, notes)?;
        Ok(account)
    }

    fn peers<'a>(&self, file: &'a SqliteFile, _: &str, notes: &mut Notes) -> Result<PeerTable<'a>> {
        let Some(table) = file.table_or_note("peer_info", notes) else { return Ok(None) };
        Ok(rows_or_note(table, peers::Peers::of(table), "column peer_id", notes))
    }

    fn owns(&self, table: &str) -> bool {
        let tables = OWN.iter().map(|(table, _)| *table).chain(["update_state"]);
        tables.into_iter().any(|known| table.eq_ignore_ascii_case(known))
    }
}

impl Target for Grammers {
    fn name(&self) -> &'static str {
        dcs::FORMAT
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn write(&self, work: Writing<'_, '_>) -> Result<()> {
        let Writing { sessions, lost, out } = work;
        let options = WriterOptions::new().user_version(NEWEST);
        let mut db = DatabaseWriter::new(out, &options).map_err(unwritten)?;
        for session in sessions {
            dcs::write(&session.account, lost, &mut db)?;
            peers::write(session, lost, &mut db)?;
            states::write(&session.account, lost, &mut db)?;
        }
        db.finish().map_err(unwritten)?;
        Ok(())
    }
}
