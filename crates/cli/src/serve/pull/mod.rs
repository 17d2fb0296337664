//! `[source.pull]`: fetches by itself what happened on a platform, beside or instead of its webhook.
//!
//! All of it runs on one thread with a runtime of its own, so that neither a slow platform nor a disk that a ledger
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
use crate::arrivals::Arrivals;
use crate::error::CliError;
use futures_util::future::join_all;
use puller::Puller;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// After the last delivery, what it brought is recorded and a ledger in a store is saved in this time. What is not
/// is found, and sent, again.
const END_WITHIN: Duration = Duration::from_secs(10);

/// The thread that pulls.
pub(crate) struct Pulling {
    thread: Option<JoinHandle<()>>,
    arrivals: Option<Arc<Arrivals>>,
}

/// Begins; ends at the signal to stop.
fn start(
    pullers: Vec<Puller>,
    arrivals: Option<Arc<Arrivals>>,
    stop: &Stop,
) -> Result<Pulling, CliError> {
    if pullers.is_empty() {
        return Ok(Pulling {
            thread: None,
            arrivals,
        });
    }
    let runtime = crate::runtime::small()?;
    let stop = stop.clone();
    let work = move || {
        let all = pullers.into_iter().map(|puller| puller.run(stop.clone()));
        runtime.block_on(join_all(all));
        // A name that is being resolved is nobody's any more.
        runtime.shutdown_background();
    };
    let thread = std::thread::Builder::new().name("pull".to_owned());
    Ok(Pulling {
        thread: Some(thread.spawn(work)?),
        arrivals,
    })
}

impl Pulling {
    /// Waits until it has ended. Nothing arrives any more.
    pub(crate) async fn end(self) {
        let Some(thread) = self.thread else {
            return;
        };
        let arrivals = self.arrivals;
        let ending = tokio::task::spawn_blocking(move || {
            if let Some(arrivals) = arrivals {
                arrivals.end();
            }
            // A panic of it was printed where it happened.
            let _ = thread.join();
        });
        if tokio::time::timeout(END_WITHIN, ending).await.is_err() {
            tracing::warn!(name: "pull_not_ended", "what was delivered last is not recorded in the ledger: the next start may send some of it again, with the same ids");
        }
    }
}
