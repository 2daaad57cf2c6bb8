//! A child that was forked holds its parent's locks, so its writes fail with an error that says
//! why.

#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
#![allow(unsafe_code, reason = "there is no other way to fork a process")]

use std::fs;

use nix::libc::_exit;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use tgsession::{DcId, Error, Session, Store, StoreSession};

/// The outcomes of a write, a flush and a read in the child.
fn told(session: &StoreSession) -> String {
    let said = |outcome: tgsession::Result<()>| match outcome {
        Err(error @ Error::Forked { .. }) => error.to_string(),
        other => format!("{other:?}"),
    };
    let read = session.login().map(|login| login.home_dc);
    let write = said(session.set_home_dc(DcId(5)));
    format!("{write}\n{}\n{:?}", said(session.flush()), read.ok())
}

#[test]
fn a_forked_child_may_read_and_its_writes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, note) = (folder.path().join("s.tgsession"), folder.path().join("note"));
    let store = Store::create(&path).unwrap();
    let session = store.session("a").unwrap();
    session.set_home_dc(DcId(2)).unwrap();
    // SAFETY: no other thread of this process holds a lock that the child takes: the only one is the
    // flusher, which waits. The child ends without unwinding or running destructors.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let written = fs::write(&note, told(&session));
            // SAFETY: it ends the process.
            unsafe { _exit(i32::from(written.is_err())) }
        }
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
        }
    }
    let refused = format!(
        "{}: the handle was opened by the parent process, and only the parent may write with it; close the store before the fork, and open it in the child",
        path.display()
    );
    let expected = format!("{refused}\n{refused}\n{:?}", Some(Some(DcId(2))));
    assert_eq!(fs::read_to_string(&note).unwrap(), expected);
    session.set_home_dc(DcId(3)).unwrap();
    drop((session, store));
    let store = Store::open(&path).unwrap();
    assert_eq!(store.session("a").unwrap().login().unwrap().home_dc, Some(DcId(3)));
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
}
