//! Making a session fit a format: what the format needs is filled in, what it has no place for is
//! taken out and counted, so that the writers only write.

use std::net::IpAddr;

use super::capabilities::{Address, Capabilities, Need};
use super::given::{Given, find_home, put_given};
use super::lost::{Losses, NO_PLACE};
use super::{facts, well_known};
use crate::error::{Error, Result};
use crate::types::{Account, DcOption, Endpoint};

/// Fills in values that the format needs and the session lacks, from the given values, then from
/// the well-known ones. `filled` gets a sentence for each.
///
/// # Errors
///
/// [`Error::Lacks`] names what is still missing.
pub(crate) fn fill(
    account: &mut Account,
    format: &'static str,
    capabilities: &Capabilities,
    given: Given,
    filled: &mut Vec<String>,
) -> Result<()> {
    put_given(account, given.for_format(capabilities), filled);
    find_home(account, filled);
    let lacks = |what| Err(Error::Lacks { format, what });
    let home = account.login.home_dc;
    if capabilities.home == Need::Needed && home.is_none() {
        return lacks("the home DC");
    }
    if capabilities.home == Need::Needed && home.is_some_and(|home| !facts::is_dc(home)) {
        return lacks("a home DC that exists");
    }
    if capabilities.auth_key == Need::Needed
        && !account.dcs.iter().any(|dc| Some(dc.id) == home && dc.auth_key.is_some())
    {
        return lacks("an auth key of the home DC");
    }
    if account.login.test_mode.is_none() && capabilities.test_mode != Need::Absent {
        account.login.test_mode = well_known::test_mode(account);
        match account.login.test_mode {
            Some(true) => filled.push("test server: by the home DC's address".into()),
            None if capabilities.test_mode == Need::Needed => {
                account.login.test_mode = Some(false);
                filled.push("production server: nothing says that it is a test account".into());
            }
            _ => {}
        }
    }
    if capabilities.api_id == Need::Needed && account.login.api_id.is_none() {
        return lacks("the api id");
    }
    match account.login.user.as_mut() {
        None if capabilities.user == Need::Needed => return lacks("the account's own user id"),
        Some(user) if capabilities.bot == Need::Needed && user.bot.is_none() => {
            user.bot = Some(false);
            filled.push("not a bot: nothing says that it is one".into());
        }
        _ => {}
    }
    fill_addresses(account, capabilities, filled).or_else(lacks)
}

fn fill_addresses(
    account: &mut Account,
    capabilities: &Capabilities,
    filled: &mut Vec<String>,
) -> Result<(), &'static str> {
    let needed = match capabilities.address {
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
    for dc in
        account.dcs.iter_mut().filter(|dc| capabilities.other_dcs.keeps(dc) || Some(dc.id) == home)
    {
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
pub(crate) fn account_for(
    mut account: Account,
    capabilities: &Capabilities,
    lost: &mut Losses,
) -> Account {
    let home = account.login.home_dc;
    account.dcs.retain(|dc| {
        let kept = capabilities.other_dcs.keeps(dc) || Some(dc.id) == home;
        if !kept {
            let what = if dc.auth_key.is_some() { "dcs.auth_key" } else { "dcs" };
            lost.add(what, NO_PLACE, i64::from(dc.id.0));
        }
        kept
    });
    let test = account.login.test_mode.or_else(|| well_known::test_mode(&account));
    for dc in &mut account.dcs {
        fit_addresses(dc, capabilities.address, test.unwrap_or(false), lost);
    }
    // The address shows it too, so it is not lost.
    let told = well_known::test_mode(&account);
    let login = &mut account.login;
    if capabilities.test_mode == Need::Absent
        && login.test_mode.take().is_some_and(|test| told != Some(test))
    {
        lost.add_one("test_mode", NO_PLACE);
    }
    if capabilities.api_id == Need::Absent && login.api_id.take().is_some() {
        lost.add_one("api_id", NO_PLACE);
    }
    if capabilities.user == Need::Absent && login.user.take().is_some() {
        lost.add_one("user", NO_PLACE);
    }
    if let Some(user) = &mut login.user
        && capabilities.bot == Need::Absent
        && user.bot.take().is_some()
    {
        lost.add_one("user.bot", NO_PLACE);
    }
    if !capabilities.takeout_id && login.takeout_id.take().is_some() {
        lost.add_one("takeout_id", NO_PLACE);
    }
    if !capabilities.update_state && account.update_state.take().is_some() {
        lost.add_one("state", NO_PLACE);
    }
    if !capabilities.channel_states {
        for state in account.channel_states.drain(..) {
            lost.add("channel_states", NO_PLACE, state.id);
        }
    }
    if !capabilities.sent_files {
        for file in account.sent_files.drain(..) {
            lost.add("files", NO_PLACE, file.id);
        }
    }
    if !capabilities.extras {
        account.extras.drain(..).for_each(|_| lost.add_one("extras", NO_PLACE));
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
                lost.add("dcs.ipv6", "the format keeps one address", i64::from(dc.id.0));
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

/// Why a host name is left out where an address is needed.
const NO_NAMES: &str = "the format keeps addresses and no names; a well-known one is written";
