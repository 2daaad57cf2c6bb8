//! Telethon's string: `1`, then URL-safe base64 with padding of
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 1 | DC |
//! | 1 | 4 or 16 | IPv4 or IPv6 address, in network order |
//! | 5 or 17 | 2 | port, big-endian |
//! | 7 or 19 | 256 | auth key; all zeros: none |
//!
//! Nothing but the length says which address it is. The string of GramJS for a host of 14
//! characters is as long as this one with IPv6; read as this one, its address would begin with
//! the length, `e:`, and go on with the host's letters. No host has such an address, so such a
//! string is neither read nor written here, and one damaged letter does not make it another
//! client's string.

use std::net::{IpAddr, Ipv4Addr};

use base64::engine::general_purpose::URL_SAFE;
use zeroize::Zeroizing;

use crate::format::{Address, Capabilities};
use crate::string::base64::versioned_text;
use crate::string::home::{Home, account, buffer, is_host};
use crate::string::reader::Reader;
use crate::string::{Decoded, Reading, Unfit};
use crate::types::{Account, AuthKey, DcId, DcOption, Endpoint};

/// The fields of the string: key and address of the home DC.
pub(super) const CAPABILITIES: Capabilities =
    Capabilities { address: Address::One, ..Capabilities::MINIMAL };

/// The format as dumps name it.
pub(crate) const FORMAT: &str = "telethon-string";

const WITH_IPV4: usize = 1 + 4 + 2 + AuthKey::LEN;
const WITH_IPV6: usize = 1 + 16 + 2 + AuthKey::LEN;

/// Reads the bytes after the `1`.
pub(crate) fn decode(bytes: &[u8]) -> Reading {
    fields(bytes).map(Ok)
}

fn fields(bytes: &[u8]) -> Option<Decoded> {
    let mut reader = Reader::new(bytes);
    let id = DcId(reader.u8()?.into());
    let ip = match bytes.len() {
        WITH_IPV4 => Ipv4Addr::from(reader.array::<4>()?).into(),
        WITH_IPV6 => IpAddr::from(reader.array::<16>()?),
        _ => return None,
    };
    if is_gramjs_host(ip) {
        return None;
    }
    let port = u16::from_be_bytes(reader.array()?);
    let mut dc = DcOption::new(id).at(Endpoint::new(&ip.to_string(), port));
    if reader.rest().iter().any(|byte| *byte != 0) {
        dc.auth_key = Some(AuthKey::from_slice(reader.rest())?);
    }
    Some(Decoded { format: FORMAT, account: account(dc), notes: Vec::new() })
}

/// Writes the string. An IPv4 address is taken before an IPv6 one.
pub(crate) fn encode(account: &Account) -> Result<Zeroizing<String>, Unfit> {
    let home = Home::of(account)?;
    if home.key.as_bytes().iter().all(|byte| *byte == 0) {
        return Err(Unfit::NoAuthKey);
    }
    let (ip, port) = address(&home)?;
    let mut out = buffer();
    out.push(home.id_byte()?);
    match ip {
        IpAddr::V4(ip) => out.extend(ip.octets()),
        IpAddr::V6(ip) => out.extend(ip.octets()),
    }
    out.extend(port.to_be_bytes());
    out.extend_from_slice(home.key.as_bytes());
    Ok(versioned_text(&URL_SAFE, &out))
}

fn address(home: &Home<'_>) -> Result<(IpAddr, u16), Unfit> {
    let mut unfit = Unfit::NoAddress;
    for Endpoint { host, port } in home.endpoints() {
        match host.parse() {
            Ok(ip) if is_gramjs_host(ip) => unfit = Unfit::Host,
            Ok(ip) => return Ok((ip, *port)),
            Err(_) => unfit = Unfit::HostName,
        }
    }
    Err(unfit)
}

/// Whether this would be the length and the host of a GramJS string, or one of them.
fn is_gramjs_host(ip: IpAddr) -> bool {
    let IpAddr::V6(ip) = ip else { return false };
    let [high, low, host @ ..] = ip.octets();
    [high, low] == [0, 14] || str::from_utf8(&host).is_ok_and(is_host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::string_tests::with_dc;

    #[test]
    fn fields_lie_where_the_table_says() {
        let bytes = [&[5, 1, 2, 3, 4, 0xff, 0xfe][..], &[7; 256]].concat();
        let dc = DcOption::new(DcId(5)).at(Endpoint::new("1.2.3.4", 0xfffe));
        let expected = with_dc(dc.with_key(AuthKey::new(&[7; 256])));
        assert_eq!(decode(&bytes).unwrap().unwrap().account, expected);
        assert_eq!(*encode(&expected).unwrap(), *versioned_text(&URL_SAFE, &bytes));
    }

    #[test]
    fn a_key_of_zeros_is_none() {
        let bytes = [0; WITH_IPV6];
        let read = decode(&bytes).unwrap().unwrap().account;
        assert_eq!(read, with_dc(DcOption::new(DcId(0)).at(Endpoint::new("::", 0))));
        let zeros = DcOption::new(DcId(1)).at(Endpoint::new("::1", 0));
        let zeros = with_dc(zeros.with_key(AuthKey::new(&[0; 256])));
        assert_eq!(encode(&zeros), Err(Unfit::NoAuthKey));
    }

    #[test]
    fn an_address_in_the_other_place_is_taken_before_a_host_name_is_refused() {
        let key = AuthKey::new(&[7; 256]);
        let mut dc = DcOption::new(DcId(2)).with_key(key);
        assert_eq!(encode(&with_dc(dc.clone())), Err(Unfit::NoAddress));
        dc = dc.at(Endpoint::new("venus.web.telegram.org", 443));
        assert_eq!(encode(&with_dc(dc.clone())), Err(Unfit::HostName));
        dc = dc.at(Endpoint::new("2001:67c:4e8:f002::a", 443));
        assert_eq!(encode(&with_dc(dc)).unwrap().len(), 369);
    }

    #[test]
    fn an_address_that_is_a_length_or_a_host_is_neither_read_nor_written() {
        for (start, host) in [([0, 14], [7; 14]), ([0, 15], *b"149.154.167.51")] {
            let bytes = [&[2][..], &start, &host, &[1, 0xbb], &[7; 256]].concat();
            assert_eq!(decode(&bytes), None);
            let ip = std::net::Ipv6Addr::from(*bytes[1..].first_chunk::<16>().unwrap());
            let dc = DcOption::new(DcId(2)).at(Endpoint::new(&ip.to_string(), 443));
            let dc = dc.with_key(AuthKey::new(&[7; 256]));
            assert_eq!(encode(&with_dc(dc)), Err(Unfit::Host));
        }
    }
}
