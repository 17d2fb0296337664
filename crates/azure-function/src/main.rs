//! `labelrelay-azure-function`: the custom handler that the Azure Functions host starts.
//!
//! Only this file reads the environment, but for the identity library, which looks there for where this
//! machine gives tokens out.

use labelrelay_azure::Azure;
use labelrelay_azure_function::{Handler, configuration, format, port, relay, warm};
use labelrelay_core::Clock;
use labelrelay_core::config::{ENVIRONMENT, Environment, Lookup};
use labelrelay_http::export::{Export, Platform};
use labelrelay_http::{ServeOptions, memory, serve_with};
use labelrelay_startup::log::{
    BoundedLog, Line, LogWriter, level, panics_to, subscriber, to_writer, written,
};
use labelrelay_startup::{Open, OsEntropy, StartError, SystemClock};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::Level;
use tracing::level_filters::LevelFilter;

const PLATFORM: Platform = Platform {
    provider: "azure",
    name: "WEBSITE_SITE_NAME",
};

/// Pause before the first line of the log, which begins the log's thread: the first request need not wait for that.
const FIRST_LINE: Duration = Duration::from_millis(20);

/// Time for tasks that are left once everything accepted has ended: nobody waits for them.
const RUNTIME_END: Duration = Duration::from_millis(100);

/// Time that the last lines wait for a host that reads slowly.
const LAST_LINES: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let environment: Environment = std::env::vars_os().collect();
    let log = LogWriter::new(std::io::stdout());
    let code = started(&environment, &log);
    log.flush_within(LAST_LINES);
    code
}

fn started(lookup: Lookup<'_>, log: &LogWriter) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(log, "runtime", &error),
    };
    let ended = runtime.block_on(run(lookup, log));
    // Dropped, it would wait for a name of a collector that is still being looked up.
    runtime.shutdown_timeout(RUNTIME_END);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Start(error)) => {
            end(log, error.line());
            ExitCode::from(error.exit_code())
        }
        Err(Stop::Io(error)) => failed(log, "not_started", &error),
    }
}

enum Stop {
    Start(StartError),
    Io(std::io::Error),
}

impl<E: Into<StartError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Start(error.into())
    }
}

async fn run(lookup: Lookup<'_>, log: &LogWriter) -> Result<(), Stop> {
    start_log(lookup, log)?;
    let port = port(lookup)?;
    let clock = Arc::new(SystemClock::new());
    let azure = Azure::load(lookup, Arc::<SystemClock>::clone(&clock) as Arc<dyn Clock>);
    let azure = azure.map_err(|error| StartError::at(error, ENVIRONMENT, "AZURE"))?;
    let open = Open {
        lookup,
        cwd: Path::new("."),
        default_queue: None,
        back_end: &azure,
    };
    let config = configuration(&open)?;
    let lines = Arc::new(BoundedLog::as_record(Arc::<SystemClock>::clone(&clock)));
    let clock: Arc<dyn Clock> = clock;
    let export = Export::of(PLATFORM, &config, lookup, &clock, OsEntropy);
    let observer = export.beside(lines);
    let relay = Arc::new(relay(&config, &open, clock, observer).await?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(Stop::Io)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Stop::Io)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(Stop::Io)?;
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
    let exporting = export.begin();
    let configuration = config.origin.clone();
    tokio::spawn(async move {
        tokio::time::sleep(FIRST_LINE).await;
        tracing::info!(name: "listening", port, configuration, "listening");
    });
    memory::give_back_after_bursts();
    // The host waits for the port: requests that come with it are answered as at any other time. What is wrong
    // for good ends the program, with the reason.
    let ended = tokio::select! {
        warmed = warm(&relay, &config, lookup) => {
            warmed?;
            server.await
        }
        ended = &mut server => ended,
    };
    exporting.end().await;
    ended.map_err(|broke| Stop::Io(broke.into()))
}

fn start_log(lookup: Lookup<'_>, log: &LogWriter) -> Result<(), StartError> {
    panics_to(format, to_writer(log));
    let level = level(lookup, None)?;
    // Warnings of HTTP clients and SDKs may hold requests with their headers and signed URLs.
    let subscriber = subscriber(level, LevelFilter::ERROR, format, to_writer(log));
    // Nobody else sets one; if somebody did, their lines would go there, which is no reason to stop.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

fn failed(log: &LogWriter, event: &str, error: &std::io::Error) -> ExitCode {
    let reason = [("reason", &error.to_string())];
    end(log, Line::new(Level::ERROR, event, reason));
    ExitCode::FAILURE
}

/// The last line, on standard error as well, which the host shows in red.
fn end(log: &LogWriter, line: Line<'_>) {
    let line = written(format, line);
    log.line(&line);
    let errors = LogWriter::new(std::io::stderr());
    errors.line(&line);
    errors.flush_within(LAST_LINES);
}
