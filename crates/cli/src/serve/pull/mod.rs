//! `[source.pull]`: fetches by itself what happened on a platform, beside or instead of its webhook.
//!
//! All of it runs on a thread with a runtime of its own, so that neither a slow platform nor a disk that a ledger
//! waits for keeps a delivery waiting. Events are sent from the runtime of the deliveries, through their queue and
//! their blob store.

mod failures;
mod ledger;
mod prepared;
mod puller;
mod recorder;
mod sink;
mod unattended_progress;

pub(super) use prepared::Prepared;

use super::signals::Stop;
use crate::env::Env;
use crate::error::CliError;
use futures_util::future::join_all;
use labelrelay_core::config::{Config, SourceConfig};
use prepared::{One, Opener, Shared};
use std::thread::JoinHandle;
use std::time::Duration;

/// After the last delivery, what it brought is recorded and a ledger in a store is saved in this time. What is not
/// is found, and sent, again.
const END_WITHIN: Duration = Duration::from_secs(10);

/// The threads that pull: one for the sources of the start, and one for each that the configuration named later.
pub(crate) struct Pulling {
    opener: Opener,
    shared: Shared,
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
}

impl Pulling {
    fn new(opener: Opener, shared: Shared, stop: &Stop) -> Self {
        Self {
            opener,
            shared,
            stop: stop.clone(),
            threads: Vec::new(),
        }
    }

    /// Begins with these; ends at the signal to stop.
    fn begin(&mut self, sources: Vec<One>) -> Result<(), CliError> {
        if sources.is_empty() {
            return Ok(());
        }
        let pullers = sources.into_iter().map(|one| self.shared.puller(one));
        let pullers: Vec<_> = pullers.collect();
        let runtime = crate::runtime::small()?;
        let stop = self.stop.clone();
        let work = move || {
            let all = pullers.into_iter().map(|puller| puller.run(stop.clone()));
            runtime.block_on(join_all(all));
            // A name that is being resolved is nobody's any more.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("pull".to_owned());
        self.threads.push(thread.spawn(work)?);
        Ok(())
    }

    /// Begins with `source`, from which nothing was pulled so far, as `config` says now.
    pub(crate) async fn take_up(
        &mut self,
        source: &SourceConfig,
        config: &Config,
        env: &Env<'_>,
    ) -> Result<(), CliError> {
        let Some(settings) = &source.pull else {
            return Ok(());
        };
        let one = self.opener.one(source, settings, config, env).await?;
        if source.webhook.is_none() {
            self.shared.metrics.allow_deliveries(&source.name);
        }
        self.begin(vec![one])
    }

    /// Waits until it has ended. Nothing arrives any more.
    pub(crate) async fn end(self) {
        let (threads, arrivals) = (self.threads, self.opener.arrivals);
        if threads.is_empty() {
            return;
        }
        let ending = tokio::task::spawn_blocking(move || {
            if let Some(arrivals) = arrivals {
                arrivals.end();
            }
            for thread in threads {
                // A panic of it was printed where it happened.
                let _ = thread.join();
            }
        });
        if tokio::time::timeout(END_WITHIN, ending).await.is_err() {
            tracing::warn!(name: "pull_not_ended", "what was delivered last is not recorded in the ledger: the next start may send some of it again, with the same ids");
        }
    }
}
