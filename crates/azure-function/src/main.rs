//! `labelrelay-azure-function`: the custom handler that the Azure Functions host starts.
//!
//! Only this file reads the environment, but for the identity library, which looks there for where this
//! machine gives tokens out.

use labelrelay_azure_function::{
    Failure, Handler, configuration, level, line, port, relay, start_logging, warm,
};
use labelrelay_core::config::Lookup;
use labelrelay_http::log::LogObserver;
use labelrelay_http::{ServeOptions, SystemClock, serve_with};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// What a bad configuration exits with, as in all programs of labelrelay.
const BAD_CONFIGURATION: u8 = 78;

fn main() -> ExitCode {
    let lookup = |name: &str| std::env::var(name).ok();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return end("runtime", &error.to_string(), 1),
    };
    match runtime.block_on(run(&lookup)) {
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

async fn run(lookup: Lookup<'_>) -> Result<(), Stop> {
    start_logging(level(lookup)?);
    let port = port(lookup)?;
    let config = configuration(lookup)?;
    for warning in &config.warnings {
        tracing::warn!(name: "configuration_warning", "{warning}");
    }
    let clock = Arc::new(SystemClock::new());
    let relay = Arc::new(relay(&config, lookup, clock, Arc::new(LogObserver))?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(Stop::Io)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Stop::Io)?;
    tracing::info!(name: "listening", port, configuration = config.origin, "listening");
    let handler = Handler::new(Arc::clone(&relay));
    let answer = move |tasks, peer, request| handler.answer(tasks, peer, request);
    let stop = async move {
        terminate.recv().await;
    };
    // A task of its own, which the reading of certificates does not hold up.
    let mut server = tokio::spawn(serve_with(listener, answer, stop, ServeOptions::default()));
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
fn end(event: &str, reason: &str, code: u8) -> ExitCode {
    let line = line("ERROR", event, &[("reason", reason)]);
    let _ = std::io::stdout().lock().write_all(&line);
    let _ = std::io::stderr().lock().write_all(&line);
    ExitCode::from(code)
}
