//! Starts of `serve`, as of every other program.

use super::{may_start, opened};
use crate::discover::{self, Missing};
use crate::failure::Failure;
use crate::world::World;
use labelrelay_core::NoObserver;
use labelrelay_startup::{Open, SystemClock};
use labelrelay_testkit::start_suite::{Given, same_start};
use std::sync::Arc;

async fn start(given: Given) -> Result<(), Failure> {
    let world = World::new(&given.environment, given.cwd.clone());
    let config = discover::find(&world, None, Missing::Refuse)?.config;
    let open = Open {
        lookup: world.lookup(),
        cwd: world.cwd(),
        default_queue: None,
        back_end: &given.back_end,
    };
    let clock = Arc::new(SystemClock::new());
    let relay = opened(&open, &config, &world, clock, Arc::new(NoObserver)).await?;
    may_start(&relay, &config, &world).await
}

#[tokio::test]
async fn every_configuration_ends_as_in_every_program() {
    let folder = tempfile::tempdir().unwrap();
    same_start("serve", folder.path().to_owned(), &|given| {
        Box::pin(async {
            start(given).await.map_err(|failure| match failure {
                Failure::Config(message) => (78, format!("bad configuration: {message}")),
                Failure::Failed(message) => (1, message),
                other => panic!("{other:?}"),
            })
        })
    })
    .await;
}
