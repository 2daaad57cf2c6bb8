//! Every account there and back, and any text at all.

use proptest::collection::vec;
use proptest::prelude::*;

use super::with_dc;
use crate::clients::gramjs::string as gramjs;
use crate::clients::mtcute::string as mtcute;
use crate::clients::mtkruto::string as mtkruto;
use crate::clients::pyrogram::string as pyrogram;
use crate::clients::strings::decode;
use crate::clients::telethon::string as telethon;
use crate::string::{StringError, Unfit};
use crate::types::{Account, AuthKey, DcId, DcOption, Endpoint, SelfUser};
use zeroize::Zeroizing;

type Encode = fn(&Account) -> Result<Zeroizing<String>, Unfit>;

const FORMATS: [Encode; 5] =
    [telethon::encode, pyrogram::encode, gramjs::encode, mtcute::encode, mtkruto::encode];

fn keys() -> impl Strategy<Value = AuthKey> {
    // Many zeros: MTKruto packs them. The last byte keeps it from being none.
    let byte = prop_oneof![Just(0), any::<u8>()];
    (vec(byte, 255), 1..=255_u8).prop_map(|(mut bytes, last)| {
        bytes.push(last);
        AuthKey::from_slice(&bytes).unwrap()
    })
}

fn addresses() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|ip| ip.to_string()),
    ]
}

fn hosts() -> impl Strategy<Value = String> {
    prop_oneof![addresses(), "[a-z][a-z0-9.-]{2,60}"]
}

/// An account with everything that any format needs.
fn accounts(hosts: impl Strategy<Value = String>) -> impl Strategy<Value = Account> {
    let login = (1..1_i64 << 53, any::<bool>(), any::<bool>(), 1..=i32::MAX);
    (any::<u8>(), hosts, 0..=0x7fff_u16, keys(), login).prop_map(
        |(dc, host, port, key, (user, bot, test, api_id))| {
            let dc = DcOption::new(DcId(dc.into())).at(Endpoint::new(&host, port));
            let mut account = with_dc(dc.with_key(key));
            account.login.user = Some(SelfUser { id: user, bot: Some(bot) });
            account.login.test_mode = Some(test);
            account.login.api_id = Some(api_id);
            account
        },
    )
}

/// The part of an account that a format of these fields keeps.
fn kept(account: &Account, endpoint: bool, test: bool, user: bool, api_id: bool) -> Account {
    let mut kept = account.clone();
    if !endpoint {
        (kept.dcs[0].ipv4, kept.dcs[0].ipv6) = (None, None);
    }
    kept.login.test_mode = kept.login.test_mode.filter(|_| test);
    kept.login.user = kept.login.user.filter(|_| user);
    kept.login.api_id = kept.login.api_id.filter(|_| api_id);
    kept
}

fn read(text: &str) -> Account {
    decode(text).unwrap().account
}

proptest! {
    #[test]
    fn telethon_keeps_dc_address_and_key(account in accounts(addresses())) {
        let text = telethon::encode(&account).unwrap();
        prop_assert_eq!(read(&text), kept(&account, true, false, false, false));
    }

    #[test]
    fn pyrogram_keeps_all_but_the_address(account in accounts(hosts())) {
        let text = pyrogram::encode(&account).unwrap();
        prop_assert_eq!(read(&text), kept(&account, false, true, true, true));
    }

    #[test]
    fn gramjs_keeps_dc_address_and_key(account in accounts(hosts())) {
        let text = gramjs::encode(&account).unwrap();
        prop_assert_eq!(read(&text), kept(&account, true, false, false, false));
    }

    #[test]
    fn mtcute_keeps_all_but_the_api_id(account in accounts(hosts()), user in any::<bool>()) {
        let account = kept(&account, true, true, user, true);
        let text = mtcute::encode(&account).unwrap();
        prop_assert_eq!(read(&text), kept(&account, true, true, true, false));
    }

    #[test]
    fn mtkruto_keeps_all_but_the_address(mut account in accounts(hosts()), dc in 0..=i32::MAX) {
        (account.login.home_dc, account.dcs[0].id) = (Some(DcId(dc)), DcId(dc));
        let text = mtkruto::encode(&account).unwrap();
        prop_assert_eq!(read(&text), kept(&account, false, true, true, true));
    }

    #[test]
    fn any_text_comes_back_as_an_account_or_an_error(text in any::<String>()) {
        let _ = decode(&text);
    }

    #[test]
    fn any_base64_comes_back_as_an_account_or_an_error(
        start in "1?[A-Za-z0-9+/_-]{0,12}",
        text in "[A-Za-z0-9+/_-]{340,370}",
    ) {
        if let Err(error) = decode(&format!("{start}{text}")) {
            prop_assert!(!error.to_string().contains(&text));
        }
    }

    #[test]
    fn white_space_and_lost_padding_change_nothing(
        account in accounts(addresses()),
        format in 0..5_usize,
        every in 1..80_usize,
    ) {
        let text = FORMATS[format](&account).unwrap();
        let mut broken = String::from("\n ");
        for (at, c) in text.trim_end_matches('=').chars().enumerate() {
            broken.push(match c { '+' => '-', '/' => '_', c => c });
            broken.push_str(if at % every == 0 { "\r\n\t" } else { "" });
        }
        prop_assert_eq!(decode(&broken), decode(&text));
        prop_assert_eq!(decode(&format!("{broken}=====")), decode(&text));
    }
}

/// Every single character changed, dropped or doubled.
#[test]
fn a_changed_character_is_an_error_or_another_account() {
    let dc = DcOption::new(DcId(2)).at(Endpoint::new("149.154.167.51", 443));
    let mut key = [7; 256];
    key[100..130].fill(0);
    let mut account = with_dc(dc.with_key(AuthKey::new(&key)));
    account.login.user = Some(SelfUser { id: 1, bot: Some(false) });
    (account.login.test_mode, account.login.api_id) = (Some(false), Some(1));
    for encode in FORMATS {
        let text = encode(&account).unwrap();
        let whole = decode(&text).unwrap();
        for at in 0..text.len() {
            let (before, after) = (&text[..at], &text[at + 1..]);
            for c in ['A', 'B', 'Q', 'f', '0', '1', '_', '/', '=', ' ', '*', '\0', '\u{e9}'] {
                for changed in
                    [format!("{before}{c}{after}"), format!("{before}{c}{}", &text[at..])]
                {
                    if let Ok(read) = decode(&changed) {
                        assert_eq!(read.account.dcs.len(), 1);
                        assert_eq!(read.format.split(' ').next(), whole.format.split(' ').next());
                    }
                }
            }
            if let Ok(read) = decode(&format!("{before}{after}")) {
                assert_eq!(&read, &whole, "only padding may be missing, character {at}");
            }
        }
        assert!(decode(&text[..text.len() / 2]).is_err());
        assert!(!matches!(decode(&text), Err(StringError::Ambiguous { .. })));
    }
}
