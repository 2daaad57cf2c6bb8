//! A client on a host whose disk forgets: its session comes from an environment variable, and at
//! SIGTERM the changed session goes to standard output, for the host's secret store.
//!
//! `SESSION="$(cat session.txt)" cargo run --features convert --example ephemeral_disk`
//!
//! Without `SESSION` it shows itself at work: it starts itself twice and sends the signal.

#[cfg(not(unix))]
fn main() {
    eprintln!("this example needs SIGTERM");
}

#[cfg(unix)]
fn main() -> unix::Outcome {
    match std::env::var("SESSION") {
        Ok(text) => unix::client(&text),
        Err(_) => unix::show(),
    }
}

#[cfg(unix)]
mod unix {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Command, Stdio};

    use nix::sys::signal::{SigSet, Signal, kill};
    use nix::unistd::Pid;
    use tgsession::{
        Account, AuthKey, DcId, DcOption, Endpoint, Entity, Export, ExportSession, Format, Login,
        MemorySession, PeerId, Session, Snapshot, SourceOptions, UpdateChange,
    };

    pub(super) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

    /// Everything that the text holds, in memory.
    fn session_of(text: &str) -> Outcome<MemorySession> {
        let source = SourceOptions::new().open_bytes("bot", text.as_bytes())?;
        let name = source.session_names()?.into_iter().next().ok_or("SESSION has no session")?;
        let session = source.session(&name)?;
        let account = session.account().clone();
        let entities = session.collect::<tgsession::Result<_>>()?;
        Ok(MemorySession::from_snapshot("bot", &Snapshot::new(account, entities)))
    }

    fn text_of(session: &MemorySession) -> Outcome<String> {
        let (text, _) = Export::to(Format::PortableString).to_text(ExportSession::of(session)?)?;
        Ok(text.to_string())
    }

    pub(super) fn client(text: &str) -> Outcome {
        // Before any thread starts, so that no thread dies of the signal.
        let signals = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT]);
        signals.thread_block()?;
        let session = session_of(text)?;

        // A client's work: it sees a user, and its update state advances.
        let number = session.entity_count()? as i64 + 1;
        let seen = PeerId::user(number).ok_or("no user id")?;
        session.process_entities(&[Entity::new(seen).with_name("Somebody")])?;
        let pts = session.update_state()?.map_or(0, |state| state.pts);
        session.change_update_state(UpdateChange { pts: Some(pts + 1), ..Default::default() })?;

        println!("ready");
        signals.wait()?;
        println!("{}", text_of(&session)?);
        Ok(())
    }

    /// A login, as `tgsession export --to portable-string` writes it.
    fn first_session() -> Outcome<String> {
        let dc = DcOption::new(DcId(2)).at(Endpoint::new("149.154.167.51", 443));
        let account = Account::default()
            .with_login(Login::default().with_home_dc(DcId(2)))
            .with_dc(dc.with_key(AuthKey::new(&[7; 256])));
        text_of(&MemorySession::from_snapshot("bot", &Snapshot::new(account, Vec::new())))
    }

    pub(super) fn show() -> Outcome {
        let mut text = first_session()?;
        for run in 1..=2 {
            let mut child = Command::new(std::env::current_exe()?)
                .env("SESSION", &text)
                .stdout(Stdio::piped())
                .spawn()?;
            let mut out = BufReader::new(child.stdout.take().ok_or("no output")?);
            let mut line = String::new();
            out.read_line(&mut line)?;
            kill(Pid::from_raw(child.id().try_into()?), Signal::SIGTERM)?;
            text.clear();
            out.read_to_string(&mut text)?;
            if !child.wait()?.success() || line != "ready\n" {
                return Err(format!("run {run} failed").into());
            }
            let session = session_of(&text)?;
            let (seen, state) = (session.entity_count()?, session.update_state()?);
            println!(
                "run {run}: {} characters, entities {seen}, pts {:?}, logged in: {}",
                text.trim_end().len(),
                state.map(|state| state.pts),
                session.auth_key()?.is_some()
            );
            if seen != run || state.map(|state| state.pts) != Some(run as i32) {
                return Err("the second run did not begin where the first ended".into());
            }
        }
        Ok(())
    }
}
