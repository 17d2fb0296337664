//! Opens the queue, chooses the way of handing on, and runs until the end.

use super::Args;
use super::exec::Exec;
use super::into::IntoQueues;
use super::json::{LINES, Lines};
use super::mode::{Broken, Mode, Readable};
use super::to::Post;
use crate::clouds::Cloud;
use crate::env::Env;
use crate::error::CliError;
use crate::event_source;
use crate::find_configuration::{self, Missing};
use crate::locations::QueueLocation;
use crate::open::BackEnds;
use crate::output::{finish, say};
use crate::queue_sender::AT_ONCE;
use crate::secret_reference;
use crate::serve::Signals;
use crate::telemetry::Spans;
use labelrelay_consumer::{RunError, Settings, Stats, Worker};
use labelrelay_core::backend::{BackEnd as _, Location};
use labelrelay_core::{BlobStore, Clock};
use labelrelay_local::Options;
use labelrelay_startup::{BLOB_STORE, SystemClock};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Time for commands to be killed after a second signal.
const LAST: Duration = Duration::from_secs(1);

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let runtime = crate::runtime::full()?;
    let ended = runtime.block_on(consume(args, env));
    // Ends all that is under way, commands with all that they started.
    runtime.shutdown_timeout(LAST);
    let Some(stats) = ended? else {
        say(format_args!("labelrelay: ended at once"));
        finish();
        // The conventional code for an interrupt. What was not done comes again.
        std::process::exit(130);
    };
    tracing::info!(
        name: "consumed",
        done = stats.acknowledged - stats.rejected,
        dead_letters = stats.rejected,
        come_again = stats.retried,
        "ended"
    );
    Ok(())
}

/// `None` after a second signal.
async fn consume(args: &Args, env: &Env<'_>) -> Result<Option<Stats>, CliError> {
    // Before anything is received.
    let mut signals = Signals::new()?;
    let location = location(args, env)?;
    let opening = async {
        let mode = mode(args, &location, env).await?;
        let source = event_source::open(&location, args.dead_letter.as_deref(), env).await?;
        let stores = envelope_stores(args, &location, env).await?;
        Ok::<_, CliError>((mode, source, stores))
    };
    let ((mode, broken), source, stores) = tokio::select! {
        opened = opening => opened?,
        // A queue or a store of secrets may not answer for long. Nothing was received yet.
        () = signals.next() => return Ok(Some(Stats::default())),
    };
    let (spans, sent) = Spans::begin(&location.to_string(), env);
    let work = Readable {
        mode,
        stores,
        spans,
    };
    let worker = Worker::new(source, Arc::new(work), settings(args));
    tracing::info!(name: "consuming", queue = %location, "consuming");

    let (stop, stopping) = watch::channel(false);
    let second_signal = signals.second(|| {
        tracing::info!(name: "stopping", "stopping: what was begun is finished first; a signal after a second or more ends at once");
        stop.send_replace(true);
    });
    let stats = tokio::select! {
        stats = worker.run(stopped(stopping, broken.clone())) => stats,
        () = second_signal => return Ok(None),
    };
    sent.end().await;
    let stats = stats.map_err(of_run)?;
    if let Some(broken) = broken {
        nothing_broke(&broken)?;
    }
    Ok(Some(stats))
}

/// Fails if events could not be handed on. Asked as long as some may still be: whoever reports a problem lives then.
fn nothing_broke(broken: &Broken) -> Result<(), CliError> {
    if let Some(problem) = &*broken.borrow() {
        return Err(problem.to_error());
    }
    if broken.has_changed().is_err() {
        return Err(CliError::failed(
            "the thread that writes lines ended, which is a bug: please report it; what was not written comes again",
        ));
    }
    Ok(())
}

/// Completes at the first signal, or once nothing more can be handed on.
async fn stopped(mut stopping: watch::Receiver<bool>, broken: Option<Broken>) {
    let undone = async {
        match broken {
            Some(mut broken) => {
                // A writer that ended without an error ended with everything.
                let _ = broken.wait_for(Option::is_some).await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => {}
        () = undone => {}
    }
}

fn location(args: &Args, env: &Env<'_>) -> Result<QueueLocation, CliError> {
    let queue = args.queue.as_deref().map(|url| (url, "QUEUE"));
    event_source::location(queue, args.config.as_deref(), env)
}

/// The configured store of whole envelopes: SQS may hold pointers to them. No other is read, whatever a pointer says.
async fn envelope_stores(
    args: &Args,
    location: &QueueLocation,
    env: &Env<'_>,
) -> Result<Vec<Arc<dyn BlobStore>>, CliError> {
    if !matches!(location, QueueLocation::Cloud(Cloud::Aws, _)) {
        return Ok(Vec::new());
    }
    // A queue can be consumed without a whole configuration.
    let configured = || {
        let found = find_configuration::find(env, args.config.as_deref(), Missing::Refuse);
        found.ok()?.config.blob_store
    };
    let url = env.var(BLOB_STORE.variable)?.or_else(configured);
    let Some(url) = url.filter(|url| url.starts_with("s3://")) else {
        return Ok(Vec::new());
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let back_ends = BackEnds::new(Options::default(), env, clock);
    let at = Location {
        url: &url,
        base_dir: env.cwd(),
    };
    let opened = back_ends.blob_store(at).await;
    match opened {
        Ok(store) => Ok(vec![store]),
        Err(error) => {
            // Few queues hold pointers, and an event that is one says what is missing.
            tracing::warn!(name: "blob_store_not_opened", reason = %error, "the blob store cannot be opened; a message that points into it cannot be read");
            Ok(Vec::new())
        }
    }
}

async fn mode(
    args: &Args,
    location: &QueueLocation,
    env: &Env<'_>,
) -> Result<(Box<dyn Mode>, Option<Broken>), CliError> {
    if let Some(command) = &args.exec {
        return Ok((Box::new(Exec::new(command, args.timeout, env)?), None));
    }
    if let Some(url) = &args.to {
        let key = match &args.secret {
            Some(reference) => Some(secret_reference::read(reference, env).await?),
            None => None,
        };
        let key = key.as_ref();
        let post = Post::new(url, key, &args.reject, args.timeout, args.until_idle).await?;
        return Ok((Box::new(post.0), Some(post.1)));
    }
    if !args.into.is_empty() {
        let queues = IntoQueues::open(&args.into, location, env).await?;
        return Ok((Box::new(queues), None));
    }
    let (lines, broken) = Lines::start()?;
    Ok((Box::new(lines), Some(broken)))
}

fn settings(args: &Args) -> Settings {
    let default = if args.json {
        LINES
    } else if args.to.is_some() {
        8
    } else if !args.into.is_empty() {
        AT_ONCE
    } else {
        1
    };
    let mut settings = Settings::default();
    settings.concurrency = args.concurrency.map_or(default, usize::from);
    // Each event is another consumer's until somebody here has time for it.
    settings.prefetch = 0;
    settings.drain = Duration::ZERO;
    settings.visibility = args.visibility;
    settings.max_receives = args.max_receives;
    settings.until_idle = args.until_idle;
    settings
}

fn of_run(error: RunError) -> CliError {
    match error {
        RunError::Setting { .. } => CliError::usage(error),
        error => CliError::failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Success here, and a wrapper believes that the queue was read.
    #[test]
    fn a_writer_that_ended_without_a_word_is_an_error() {
        let (report, broken) = watch::channel(None);
        assert!(nothing_broke(&broken).is_ok());
        drop(report);
        assert!(nothing_broke(&broken).is_err());
    }
}
