//! Data centres: their addresses in two byte orders, and their keys.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::layout::{flags, vector};
use super::wire::{Reader, Writer};
use crate::format::Notes;
use crate::types::{AuthKey, DcId, DcOption, Endpoint};

/// The DCs in the order of their ids, and whether one had both addresses, as release 0.8 writes
/// them.
pub(super) fn decode_all(
    reader: &mut Reader<'_>,
    notes: &mut Notes,
) -> Result<(Vec<DcOption>, bool), String> {
    let (mut dcs, mut both) = (Vec::new(), false);
    for _ in 0..vector(reader)? {
        let dc = match reader.u32()? {
            DATA_CENTER => decode(reader, &mut both, notes)?,
            DATA_CENTER_WS => decode_ws(reader, notes)?,
            other => return Err(format!("{other:08x} stands where the id of a DC should")),
        };
        dcs.push(dc);
    }
    dcs.sort_by_key(|dc| dc.id);
    dcs.dedup_by(|dc, kept| {
        let again = dc.id == kept.id;
        if again {
            notes.add(format!("DC {} is there several times; the first key is taken", dc.id));
            kept.auth_key = kept.auth_key.take().or_else(|| dc.auth_key.take());
        }
        again
    });
    Ok((dcs, both))
}

fn decode(reader: &mut Reader<'_>, both: &mut bool, notes: &mut Notes) -> Result<DcOption, String> {
    let flags = flags(reader, HAS_IPV4 | HAS_IPV6 | HAS_KEY)?;
    let id = DcId(reader.i32()?);
    let mut ipv4 = if flags & HAS_IPV4 != 0 { Some(reader.array::<4>()?) } else { None };
    let mut ipv6 = if flags & HAS_IPV6 != 0 { Some(reader.array::<16>()?) } else { None };
    if let (Some(v4), Some(v6)) = (&mut ipv4, &mut ipv6) {
        *both = true;
        v4.reverse();
        v6.reverse();
    }
    let port = reader.i32()?;
    let mut dc = DcOption::new(id);
    dc.auth_key = key(reader, flags & HAS_KEY != 0, id)?;
    let (ipv4, ipv6) = (ipv4.map(Ipv4Addr::from), ipv6.map(Ipv6Addr::from));
    // Release 0.8 has a place for both and fills it with these where there is but one.
    let ipv6 = ipv6.filter(|v6| ipv4.is_none() || v6.to_ipv4_mapped() != ipv4);
    match u16::try_from(port) {
        Ok(port) => {
            let at = |ip: IpAddr| (!ip.is_unspecified()).then(|| endpoint(ip, port));
            dc.ipv4 = ipv4.and_then(|ip| at(ip.into()));
            dc.ipv6 = ipv6.and_then(|ip| at(ip.into()));
        }
        Err(_) => notes.add(format!("DC {id}: port {port} is invalid, the address is not kept")),
    }
    Ok(dc)
}

fn endpoint(ip: IpAddr, port: u16) -> Endpoint {
    Endpoint::new(&ip.to_string(), port)
}

/// A DC behind a URL, which only release 0.8 knows and nothing in it writes.
fn decode_ws(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<DcOption, String> {
    let flags = flags(reader, WS_HAS_KEY)?;
    let id = DcId(reader.i32()?);
    let _url = reader.bytes()?;
    notes.add(format!("DC {id}: its address is a URL, not kept"));
    let mut dc = DcOption::new(id);
    dc.auth_key = key(reader, flags & WS_HAS_KEY != 0, id)?;
    Ok(dc)
}

fn key(reader: &mut Reader<'_>, there: bool, id: DcId) -> Result<Option<AuthKey>, String> {
    match if there { reader.bytes()? } else { &[] } {
        [] => Ok(None),
        bytes => AuthKey::from_slice(bytes).map(Some).ok_or_else(|| {
            format!("the auth key of DC {id} has {} bytes, and a key has 256", bytes.len())
        }),
    }
}

/// A DC as releases 0.3 to 0.7 write it: at one address.
pub(super) fn encode(writer: &mut Writer, dc: &DcOption, ip: IpAddr, port: u16) {
    let family = if ip.is_ipv4() { HAS_IPV4 } else { HAS_IPV6 };
    let has_key = if dc.auth_key.is_some() { HAS_KEY } else { 0 };
    writer.u32(DATA_CENTER).u32(family | has_key).i32(dc.id.0);
    match ip {
        IpAddr::V4(ip) => writer.raw(&ip.octets()),
        IpAddr::V6(ip) => writer.raw(&ip.octets()),
    };
    writer.i32(port.into());
    if let Some(key) = &dc.auth_key {
        writer.key(key.as_bytes());
    }
}

/// The most bytes that [`encode`] takes for one DC.
pub(super) const MOST_BYTES: usize = 12 + 16 + 4 + 4 + AuthKey::LEN;

const DATA_CENTER: u32 = 0x756d_16b6;
const HAS_IPV4: u32 = 1;
const HAS_IPV6: u32 = 2;
const HAS_KEY: u32 = 4;

const DATA_CENTER_WS: u32 = 0x7249_0a88;
const WS_HAS_KEY: u32 = 1;
