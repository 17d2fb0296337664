//! Starts, as of every other program.

use labelrelay_azure_function::{configuration, relay, warm};
use labelrelay_core::NoObserver;
use labelrelay_startup::{Open, StartError, SystemClock};
use labelrelay_testkit::start_suite::{Given, same_start};
use std::sync::Arc;

async fn start(given: Given) -> Result<(), StartError> {
    let open = Open {
        lookup: &given.environment,
        cwd: &given.cwd,
        default_queue: None,
        back_end: &given.back_end,
    };
    let config = configuration(&open)?;
    let clock = Arc::new(SystemClock::new());
    let relay = relay(&config, &open, clock, Arc::new(NoObserver)).await?;
    warm(&relay, &config, open.lookup).await
}

#[tokio::test]
async fn every_configuration_ends_as_in_every_program() {
    let folder = tempfile::tempdir().unwrap();
    same_start("Azure Functions", folder.path().to_owned(), &|given| {
        Box::pin(async {
            let said = |error: StartError| (error.exit_code(), error.to_string());
            start(given).await.map_err(said)
        })
    })
    .await;
}
