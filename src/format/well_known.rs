//! Where Telegram's DCs listen, for formats that need an address and sources that have none.

use std::net::IpAddr;

use crate::types::{Account, DcId, DcOption, Endpoint};

/// The production DCs, as Pyrogram, Kurigram and Telegram's own clients have them built in.
const PRODUCTION: [(i32, &str, Option<&str>); 6] = [
    (1, "149.154.175.53", Some("2001:b28:f23d:f001::a")),
    (2, "149.154.167.51", Some("2001:67c:4e8:f002::a")),
    (3, "149.154.175.100", Some("2001:b28:f23d:f003::a")),
    (4, "149.154.167.91", Some("2001:67c:4e8:f004::a")),
    (5, "91.108.56.130", Some("2001:b28:f23f:f005::a")),
    (203, "91.105.192.100", None),
];

/// The test DCs.
const TEST: [(i32, &str, Option<&str>); 3] = [
    (1, "149.154.175.10", Some("2001:b28:f23d:f001::e")),
    (2, "149.154.167.40", Some("2001:67c:4e8:f002::e")),
    (3, "149.154.175.117", Some("2001:b28:f23d:f003::e")),
];

const PORT: u16 = 443;
/// As the clients use for test servers.
const TEST_PORT: u16 = 80;

/// The well-known IPv4 address of a DC.
pub(crate) fn ipv4(dc: DcId, test: bool) -> Option<Endpoint> {
    let (_, host, _) = known(dc, test)?;
    Some(Endpoint::new(host, port(test)))
}

/// The well-known IPv6 address of a DC.
pub(crate) fn ipv6(dc: DcId, test: bool) -> Option<Endpoint> {
    let (_, _, host) = known(dc, test)?;
    Some(Endpoint::new((*host)?, port(test)))
}

/// Whether an account is one of the test servers, as far as the address of its home DC tells: the
/// port alone is no proof.
pub(crate) fn test_mode(account: &Account) -> Option<bool> {
    let home = account.dcs.iter().find(|dc| Some(dc.id) == account.login.home_dc)?;
    let is = |table: &[(i32, &str, Option<&str>)]| {
        table.iter().any(|(_, v4, v6)| at(home, v4) || v6.is_some_and(|v6| at(home, v6)))
    };
    if is(&TEST) {
        Some(true)
    } else if is(&PRODUCTION) {
        Some(false)
    } else {
        None
    }
}

/// The number of a DC with a well-known address.
pub(crate) fn dc_at(dc: &DcOption) -> Option<DcId> {
    let known = PRODUCTION.iter().chain(&TEST);
    let mut known = known.filter(|(_, v4, v6)| at(dc, v4) || v6.is_some_and(|v6| at(dc, v6)));
    known.next().map(|(id, ..)| DcId(*id))
}

fn at(dc: &DcOption, host: &str) -> bool {
    let Ok(host) = host.parse::<IpAddr>() else { return false };
    let mut ends = [&dc.ipv4, &dc.ipv6].into_iter().flatten();
    ends.any(|end| end.host.parse::<IpAddr>().is_ok_and(|there| there == host))
}

fn known(dc: DcId, test: bool) -> Option<&'static (i32, &'static str, Option<&'static str>)> {
    let table: &[_] = if test { &TEST } else { &PRODUCTION };
    table.iter().find(|(id, ..)| *id == dc.0)
}

fn port(test: bool) -> u16 {
    if test { TEST_PORT } else { PORT }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_told_by_its_address_and_not_by_its_port() {
        let account = |host, port| {
            let mut account = Account::default();
            account.login.home_dc = Some(DcId(2));
            account.dcs = vec![DcOption::new(DcId(2)).at(Endpoint::new(host, port))];
            account
        };
        assert_eq!(test_mode(&account("149.154.167.40", 443)), Some(true));
        assert_eq!(test_mode(&account("149.154.167.51", 80)), Some(false));
        assert_eq!(test_mode(&account("2001:067c:04e8:f002::e", 443)), Some(true));
        assert_eq!(test_mode(&account("192.0.2.1", 80)), None);
        assert_eq!(test_mode(&Account::default()), None);
    }
}
