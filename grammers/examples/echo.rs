//! A bot that answers each message with its text. Its session is in a store.
//!
//! It needs an API id and hash of <https://my.telegram.org>, a token of <https://t.me/BotFather>, and
//! a network:
//!
//! `TELEGRAM_API_ID=.. TELEGRAM_API_HASH=.. TELEGRAM_BOT_TOKEN=.. cargo run --example echo [STORE]`
//!
//! Ctrl-C ends it. After a crash it goes on with the update state of at most a minute before.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use grammers_client::sender::UpdatesConfiguration;
use grammers_client::update::Update;
use grammers_client::{Client, SenderPool};
use tgsession::{Session as _, Store};
use tgsession_grammers::GrammersSession;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn setting(name: &str) -> Outcome<String> {
    env::var(name).map_err(|_| format!("set {name}").into())
}

async fn answer(update: Update) -> Outcome {
    if let Update::NewMessage(message) = update
        && !message.outgoing()
        && !message.text().is_empty()
    {
        message.respond(message.text()).await?;
    }
    Ok(())
}

async fn run() -> Outcome {
    let path = env::args().nth(1).unwrap_or_else(|| "accounts".into());
    let (api_id, api_hash) = (setting("TELEGRAM_API_ID")?.parse()?, setting("TELEGRAM_API_HASH")?);
    let store = Store::open_or_create(path)?;
    let session = Arc::new(GrammersSession::new(store.session("echo")?)?);
    let SenderPool { runner, updates, handle } = SenderPool::new(Arc::clone(&session), api_id);
    let client = Client::new(handle.clone());
    let connection = tokio::spawn(runner.run());
    if !client.is_authorized().await? {
        client.bot_sign_in(&setting("TELEGRAM_BOT_TOKEN")?, &api_hash).await?;
    }

    let configuration = UpdatesConfiguration { catch_up: true };
    let mut updates = client.stream_updates(updates, configuration).await?;
    let mut minute = tokio::time::interval(Duration::from_secs(60));
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            // grammers keeps the update state in memory until it is asked for it.
            _ = minute.tick() => updates.sync_update_state().await?,
            update = updates.next() => {
                if let Err(error) = answer(update?).await {
                    eprintln!("{error}");
                }
            }
        }
    }
    updates.sync_update_state().await?;
    handle.quit();
    let _ended = connection.await;
    // Waits for the disk without blocking the runtime.
    session.session().flush_ticket().await?;
    Ok(())
}

fn main() -> Outcome {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}
