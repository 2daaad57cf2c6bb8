//! Nothing is lost in silence: what is read back of an export, and the report of what was left
//! out, are together the session, for every format and any session.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Export, ExportReport, ExportSession, Format};
use crate::clients::{Sample, sessions};
use crate::error::{Error, Result};
use crate::format::well_known;
use crate::source::{Source, SourceOptions};
use crate::types::{Account, DcId, DcOption, Entity, PeerKind, SelfUser};

/// Field of the dump -> how many values.
type Counts = BTreeMap<&'static str, u64>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_read_back_and_the_report_are_together_the_session(sample in sessions()) {
        let sample = complete(sample);
        for format in Format::ALL {
            let (back, report) = match there_and_back(format, &sample) {
                Ok(done) => done,
                // A host name where the format needs an address, or a number beyond its fields.
                Err(Error::Unfit { .. }) => continue,
                // A browser's host, of a DC of which no address is well known.
                Err(Error::Lacks { what: "the address of the home DC", .. }) => continue,
                Err(error) => panic!("{format}: {error}"),
            };
            let lost = report.lost.iter().fold(Counts::new(), |mut counts, loss| {
                *counts.entry(loss.what).or_default() += loss.count;
                counts
            });
            prop_assert_eq!(missing(&sample, &back), lost, "left: gone, right: said, {}", format);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_link_to_a_device_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::os::unix::fs::symlink("/dev/null", &link).unwrap();
    for path in [&pipe, &link] {
        let session = ExportSession::new("anon", Account::default(), []);
        let error =
            Export::to(Format::Json).overwrite(true).write_file(path, [session]).unwrap_err();
        assert!(error.to_string().contains("write"), "{error}");
        assert!(path.symlink_metadata().is_ok_and(|there| !there.is_file()), "{path:?}");
    }
    let file = folder.path().join("file");
    for _ in 0..2 {
        let session = ExportSession::new("anon", Account::default(), []);
        Export::to(Format::Json).overwrite(true).write_file(&file, [session]).unwrap();
    }
}

/// A session with the values that any format needs, so that nothing has to be filled in.
fn complete(mut sample: Sample) -> Sample {
    let login = &mut sample.account.login;
    let user = login.user.unwrap_or(SelfUser { id: 777, bot: None });
    login.user = Some(SelfUser { bot: user.bot.or(Some(false)), ..user });
    login.api_id.get_or_insert(6);
    login.test_mode.get_or_insert(false);
    sample
}

const SESSION_KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn there_and_back(format: Format, sample: &Sample) -> Result<(Sample, ExportReport)> {
    let entities = sample.entities.iter().cloned().map(Ok);
    let session = ExportSession::new("anon", sample.account.clone(), entities);
    let (source, report) = if format.is_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anon");
        let report = Export::to(format).write_file(&path, [session])?;
        (Source::open(&path).unwrap(), report)
    } else {
        let (mut export, mut options) = (Export::to(format), SourceOptions::new());
        if format == Format::Wtelegram {
            export = export.passphrase(SESSION_KEY);
            options = options.passphrase(SESSION_KEY);
        }
        let (bytes, report) = export.to_bytes([session])?;
        (options.open_bytes("anon", &bytes).unwrap(), report)
    };
    let session = source.session("anon").unwrap();
    let account = session.account().clone();
    let entities = session.map(Result::unwrap).collect();
    Ok((Sample { account, entities }, report))
}

#[test]
fn a_store_of_files_is_named_after_its_folder_which_is_where_the_client_looks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my_bot");
    let mut account = Account::default();
    account.login.home_dc = Some(DcId(2));
    let session = ExportSession::new("anon", account, std::iter::empty());
    Export::to(Format::GramjsStore).write_file(&path, [session]).unwrap();
    assert_eq!(std::fs::read_to_string(path.join("my_bot%3AdcId")).unwrap(), "2");
}

fn missing(sample: &Sample, back: &Sample) -> Counts {
    let mut gone = Counts::new();
    let mut count = |what, lost: bool| {
        if lost {
            *gone.entry(what).or_default() += 1;
        }
    };
    dcs(&sample.account, &back.account, &mut count);
    let (was, is) = (&sample.account.login, &back.account.login);
    count("home_dc", was.home_dc != is.home_dc);
    let told = is.test_mode.or_else(|| well_known::test_mode(&back.account));
    count("test_mode", was.test_mode != told);
    count("api_id", was.api_id != is.api_id);
    count("user", was.user.map(|user| user.id) != is.user.map(|user| user.id));
    count("user.bot", is.user.is_some() && was.user != is.user);
    count("takeout_id", was.takeout_id != is.takeout_id);
    count("state", sample.account.update_state != back.account.update_state);
    for state in &sample.account.channel_states {
        count("channel_states", !back.account.channel_states.contains(state));
    }
    for file in &sample.account.sent_files {
        count("files", !back.account.sent_files.contains(file));
    }
    for extra in &sample.account.extras {
        count("extras", !back.account.extras.contains(extra));
    }
    for was in &sample.entities {
        match back.entities.iter().find(|is| is.id == was.id) {
            Some(is) => entity(was, is, &mut count),
            None => count("entities", true),
        }
    }
    gone
}

fn dcs(was: &Account, is: &Account, count: &mut impl FnMut(&'static str, bool)) {
    let test = was.login.test_mode == Some(true);
    for dc in &was.dcs {
        let Some(back) = is.dcs.iter().find(|back| back.id == dc.id) else {
            count(if dc.auth_key.is_some() { "dcs.auth_key" } else { "dcs" }, true);
            continue;
        };
        count("dcs.auth_key", dc.auth_key != back.auth_key);
        // A value that is built into the client need not be in its file.
        let known = |dc: &DcOption| (well_known::ipv4(dc.id, test), well_known::ipv6(dc.id, test));
        let gone = |was: &Option<_>, is: &Option<_>, known: Option<_>| {
            was.is_some() && was != is && !(is.is_none() && *was == known)
        };
        count("dcs.ipv4", gone(&dc.ipv4, &back.ipv4, known(dc).0));
        count("dcs.ipv6", gone(&dc.ipv6, &back.ipv6, known(dc).1));
    }
}

fn entity(was: &Entity, is: &Entity, count: &mut impl FnMut(&'static str, bool)) {
    let hash = |entity: &Entity| entity.access_hash.map(|hash| hash.0);
    // A group has no hash that means anything, and 0 where a format must have one.
    let of_group = was.id.kind() == PeerKind::Group;
    count("entities.access_hash", hash(was) != hash(is) && !of_group);
    count("entities.kind", was.kind.is_some() && was.kind != is.kind);
    for name in &was.usernames {
        // Usernames are the same in either case.
        let same = |other: &String| other.to_lowercase() == name.to_lowercase();
        count("entities.usernames", !is.usernames.iter().any(same));
    }
    count("entities.phone", was.phone != is.phone);
    count("entities.name", was.name != is.name);
    count("entities.date", was.date != is.date);
    count("entities.min", was.min != is.min);
}
