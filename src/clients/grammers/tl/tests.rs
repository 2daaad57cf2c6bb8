//! Real files of both byte orders, files of the text releases, and what was encoded here.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value as Json;

use super::layout::VECTOR;
use super::*;
use crate::types::{AuthKey, DcOption, Endpoint, Login};

const FILES: [(&str, &str); 4] = [
    ("grammers_0.7_tl", "0.3-0.7"),
    ("grammers_0.7_tl_nouser", "0.3-0.7"),
    ("grammers_0.7_tl_two_dcs_ipv6", "0.3-0.7"),
    ("grammers_0.8_tl", "0.8"),
];

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others");
    fs::read(folder.join(name)).unwrap()
}

fn int<T: TryFrom<i64, Error: std::fmt::Debug>>(value: &Json) -> Option<T> {
    Some(value.as_i64()?.try_into().unwrap())
}

/// The account that the JSON beside a fixture tells, and where each DC's addresses stand in it.
fn expected(model: &Json) -> Account {
    let dc = |json: &Json| {
        let mut dc = DcOption::new(DcId(int(&json["id"]).unwrap()));
        let port = int(&json["port"]).unwrap();
        for ip in [&json["ip"], &json["ipv6"]] {
            dc = ip.as_str().map(|ip| dc.clone().at(Endpoint::new(ip, port))).unwrap_or(dc);
        }
        dc.auth_key = json["auth_key"].as_str().map(|hex| AuthKey::from_hex(hex).unwrap());
        dc
    };
    let channel = |json: &Json| ChannelState {
        id: PeerId::channel(int(&json["id"]).unwrap()).unwrap(),
        pts: int(&json["pts"]).unwrap(),
    };
    let state = &model["update_state"];
    let mut account = Account {
        dcs: model["dcs"].as_array().unwrap().iter().map(dc).collect(),
        update_state: int(&state["pts"]).map(|pts| UpdateState {
            pts,
            qts: int(&state["qts"]).unwrap(),
            date: int(&state["date"]).unwrap(),
            seq: int(&state["seq"]).unwrap(),
        }),
        channel_states: model["channel_states"].as_array().unwrap().iter().map(channel).collect(),
        ..Account::default()
    };
    account.dcs.sort_by_key(|dc| dc.id);
    account.channel_states.sort_by_key(|state| state.id);
    account.login.home_dc = int(&model["home_dc"]).map(DcId);
    let bot = model["is_bot"].as_bool();
    account.login.user = int(&model["user_id"]).map(|id| SelfUser { id, bot });
    account
}

#[test]
fn real_files_give_what_was_put_in() {
    for (name, release) in FILES {
        let json: Json = serde_json::from_slice(&file(&format!("{name}.json"))).unwrap();
        let mut expected = expected(&json["model"]);
        let bytes = file(&format!("{name}.session"));
        assert!(looks_like(&bytes[..4]), "{name}");
        let read = decode(&bytes).unwrap();
        assert_eq!(read.release, release, "{name}");
        if expected.login.home_dc.is_none() {
            assert_eq!(
                read.notes,
                ["no user is logged in; DC 2, the only one with a key, is home"]
            );
            expected.login.home_dc = Some(DcId(2));
        } else {
            assert_eq!(read.notes, Vec::<String>::new(), "{name}");
        }
        assert_eq!(read.account, expected, "{name}");
    }
}

#[test]
fn a_file_of_0_7_is_written_again_as_that_release_wrote_it() {
    for name in ["grammers_0.7_tl", "grammers_0.7_tl_nouser"] {
        let bytes = file(&format!("{name}.session"));
        assert_eq!(encode(&decode(&bytes).unwrap().account).unwrap().as_slice(), bytes, "{name}");
    }
}

#[test]
fn a_file_of_0_8_goes_back_to_0_7_with_one_address_a_dc() {
    let mut account = decode(&file("grammers_0.8_tl.session")).unwrap().account;
    let again = decode(&encode(&account).unwrap()).unwrap();
    assert_eq!(again.release, "0.3-0.7");
    account.dcs.iter_mut().for_each(|dc| dc.ipv6 = None);
    assert_eq!(again.account, account);
}

#[test]
fn cut_files_are_refused_and_flipped_ones_come_back() {
    for (name, _) in FILES {
        let whole = file(&format!("{name}.session"));
        for at in 0..whole.len() {
            assert!(decode(&whole[..at]).is_err(), "{name} cut at {at}");
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                let _ = decode(&flipped);
            }
        }
    }
}

#[test]
fn text_of_the_first_releases_is_read_with_and_without_an_address() {
    let key = AuthKey::new(&[0xab; 256]);
    let hex = key.to_hex();
    let at = Endpoint::new("149.154.167.51", 443);
    let plain = DcOption::new(DcId(2)).with_key(key);
    let cases = [
        (format!("1\n2\n{hex}\n"), Some(plain.clone())),
        (format!("1\n2\n149.154.167.51:443\n{hex}\n"), Some(plain.at(at.clone()))),
        ("1\n2\n149.154.167.51:443\n\n".into(), Some(DcOption::new(DcId(2)).at(at))),
        ("1\n2\n\n".into(), Some(DcOption::new(DcId(2)))),
        ("1\n\n\n".into(), None),
    ];
    for (text, dc) in cases {
        assert!(looks_like(text.as_bytes()), "{text}");
        let read = decode(text.as_bytes()).unwrap();
        assert_eq!((read.release, read.notes.len()), ("0.1-0.2", 0));
        assert_eq!(read.account.login.home_dc, dc.as_ref().map(|dc| dc.id));
        assert_eq!(read.account.dcs, Vec::from_iter(dc));
    }
    let short = format!("1\n2\n{}\n", &hex[1..]);
    for wrong in ["1\n\n\n\n\n", "1\n99999999999\n\n", &format!("1\n\n{hex}\n"), &short] {
        assert!(decode(wrong.as_bytes()).is_err(), "{wrong}");
    }
    for other in ["", "1", "1\n", "1\n2", "1BVtsOK\n2\n", "2\n2\n\n", "1\ntwo\n\n", "1\n2\nhello\n"]
    {
        assert!(!looks_like(other.as_bytes()), "{other}");
    }
}

/// A file of one DC: these flags, these bytes for what they announce.
fn one_dc(flags: u32, fields: &[u8]) -> Vec<u8> {
    let mut file = wire::Writer::with_room(64);
    file.u32(SESSION).u32(0).u32(VECTOR).i32(1).u32(0x756d_16b6).u32(flags).i32(4).raw(fields);
    file.finish().to_vec()
}

#[test]
fn addresses_that_say_nothing_are_not_kept() {
    let mapped = [9, 8, 7, 127, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // ::ffff:127.7.8.9
    let port = [80, 0, 0, 0];
    let read = |flags, fields: &[&[u8]]| {
        let dc = decode(&one_dc(flags, &fields.concat())).unwrap().account.dcs.remove(0);
        [dc.ipv4, dc.ipv6].map(|at| at.map(|at| at.to_string()))
    };
    let host = Some("127.7.8.9:80".to_owned());
    assert_eq!(read(3, &[&[9, 8, 7, 127], &mapped, &port]), [host.clone(), None]);
    assert_eq!(read(1, &[&[127, 7, 8, 9], &port]), [host, None]);
    assert_eq!(read(3, &[&[0; 4], &[1; 16], &port])[0], None);
    assert_eq!(read(0, &[&port]), [None, None]);
    let odd = decode(&one_dc(1, &[127, 7, 8, 9, 0, 0, 1, 0])).unwrap();
    assert_eq!(odd.notes, ["DC 4: port 65536 is invalid, the address is not kept"]);
}

#[test]
fn a_dc_behind_a_url_keeps_its_key() {
    let mut file = wire::Writer::with_room(400);
    file.u32(SESSION).u32(0).u32(VECTOR).i32(1).u32(0x7249_0a88).u32(1).i32(4);
    file.raw(b"\x06wss://\0").key(&[7; 256]);
    let read = decode(&file.finish()).unwrap();
    assert_eq!(read.account.dcs, [DcOption::new(DcId(4)).with_key(AuthKey::new(&[7; 256]))]);
    assert_eq!(read.notes[0], "DC 4: its address is a URL, not kept");
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let cases: [(Vec<u8>, &str); 4] = [
        (one_dc(8, &[0; 8]), "the flags 8 have bits that are not known"),
        (
            one_dc(4, &[80, 0, 0, 0, 3, 1, 2, 3]),
            "the auth key of DC 4 has 3 bytes, and a key has 256",
        ),
        (
            b"\xce\xb8\x3e\xa7\0\0\0\0\x15\xc4\xb5\x1c\xff\xff\xff\xff".into(),
            "a vector of -1 elements is invalid",
        ),
        (b"SQLite format 3\0".into(), "694c5153 stands where the id of a session should"),
    ];
    for (bytes, why) in cases {
        assert_eq!(decode(&bytes).unwrap_err(), why);
    }
    let many = b"\xce\xb8\x3e\xa7\0\0\0\0\x15\xc4\xb5\x1c\xff\xff\xff\x7f";
    assert_eq!(decode(many).unwrap_err(), "it ends too early");
}

#[test]
fn what_has_no_place_is_refused() {
    let whole = decode(&file("grammers_0.8_tl.session")).unwrap().account;
    let refused = |change: fn(&mut Account)| {
        let mut account = whole.clone();
        change(&mut account);
        encode(&account).map(|_| ()).unwrap_err()
    };
    let user = |account: &mut Account| account.login.user.as_mut().unwrap().bot = None;
    assert_eq!(refused(user), Unfit::BotUnknown);
    assert_eq!(refused(|account| account.login.user = None), Unfit::NoUser);
    assert_eq!(refused(|account| account.login.home_dc = None), Unfit::NoHome);
    assert_eq!(refused(|account| account.dcs.clear()), Unfit::NoKey);
    let no_address = |account: &mut Account| {
        (account.dcs[1].ipv4, account.dcs[1].ipv6) = (None, None);
    };
    assert_eq!(refused(no_address), Unfit::NoAddress(DcId(2)));
    let named = |account: &mut Account| {
        account.dcs[0].ipv6 = None;
        account.dcs[0].ipv4 = Some(Endpoint::new("venus.web.telegram.org", 443));
    };
    assert_eq!(refused(named), Unfit::HostName(DcId(1)));
    let date = |account: &mut Account| account.update_state.as_mut().unwrap().date = 1 << 31;
    assert_eq!(refused(date), Unfit::Date(1 << 31));
    assert_eq!(refused(|account| account.update_state = None), Unfit::ChannelsAlone);
    let group = |account: &mut Account| account.channel_states[0].id = PeerId::group(5).unwrap();
    assert_eq!(refused(group), Unfit::NotAChannel(PeerId::group(5).unwrap()));
}

fn dc_options() -> impl Strategy<Value = Vec<DcOption>> {
    let ip = prop_oneof![
        any::<[u8; 4]>().prop_map(std::net::IpAddr::from),
        any::<[u8; 16]>().prop_map(std::net::IpAddr::from),
    ];
    let ip = ip.prop_filter("says nothing", |ip| !ip.is_unspecified());
    let dc = (ip, any::<u16>(), prop::option::of(any::<u8>()));
    prop::collection::btree_map(any::<i32>(), dc, 0..6).prop_map(|dcs| {
        let dc = |(id, (ip, port, key)): (_, (std::net::IpAddr, _, Option<u8>))| {
            let dc = DcOption::new(DcId(id)).at(Endpoint::new(&ip.to_string(), port));
            key.map(|key| dc.clone().with_key(AuthKey::new(&[key; 256]))).unwrap_or(dc)
        };
        dcs.into_iter().map(dc).collect()
    })
}

fn accounts() -> impl Strategy<Value = Account> {
    let user = (1_i64.., any::<i32>().prop_filter("no DC", |dc| *dc != 0), any::<bool>());
    let state = prop::option::of(any::<(i32, i32, i32, i32)>());
    let channels = prop::collection::btree_map(1_i64..1 << 50, any::<i32>(), 0..5);
    (dc_options(), prop::option::of(user), state, channels).prop_map(
        |(dcs, user, state, channels)| {
            let state =
                state.map(|(pts, qts, date, seq)| UpdateState { pts, qts, date: date.into(), seq });
            let channel = |(id, pts)| ChannelState { id: PeerId::channel(id).unwrap(), pts };
            let channels = channels.into_iter().rev().map(channel).collect();
            let login = Login {
                home_dc: user.map(|(_, dc, _)| DcId(dc)),
                user: user.map(|(id, _, bot)| SelfUser { id, bot: Some(bot) }),
                ..Login::default()
            };
            let channel_states = if state.is_some() { channels } else { Vec::new() };
            Account { login, dcs, update_state: state, channel_states, ..Account::default() }
        },
    )
}

proptest! {
    #[test]
    fn what_was_written_is_read(mut account in accounts()) {
        let keys: Vec<_> = account.dcs.iter().filter(|dc| dc.auth_key.is_some()).collect();
        match encode(&account) {
            Ok(bytes) => {
                if account.login.user.is_none() {
                    account.login.home_dc = Some(keys[0].id);
                }
                let read = decode(&bytes).unwrap();
                prop_assert_eq!((read.release, read.account), ("0.3-0.7", account));
            }
            Err(Unfit::NoKey) => prop_assert!(keys.is_empty()),
            Err(Unfit::NoUser) => prop_assert!(account.login.user.is_none() && keys.len() > 1),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn any_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes);
        let _ = decode(&[&file("grammers_0.7_tl.session")[..20], &bytes].concat());
    }
}
