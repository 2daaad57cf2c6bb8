//! Folders that were written are read again, by this reader.

use std::iter;

use super::tests::{copy_of, fixtures};
use super::*;
use crate::format::{Disk, Losses, Outgoing};
use crate::types::{AuthKey, DcId, DcOption, SelfUser};

fn account(user: i64, home: i32, keys: &[i32]) -> Account {
    let mut account = Account::default();
    account.login.user = Some(SelfUser { id: user, bot: None });
    account.login.home_dc = Some(DcId(home));
    let key = |dc: &i32| DcOption::new(DcId(*dc)).with_key(AuthKey::new(&[*dc as u8; 256]));
    account.dcs = keys.iter().map(key).collect();
    account
}

fn written(accounts: &[Account], passcode: Option<&[u8]>) -> Result<tempfile::TempDir> {
    let mut sessions: Vec<_> = accounts
        .iter()
        .map(|account| Outgoing {
            name: String::new(),
            account: account.clone(),
            entities: Box::new(iter::empty()),
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files(&mut sessions, passcode, &mut Losses::default())? {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &*content).unwrap();
    }
    Ok(folder)
}

fn read_again(folder: &tempfile::TempDir, passcode: Option<&[u8]>) -> Vec<Account> {
    assert!(looks_like(&Disk, folder.path()));
    let accounts = read(&Disk, folder.path(), passcode).unwrap().into_iter();
    accounts
        .map(|account| {
            let account = account.unwrap();
            assert_eq!(account.notes, Vec::<String>::new());
            account.account
        })
        .collect()
}

#[test]
fn accounts_come_back_in_their_order_with_and_without_a_passcode() {
    let accounts = [account(777, 4, &[2, 4]), account(1 << 40, 5, &[5]), account(3, 1, &[1])];
    for (count, passcode) in [(1, None), (3, None), (2, Some(&b"hunter2"[..]))] {
        let folder = written(&accounts[..count], passcode).unwrap();
        assert_eq!(read_again(&folder, passcode), accounts[..count]);
        if passcode.is_some() {
            let locked = read(&Disk, folder.path(), None);
            assert!(matches!(locked, Err(Error::NeedsPassphrase { .. })));
        }
    }
}

#[test]
fn the_files_are_laid_out_as_those_of_another_writer() {
    let (ours, theirs) =
        (written(&[account(777, 4, &[2, 4])], None).unwrap(), copy_of("tdata_one"));
    let sizes = |folder: &Path| {
        ["key_datas", "D877F783D5D3EF8Cs"]
            .map(|name| std::fs::read(folder.join(name)).unwrap().len())
    };
    assert_eq!(sizes(ours.path()), sizes(theirs.path()));
    let map = "D877F783D5D3EF8C/maps";
    let len = |folder: PathBuf| std::fs::read(folder.join(map)).unwrap().len();
    assert_eq!(len(ours.path().to_owned()), len(fixtures().join("tdata_one")));
    let again = written(&[account(777, 4, &[2, 4])], None).unwrap();
    let bytes =
        |folder: &tempfile::TempDir| std::fs::read(folder.path().join("key_datas")).unwrap();
    assert_ne!(bytes(&ours), bytes(&again), "keys and salts are random");
}

#[test]
fn what_the_client_does_not_take_is_refused() {
    let with = |change: fn(&mut Account)| {
        let mut account = account(777, 4, &[4]);
        change(&mut account);
        written(&[account], None).map(drop)
    };
    assert!(with(|_| {}).is_ok());
    for refused in [
        with(|account| account.login.test_mode = Some(true)),
        with(|account| account.login.user = Some(SelfUser { id: 7, bot: Some(true) })),
        written(&[], None).map(drop),
        written(&[account(5, 2, &[2]), account(5, 4, &[4])], None).map(drop),
        written(&(1..8).map(|user| account(user, 2, &[2])).collect::<Vec<_>>(), None).map(drop),
    ] {
        assert!(matches!(refused, Err(Error::Unfit { .. })), "{refused:?}");
    }
    assert!(matches!(with(|account| account.login.user = None), Err(Error::Lacks { .. })));
}
