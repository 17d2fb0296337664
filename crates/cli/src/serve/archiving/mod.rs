//! `[archive]`: writes what the embedded queue takes into an archive, while `serve` runs.
//!
//! All of it runs on a thread with a runtime of its own, and follows the queue's file: no delivery knows of it. Whatever
//! fails is tried again, and the queue keeps what is not archived meanwhile.

mod rounds;

use super::signals::{Stop, stopped};
use crate::archive_store::{self, ArchiveStore};
use crate::env::Env;
use crate::error::CliError;
use crate::locations::QueueLocation;
use crate::open;
use labelrelay_core::Clock;
use labelrelay_core::config::{ArchiveConfig, Config};
use labelrelay_http::admin::Metrics;
use labelrelay_local::QueueFile;
use rounds::Rounds;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// After the signal to stop, what is being written and what waits is archived in this time. What is not is archived by the
/// next start.
const END_WITHIN: Duration = Duration::from_secs(5);

/// What was opened before the queue was.
pub(super) struct Prepared {
    /// The embedded queue's file, where that is the queue.
    queue: Option<PathBuf>,
    archive: Option<(ArchiveStore, ArchiveConfig)>,
    clock: Arc<dyn Clock>,
}

/// The thread that writes, if there is one.
pub(super) struct Archiving(Option<JoinHandle<()>>);

impl Prepared {
    /// Opens the store. Nothing is asked of it yet.
    pub(super) async fn new(
        config: &Config,
        env: &Env<'_>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, CliError> {
        let queue = open::queue_location(config, env)?;
        archive_store::check_queue(config, &queue)?;
        let queue = match queue {
            QueueLocation::Sqlite(file) => Some(file),
            _ => None,
        };
        let store = archive_store::configured(config, env, clock).await?;
        Ok(Self {
            queue,
            archive: store.zip(config.archive.clone()),
            clock: Arc::clone(clock),
        })
    }

    /// Begins to write. The queue is ours by now.
    pub(super) fn begin(self, metrics: &Arc<Metrics>, stop: &Stop) -> Result<Archiving, CliError> {
        let Some(queue) = self.queue else {
            return Ok(Archiving(None));
        };
        let Some((store, settings)) = self.archive else {
            // Else pruning would go on to wait for an archive that nobody writes any more. A file that cannot be read now
            // is told by whoever watches it, and the next start ends it.
            if let Ok(file) = QueueFile::open(&queue, self.clock) {
                let _next_start = file.end_archive();
            }
            return Ok(Archiving(None));
        };
        let every = settings.every;
        let mut rounds = Rounds::new(queue, store, &settings, self.clock, Arc::clone(metrics));
        let runtime = crate::runtime::small()?;
        let stop = stop.clone();
        let work = move || {
            runtime.block_on(async {
                let end = async {
                    stopped(stop.clone()).await;
                    tokio::time::sleep(END_WITHIN).await;
                };
                // A store that hangs keeps nobody.
                tokio::select! {
                    () = write_until_stopped(&mut rounds, every, &stop) => {}
                    () = end => {}
                }
            });
            // A name that is being resolved is nobody's any more.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("archive".to_owned());
        Ok(Archiving(Some(thread.spawn(work)?)))
    }
}

/// Rounds, and after the signal to stop one more for what came since.
async fn write_until_stopped(rounds: &mut Rounds, every: Duration, stop: &Stop) {
    while !*stop.borrow() {
        rounds.round(stop).await;
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = stopped(stop.clone()) => {}
        }
    }
    rounds.last().await;
}

impl Archiving {
    /// Waits until it has ended.
    pub(super) async fn end(self) {
        if let Some(thread) = self.0 {
            // It ends in time; a panic of it was printed where it happened.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}
