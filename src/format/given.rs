//! Values from the caller, which override those of the source.

use std::fmt::Display;

use super::capabilities::{Capabilities, Need};
use super::lost::Losses;
use super::{facts, well_known};
use crate::types::{Account, DcId, DcOption, SelfUser};

/// Values from the caller, which override those of the source.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Given {
    pub(crate) api_id: Option<i32>,
    pub(crate) user_id: Option<i64>,
    pub(crate) bot: Option<bool>,
    pub(crate) test_mode: Option<bool>,
    pub(crate) dc: Option<DcId>,
}

/// Methods of a builder that has a field `given`, one for each value that a caller may give.
macro_rules! given_setters {
    ($builder:ty) => {
        impl $builder {
            /// The account's own user id. It replaces the one in the session.
            #[must_use]
            pub fn user_id(mut self, id: i64) -> Self {
                self.given.user_id = Some(id);
                self
            }

            /// The api id. It replaces the one in the session.
            #[must_use]
            pub fn api_id(mut self, api_id: i32) -> Self {
                self.given.api_id = Some(api_id);
                self
            }

            /// Whether the account is a bot. It replaces what the session says. If the own user id
            /// is not known, it is not kept, and a note says so.
            #[must_use]
            pub fn bot(mut self, bot: bool) -> Self {
                self.given.bot = Some(bot);
                self
            }

            /// Whether the account is one of the test servers. It replaces what the session says.
            #[must_use]
            pub fn test_mode(mut self, test: bool) -> Self {
                self.given.test_mode = Some(test);
                self
            }
        }
    };
}
pub(crate) use given_setters;

impl Given {
    /// The values that the format has a place for. The others are neither needed nor lost.
    pub(super) fn for_format(self, capabilities: &Capabilities) -> Self {
        let kept = |need| need != Need::Absent;
        Self {
            api_id: self.api_id.filter(|_| kept(capabilities.api_id)),
            user_id: self.user_id.filter(|_| kept(capabilities.user)),
            bot: self.bot.filter(|_| kept(capabilities.bot)),
            // It also tells which addresses are meant.
            test_mode: self.test_mode,
            dc: self.dc,
        }
    }
}

/// Replaces the session's values by the given ones, and impossible values by possible ones.
/// `filled` gets a sentence for each.
pub(crate) fn correct(
    account: &mut Account,
    capabilities: &Capabilities,
    given: Given,
    filled: &mut Vec<String>,
    lost: &mut Losses,
) {
    take_given(account, given.for_format(capabilities), filled);
    find_home(account, filled);
    facts::put_right(account, capabilities, filled, lost);
}

/// Replaces the account's values by the given ones. `filled` gets a sentence for each replaced
/// value, and for a value that cannot be kept.
pub(crate) fn take_given(account: &mut Account, given: Given, filled: &mut Vec<String>) {
    put_given(account, given, filled);
    if given.bot.is_some() && account.login.user.is_none() {
        let why = "the account's own user id is not known; give it too";
        filled.push(format!("bot: as given, but not kept: {why}"));
    }
}

pub(super) fn put_given(account: &mut Account, given: Given, filled: &mut Vec<String>) {
    fn take<T: PartialEq + Copy + Display>(
        there: &mut Option<T>,
        given: Option<T>,
        what: &str,
        filled: &mut Vec<String>,
    ) {
        let Some(given) = given else { return };
        if let Some(there) = there.filter(|there| *there != given) {
            filled.push(format!("{what}: {given}, as given; the session says {there}"));
        }
        *there = Some(given);
    }
    let login = &mut account.login;
    take(&mut login.api_id, given.api_id, "api id", filled);
    take(&mut login.test_mode, given.test_mode, "test account", filled);
    let mut id = login.user.map(|user| user.id);
    take(&mut id, given.user_id, "user", filled);
    let mut bot = login.user.and_then(|user| user.bot);
    take(&mut bot, given.bot, "bot", filled);
    login.user = id.map(|id| SelfUser { id, bot });
    if let Some(dc) = given.dc {
        take_home(account, dc, filled);
    }
}

/// The home DC is another than the session says: the one that it has a key for too or, where there
/// is none, the key is of the DC that was given.
fn take_home(account: &mut Account, given: DcId, filled: &mut Vec<String>) {
    let mut was = account.login.home_dc;
    let has_key = |dc: &&DcOption| dc.auth_key.is_some();
    if account.dcs.iter().filter(has_key).all(|dc| dc.id != given) {
        let mut keyed = account.dcs.iter().filter(has_key).map(|dc| dc.id);
        let only = keyed.next().filter(|_| keyed.next().is_none());
        let at_home = was.filter(|was| account.dcs.iter().any(|dc| dc.id == *was));
        if let Some(from) = at_home.or(only) {
            account.dcs.retain(|dc| dc.id != given);
            let moved = account.dcs.iter_mut().filter(|dc| dc.id == from);
            moved.for_each(|dc| dc.id = given);
            account.dcs.sort_by_key(|dc| dc.id);
            was = was.or(Some(from));
        }
    }
    if let Some(was) = was.filter(|was| *was != given) {
        filled.push(format!("home DC: {given}, as given; the session says {was}"));
    }
    account.login.home_dc = Some(given);
}

/// A file that was made of an older one may not know its home DC (or call it 0, or a number that
/// no DC has): the only one with a key is meant, and its address may tell its number.
pub(super) fn find_home(account: &mut Account, filled: &mut Vec<String>) {
    if account.login.home_dc.is_some_and(facts::is_dc) {
        return;
    }
    let mut keyed = account.dcs.iter_mut().filter(|dc| dc.auth_key.is_some());
    let (Some(only), None) = (keyed.next(), keyed.next()) else { return };
    if !facts::is_dc(only.id) {
        let Some(id) = well_known::dc_at(only) else { return };
        only.id = id;
        filled.push(format!("home DC {id}: by its address"));
    } else {
        filled.push(format!("home DC {}: it is the only one with a key", only.id));
    }
    account.login.home_dc = Some(only.id);
}
