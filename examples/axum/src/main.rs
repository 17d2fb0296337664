//! A program around the adapter: its queue is a file of this machine.

use axum::Router;
use labelrelay_core::config::Environment;
use labelrelay_example_axum::answer;
use labelrelay_local::{Local, Options};
use labelrelay_startup::log::LogObserver;
use labelrelay_startup::{Injected, Open, OsEntropy, SystemClock, warm};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

#[tokio::main]
async fn main() -> ExitCode {
    match serve(&std::env::vars_os().collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(environment: &Environment) -> Result<(), Box<dyn std::error::Error>> {
    let clock = Arc::new(SystemClock::new());
    let open = Open {
        lookup: environment,
        cwd: Path::new("."),
        default_queue: Some("sqlite:queue.db"),
        back_end: &Local::new(Options::default(), clock.clone()),
    };
    let config = open.configuration()?;
    let injected = Injected {
        clock,
        entropy: Arc::new(OsEntropy),
        observer: Arc::new(LogObserver),
        spool: None,
    };
    let relay = Arc::new(open.relay(&config, injected).await?);
    warm(&relay, &config, open.lookup, Duration::from_secs(5), true).await?;
    let app = Router::new().fallback(answer).with_state(relay);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8090").await?;
    Ok(axum::serve(listener, app).await?)
}
