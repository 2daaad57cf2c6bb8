//! Impossible values, of any client: addresses of other DCs, DCs and ids that do not exist. Sources
//! note them and exports correct them, by these rules.

use super::{Capabilities, Losses, well_known};
use crate::types::{Account, DcId, DcOption, Endpoint, Entity, PeerId};

/// Telegram's ids have at most 52 significant bits.
const MOST_ID: i64 = (1 << 52) - 1;

/// User ids that converters write if they know none: 0 is tg-session-bridge's, 9999 that
/// of TGConvertor, AndroidTelePorter and pyroblack.
const INVENTED: [i64; 2] = [0, 9999];

/// The domain of the WebSocket servers for browsers. They answer no other client.
const WEB: &str = "web.telegram.org";

/// Whether there is a DC of this number.
pub(crate) fn is_dc(id: DcId) -> bool {
    matches!(id.0, 1..=5 | 203)
}

/// Whether a user, group or channel can have this id.
pub(crate) fn is_possible(id: PeerId) -> bool {
    (1..=MOST_ID).contains(&id.bare())
}

/// Whether the id and the access hash of an entity seem to have changed places.
pub(crate) fn is_swapped(entity: &Entity) -> bool {
    let hash = entity.access_hash.and_then(|hash| PeerId::from_marked(hash.0));
    !is_possible(entity.id) && hash.is_some_and(is_possible)
}

/// Why an address cannot be that of a DC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Dc(DcId),
    Web,
}

fn wrong(dc: DcId, end: &Endpoint) -> Option<Wrong> {
    let host = end.host.to_ascii_lowercase();
    if host.strip_suffix(WEB).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')) {
        return Some(Wrong::Web);
    }
    let other = well_known::dc_at(&DcOption::new(dc).at(Endpoint::new(&end.host, end.port)))?;
    (other != dc && dc.0 != 0).then_some(Wrong::Dc(other))
}

/// Takes an invented user id for unknown, and gives a sentence for each impossible value.
pub(crate) fn look_at(account: &mut Account) -> Vec<String> {
    let mut doubts = Vec::new();
    for dc in &account.dcs {
        let id = dc.id;
        if !is_dc(id) && id.0 != 0 {
            doubts.push(format!("DC {id}: there is no DC of this number"));
        }
        for end in [&dc.ipv4, &dc.ipv6].into_iter().flatten() {
            match wrong(id, end) {
                Some(Wrong::Dc(other)) => {
                    doubts.push(format!("DC {id}: its address {end} is that of DC {other}"));
                }
                Some(Wrong::Web) => doubts.push(format!(
                    "DC {id}: its address {end} is a WebSocket server for browsers, of no use to \
                     other clients"
                )),
                None => {}
            }
        }
    }
    if let Some(home) = account.login.home_dc
        && !is_dc(home)
        && home.0 != 0
        && account.dcs.iter().all(|dc| dc.id != home)
    {
        doubts.push(format!("home DC {home}: there is no DC of this number"));
    }
    if let Some(user) = account.login.user {
        let id = user.id;
        if INVENTED.contains(&id) {
            account.login.user = None;
            doubts.push(format!(
                "user {id}: converters write this id where they know none; taken as not known"
            ));
        } else if !(1..=MOST_ID).contains(&id) {
            doubts.push(format!("user {id}: no user can have this id"));
        }
    }
    doubts
}

/// Replaces or removes impossible values of an account that is exported, and counts them. Values
/// that the format has no place for are left: they are counted later.
pub(crate) fn put_right(
    account: &mut Account,
    capabilities: &Capabilities,
    filled: &mut Vec<String>,
    lost: &mut Losses,
) {
    let home = account.login.home_dc;
    account.dcs.retain(|dc| {
        let kept = is_dc(dc.id) || Some(dc.id) == home || dc.id.0 == 0;
        if !kept {
            let what = if dc.auth_key.is_some() { "dcs.auth_key" } else { "dcs" };
            lost.add(what, "there is no DC of this number", i64::from(dc.id.0));
        }
        kept
    });
    let test = account.login.test_mode.or_else(|| well_known::test_mode(account)).unwrap_or(false);
    let mut reasons = Vec::new();
    for dc in &mut account.dcs {
        let id = dc.id;
        if Some(id) != home && !capabilities.other_dcs.keeps(dc) {
            continue;
        }
        let ends = [
            ("dcs.ipv4", &mut dc.ipv4, well_known::ipv4(id, test)),
            ("dcs.ipv6", &mut dc.ipv6, well_known::ipv6(id, test)),
        ];
        for (what, end, known) in ends {
            let Some(why) = end.as_ref().and_then(|end| wrong(id, end)) else { continue };
            let why = match (why, known.is_some()) {
                (Wrong::Dc(_), true) => "it is another DC's; the well-known one is written",
                (Wrong::Dc(_), false) => "it is another DC's",
                (Wrong::Web, true) => "it is a browser's; the well-known one is written",
                (Wrong::Web, false) => "it is a browser's",
            };
            reasons.push((what, why, id));
            filled.extend(known.iter().map(|end| format!("address of DC {id}: {end}, well known")));
            *end = known;
        }
    }
    // Without key and address it is nothing that every format has a place for.
    account.dcs.retain(|dc| {
        let bare = dc.auth_key.is_none() && dc.ipv4.is_none() && dc.ipv6.is_none();
        let of_it = reasons.iter().filter(|(.., id)| *id == dc.id);
        let emptied = bare && Some(dc.id) != home && of_it.clone().next().is_some();
        if emptied {
            lost.add("dcs", "its only address is another DC's or a browser's", i64::from(dc.id.0));
        } else {
            of_it.for_each(|(what, why, id)| lost.add(what, why, i64::from(id.0)));
        }
        !emptied
    });
    let user = account.login.user.take_if(|user| !(1..=MOST_ID).contains(&user.id));
    if let Some(user) = user {
        lost.add("user", "no user can have this id", user.id);
    }
}

#[cfg(test)]
mod tests {
    use super::super::OtherDcs;
    use super::*;
    use crate::types::{AccessHash, SelfUser};

    fn account(dc: i32, host: &str) -> Account {
        let mut account = Account::default();
        account.login.home_dc = Some(DcId(dc));
        account.dcs = vec![DcOption::new(DcId(dc)).at(Endpoint::new(host, 443))];
        account
    }

    #[test]
    fn addresses_of_other_dcs_and_of_browsers_are_told() {
        for (dc, host, said) in [
            (4, "149.154.167.51", "is that of DC 2"),
            (2, "2001:067c:04e8:f004::a", "is that of DC 4"),
            (1, "venus.web.telegram.org", "WebSocket"),
            (2, "KWS2.Web.Telegram.org", "WebSocket"),
            (106, "192.0.2.1", "no DC of this number"),
        ] {
            let doubts = look_at(&mut account(dc, host));
            assert!(doubts.len() == 1 && doubts[0].contains(said), "{host}: {doubts:?}");
        }
        for (dc, host) in [
            (2, "149.154.167.51"),
            (2, "149.154.167.40"),
            (203, "91.105.192.100"),
            (4, "192.0.2.1"),
            (4, "notweb.telegram.org"),
            (0, "149.154.167.51"),
        ] {
            assert_eq!(look_at(&mut account(dc, host)), [""; 0], "{host}");
        }
    }

    #[test]
    fn what_cannot_be_is_replaced_or_left_out() {
        let mut account = account(4, "149.154.167.51");
        account.dcs.push(DcOption::new(DcId(106)));
        account.dcs.push(DcOption::new(DcId(3)).at(Endpoint::new("a.web.telegram.org", 443)));
        account.login.test_mode = Some(true);
        account.login.user = Some(SelfUser { id: 1 << 60, bot: None });
        let capabilities = Capabilities { other_dcs: OtherDcs::All, ..Capabilities::MINIMAL };
        let (mut filled, mut lost) = (Vec::new(), Losses::default());
        put_right(&mut account, &capabilities, &mut filled, &mut lost);
        let ends: Vec<_> = account.dcs.iter().map(|dc| (dc.id.0, dc.ipv4.clone())).collect();
        let known = Endpoint::new("149.154.175.117", 80);
        assert_eq!(ends, [(4, None), (3, Some(known))], "there is no test DC 4");
        assert_eq!(account.login.user, None);
        let lost: Vec<_> = lost.into_sorted().iter().map(|loss| (loss.what, loss.why)).collect();
        let expected = [
            ("dcs", "there is no DC of this number"),
            ("dcs.ipv4", "it is a browser's; the well-known one is written"),
            ("dcs.ipv4", "it is another DC's"),
            ("user", "no user can have this id"),
        ];
        assert_eq!(lost, expected);
        assert_eq!(filled, ["address of DC 3: 149.154.175.117:80, well known"]);
    }

    #[test]
    fn invented_users_are_unknown_and_impossible_ones_are_told() {
        for (id, known) in [(0, false), (9999, false), (-7, true), (777, true), (1 << 52, true)] {
            let mut account = Account::default();
            account.login.user = Some(SelfUser { id, bot: Some(true) });
            let doubts = look_at(&mut account).len();
            assert_eq!(account.login.user.is_some(), known, "{id}");
            assert_eq!(doubts, usize::from(id != 777), "{id}");
        }
    }

    #[test]
    fn an_id_and_a_hash_that_changed_places_are_told() {
        let entity = |id, hash| {
            let mut entity = Entity::new(PeerId::from_marked(id).unwrap());
            entity.access_hash = Some(AccessHash(hash));
            entity
        };
        assert!(is_swapped(&entity(7_000_000_000_000_000_001, 777)));
        assert!(is_swapped(&entity(-7_000_000_000_000_000_001, -1_001_234_567_890)));
        assert!(!is_swapped(&entity(777, 7_000_000_000_000_000_001)));
        assert!(!is_swapped(&entity(i64::MAX, i64::MIN)));
    }
}
