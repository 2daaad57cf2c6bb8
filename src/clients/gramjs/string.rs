//! The string of GramJS and teleproto: `1`, then standard base64 with padding of
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 1 | DC |
//! | 1 | 2 | n, big-endian |
//! | 3 | n | host as text: IPv4, IPv6 in any spelling, or a name |
//! | 3 + n | 2 | port, big-endian |
//! | 5 + n | 256 | auth key |
//!
//! The writers have a signed port and fail above 32767; readers get it back without the sign.

use std::net::Ipv6Addr;

use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::format::{Address, Capabilities};
use crate::string::base64::versioned_text;
use crate::string::home::{Home, account, buffer, dc, is_host};
use crate::string::reader::Reader;
use crate::string::{Decoded, Reading, StringError, Unfit};
use crate::types::{Account, AuthKey, Endpoint};

/// The fields of the string: key and address of the home DC.
pub(super) const CAPABILITIES: Capabilities =
    Capabilities { address: Address::One, ..Capabilities::MINIMAL };

/// The format as dumps name it.
pub(crate) const FORMAT: &str = "gramjs-string";

/// Without the host.
const FIXED: usize = 1 + 2 + 2 + AuthKey::LEN;

/// The largest port that GramJS writes.
const MOST_PORT: u16 = 0x7fff;

/// Reads the bytes after the `1`.
pub(crate) fn decode(bytes: &[u8]) -> Reading {
    let mut reader = Reader::new(bytes);
    let id = reader.u8()?;
    let len = usize::from(u16::from_be_bytes(reader.array()?));
    let host = reader.take(len).and_then(|host| str::from_utf8(host).ok());
    match host.map(|host| Endpoint::new(host, 0)) {
        Some(endpoint) if is_host(&endpoint.host) => Some(fields(id, endpoint, &mut reader)),
        // The length is right, so the host is damaged. Two bytes can be Telethon's 0.2.0.0/16.
        _ if bytes.len() == FIXED + len && len != 2 => {
            Some(Err(StringError::Value { format: FORMAT, field: "DC's address" }))
        }
        _ => None,
    }
}

fn fields(id: u8, mut endpoint: Endpoint, reader: &mut Reader<'_>) -> Result<Decoded, StringError> {
    let port = reader.array().ok_or(StringError::Truncated { format: FORMAT })?;
    endpoint.port = u16::from_be_bytes(port);
    let dc = dc(FORMAT, id.into(), reader.rest())?.at(endpoint);
    Ok(Decoded { format: FORMAT, account: account(dc), notes: Vec::new() })
}

/// Writes the string. IPv4, or the host name, is taken before IPv6, which is written in its
/// shortest format.
pub(crate) fn encode(account: &Account) -> Result<Zeroizing<String>, Unfit> {
    let home = Home::of(account)?;
    let Endpoint { host, port } = home.endpoint()?;
    if *port > MOST_PORT {
        return Err(Unfit::Port { port: *port });
    }
    let host = host.parse::<Ipv6Addr>().map_or_else(|_| host.clone(), |ip| ip.to_string());
    let mut out = buffer();
    out.push(home.id_byte()?);
    out.extend(u16::try_from(host.len()).map_err(|_| Unfit::Host)?.to_be_bytes());
    out.extend(host.bytes());
    out.extend(port.to_be_bytes());
    out.extend_from_slice(home.key.as_bytes());
    Ok(versioned_text(&STANDARD, &out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::string_tests::{string_of, with_dc};
    use crate::types::{DcId, DcOption};

    fn bytes(host: &str, port: u16, key: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(host.len()).unwrap().to_be_bytes();
        [&[4, high, low], host.as_bytes(), &port.to_be_bytes(), key].concat()
    }

    fn at(host: &str, port: u16) -> Account {
        let dc = DcOption::new(DcId(4)).at(Endpoint::new(host, port));
        with_dc(dc.with_key(AuthKey::new(&[7; 256])))
    }

    #[test]
    fn fields_lie_where_the_table_says() {
        for host in ["1.2.3.4", "venus.web.telegram.org", "2001:67c:4e8:f004::a"] {
            let bytes = bytes(host, 443, &[7; 256]);
            assert_eq!(decode(&bytes).unwrap().unwrap().account, at(host, 443));
            assert_eq!(*encode(&at(host, 443)).unwrap(), *versioned_text(&STANDARD, &bytes));
        }
    }

    #[test]
    fn a_port_with_a_sign_is_read_and_not_written() {
        let read = decode(&bytes("::1", 0xfffe, &[7; 256])).unwrap().unwrap().account;
        assert_eq!(read, at("::1", 0xfffe));
        assert_eq!(encode(&at("::1", 0x8000)), Err(Unfit::Port { port: 0x8000 }));
        assert!(encode(&at("::1", 0x7fff)).is_ok());
    }

    #[test]
    fn ipv6_is_written_in_its_shortest_form() {
        let long = at("2001:067c:04e8:f002:0000:0000:0000:000a", 443);
        assert_eq!(encode(&long), encode(&at("2001:67c:4e8:f002::a", 443)));
        let bracketed = bytes("[2001:67c:4e8:f002::a]", 443, &[7; 256]);
        let read = decode(&bracketed).unwrap().unwrap().account;
        assert_eq!(read, at("2001:67c:4e8:f002::a", 443));
    }

    #[test]
    fn keys_of_another_size_and_damaged_hosts_are_errors() {
        let found = |bytes: &[u8]| decode(bytes).map(|reading| reading.unwrap_err());
        let key_length = |found| Some(StringError::KeyLength { format: FORMAT, found });
        assert_eq!(found(&bytes("1.2.3.4", 443, &[7; 255])), key_length(255));
        assert_eq!(found(&bytes("1.2.3.4", 443, &[7; 257])), key_length(257));
        assert_eq!(found(&bytes("1.2.3.4", 443, &[])), key_length(0));
        let damaged = Some(StringError::Value { format: FORMAT, field: "DC's address" });
        assert_eq!(found(&bytes("149.154.16\u{7}.51", 443, &[7; 256])), damaged);
        assert_eq!(found(&bytes("", 443, &[7; 256])), damaged);
        let cut = bytes("1.2.3.4", 443, &[7; 256]);
        assert_eq!(found(&cut[..11]), Some(StringError::Truncated { format: FORMAT }));
        assert_eq!(decode(&cut[..9]), None);
        assert_eq!(encode(&at("caf\u{e9}", 443)), Err(Unfit::Host));
        assert_eq!(encode(&at(&"a".repeat(254), 443)), Err(Unfit::Host));
    }

    #[test]
    fn a_host_of_two_letters_could_be_telethons_and_is_not_guessed() {
        let text = string_of(encode(&at("tg", 443)));
        let formats = [crate::clients::telethon::string::FORMAT, FORMAT];
        assert_eq!(crate::clients::strings::decode(&text), Err(StringError::Ambiguous { formats }));
    }
}
