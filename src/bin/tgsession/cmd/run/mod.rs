//! `run`: a client whose store is restored before it starts and saved after it ends.

#[cfg(unix)]
mod storage;
#[cfg(unix)]
mod supervise;

use crate::args::Run;
#[cfg(not(unix))]
use crate::failure::Failure;
use crate::failure::Outcome;

#[cfg(not(unix))]
pub(crate) fn run(_: &Run) -> Outcome {
    Err(Failure::Refused("run works on Unix only, as it forwards signals".to_owned()))
}

#[cfg(unix)]
pub(crate) fn run(args: &Run) -> Outcome {
    unix::run(args)
}

#[cfg(unix)]
mod unix {
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    use tgsession::{Error, StoreKey, store_path};

    use super::storage::{Saver, restore};
    use super::supervise::{Signals, code_of};
    use crate::args::Run;
    use crate::failure::{Failure, Outcome};
    use crate::key::{self, Unlocker};
    use crate::output;
    use crate::source;

    pub(super) fn run(args: &Run) -> Outcome {
        source::refuse_stdin(&args.store)?;
        let Some((program, arguments)) = args.client.split_first() else {
            return Err(Failure::Usage("give the client's command after --".to_owned()));
        };
        let store = store_path(&args.store);
        let store = std::path::absolute(&store).unwrap_or(store);
        // Before signals are caught, as who is asked for a passphrase may end the tool.
        let key = key_for(args, &store)?;
        // Before any thread is started: threads that are started later leave these signals to the one that waits.
        let mut signals = Signals::catch()?;
        if let Some(command) = &args.restore {
            restore(&store, command, key.as_ref(), &mut signals)?;
        }
        if let Some(signal) = signals.last {
            return Err(Failure::Reported(code_of(signal)));
        }
        let mut client = Command::new(program);
        client.args(arguments).env("STORE", &store);
        let client = signals.spawn(&mut client).map_err(|error| {
            let program = program.to_string_lossy();
            Failure::Refused(format!("{program}: cannot start the client: {error}"))
        })?;
        let mut saver = args.save.as_deref().map(|command| Saver::new(&store, command, key));
        let every = args.save_every.map(Duration::from_secs);
        let ended = signals.attend(client, every, || {
            if let Some(saver) = &mut saver {
                saver.save_beside();
            }
        });
        let saved = saver.map_or(Ok(()), Saver::save_at_the_end);
        let code = ended?;
        if code != 0 {
            output::say(&format!("the client ended with exit code {code}"));
        }
        saved?;
        if code == 0 { Ok(()) } else { Err(Failure::Reported(code)) }
    }
    /// The key with which the store is read when it is saved. A store that is there already must
    /// open with it: later would be too late to say so.
    fn key_for(args: &Run, store: &Path) -> Outcome<Option<StoreKey>> {
        let unlocker = Unlocker::new(args.key.options())?;
        if args.save.is_none() || store.symlink_metadata().is_err() {
            return Ok(unlocker.given().cloned());
        }
        unlocker.open(|key| match key::store_options(key).open_read_only(store) {
            Err(error @ Error::Key { .. }) => Err(error),
            // What else is wrong is the client's to say.
            _ => Ok(key.cloned()),
        })
    }
}
