//! Starts of `serve`, as of every other program.

use super::{may_start, opened};
use crate::env::Env;
use crate::error::CliError;
use crate::find_configuration::{self, Missing};
use labelrelay_core::NoObserver;
use labelrelay_startup::{Open, SystemClock};
use labelrelay_testkit::start_suite::{Given, same_start};
use std::sync::Arc;

async fn start(given: Given) -> Result<(), CliError> {
    let env = Env::new(&given.environment, given.cwd.clone());
    let config = find_configuration::find(&env, None, Missing::Refuse)?.config;
    let open = Open {
        lookup: env.lookup(),
        cwd: env.cwd(),
        default_queue: None,
        back_end: &given.back_end,
    };
    let clock = Arc::new(SystemClock::new());
    let relay = opened(&open, &config, &env, clock, Arc::new(NoObserver)).await?;
    may_start(&relay, &config, &env).await.map(drop)
}

#[tokio::test]
async fn every_configuration_ends_as_in_every_program() {
    let folder = tempfile::tempdir().unwrap();
    same_start("serve", folder.path().to_owned(), &|given| {
        Box::pin(async {
            start(given).await.map_err(|failure| match failure {
                CliError::Config(message) => (78, format!("bad configuration: {message}")),
                CliError::Failed(message) => (1, message),
                other => panic!("{other:?}"),
            })
        })
    })
    .await;
}
