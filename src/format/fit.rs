//! Making a session fit a form: what the form needs is filled in, what it has no place for is
//! taken out and counted, so that the writers only write.

use std::io::{Seek, Write};
use std::net::IpAddr;
use std::path::Path;

use super::given::{find_home, take_given};
use super::lost::{Losses, NO_PLACE};
use super::{Given, facts, well_known};
use crate::error::{Error, Result};
use crate::sqlite::writer::WriteError;
use crate::types::{Account, DcOption, Endpoint, Entity, EntityKind, PeerId, PeerKind};

/// A form that sessions are written in.
pub(crate) trait Target: Sync {
    /// Its name: `telethon`, `pyrogram-string`.
    fn name(&self) -> &'static str;

    /// What it has a place for.
    fn place(&self) -> &'static Place;

    /// Writes the sessions, which have been fitted; one, unless [`Place::many`] says more. Their
    /// entities are still to be fitted, by [`Outgoing::entity`].
    fn write(
        &self,
        sessions: &mut [Outgoing<'_>],
        lost: &mut Losses,
        out: &mut dyn Output,
    ) -> Result<()>;
}

/// What a form is written to.
pub(crate) trait Output: Write + Seek {}

impl<T: Write + Seek> Output for T {}

/// What a form has a place for.
#[derive(Debug)]
pub(crate) struct Place {
    /// Several sessions in one file.
    pub(crate) many: bool,
    /// Which DC is home.
    pub(crate) home: Need,
    /// Which DCs besides the home DC.
    pub(crate) other_dcs: OtherDcs,
    pub(crate) address: Address,
    pub(crate) test_mode: Need,
    pub(crate) api_id: Need,
    pub(crate) user: Need,
    pub(crate) bot: Need,
    /// A session without an auth key.
    pub(crate) auth_key: Need,
    pub(crate) takeout_id: bool,
    pub(crate) update_state: bool,
    pub(crate) channel_states: bool,
    pub(crate) sent_files: bool,
    pub(crate) entities: Option<EntityPlace>,
}

/// Which DCs a form keeps besides the home DC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OtherDcs {
    None,
    WithKey,
    WithKeyOrAddress,
    All,
}

impl OtherDcs {
    pub(super) fn keeps(self, dc: &DcOption) -> bool {
        let keyed = dc.auth_key.is_some();
        match self {
            Self::None => false,
            Self::WithKey => keyed,
            Self::WithKeyOrAddress => keyed || dc.ipv4.is_some() || dc.ipv6.is_some(),
            Self::All => true,
        }
    }
}

/// Which addresses of a DC a form keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// It has its own.
    None,
    /// One, which it cannot do without.
    One,
    /// Those that are known.
    Both,
    /// An IPv4 and an IPv6 address, which it cannot do without.
    BothNeeded,
}

/// Whether a form keeps a value, and can do without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// There is no place for it.
    Absent,
    Kept,
    Needed,
}

/// What of an entity a form has a place for.
#[derive(Debug)]
pub(crate) struct EntityPlace {
    /// Whether it has a place for this id.
    pub(crate) holds: fn(PeerId) -> bool,
    /// The kinds that it tells apart.
    pub(crate) kinds: &'static [EntityKind],
    /// That only a reduced (`min`) view was seen.
    pub(crate) min: bool,
    /// That the access hash of a user or channel is not known.
    pub(crate) no_hash: bool,
    /// So many usernames.
    pub(crate) usernames: usize,
    pub(crate) phone: bool,
    pub(crate) name: bool,
    pub(crate) date: bool,
}

impl EntityPlace {
    /// What Telethon keeps of an entity, and those that keep what Telethon gives them.
    pub(crate) const TELETHON: Self = Self {
        holds: |_| true,
        kinds: &[],
        min: false,
        no_hash: false,
        usernames: 1,
        phone: true,
        name: true,
        date: true,
    };
}

impl Place {
    /// A form that keeps the home DC's key and nothing else; the others are described by what they
    /// have more.
    pub(crate) const LEAST: Self = Self {
        many: false,
        home: Need::Needed,
        other_dcs: OtherDcs::None,
        address: Address::None,
        test_mode: Need::Absent,
        api_id: Need::Absent,
        user: Need::Absent,
        bot: Need::Absent,
        auth_key: Need::Needed,
        takeout_id: false,
        update_state: false,
        channel_states: false,
        sent_files: false,
        entities: None,
    };
}

/// One session on its way out.
pub(crate) struct Outgoing<'a> {
    pub(crate) name: String,
    pub(crate) account: Account,
    pub(crate) entities: Box<dyn Iterator<Item = Result<Entity>> + 'a>,
}

impl Outgoing<'_> {
    /// The next entity, with what there is no place for taken out and counted.
    pub(crate) fn entity(
        &mut self,
        place: &EntityPlace,
        lost: &mut Losses,
    ) -> Option<Result<Entity>> {
        loop {
            match self.entities.next()? {
                Ok(entity) => {
                    if let Some(entity) = entity_for(entity, place, lost) {
                        return Some(Ok(entity));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The home DC, which a fitted session has.
    pub(crate) fn home(&self) -> Option<&DcOption> {
        home(&self.account)
    }
}

/// Fills in what the form needs and the session lacks: what was given, then what is well known.
/// `filled` gets a sentence for each.
///
/// # Errors
///
/// [`Error::Lacks`] names what is still missing.
pub(crate) fn fill(
    account: &mut Account,
    form: &'static str,
    place: &Place,
    given: Given,
    filled: &mut Vec<String>,
) -> Result<()> {
    take_given(account, given.for_place(place), filled);
    find_home(account, filled);
    let lacks = |what| Err(Error::Lacks { form, what });
    let home = account.login.home_dc;
    if place.home == Need::Needed && home.is_none() {
        return lacks("the home DC");
    }
    if place.home == Need::Needed && home.is_some_and(|home| !facts::is_dc(home)) {
        return lacks("a home DC that exists");
    }
    if place.auth_key == Need::Needed
        && !account.dcs.iter().any(|dc| Some(dc.id) == home && dc.auth_key.is_some())
    {
        return lacks("an auth key of the home DC");
    }
    if account.login.test_mode.is_none() && place.test_mode != Need::Absent {
        account.login.test_mode = well_known::test_mode(account);
        match account.login.test_mode {
            Some(true) => filled.push("test server: by the home DC's address".into()),
            None if place.test_mode == Need::Needed => {
                account.login.test_mode = Some(false);
                filled.push("production server: nothing says that it is a test account".into());
            }
            _ => {}
        }
    }
    if place.api_id == Need::Needed && account.login.api_id.is_none() {
        return lacks("the api id");
    }
    match account.login.user.as_mut() {
        None if place.user == Need::Needed => return lacks("the account's own user id"),
        Some(user) if place.bot == Need::Needed && user.bot.is_none() => {
            user.bot = Some(false);
            filled.push("not a bot: nothing says that it is one".into());
        }
        _ => {}
    }
    fill_addresses(account, place, filled).or_else(lacks)
}

fn fill_addresses(
    account: &mut Account,
    place: &Place,
    filled: &mut Vec<String>,
) -> Result<(), &'static str> {
    let needed = match place.address {
        Address::None | Address::Both => return Ok(()),
        Address::One => false,
        Address::BothNeeded => true,
    };
    let home = account.login.home_dc;
    let test = account.login.test_mode.or_else(|| well_known::test_mode(account)).unwrap_or(false);
    if let Some(home) = home
        && account.dcs.iter().all(|dc| dc.id != home)
    {
        account.dcs.push(DcOption::new(home));
        account.dcs.sort_by_key(|dc| dc.id);
    }
    for dc in account.dcs.iter_mut().filter(|dc| place.other_dcs.keeps(dc) || Some(dc.id) == home) {
        let none = dc.ipv4.is_none() && dc.ipv6.is_none();
        if dc.ipv4.is_none() && (none || needed) {
            dc.ipv4 = well_known::ipv4(dc.id, test);
            filled.extend(
                dc.ipv4.as_ref().map(|end| format!("address of DC {}: {end}, well known", dc.id)),
            );
        }
        if dc.ipv6.is_none() && needed {
            dc.ipv6 = well_known::ipv6(dc.id, test);
        }
        let missing = dc.ipv4.is_none() && dc.ipv6.is_none();
        if missing && Some(dc.id) == home {
            return Err("the address of the home DC");
        }
    }
    Ok(())
}

/// Takes out of a filled account what there is no place for, and counts it.
pub(crate) fn account_for(mut account: Account, place: &Place, lost: &mut Losses) -> Account {
    let home = account.login.home_dc;
    account.dcs.retain(|dc| {
        let kept = place.other_dcs.keeps(dc) || Some(dc.id) == home;
        if !kept {
            let what = if dc.auth_key.is_some() { "dcs.auth_key" } else { "dcs" };
            lost.add(what, NO_PLACE, i64::from(dc.id.0));
        }
        kept
    });
    let test = account.login.test_mode.or_else(|| well_known::test_mode(&account));
    for dc in &mut account.dcs {
        fit_addresses(dc, place.address, test.unwrap_or(false), lost);
    }
    // What the address says as well is not lost.
    let told = well_known::test_mode(&account);
    let login = &mut account.login;
    if place.test_mode == Need::Absent
        && login.test_mode.take().is_some_and(|test| told != Some(test))
    {
        lost.add_one("test_mode", NO_PLACE);
    }
    if place.api_id == Need::Absent && login.api_id.take().is_some() {
        lost.add_one("api_id", NO_PLACE);
    }
    if place.user == Need::Absent && login.user.take().is_some() {
        lost.add_one("user", NO_PLACE);
    }
    if let Some(user) = &mut login.user
        && place.bot == Need::Absent
        && user.bot.take().is_some()
    {
        lost.add_one("user.bot", NO_PLACE);
    }
    if !place.takeout_id && login.takeout_id.take().is_some() {
        lost.add_one("takeout_id", NO_PLACE);
    }
    if !place.update_state && account.update_state.take().is_some() {
        lost.add_one("state", NO_PLACE);
    }
    if !place.channel_states {
        for state in account.channel_states.drain(..) {
            lost.add("channel_states", NO_PLACE, state.id);
        }
    }
    if !place.sent_files {
        for file in account.sent_files.drain(..) {
            lost.add("files", NO_PLACE, file.id);
        }
    }
    account
}

fn fit_addresses(dc: &mut DcOption, address: Address, test: bool, lost: &mut Losses) {
    match address {
        Address::Both => {}
        Address::BothNeeded => {
            let is_name = |end: &mut Endpoint| end.host.parse::<IpAddr>().is_err();
            if dc.ipv4.take_if(is_name).is_some() {
                lost.add("dcs.ipv4", NO_NAMES, i64::from(dc.id.0));
                dc.ipv4 = well_known::ipv4(dc.id, test);
            }
        }
        Address::One => {
            if dc.ipv4.is_some() && dc.ipv6.take().is_some() {
                lost.add("dcs.ipv6", "the form keeps one address", i64::from(dc.id.0));
            }
        }
        Address::None => {
            // The address that the client has built in is not lost.
            let built_in = well_known::ipv4(dc.id, test);
            if dc.ipv4.take_if(|end| Some(&*end) != built_in.as_ref()).is_some() {
                lost.add("dcs.ipv4", NO_PLACE, i64::from(dc.id.0));
            }
            let built_in = well_known::ipv6(dc.id, test);
            if dc.ipv6.take_if(|end| Some(&*end) != built_in.as_ref()).is_some() {
                lost.add("dcs.ipv6", NO_PLACE, i64::from(dc.id.0));
            }
            (dc.ipv4, dc.ipv6) = (None, None);
        }
    }
}

/// Takes out of an entity what there is no place for; `None` where nothing that is of use remains.
fn entity_for(mut entity: Entity, place: &EntityPlace, lost: &mut Losses) -> Option<Entity> {
    let id = entity.id;
    if !facts::is_possible(id) {
        lost.add("entities", "no user, group or channel can have this id", id);
        return None;
    }
    if !(place.holds)(id) {
        lost.add("entities", "the form has no ids of this range", id);
        return None;
    }
    if entity.min && !place.min {
        lost.add("entities", "only a reduced view of it was seen, without a hash of its own", id);
        return None;
    }
    if entity.access_hash.is_none() && !place.no_hash && id.kind() != PeerKind::Group {
        lost.add("entities", "its access hash is not known", id);
        return None;
    }
    if entity.kind.take_if(|kind| !place.kinds.contains(kind)).is_some() {
        lost.add("entities.kind", NO_PLACE, id);
    }
    if entity.usernames.len() > place.usernames {
        let more = entity.usernames.drain(place.usernames..);
        more.for_each(|_| lost.add("entities.usernames", NO_PLACE, id));
    }
    if !place.phone && entity.phone.take().is_some() {
        lost.add("entities.phone", NO_PLACE, id);
    }
    if !place.name && entity.name.take().is_some() {
        lost.add("entities.name", NO_PLACE, id);
    }
    if !place.date && entity.date.take().is_some() {
        lost.add("entities.date", NO_PLACE, id);
    }
    Some(entity)
}

/// Why a host name is left out where an address is needed.
const NO_NAMES: &str = "the form keeps addresses and no names; a well-known one is written";

/// What to count where a form keeps no entities.
pub(crate) fn without_entities(session: &mut Outgoing<'_>, lost: &mut Losses) -> Result<()> {
    for entity in session.entities.by_ref() {
        lost.add("entities", NO_PLACE, entity?.id);
    }
    Ok(())
}

/// The session of a form that holds one.
pub(crate) fn the_only<'s, 'a>(
    sessions: &'s mut [Outgoing<'a>],
    form: &'static str,
) -> Result<&'s mut Outgoing<'a>> {
    match sessions {
        [session] => Ok(session),
        _ => {
            let why = format!("it holds one session, and there are {}", sessions.len());
            Err(Error::Unfit { form, why })
        }
    }
}

fn home(account: &Account) -> Option<&DcOption> {
    account.dcs.iter().find(|dc| Some(dc.id) == account.login.home_dc)
}

/// What the writer of a database says, as the error of an export. Only what goes wrong with the
/// output is no fault of the session; its path is put in by who knows it.
pub(super) fn unwritten(error: WriteError) -> Error {
    match error {
        WriteError::Io(source) => Error::io("write", Path::new(""), source),
        error => Error::Unfit { form: "a SQLite file", why: error.to_string() },
    }
}
