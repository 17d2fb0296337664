//! The service's program: wiring alone.

use labelrelay_cloud_function::front::Front;
use labelrelay_cloud_function::redrive::Redrive;
use labelrelay_cloud_function::stop::{self, Signals};
use labelrelay_cloud_function::{init, log};
use labelrelay_core::config::{ConfigError, ENVIRONMENT, Environment, Lookup, misspelt};
use labelrelay_google::Google;
use labelrelay_http::log::{BoundedLog, LogWriter};
use labelrelay_http::{SystemClock, memory, serve_with};
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tracing::Level;

/// Bad configuration, as `sysexits.h` numbers it.
const EXIT_CONFIG: u8 = 78;

const USAGE: &str = "usage: labelrelay-cloud-function [redrive]";

/// What may still run when everything that was accepted has ended has nobody who waits for it.
const RUNTIME_END: Duration = Duration::from_millis(100);

/// How long the last lines wait for whoever reads them: no longer than the platform waits for us.
const LAST_LINES: Duration = Duration::from_millis(50);

enum Failure {
    Config(ConfigError),
    Other(String),
    /// Everything was said already.
    Said,
}

fn main() -> ExitCode {
    let environment: Environment = std::env::vars_os().collect();
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    // One that is no text is not the name of a role either.
    let arguments: Vec<_> = arguments
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(|word| &**word).collect();
    let writer = match LogWriter::start(std::io::stdout()) {
        Ok(writer) => writer,
        // Nobody else has begun to write.
        Err(error) => return say_directly(&error.to_string()),
    };
    let code = started(&arguments, &environment, &writer);
    writer.flush_within(LAST_LINES);
    code
}

fn say_directly(problem: &str) -> ExitCode {
    let _ = std::io::stdout().write_all(&log::line(Level::ERROR, "failed", problem));
    ExitCode::FAILURE
}

fn started(arguments: &[&str], lookup: Lookup<'_>, writer: &LogWriter) -> ExitCode {
    let sink = log::to(writer);
    let ended = start_log(lookup, &sink).and_then(|()| run(arguments, lookup));
    let (code, event, message) = match ended {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Said) => return ExitCode::FAILURE,
        Err(Failure::Config(error)) => (
            EXIT_CONFIG,
            "bad_configuration",
            format!("bad configuration: {error}"),
        ),
        Err(Failure::Other(message)) => (1, "failed", message),
    };
    // Not through the log: its level must not hide why there is no service.
    sink(&log::line(Level::ERROR, event, &message));
    ExitCode::from(code)
}

fn start_log(lookup: Lookup<'_>, sink: &log::Sink) -> Result<(), Failure> {
    log::panics_to(Arc::clone(sink));
    let level = log::level(lookup)?;
    let subscriber = log::subscriber(level, Arc::clone(sink));
    tracing::subscriber::set_global_default(subscriber).map_err(other)
}

fn run(arguments: &[&str], lookup: Lookup<'_>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(other)?;
    let ended = runtime.block_on(async {
        match arguments {
            [] => serve(lookup).await,
            ["redrive"] => redrive(lookup).await,
            _ => Err(Failure::Other(USAGE.to_owned())),
        }
    });
    runtime.shutdown_timeout(RUNTIME_END);
    ended
}

async fn serve(lookup: Lookup<'_>) -> Result<(), Failure> {
    memory::give_back_after_bursts();
    let config = init::config(lookup)?;
    let address = init::address(&config, lookup)?;
    let clock = Arc::new(SystemClock::new());
    let observer = Arc::new(BoundedLog::new(Arc::<SystemClock>::clone(&clock)));
    let relay = init::relay(&config, &google(lookup)?, lookup, clock, observer)?;
    let relay = Arc::new(relay);
    let mut signals = Signals::new().map_err(other)?;
    for warning in &config.warnings {
        tracing::warn!(name: "configuration_warning", "{warning}");
    }
    let listener = TcpListener::bind(address).await.map_err(|error| {
        other(format_args!(
            "cannot listen on {address}: {error}; set PORT to a free port"
        ))
    })?;
    let bound = listener.local_addr().map_err(other)?;
    tracing::info!(name: "listening", address = %bound, queue = config.queue, "listening");
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
    // `/-/ready` says when it is done; what comes before is answered as at any other time. What is wrong for good
    // ends the service, with the reason.
    tokio::select! {
        warmed = init::warm(&relay) => {
            warmed?;
            signals.stopped().await;
        }
        () = signals.stopped() => {}
    }
    let _ = stopping.send(());
    match tokio::time::timeout(stop::PATIENCE, server).await {
        Ok(Ok(())) => {
            tracing::info!(name: "stopped", "stopped: everything that was accepted is finished");
            Ok(())
        }
        Ok(Err(error)) => Err(other(format_args!("the server broke down: {error}"))),
        Err(_) => {
            tracing::error!(name: "stop_cut_short", "some deliveries were not finished in time; none of them was answered with success");
            Err(Failure::Said)
        }
    }
}

async fn redrive(lookup: Lookup<'_>) -> Result<(), Failure> {
    for warning in misspelt(lookup, &[]) {
        tracing::warn!(name: "configuration_warning", "{warning}");
    }
    let redrive = Redrive::open(&google(lookup)?, lookup)?;
    if redrive.run().await {
        Ok(())
    } else {
        Err(Failure::Said)
    }
}

fn google(lookup: Lookup<'_>) -> Result<Google, Failure> {
    Ok(Google::load(lookup).map_err(|error| error.at(ENVIRONMENT, "GOOGLE_CLOUD_PROJECT"))?)
}

fn other(error: impl Display) -> Failure {
    Failure::Other(error.to_string())
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}
