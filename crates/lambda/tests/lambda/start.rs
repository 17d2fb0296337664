//! Starts, as of every other program.

use labelrelay_lambda::{FunctionClock, Telemetry, init};
use labelrelay_startup::{Open, StartError};
use labelrelay_testkit::start_suite::{Given, same_start};
use std::sync::Arc;
use tracing::level_filters::LevelFilter;

async fn start(given: Given) -> Result<(), (u8, String)> {
    let open = Open {
        lookup: &given.environment,
        cwd: &given.cwd,
        default_queue: None,
        back_end: &given.back_end,
    };
    let sink = Arc::new(|_: &[u8]| {});
    let telemetry = Arc::new(Telemetry::new("relay".to_owned(), LevelFilter::OFF, sink));
    let said = |error: StartError| (error.exit_code(), error.to_string());
    let config = open.configuration();
    let config = config.map_err(|error| said(error.into()))?;
    let clock = Arc::new(FunctionClock::default());
    let started = init::relay(&config, &open, clock, telemetry).await;
    started.map(drop).map_err(said)
}

#[tokio::test]
async fn every_configuration_ends_as_in_every_program() {
    let folder = tempfile::tempdir().unwrap();
    same_start("Lambda", folder.path().to_owned(), &|given| {
        Box::pin(start(given))
    })
    .await;
}
