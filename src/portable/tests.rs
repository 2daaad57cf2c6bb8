//! Every session is read back as it was written, and damaged ones are refused.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use zeroize::Zeroizing;

use super::*;
use crate::cipher::Costs;
use crate::types::{
    AccessHash, Account, AuthKey, ChannelState, DcId, DcOption, Endpoint, Entity, EntityKind,
    Extra, FileKey, FileKind, Login, Md5, PeerId, SelfUser, SentFile, UpdateState,
};

fn peer() -> impl Strategy<Value = PeerId> {
    any::<i64>().prop_filter_map("0 is nobody", PeerId::from_marked)
}

fn endpoint() -> impl Strategy<Value = Option<Endpoint>> {
    option::of((".{0,20}", any::<u16>()).prop_map(|(host, port)| Endpoint { host, port }))
}

fn dcs() -> impl Strategy<Value = Vec<DcOption>> {
    let key = option::of(
        any::<[u8; 32]>()
            .prop_map(|part| AuthKey::new(&[part; 8].concat()[..].try_into().unwrap())),
    );
    btree_map(any::<i32>(), (endpoint(), endpoint(), key), 0..4).prop_map(|dcs| {
        let dc = |(id, (ipv4, ipv6, auth_key))| DcOption { id: DcId(id), ipv4, ipv6, auth_key };
        dcs.into_iter().map(dc).collect()
    })
}

fn login() -> impl Strategy<Value = Login> {
    let user = option::of((any::<i64>(), any::<Option<bool>>()));
    (any::<Option<i32>>(), user, any::<Option<i32>>(), any::<Option<bool>>(), any::<Option<i64>>())
        .prop_map(|(home_dc, user, api_id, test_mode, takeout_id)| Login {
            home_dc: home_dc.map(DcId),
            user: user.map(|(id, bot)| SelfUser { id, bot }),
            api_id,
            test_mode,
            takeout_id,
        })
}

fn states() -> impl Strategy<Value = (Option<UpdateState>, Vec<ChannelState>)> {
    let state = option::of(any::<(i32, i32, i64, i32)>())
        .prop_map(|state| state.map(|(pts, qts, date, seq)| UpdateState { pts, qts, date, seq }));
    let channels = btree_map(peer(), any::<i32>(), 0..4)
        .prop_map(|all| all.into_iter().map(|(id, pts)| ChannelState { id, pts }).collect());
    (state, channels)
}

fn sent_files() -> impl Strategy<Value = Vec<SentFile>> {
    let kind = select(vec![FileKind::Document, FileKind::Photo]);
    let key = (any::<[u8; 16]>(), any::<i64>(), kind).prop_map(|(md5, size, kind)| FileKey {
        md5: Md5(md5),
        size,
        kind,
    });
    btree_map(key, any::<(i64, i64)>(), 0..4).prop_map(|files| {
        let file = |(key, (id, hash))| SentFile { key, id, access_hash: AccessHash(hash) };
        files.into_iter().map(file).collect()
    })
}

fn account() -> impl Strategy<Value = Account> {
    let extras = btree_map("[a-z]{1,9}", vec(any::<u8>(), 0..9), 0..3);
    (login(), dcs(), states(), sent_files(), extras).prop_map(
        |(login, dcs, states, sent_files, extras)| Account {
            login,
            dcs,
            update_state: states.0,
            channel_states: states.1,
            sent_files,
            extras: extras.iter().filter_map(|(name, value)| Extra::new(name, value)).collect(),
        },
    )
}

fn entities() -> impl Strategy<Value = Vec<Entity>> {
    let text = || option::of(".{1,20}");
    let kind = option::of(select(&EntityKind::ALL[..]));
    let shown = (vec(".{0,20}", 0..3), text(), text());
    let rest = (kind, any::<Option<i64>>(), any::<bool>(), shown, any::<Option<i64>>());
    btree_map(peer(), rest, 0..8).prop_map(|all: BTreeMap<_, _>| {
        let entity = |(id, (kind, hash, min, (usernames, phone, name), date))| {
            let access_hash = Option::map(hash, AccessHash);
            Entity { id, kind, access_hash, min, usernames, phone, name, date }
        };
        all.into_iter().map(entity).collect()
    })
}

fn session() -> impl Strategy<Value = Portable> {
    (option::of("[^\\p{Cc}]{1,20}"), account(), entities())
        .prop_map(|(name, account, entities)| Portable { name, account, entities })
}

/// One login: a home DC with its key and address, and who it is.
fn alone() -> Portable {
    let dc = DcOption::new(DcId(2))
        .at(Endpoint::new("149.154.167.51", 443))
        .with_key(AuthKey::new(&std::array::from_fn(|at| at as u8)));
    let user = Some(SelfUser { id: 10_001, bot: Some(false) });
    let login = Login { home_dc: Some(DcId(2)), user, ..Login::default() };
    let account = Account { login, dcs: vec![dc], ..Account::default() };
    Portable { name: Some("alice".into()), account, entities: Vec::new() }
}

fn written(session: &Portable, seal: &Seal<'_>) -> Zeroizing<Vec<u8>> {
    let Portable { name, account, entities } = session;
    encode_under(seal, name.as_deref(), account, entities).unwrap()
}

fn plain(session: &Portable) -> Zeroizing<Vec<u8>> {
    written(session, &Seal::Crc)
}

fn damaged(what: &'static str) -> Result<Portable, PortableError> {
    Err(PortableError::Damaged { what })
}

proptest! {
    #[test]
    fn a_session_comes_back_as_it_was(session in session()) {
        let bytes = plain(&session);
        prop_assert!(is_portable(&bytes));
        prop_assert_eq!(decode(&bytes, None), Ok(session.clone()));
        prop_assert_eq!(decode(&bytes, Some(b"not asked for")), Ok(session));
    }

    #[test]
    fn text_gives_the_bytes_back(bytes in vec(any::<u8>(), 0..200)) {
        let bytes = framed(&bytes);
        let text = to_text(&bytes);
        prop_assert!(text.starts_with("tgsession---AgAA") && is_text(&text));
        prop_assert!(text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
        prop_assert_eq!(&**from_text(&text).unwrap(), bytes.as_slice());
    }

    #[test]
    fn whatever_stands_where_the_rows_belong_is_no_panic(body in vec(any::<u8>(), 0..300)) {
        let _ = decode(&body, None);
        let _ = decode(&framed(&body), None);
        let _ = from_text(&format!("tgsession---{}", String::from_utf8_lossy(&body)));
    }

    #[test]
    fn the_order_of_what_is_written_is_not_seen(session in session()) {
        let mut turned = session.clone();
        turned.account.dcs.reverse();
        turned.account.channel_states.reverse();
        turned.account.sent_files.reverse();
        turned.entities.reverse();
        prop_assert_eq!(plain(&turned), plain(&session));
    }
}

#[test]
fn a_login_alone_is_a_few_hundred_bytes() {
    let bytes = plain(&alone());
    assert_eq!((bytes.len(), to_text(&bytes).len()), (330, 440));
}

#[test]
fn text_may_be_folded_and_padded() {
    let bytes = plain(&alone());
    let text = to_text(&bytes);
    let (a, b) = text.split_at(5);
    for text in [format!("{}=", *text), format!(" \n{a} \r\n\t{b}==\u{a0}\n")] {
        assert!(is_text(&text));
        assert_eq!(from_text(&text), Ok(bytes.clone()), "{text}");
    }
    for text in ["", "tgsession--", "1BVtsOK", "xtgsession---", "TGSESSION---"] {
        assert!(!is_text(text));
        assert_eq!(from_text(text), Err(PortableError::NotPortable), "{text}");
    }
    for end in ["A", "*", "AA=A", "\u{fc}AAA", "AB"] {
        let what = "its text is not whole base64url";
        let cut = from_text(&format!("tgsession---AgAA{end}"));
        assert_eq!(cut, Err(PortableError::Damaged { what }), "{end}");
    }
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_plain_session_is_an_error() {
    let whole = plain(&alone());
    for at in 0..whole.len() * 8 {
        let mut flipped = whole.to_vec();
        flipped[at / 8] ^= 1 << (at % 8);
        assert!(decode(&flipped, None).is_err(), "bit {at}");
    }
    for len in 0..whole.len() {
        assert!(decode(&whole[..len], None).is_err(), "cut to {len}");
    }
    let longer = [whole.as_slice(), b"\0"].concat();
    assert_eq!(decode(&longer, None), damaged("its checksum does not hold"));
}

/// The checksum holds, so it is the rows themselves that have to show it.
#[test]
fn rows_that_end_early_are_out_of_order_or_go_on_are_errors() {
    let login = [1, 6, 0, 0, 0, 0x11, 0, 0, 0, 0, 0];
    let dc = |id: u8| [2, 0x80, 0, 0, id, 4, 0, 0, 0, 0x21, 0, 0, 0];
    let rows = |rows: &[&[u8]]| decode(&framed(&[&[0], rows.concat().as_slice()].concat()), None);
    let whole: [&[u8]; 4] = [&login, &dc(1), &dc(2), &[0]];
    assert!(rows(&whole).is_ok());
    let body = [&[0], whole.concat().as_slice()].concat();
    for len in 0..body.len() {
        assert_eq!(decode(&framed(&body[..len]), None), damaged("it ends too early"), "{len}");
    }
    assert_eq!(rows(&[&login, &[0, 0]]), damaged("bytes are left after its end"));
    assert_eq!(rows(&[&login, &dc(2), &dc(1), &[0]]), damaged("its rows are not in order"));
    assert_eq!(rows(&[&login, &dc(1), &dc(1), &[0]]), damaged("its rows are not in order"));
    assert_eq!(rows(&[&login, &login, &[0]]), damaged("its rows are not in order"));
    assert_eq!(rows(&[&dc(1), &[0]]), damaged("it does not begin with the login"));
    assert_eq!(rows(&[&[0]]), damaged("it does not begin with the login"));
    assert_eq!(rows(&[&login, &[8]]), damaged("it has a row of a kind that is not known"));
    let extra = |name: &[u8]| [&[7, name.len() as u8][..], name, &[2, 0, 0, 0, 0x61, 0]].concat();
    assert!(rows(&[&login, &extra(b"b"), &extra(b"ba"), &[0]]).is_ok());
    assert_eq!(
        rows(&[&login, &extra(b"b"), &extra(b"a"), &[0]]),
        damaged("its rows are not in order")
    );
    assert_eq!(rows(&[&login, &extra(b"\xff"), &[0]]), damaged("a name in it is not text"));
    assert!(matches!(
        rows(&[&login, &extra(b""), &[0]]),
        Err(PortableError::Record { of: "extra", .. })
    ));
    let of_nobody = [5, 0x80, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0x42, 0, 0, 0, 0, 0, 0];
    assert_eq!(rows(&[&login, &of_nobody, &[0]]), damaged("a row of it is of the peer 0"));
    let hostile = [1, 0xff, 0xff, 0xff, 0xff, 0x11];
    assert_eq!(rows(&[&hostile]), damaged("a record of it is longer than one may be"));
    let long = [[1, 1, 0, 16, 0].as_slice(), &[0x11; 1_048_577]].concat();
    assert_eq!(rows(&[&long]), damaged("a record of it is longer than one may be"));
    let error = crate::record::RecordError::Tag { found: 0x21, expected: 0x11 };
    let other = rows(&[&[1, 4, 0, 0, 0, 0x21, 0, 0, 0], &[0]]);
    assert_eq!(other, Err(PortableError::Record { of: "login", error }));
    for name in [b"\x01\xff".as_slice(), b"\x02a\n"] {
        let named = decode(&framed(&[name, &login, &[0]].concat()), None);
        assert_eq!(named, damaged("its name is not one that a session can have"));
    }
}

#[test]
fn another_version_or_seal_is_told_from_damage() {
    let mut bytes = plain(&alone());
    bytes[9] = 3;
    assert_eq!(decode(&bytes, None), Err(PortableError::Newer { found: 3 }));
    bytes[9] = 1;
    assert_eq!(decode(&bytes, None), damaged("it has a version that no release writes"));
    for (seal, zero) in [(2, 0), (0, 1), (1, 1)] {
        bytes[9..12].copy_from_slice(&[super::head::VERSION, seal, zero]);
        assert_eq!(decode(&bytes, None), damaged("its kind of encryption is unknown"));
    }
    assert_eq!(decode(b"SQLite format 3\0", None), Err(PortableError::NotPortable));
}

#[test]
fn what_the_form_cannot_hold_is_refused() {
    let Portable { account, .. } = alone();
    let refused = |name, account: &Account, entities: &[Entity]| {
        encode(name, account, entities, None).map(|_| ()).unwrap_err()
    };
    let long = "n".repeat(256);
    for name in ["", "a\nb", &long] {
        assert_eq!(refused(Some(name), &account, &[]), PortableError::Name);
    }
    let twice = Account { dcs: [account.dcs.clone(), account.dcs.clone()].concat(), ..account };
    assert_eq!(refused(None, &twice, &[]), PortableError::Twice { what: "DC" });
    let mut entity = Entity::new(PeerId::user(1).unwrap());
    entity.name = Some("n".repeat(1 << 20));
    let refused = refused(None, &Account::default(), &[entity]);
    assert_eq!(refused, PortableError::TooLarge { what: "entity" });
}

#[test]
fn a_hostile_file_gets_no_memory() {
    let lock = |memory_kib, passes, lanes| {
        let costs = Costs { memory_kib, passes, lanes };
        let numbers = [memory_kib, passes, lanes].map(u32::to_le_bytes).concat();
        let head =
            [&super::head::MAGIC, [super::head::VERSION, 1, 0].as_slice(), &numbers, &[7; 120]]
                .concat();
        (decode(&head, Some(b"any")), costs)
    };
    let max = u32::MAX;
    let hostile = [(max, 1, 1), (262_145, 1, 1), (8, max, 1), (8, 17, 1), (max, 1, max)];
    let senseless = [(8, 0, 1), (8, 1, 0), (7, 1, 1), (127, 1, 16), (200, 1, 17), (0, 0, 0)];
    for (memory_kib, passes, lanes) in hostile.into_iter().chain(senseless) {
        let (decoded, costs) = lock(memory_kib, passes, lanes);
        assert_eq!(decoded, Err(PortableError::Costs(costs)));
    }
}

#[test]
fn no_error_shows_what_is_in_the_session() {
    let mut bytes = plain(&alone());
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let said = decode(&bytes, None).unwrap_err().to_string();
    assert_eq!(said, "the portable session is damaged: its checksum does not hold");
    let shown = format!("{:?}", alone());
    assert!(!shown.contains("[0, 1, 2") && !shown.contains("000102"), "{shown}");
}

#[cfg(not(feature = "passphrase"))]
#[test]
fn without_the_feature_a_passphrase_is_refused_by_its_name() {
    let Portable { account, .. } = alone();
    let refused = encode(None, &account, &[], Some(b"any")).unwrap_err();
    assert!(refused.to_string().contains("the feature `passphrase`"));
}

#[cfg(feature = "passphrase")]
mod sealed {
    use super::*;

    const CHEAP: crate::cipher::Costs = crate::cipher::Costs { memory_kib: 8, passes: 1, lanes: 1 };
    const PASSPHRASE: &[u8] = b"correct horse";

    fn seal(passphrase: &[u8]) -> Seal<'_> {
        Seal::Passphrase(passphrase, Lock { costs: CHEAP, salt: [1; 16], nonce: [2; 24] })
    }

    proptest! {
        #[test]
        fn a_sealed_session_comes_back_to_its_passphrase_alone(
            session in session(),
            passphrase in vec(any::<u8>(), 1..40),
            other in vec(any::<u8>(), 0..40),
        ) {
            let bytes = written(&session, &seal(&passphrase));
            prop_assert!(is_portable(&bytes));
            prop_assert_eq!(decode(&bytes, None), Err(PortableError::NeedsPassphrase));
            if other != passphrase {
                let refused = decode(&bytes, Some(&other));
                prop_assert_eq!(refused, Err(PortableError::WrongPassphrase));
            }
            prop_assert_eq!(decode(&bytes, Some(&passphrase)), Ok(session));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_an_error() {
        let whole = written(&alone(), &seal(PASSPHRASE));
        for at in 0..whole.len() * 8 {
            let mut flipped = whole.to_vec();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(decode(&flipped, Some(PASSPHRASE)).is_err(), "bit {at}");
        }
        for len in 0..whole.len() {
            assert!(decode(&whole[..len], Some(PASSPHRASE)).is_err(), "cut to {len}");
        }
        let longer = [whole.as_slice(), b"\0"].concat();
        assert_eq!(decode(&longer, Some(PASSPHRASE)), Err(PortableError::WrongPassphrase));
    }

    #[test]
    fn no_stretch_of_the_rows_stands_in_clear() {
        let (plain, sealed) = (plain(&alone()), written(&alone(), &seal(PASSPHRASE)));
        let in_clear = |part: &[u8]| sealed.windows(part.len()).any(|window| window == part);
        assert!(!plain[12..].windows(6).any(in_clear));
    }

    #[test]
    fn what_is_written_has_the_written_costs_and_never_the_same_salt_or_nonce() {
        let Portable { name, account, entities } = alone();
        let write = || encode(name.as_deref(), &account, &entities, Some(PASSPHRASE)).unwrap();
        let (one, other) = (write(), write());
        assert_eq!(one.len(), 330 - 4 + 52 + 16);
        assert_eq!(one[..24], other[..24]);
        assert_eq!(one[12..24], [0, 0, 1, 0, 3, 0, 0, 0, 1, 0, 0, 0]);
        assert_ne!(one[24..40], other[24..40]);
        assert_ne!(one[40..64], other[40..64]);
        assert_eq!(decode(&one, Some(PASSPHRASE)), Ok(alone()));
    }

    #[test]
    fn an_empty_passphrase_seals_nothing() {
        let refused = encode(None, &Account::default(), &[], Some(b"")).unwrap_err();
        assert_eq!(refused, PortableError::EmptyPassphrase);
    }
}
