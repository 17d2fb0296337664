//! Cost of the function's calls to AWS by themselves: the same clients on the same kind of runtime.
//!
//! Reads the secret and opens the connection to the queue, side by side, and prints how many
//! milliseconds that took, from before the clients were made. Then, for each line `TIMES FILE` on its
//! input, sends the message of the `SendMessage` request in FILE that many times, and prints the milliseconds
//! of each call.

use futures_util::future::join;
use labelrelay_aws::Aws;
use labelrelay_core::config::{Config, Environment, Lookup};
use labelrelay_core::{EventQueue, OutboundMessage};
use labelrelay_event::Envelope;
use serde::Deserialize;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage {
    message_body: String,
}

fn main() -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run())
}

async fn run() -> Outcome {
    let begun = Instant::now();
    let queue = open().await?;
    print(&[begun.elapsed()])?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (times, file) = line.split_once(' ').ok_or("an order is TIMES FILE")?;
        let message = message(file)?;
        let mut took = Vec::new();
        for _ in 0..times.parse::<usize>()? {
            let begun = Instant::now();
            queue.send(&message).await?;
            took.push(begun.elapsed());
        }
        print(&took)?;
    }
    Ok(())
}

/// Fetches the secret and opens the connection, at the same time.
async fn open() -> Outcome<impl EventQueue> {
    let lookup: Environment = std::env::vars_os().collect();
    let lookup: Lookup<'_> = &lookup;
    let aws = Aws::load(lookup)?;
    let text = lookup
        .text("LABELRELAY_CONFIG_TOML")?
        .ok_or("LABELRELAY_CONFIG_TOML is not set")?;
    let config = Config::from_toml(&text, "bare", PathBuf::new(), lookup)?;
    let source = config.sources.first().ok_or("no source")?;
    let (reference, end) = source.secrets.first().ok_or("no secret")?;
    let secret = aws.secret(reference, *end)?;
    let secret = secret.ok_or("the secret is in no store of AWS")?;
    let queue = aws.queue(config.queue.as_deref().ok_or("no queue")?)?;
    // What the function asks at its start.
    let newest = secret.fetch_newest().unwrap_or_else(|| secret.fetch());
    let (secrets, connected) = join(newest, queue.check()).await;
    secrets?;
    connected?;
    Ok(queue)
}

fn message(file: &str) -> Outcome<OutboundMessage> {
    let sent: SendMessage = serde_json::from_slice(&std::fs::read(file)?)?;
    let envelope = sent.message_body.into_bytes();
    let attributes = Envelope::decode(&envelope)?.attributes;
    Ok(OutboundMessage::new(attributes, envelope))
}

fn print(times: &[Duration]) -> Outcome {
    let mut out = std::io::stdout().lock();
    for time in times {
        write!(out, "{} ", time.as_secs_f64() * 1000.0)?;
    }
    writeln!(out)?;
    Ok(())
}
