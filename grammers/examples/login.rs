//! Logs a user in with a session of a store, and shows the dialogs.
//!
//! It needs an API id and hash of <https://my.telegram.org>, and a network:
//!
//! `TELEGRAM_API_ID=.. TELEGRAM_API_HASH=.. cargo run --example login [STORE [NAME]]`
//!
//! A second run finds the login in the store and asks for nothing.

use std::env;
use std::io::{self, Write as _};
use std::sync::Arc;

use grammers_client::peer::Peer;
use grammers_client::{Client, SenderPool, SignInError};
use tgsession::{Session as _, Store, StoreSession};
use tgsession_grammers::GrammersSession;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Reads a line. The terminal echoes it, passwords too.
fn ask(question: &str) -> Outcome<String> {
    print!("{question}: ");
    io::stdout().flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn setting(name: &str) -> Outcome<String> {
    env::var(name).map_err(|_| format!("set {name}; https://my.telegram.org gives it").into())
}

async fn log_in(client: &Client, api_hash: &str) -> Outcome {
    let phone = ask("phone, in the international format")?;
    let token = client.request_login_code(&phone, api_hash).await?;
    match client.sign_in(&token, &ask("the code that Telegram has sent")?).await {
        Ok(_) => Ok(()),
        Err(SignInError::PasswordRequired(token)) => {
            let password = ask("password")?;
            client.check_password(token, password).await?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Stores a peer with its username, phone and name. grammers itself stores none of the three.
fn see(session: &GrammersSession<StoreSession>, peer: &Peer) -> tgsession::Result<()> {
    match peer {
        Peer::User(user) => session.see(std::slice::from_ref(&user.raw), &[])?,
        Peer::Group(group) => session.see(&[], std::slice::from_ref(&group.raw))?,
        Peer::Channel(channel) => session.see(&[], &[channel.raw.clone().into()])?,
        Peer::Community(_) => 0,
    };
    Ok(())
}

async fn run() -> Outcome {
    let mut args = env::args().skip(1);
    let path = args.next().unwrap_or_else(|| "accounts".into());
    let name = args.next().unwrap_or_else(|| "me".into());
    let (api_id, api_hash) = (setting("TELEGRAM_API_ID")?.parse()?, setting("TELEGRAM_API_HASH")?);

    let store = Store::open_or_create(path)?;
    let session = Arc::new(GrammersSession::new(store.session(&name)?)?);
    let SenderPool { runner, handle, .. } = SenderPool::new(Arc::clone(&session), api_id);
    let client = Client::new(handle.clone());
    let connection = tokio::spawn(runner.run());

    if !client.is_authorized().await? {
        // The new key and the account's own user are on disk when this returns.
        log_in(&client, &api_hash).await?;
    }
    let mut dialogs = client.iter_dialogs();
    while let Some(dialog) = dialogs.next().await? {
        let peer = dialog.peer();
        see(&session, peer)?;
        println!("{} {}", peer.id(), peer.name().unwrap_or_default());
    }
    // From now on found without a request.
    while let Ok(text) = ask("username, phone, link, name or id; nothing to end") {
        if text.is_empty() {
            break;
        }
        println!("{:?}", session.session().find(&text)?);
    }
    handle.quit();
    let _ended = connection.await;
    store.close()?;
    Ok(())
}

fn main() -> Outcome {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}
