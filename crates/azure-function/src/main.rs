//! `labelrelay-azure-function`: the custom handler that the Azure Functions host starts.
//!
//! Only this file reads the environment, but for the identity library, which looks there for where this
//! machine gives tokens out.

use labelrelay_azure_function::{
    Failure, Handler, configuration, level, line, port, relay, start_logging, warm,
};
use labelrelay_core::config::{Environment, Lookup};
use labelrelay_http::log::{BoundedLog, LogWriter};
use labelrelay_http::{ServeOptions, SystemClock, memory, serve_with};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// What a bad configuration exits with, as in all programs of labelrelay.
const BAD_CONFIGURATION: u8 = 78;

/// How long the last lines wait for a host that reads slowly.
const LAST_LINES: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let environment: Environment = std::env::vars_os().collect();
    let Ok(log) = LogWriter::start(std::io::stdout()) else {
        // Nothing can be said without it, and nothing else would start either.
        return ExitCode::FAILURE;
    };
    let code = started(&environment, &log);
    log.flush_within(LAST_LINES);
    code
}

fn started(lookup: Lookup<'_>, log: &LogWriter) -> ExitCode {
    let end = |event: &str, reason: &str, code| end(log, event, reason, code);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return end("runtime", &error.to_string(), 1),
    };
    match runtime.block_on(run(lookup, log)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failure(failure)) => end("not_started", &failure.to_string(), BAD_CONFIGURATION),
        Err(Stop::Io(error)) => end("not_started", &error.to_string(), 1),
    }
}

enum Stop {
    Failure(Failure),
    Io(std::io::Error),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failure(error.into())
    }
}

async fn run(lookup: Lookup<'_>, log: &LogWriter) -> Result<(), Stop> {
    start_logging(level(lookup)?, log);
    memory::give_back_after_bursts();
    let port = port(lookup)?;
    let config = configuration(lookup)?;
    for warning in &config.warnings {
        tracing::warn!(name: "configuration_warning", "{warning}");
    }
    let clock = Arc::new(SystemClock::new());
    let observer = Arc::new(BoundedLog::new(Arc::<SystemClock>::clone(&clock)));
    let relay = Arc::new(relay(&config, lookup, clock, observer)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(Stop::Io)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Stop::Io)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(Stop::Io)?;
    tracing::info!(name: "listening", port, configuration = config.origin, "listening");
    let handler = Handler::new(Arc::clone(&relay));
    let answer = move |tasks, peer, request| handler.answer(tasks, peer, request);
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    };
    // All connections are the host's: `configuration` says so by `trusted_proxies`.
    let options = ServeOptions::default()
        .with_max_connections_per_address(config.max_connections_per_address());
    let observer = Arc::clone(&relay.parts().observer);
    // A task of its own, which the reading of certificates does not hold up.
    let mut server = tokio::spawn(serve_with(listener, answer, observer, stop, options));
    // The host waits for the port: requests that come with it are answered as at any other time. What is wrong
    // for good ends the program, with the reason.
    let ended = tokio::select! {
        warmed = warm(&relay) => {
            warmed?;
            server.await
        }
        ended = &mut server => ended,
    };
    ended.map_err(|broke| Stop::Io(broke.into()))
}

/// The last line, on standard error as well, which the host shows in red.
fn end(log: &LogWriter, event: &str, reason: &str, code: u8) -> ExitCode {
    let line = line("ERROR", event, &[("reason", reason)]);
    log.line(&line);
    if let Ok(errors) = LogWriter::start(std::io::stderr()) {
        errors.line(&line);
        errors.flush_within(LAST_LINES);
    }
    ExitCode::from(code)
}
