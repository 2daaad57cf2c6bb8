use proptest::prelude::*;

use super::*;
use crate::clients::tests::{Sample, counts, read, sessions, write};
use crate::types::{AccessHash, ChannelState, DcId, Entity, PeerId, PeerKind};

/// What Telethon's tables make of a session.
pub(in crate::clients) fn as_kept(mut sample: Sample) -> Sample {
    for entity in &mut sample.entities {
        entity.usernames.iter_mut().for_each(|name| *name = name.to_lowercase());
        if entity.id.kind() == PeerKind::Group {
            entity.access_hash = entity.access_hash.or(Some(AccessHash(0)));
        }
    }
    sample
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_is_written_is_read_back(sample in sessions(), old in any::<bool>()) {
        let (target, format) = if old {
            (TELETHON_V7, "telethon-sqlite v7")
        } else {
            (TELETHON, "telethon-sqlite v8")
        };
        let written = match write(&target, &sample) {
            Err(Error::Lacks { .. }) => return Ok(()), // An address that nobody knows.
            written => written.unwrap(),
        };
        let mut kept = as_kept(written.fitted);
        let state = kept.account.update_state;
        let date_of_no_use = state.is_some_and(|state| state.date > 253_402_300_799);
        prop_assert_eq!(counts(&written.lost).contains_key("state"), date_of_no_use);
        kept.account.update_state.take_if(|_| date_of_no_use);
        let seen = read(written.bytes).unwrap();
        prop_assert_eq!(seen.format, format);
        prop_assert_eq!(seen.sample.account, kept.account);
        prop_assert_eq!(seen.sample.entities, kept.entities);
    }
}

fn sample(entities: Vec<Entity>) -> Sample {
    let mut account = Account::default();
    account.login.home_dc = Some(DcId(2));
    Sample { account, entities }
}

fn with_phone(id: i64, phone: &str) -> Entity {
    let mut entity = Entity::new(PeerId::user(id).unwrap());
    entity.access_hash = Some(AccessHash(-id));
    entity.phone = Some(phone.to_owned());
    entity
}

#[test]
fn a_phone_is_a_number_or_a_counted_loss() {
    let phones = ["4915212345678", "0049", "0", "9223372036854775807", "9223372036854775808", "+1"];
    let all = (1..).zip(phones).map(|(id, phone)| with_phone(id, phone)).collect();
    let written = write(&TELETHON, &sample(all)).unwrap();
    let seen = read(written.bytes).unwrap().sample.entities;
    let seen: Vec<_> = seen.iter().map(|entity| entity.phone.as_deref()).collect();
    let kept = [Some("4915212345678"), Some("49"), Some("0"), Some("9223372036854775807")];
    assert_eq!(seen, [&kept[..], &[None, None]].concat());
    let phones = written.lost.iter().filter(|loss| loss.what == "entities.phone");
    let phones: Vec<_> = phones.map(|loss| (loss.why, loss.examples.clone())).collect();
    assert_eq!(
        phones,
        [
            ("it is kept as a number, without its leading zeros", vec![2]),
            ("it is no number of 64 bits", vec![5, 6]),
        ]
    );
}

#[test]
fn a_session_without_a_key_is_written_as_one_before_its_login() {
    let written = write(&TELETHON, &sample(Vec::new())).unwrap();
    let account = read(written.bytes).unwrap().sample.account;
    assert_eq!(account.login.home_dc, Some(DcId(2)));
    assert_eq!(account.dcs[0].auth_key, None);
    assert_eq!(account.dcs[0].ipv4.as_ref().unwrap().host, "149.154.167.51");
}

#[test]
fn a_state_of_what_is_no_channel_is_a_counted_loss() {
    let mut sample = sample(Vec::new());
    let channel = PeerId::channel(5).unwrap();
    let user = PeerId::user(5).unwrap();
    sample.account.channel_states = [channel, user].map(|id| ChannelState { id, pts: 7 }).to_vec();
    let written = write(&TELETHON, &sample).unwrap();
    assert_eq!(counts(&written.lost)["channel_states"], 1);
    let states = read(written.bytes).unwrap().sample.account.channel_states;
    assert_eq!(states, [ChannelState { id: channel, pts: 7 }]);
}

#[test]
fn two_sessions_are_refused() {
    let outgoing = || Outgoing {
        name: "one".into(),
        account: sample(Vec::new()).account,
        entities: Box::new(std::iter::empty()),
    };
    let mut out = std::io::Cursor::new(Vec::new());
    let (sessions, lost) = (&mut [outgoing(), outgoing()], &mut Losses::default());
    let error = TELETHON.write(Writing { sessions, lost, out: &mut out });
    assert!(matches!(error, Err(Error::Unfit { format: "telethon", .. })));
}
