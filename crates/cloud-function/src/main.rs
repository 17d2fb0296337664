//! The service's program: wiring alone.

use labelrelay_cloud_function::platform_request::Front;
use labelrelay_cloud_function::stop::{self, Signals};
use labelrelay_cloud_function::{init, log, redrive};
use labelrelay_core::Clock;
use labelrelay_core::config::{ENVIRONMENT, Environment, Lookup};
use labelrelay_google::Google;
use labelrelay_http::export::{Export, Platform};
use labelrelay_http::{memory, serve_with};
use labelrelay_startup::log::{
    BoundedLog, Line, LogWriter, Sink, level, panics_to, subscriber, to_writer, written,
};
use labelrelay_startup::redrive::Redrive;
use labelrelay_startup::{Open, OsEntropy, StartError, SystemClock};
use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout_at};
use tracing::Level;
use tracing::level_filters::LevelFilter;

const USAGE: &str = "usage: labelrelay-cloud-function [redrive]";

const PLATFORM: Platform = Platform {
    provider: "gcp",
    name: "K_SERVICE",
};

/// Time for tasks that are left once everything accepted has ended: nobody waits for them.
const RUNTIME_END: Duration = Duration::from_millis(100);

/// Pause before the first line of the log, which begins the log's thread: the first request need not wait for that.
const FIRST_LINE: Duration = Duration::from_millis(20);

/// Time that the last lines wait for whoever reads them: no longer than the platform waits for us.
const LAST_LINES: Duration = Duration::from_millis(50);

enum RunError {
    Start(StartError),
    Other(String),
    /// Everything was said already.
    Said,
}

fn main() -> ExitCode {
    let environment: Environment = std::env::vars_os().collect();
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    // An argument that is not text is no role's name either.
    let arguments: Vec<_> = arguments
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(|word| &**word).collect();
    let writer = LogWriter::new(std::io::stdout());
    let code = started(&arguments, &environment, &writer);
    writer.flush_within(LAST_LINES);
    code
}

fn failed(problem: &str) -> Vec<u8> {
    let line = Line::new(Level::ERROR, "failed", [("message", &problem.to_owned())]);
    written(log::format, line)
}

fn started(arguments: &[&str], lookup: Lookup<'_>, writer: &LogWriter) -> ExitCode {
    let sink = to_writer(writer);
    let (line, code) = match start_log(lookup, &sink).and_then(|()| run(arguments, lookup)) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(RunError::Said) => return ExitCode::FAILURE,
        Err(RunError::Start(error)) => (
            written(log::format, error.line()),
            ExitCode::from(error.exit_code()),
        ),
        Err(RunError::Other(message)) => (failed(&message), ExitCode::FAILURE),
    };
    // Not through the log: its level must not hide why there is no service.
    sink(&line);
    code
}

fn start_log(lookup: Lookup<'_>, sink: &Sink) -> Result<(), RunError> {
    panics_to(log::format, Arc::clone(sink));
    let level = level(lookup, None)?;
    let subscriber = subscriber(level, LevelFilter::WARN, log::format, Arc::clone(sink));
    tracing::subscriber::set_global_default(subscriber).map_err(other)
}

fn run(arguments: &[&str], lookup: Lookup<'_>) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(other)?;
    let ended = runtime.block_on(async {
        match arguments {
            [] => serve(lookup).await,
            ["redrive"] => redrive_once(lookup).await,
            _ => Err(RunError::Other(USAGE.to_owned())),
        }
    });
    runtime.shutdown_timeout(RUNTIME_END);
    ended
}

async fn serve(lookup: Lookup<'_>) -> Result<(), RunError> {
    let google = google(lookup)?;
    let open = opening(lookup, &google);
    let config = open.configuration()?;
    let address = init::address(&config, lookup)?;
    let clock = Arc::new(SystemClock::new());
    let lines = Arc::new(BoundedLog::as_record(Arc::<SystemClock>::clone(&clock)));
    let clock: Arc<dyn Clock> = clock;
    let export = Export::of(PLATFORM, &config, lookup, &clock, OsEntropy);
    let observer = export.beside(lines);
    let relay = Arc::new(init::relay(&config, &open, clock, observer).await?);
    let mut signals = Signals::new().map_err(other)?;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        other(format_args!(
            "cannot listen on {address}: {error}; set PORT to a free port"
        ))
    })?;
    let bound = listener.local_addr().map_err(other)?;
    let front = Front {
        relay: Arc::clone(&relay),
        project: init::project(&config, lookup)?,
        behind_google: lookup.text("K_SERVICE")?.is_some(),
    };
    let of_one_address = if front.behind_google {
        None
    } else {
        config.max_connections_per_address()
    };
    let observer = Arc::clone(&relay.parts().observer);
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let answer = move |tasks, peer, request| front.clone().answer(tasks, peer, request);
    let server = serve_with(
        listener,
        answer,
        observer,
        async { stopped.await.unwrap_or_default() },
        stop::options(of_one_address),
    );
    let server = tokio::spawn(server);
    let exporting = export.begin();
    let queue = config.queue.clone();
    tokio::spawn(async move {
        tokio::time::sleep(FIRST_LINE).await;
        tracing::info!(name: "listening", address = %bound, queue, "listening");
    });
    memory::give_back_after_bursts();
    // `/-/ready` says when it is done; what comes before is answered as at any other time. What is wrong for good
    // ends the service, with the reason.
    tokio::select! {
        warmed = init::warm(&relay, &config, lookup) => {
            warmed?;
            signals.stopped().await;
        }
        () = signals.stopped() => {}
    }
    let _ = stopping.send(());
    let last = Instant::now() + stop::PATIENCE;
    let ended = timeout_at(last, server).await;
    // What is not sent by then is dropped: deliveries come first.
    let _ = timeout_at(last, exporting.end()).await;
    match ended {
        Ok(Ok(())) => {
            tracing::info!(name: "stopped", "stopped: everything that was accepted is finished");
            Ok(())
        }
        Ok(Err(error)) => Err(other(format_args!("the server broke down: {error}"))),
        Err(_) => {
            tracing::error!(name: "stop_cut_short", "some deliveries were not finished in time; none of them was answered with success");
            Err(RunError::Said)
        }
    }
}

async fn redrive_once(lookup: Lookup<'_>) -> Result<(), RunError> {
    let google = google(lookup)?;
    let clock = Arc::new(SystemClock::new());
    let redrive = Redrive::of_variables(&opening(lookup, &google), clock).await?;
    if redrive::run(&redrive).await {
        Ok(())
    } else {
        Err(RunError::Said)
    }
}

fn google(lookup: Lookup<'_>) -> Result<Google, StartError> {
    let google = Google::load(lookup);
    google.map_err(|error| StartError::at(error, ENVIRONMENT, "GOOGLE_CLOUD_PROJECT"))
}

fn opening<'a>(lookup: Lookup<'a>, google: &'a Google) -> Open<'a> {
    Open {
        lookup,
        cwd: Path::new("."),
        default_queue: None,
        back_end: google,
    }
}

fn other(error: impl Display) -> RunError {
    RunError::Other(error.to_string())
}

impl<E: Into<StartError>> From<E> for RunError {
    fn from(error: E) -> Self {
        Self::Start(error.into())
    }
}
