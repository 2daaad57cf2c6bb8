//! Sessions of other clients through the public API: the name of each format, the entities in it,
//! and the notes on missing values.

#![cfg(feature = "tdata")]

use std::fs;
use std::path::{Path, PathBuf};

use tgsession::{DcId, Error, Export, Format, Source, SourceOptions};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/others").join(name)
}

/// File or folder, passphrase, format, home DC, user.
type Case = (&'static str, Option<&'static str>, &'static str, i32, Option<i64>);

const WTELEGRAM_KEY: &str = "a3406de8d171bb422bb6ddf3bbd800e2";

const CASES: [Case; 15] = [
    ("tdata73_open", None, "tdata", 4, Some(777_022)),
    ("tdata73_passcode", Some("secret"), "tdata", 2, Some(777_021)),
    ("gotd.session.json", None, "gotd", 2, None),
    ("gotgproto.session", None, "gotgproto", 2, None),
    ("gotgproto.txt", None, "gotgproto-string", 2, None),
    ("hex_key_dc.txt", None, "auth key in hexadecimal digits", 2, None),
    ("wtelegram.session", Some(WTELEGRAM_KEY), "wtelegram", 2, Some(777_063)),
    ("tdlib_default_key_plain", None, "tdlib", 2, Some(777_041)),
    ("tdlib_default_key_tdlib/td.binlog", None, "tdlib", 2, Some(777_041)),
    ("tdlib_own_key_tdlib", Some("hunter2"), "tdlib", 4, Some(777_042)),
    ("android", None, "android-tgnet", 2, Some(5_123_456_789)),
    ("android/files/tgnet.dat", None, "android-tgnet", 2, None),
    ("android/files", None, "android-tgnet", 2, None),
    ("web_a.json", None, "web-localstorage", 2, Some(5_123_456_789)),
    ("web_k.json", None, "web-localstorage", 2, Some(5_123_456_789)),
];

fn options(passphrase: Option<&str>) -> SourceOptions {
    let options = SourceOptions::new();
    match passphrase {
        Some(passphrase) => options.passphrase(passphrase.as_bytes()),
        None => options,
    }
}

#[test]
fn every_format_is_told_by_its_content_and_has_its_login() -> Outcome {
    for (name, passphrase, format, home, user) in CASES {
        let source = options(passphrase).open(fixture(name))?;
        assert_eq!(source.format(), format, "{name}");
        let names = source.session_names()?;
        assert_eq!(names.len(), 1, "{name}: {names:?}");
        let session = source.session(names.first().ok_or("none")?)?;
        let login = &session.account().login;
        assert_eq!((login.home_dc, login.user.map(|user| user.id)), (Some(DcId(home)), user));
        let dc = session.account().dcs.iter().find(|dc| dc.id == DcId(home));
        assert!(dc.is_some_and(|dc| dc.auth_key.is_some()), "{name}");
    }
    Ok(())
}

#[test]
fn the_same_bytes_in_memory_are_the_same_session() -> Outcome {
    for (name, passphrase, format, home, _) in CASES {
        let path = fixture(name);
        if path.is_dir() {
            continue;
        }
        let source = options(passphrase).open_bytes("memory", &fs::read(path)?)?;
        let session = source.session("memory")?;
        assert_eq!(
            (source.format().as_str(), session.account().login.home_dc),
            (format, Some(DcId(home)))
        );
    }
    Ok(())
}

#[test]
fn what_is_missing_is_said_and_no_secret_is() -> Outcome {
    let said = |name: &str, passphrase| {
        let error =
            options(passphrase).open(fixture(name)).err().ok_or(format!("{name} opened"))?;
        Ok::<_, String>((error.to_string(), error))
    };
    for (name, ..) in CASES.iter().filter(|case| case.1.is_some()) {
        assert!(matches!(said(name, None)?.1, Error::NeedsPassphrase { .. }), "{name}");
        let wrong = said(name, Some("not this one"))?;
        assert!(matches!(wrong.1, Error::WrongPassphrase { .. }), "{name}: {}", wrong.0);
        assert!(!wrong.0.contains("not this one"));
    }
    let (text, error) = said("hex_key.txt", None)?;
    assert!(matches!(error, Error::WrongKind { .. }));
    let key = fs::read_to_string(fixture("hex_key.txt"))?;
    assert!(text.contains("KEY:DC") && text.contains("--dc") && !text.contains(&key[..16]));
    let source = SourceOptions::new().dc(DcId(4)).open(fixture("hex_key.txt"))?;
    let session = source.session("hex_key")?;
    assert_eq!(session.account().login.home_dc, Some(DcId(4)));
    Ok(())
}

#[test]
fn peers_of_gotgproto_are_found() -> Outcome {
    let source = Source::open(fixture("gotgproto.session"))?;
    let by = tgsession::Lookup::Username("WANDA_Q".to_owned());
    let found = source.entity("gotgproto", &by)?.ok_or("nobody")?;
    assert_eq!(found.id.marked(), 5_123_456_789);
    Ok(())
}

/// From one client's session into the format of each other, and back into the first.
#[test]
fn a_login_goes_round_through_every_new_form() -> Outcome {
    let source = options(Some("hunter2")).open(fixture("tdlib_own_key_tdlib"))?;
    let account = source.session("tdlib_own_key_tdlib")?.account().clone();
    let folder = tempfile::tempdir()?;
    let formats = [
        Format::Gotd,
        Format::GotgprotoString,
        Format::GogramString,
        Format::Wtelegram,
        Format::Tdlib,
        Format::Tdata,
    ];
    for format in formats {
        let path = folder.path().join(format!("anon{}", format.ending()));
        let export = Export::to(format).passphrase(WTELEGRAM_KEY.as_bytes());
        let session = source.session("tdlib_own_key_tdlib")?;
        export.write_file(&path, [session])?;
        let back = options(Some(WTELEGRAM_KEY)).open(&path)?;
        let back = back.session("anon")?;
        let (home, dcs) = (back.account().login.home_dc, &back.account().dcs);
        assert_eq!((home, dcs.len()), (account.login.home_dc, 1), "{format}");
        assert_eq!(dcs.first().map(|dc| &dc.auth_key), account.dcs.first().map(|dc| &dc.auth_key));
        drop(back);
        if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
    }
    Ok(())
}
