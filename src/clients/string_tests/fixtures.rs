//! Strings that the clients wrote, with what they themselves read from them.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::clients::gramjs::string as gramjs;
use crate::clients::mtcute::string as mtcute;
use crate::clients::mtkruto::string as mtkruto;
use crate::clients::pyrogram::string as pyrogram;
use crate::clients::strings::decode;
use crate::clients::telethon::string as telethon;
use crate::string::StringError;
use crate::types::{AuthKey, DcId, Endpoint, SelfUser};

fn strings() -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/strings/strings.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn format(entry: &Json) -> &'static str {
    match (entry["format"].as_str().unwrap(), entry["string"].as_str().unwrap().len()) {
        ("telethon-1" | "telethon", _) => telethon::FORMAT,
        ("gramjs-1" | "gramjs", _) => gramjs::FORMAT,
        ("mtcute-1", _) => mtcute::FORMAT_1,
        ("mtcute-2", _) => mtcute::FORMAT_2,
        (mtcute, _) if mtcute.starts_with("mtcute-3") => mtcute::FORMAT_3,
        ("mtkruto", _) => mtkruto::FORMAT,
        (_, 351) => pyrogram::FORMAT_263,
        (_, 356) => pyrogram::FORMAT_267,
        (_, 362) => pyrogram::FORMAT_271,
        other => panic!("{other:?}"),
    }
}

/// Compares the values that the fixture names with those that were read.
fn check(entry: &Json) {
    let (name, text) = (&entry["library"], entry["string"].as_str().unwrap());
    let expected = &entry["decoded"];
    let read = decode(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(read.format, format(entry), "{name}");
    let [dc] = read.account.dcs.as_slice() else { panic!("{name}: one DC") };
    let login = &read.account.login;
    assert_eq!(login.home_dc, Some(dc.id), "{name}");
    assert_eq!(dc.id, DcId(i32::try_from(expected["dc_id"].as_i64().unwrap()).unwrap()), "{name}");
    let key = AuthKey::from_hex(expected["auth_key"].as_str().unwrap()).unwrap();
    assert_eq!(dc.auth_key, Some(key), "{name}");

    let endpoint = dc.ipv4.as_ref().or(dc.ipv6.as_ref());
    let main = &expected["main"];
    let (host, port) = match expected["server_address"].as_str() {
        Some(host) => (Some(host), &expected["port"]),
        None => (main["ip"].as_str(), &main["port"]),
    };
    let host = host.map(|host| {
        // Telethon has an address in it and no text: ours is spelled as Rust does.
        let ip = host.parse::<std::net::IpAddr>().ok().filter(|_| read.format == telethon::FORMAT);
        let host = ip.map_or(host.to_owned(), |ip| ip.to_string());
        Endpoint::new(&host, u16::try_from(port.as_u64().unwrap()).unwrap())
    });
    if host.is_some() || expected["test_mode"].is_boolean() {
        assert_eq!(endpoint, host.as_ref(), "{name}");
    }
    let media = &expected["media"];
    let differs = (&media["ip"], &media["port"]) != (&main["ip"], &main["port"]);
    assert_eq!(read.notes.len(), usize::from(differs), "{name}: {:?}", read.notes);
    if let Some(test) = expected["test_mode"].as_bool() {
        assert_eq!(login.test_mode, Some(test), "{name}");
        let id = expected["user_id"].as_i64();
        let user = id.map(|id| SelfUser { id, bot: expected["is_bot"].as_bool() });
        assert_eq!(login.user, user, "{name}");
        let api_id = expected["api_id"].as_i64().map(|id| i32::try_from(id).unwrap());
        assert_eq!(login.api_id, api_id, "{name}");
    }
    check_written(entry, text);
}

/// A string of a client's newest release is written again byte for byte, if all of it was read.
fn check_written(entry: &Json, text: &str) {
    let read = decode(text).unwrap();
    let written = match (read.format, entry["format"].as_str().unwrap()) {
        (telethon::FORMAT, _) => telethon::encode(&read.account),
        (gramjs::FORMAT, "gramjs-1") => gramjs::encode(&read.account),
        // The fixtures of a converter are in the oldest layout.
        (mtkruto::FORMAT, _) if read.account.login.user.is_some() => mtkruto::encode(&read.account),
        (mtcute::FORMAT_3, "mtcute-3 (dc option v2)") if read.notes.is_empty() => {
            mtcute::encode(&read.account)
        }
        (pyrogram::FORMAT_271, _) if read.account.login.user.is_some() => {
            pyrogram::encode(&read.account)
        }
        _ => return,
    };
    let written = written.unwrap_or_else(|unfit| panic!("{}: {unfit}", entry["library"]));
    assert_eq!(*written, *text, "{}", entry["library"]);
}

#[test]
fn the_strings_of_every_client_read_as_the_client_reads_them() {
    let strings = strings();
    let valid = strings["valid"].as_array().unwrap();
    assert!(valid.len() > 20);
    valid.iter().for_each(check);
    let formats: Vec<_> = valid.iter().map(format).collect();
    for format in [
        telethon::FORMAT,
        pyrogram::FORMAT_263,
        pyrogram::FORMAT_267,
        pyrogram::FORMAT_271,
        gramjs::FORMAT,
        mtcute::FORMAT_1,
        mtcute::FORMAT_2,
        mtcute::FORMAT_3,
        mtkruto::FORMAT,
    ] {
        assert!(formats.contains(&format), "no {format}");
    }
}

#[test]
fn what_telethon_refuses_is_refused_with_a_reason() {
    let strings = strings();
    let refused = strings["refused"].as_array().unwrap();
    let found: Vec<_> =
        refused.iter().map(|text| decode(text.as_str().unwrap()).unwrap_err()).collect();
    let expected = [
        StringError::Version,                  // another version
        StringError::Unknown { letters: 349 }, // cut
        StringError::Base64 { at: 353 },       // more behind the padding
        StringError::Version,                  // no version
        StringError::Unknown { letters: 1 },
        StringError::Base64 { at: 51 }, // a foreign character
    ];
    assert_eq!(found, expected);
}
