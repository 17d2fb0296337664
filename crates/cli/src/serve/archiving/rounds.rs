//! Rounds of the archive: each writes what came since the last one, and says what is to be said.

use crate::archive_store::{ArchiveStore, random_name};
use crate::error::chain;
use crate::serve::signals::Stop;
use labelrelay_archive::{Archive, ArchiveError, Feeder, Limits};
use labelrelay_core::Clock;
use labelrelay_core::config::ArchiveConfig;
use labelrelay_http::admin::{ArchiveGauges, Metrics};
use labelrelay_local::QueueFile;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// As long as the archive cannot be written, it is said again so often.
const SAID_EVERY: Duration = Duration::from_secs(3600);

pub(super) struct Rounds {
    queue: PathBuf,
    store: ArchiveStore,
    hold: Duration,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    figures: ArchiveGauges,
    /// Opened when it is needed, and opened anew after an error: the queue's file may be another one then.
    feeder: Option<Feeder>,
    failing: Option<Failing>,
}

/// Since when nothing can be written, and when that was last said.
struct Failing {
    since: Duration,
    said: Duration,
}

impl Rounds {
    pub(super) fn new(
        queue: PathBuf,
        store: ArchiveStore,
        settings: &ArchiveConfig,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            queue,
            store,
            hold: settings.hold,
            clock,
            metrics,
            figures: ArchiveGauges::default(),
            feeder: None,
            failing: None,
        }
    }

    /// Writes all that waits, unless it is to stop.
    pub(super) async fn round(&mut self, stop: &Stop) {
        let written = self.write(|| *stop.borrow()).await;
        self.tell(written);
    }

    /// Writes all that waits.
    pub(super) async fn last(&mut self) {
        let written = self.write(|| false).await;
        self.tell(written);
    }

    /// The error is for people.
    async fn write(&mut self, shall_stop: impl Fn() -> bool) -> Result<(), String> {
        let mut feeder = match self.feeder.take() {
            Some(feeder) => feeder,
            None => self.begin().await?,
        };
        loop {
            self.figures.behind = behind(&feeder)?;
            let step = match feeder.step().await {
                Err(error @ ArchiveError::Taken { .. }) => {
                    tracing::error!(name: "archive_two_writers", reason = chain(&error), "another program archives from a copy of this queue file: this one goes on under another name, and events that both have are in the archive twice");
                    let renamed = feeder.rename(random_name()?);
                    renamed.map_err(|error| chain(&error))?;
                    continue;
                }
                step => step.map_err(|error| chain(&error))?,
            };
            self.figures.events += step.events;
            for gap in &step.gaps {
                self.figures.gaps += 1;
                tracing::error!(name: "archive_gap", gap = %gap, "events are missing in the archive, and will be");
            }
            // What was removed without it had numbers, too, and nothing waits.
            let is_empty = step.events == 0 && !step.more;
            self.figures.behind = if is_empty { 0 } else { behind(&feeder)? };
            self.metrics.set_archive(self.figures);
            if !step.more || shall_stop() {
                break;
            }
        }
        self.feeder = Some(feeder);
        Ok(())
    }

    async fn begin(&mut self) -> Result<Feeder, String> {
        let file = QueueFile::open(&self.queue, Arc::clone(&self.clock));
        let file = file.map_err(|error| chain(&error))?;
        // Before the archive is reached: what it shall have is kept from now on.
        let held = file.hold_for_archive(self.hold);
        held.map_err(|error| chain(&error))?;
        let behind_now = file.behind_archive();
        self.figures.behind = behind_now.map_err(|error| chain(&error))?;
        let store = Arc::clone(&self.store.store);
        let archive = Archive::open_or_create(store, &self.store.url, random_name()?).await;
        let archive = archive.map_err(|error| chain(&error))?;
        let feeder = Feeder::begin(file, archive, Limits::default(), self.hold, random_name()?);
        let feeder = feeder.map_err(|error| chain(&error))?;
        let (archive, behind) = (&self.store.url, behind(&feeder)?);
        // While it fails, each round begins anew, and it is said once that it fails.
        if self.failing.is_none() {
            tracing::info!(name: "archiving", archive, behind, "archiving what the queue takes");
        }
        Ok(feeder)
    }

    /// Says once that it fails, now and then that it still does, and once that it works again.
    fn tell(&mut self, written: Result<(), String>) {
        let now = self.clock.monotonic();
        match written {
            Ok(()) => {
                if let Some(failing) = self.failing.take() {
                    let for_s = now.saturating_sub(failing.since).as_secs();
                    tracing::info!(name: "archive_back", for_s, "the archive is written again, with what waited first");
                }
            }
            Err(reason) => {
                self.figures.failures += 1;
                self.tell_failure(now, &reason);
            }
        }
        self.figures.is_failing = self.failing.is_some();
        self.metrics.set_archive(self.figures);
    }

    fn tell_failure(&mut self, now: Duration, reason: &str) {
        let hold_s = self.hold.as_secs();
        let Some(failing) = self.failing.as_mut() else {
            tracing::warn!(name: "archive_fails", reason, hold_s, "the archive cannot be written: deliveries go on, and the queue keeps what is not archived");
            self.failing = Some(Failing {
                since: now,
                said: now,
            });
            return;
        };
        if now.saturating_sub(failing.said) >= SAID_EVERY {
            failing.said = now;
            let for_s = now.saturating_sub(failing.since).as_secs();
            tracing::error!(name: "archive_still_fails", reason, for_s, hold_s, "the archive cannot be written: events that are acknowledged are removed without it, `hold` later than others");
        }
    }
}

fn behind(feeder: &Feeder) -> Result<u64, String> {
    feeder.behind().map_err(|error| chain(&error))
}
