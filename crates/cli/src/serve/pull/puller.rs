//! The runs of one source, one after the other, until somebody says to stop.

use super::failures::{self, Failures};
use super::ledger::{Held, LedgerLocation, told};
use super::recorder::Recorder;
use super::sink::RelaySink;
use super::unattended_progress::Told;
use crate::arrivals::Arrived;
use crate::error::chain;
use crate::platform_http;
use crate::pull_turn::PullTurn;
use crate::queue_records::QueueRecords;
use crate::queue_sender::QueueSender;
use crate::serve::pull_state::PullState;
use crate::serve::signals::{Stop, stopped};
use labelrelay_core::config::{PullConfig, SourceConfig};
use labelrelay_core::provider::Provider;
use labelrelay_core::{Clock, Entropy as _, Lease, QueueError, SecretSource};
use labelrelay_http::admin::Metrics;
use labelrelay_local::LedgerFile;
use labelrelay_reconcile::http::Proxies;
use labelrelay_reconcile::label_studio::LabelStudio;
use labelrelay_reconcile::labelbox::Labelbox;
use labelrelay_reconcile::{Platform, PlatformError, Progress as _, Reconcile, Summary};
use labelrelay_startup::OsEntropy;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// One attempt of a request. The next run tries again what this one gives up.
const TIMEOUT: Duration = Duration::from_secs(60);
const ATTEMPTS: u32 = 3;

/// Longest pause between two looks whether the replica that pulls is gone.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Everything that all runs of one source share.
pub(super) struct Job {
    pub(super) source: SourceConfig,
    pub(super) settings: PullConfig,
    /// URL of the platform.
    pub(super) server: String,
    pub(super) token: Box<dyn SecretSource>,
    pub(super) proxies: Proxies,
    pub(super) place: LedgerLocation,
    pub(super) sender: Arc<QueueSender>,
    /// The runtime of the deliveries.
    pub(super) main: Handle,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) state: PullState,
    pub(super) metrics: Arc<Metrics>,
}

pub(super) struct Puller {
    job: Job,
    /// Events sent to a queue we cannot read, not yet recorded; the next recorder takes them.
    arrived: Option<Arrived>,
    platform: Option<Arc<dyn Platform>>,
    held: Option<Held>,
    turn: PullTurn,
}

impl Puller {
    pub(super) fn new(job: Job, arrived: Option<Arrived>) -> Self {
        Self {
            job,
            arrived,
            platform: None,
            held: None,
            turn: PullTurn::default(),
        }
    }

    pub(super) async fn run(mut self, stop: Stop) {
        let source = self.job.source.name.clone();
        self.job.metrics.pull_began(&source);
        tracing::info!(name: "pulling", source, server = self.job.server, every_s = self.job.settings.every.as_secs(), "pulls from the platform by itself");
        // Whatever is broken off is found again by the next start.
        tokio::select! {
            () = self.rounds() => {}
            () = stopped(stop) => {}
        }
        if let Some(held) = self.held.take() {
            held.close(&source).await;
        }
    }

    async fn rounds(&mut self) {
        let source = self.job.source.name.clone();
        let every = self.job.settings.every;
        let progress = Told::new(
            &source,
            Arc::clone(&self.job.metrics),
            Arc::clone(&self.job.clock),
        );
        let mut failures = Failures::default();
        let mut is_first = true;
        // Runs in a row in which the queue refused something for good: each finds it again, among everything else.
        let mut refusals: u32 = 0;
        let mut stands_by = false;
        loop {
            let pause = match self.round(&progress).await {
                Ok(None) => {
                    // Its failures are told by the one that pulls.
                    self.job.metrics.pull_succeeded(&source);
                    if !std::mem::replace(&mut stands_by, true) {
                        tracing::info!(name: "pull_stands_by", source, "another replica pulls from this source; this one does once that one is gone");
                    }
                    every.min(LOOK_EVERY)
                }
                Ok(Some(summary)) => {
                    stands_by = false;
                    self.job.metrics.pull_succeeded(&source);
                    self.job.succeeded(&summary);
                    warn_of_vanished(&summary, &progress);
                    if summary.refused > 0 {
                        refusals = refusals.saturating_add(1);
                    } else {
                        refusals = 0;
                    }
                    let failed = failures.over();
                    if failed > 0 {
                        tracing::info!(name: "pull_works_again", source, failures = failed, "pulling works again");
                    }
                    if std::mem::take(&mut is_first) {
                        tracing::info!(name: "pulled", source, projects = summary.projects, created = summary.created, updated = summary.updated, deleted = summary.deleted, "looked through the platform");
                    }
                    every.max(OsEntropy.spread(failures::pause(refusals)))
                }
                Err(reason) => {
                    self.job.metrics.pull_failed(&source);
                    self.job.failed(&reason);
                    // The token may be another one by now.
                    self.platform = None;
                    let (pause, is_new) = failures.add(&reason, every);
                    if is_new {
                        tracing::warn!(name: "pull_failed", source, reason, "pulling failed; it is tried again, at growing intervals, and deliveries go on");
                    }
                    OsEntropy.spread(pause)
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Looks through the platform once; `None` while another replica does.
    async fn round(&mut self, progress: &Told) -> Result<Option<Summary>, String> {
        let platform = match &self.platform {
            Some(platform) => Arc::clone(platform),
            None => Arc::clone(self.platform.insert(self.job.platform().await?)),
        };
        let (source, server) = (&self.job.source.name, &self.job.server);
        if let LedgerLocation::Beside {
            queue,
            ledger,
            turn,
        } = &self.job.place
        {
            let _turn = turn.lock().await;
            let mut ledger =
                LedgerFile::open(ledger, source, server).map_err(|error| told(&error))?;
            let records = QueueRecords::open(queue, Arc::clone(&self.job.clock));
            let records = records.map_err(|error| chain(&error))?;
            let run = self.job.run(platform, &mut ledger, Some(records), progress);
            return run.await.map(Some);
        }
        // Also where another one pulls: what this one accepts is in the ledger that all of them have.
        self.hold(&platform).await?;
        if !self.turn.is_mine(self.job.lease()).await {
            return Ok(None);
        }
        let Some(held) = &mut self.held else {
            return Ok(None);
        };
        let run = self.job.run(platform, &mut held.ledger, None, progress);
        run.await.map(Some)
    }

    /// Opens the ledger of a queue that is no file, and begins to record what that queue takes.
    async fn hold(&mut self, platform: &Arc<dyn Platform>) -> Result<(), String> {
        let (source, server) = (&self.job.source.name, &self.job.server);
        let held = match &mut self.held {
            Some(held) => held,
            None => self.held.insert(self.job.place.hold(source, server).await?),
        };
        if self.arrived.is_some() {
            let ledger = held.ledger.another().map_err(|error| told(&error))?;
            if let Some(arrived) = self.arrived.take() {
                let recorder = Recorder {
                    arrived,
                    ledger,
                    source: self.job.source.clone(),
                    platform: Arc::clone(platform),
                };
                held.recorder = Some(recorder.start().map_err(|error| error.to_string())?);
            }
        }
        Ok(())
    }
}

impl Job {
    async fn lease(&self) -> Result<Option<Lease>, QueueError> {
        let (sender, source) = (Arc::clone(&self.sender), self.source.name.clone());
        // Its connection belongs to the runtime of the deliveries, as all of the queue's do.
        let asked = self
            .main
            .spawn(async move { sender.pull_lease(&source).await });
        // It breaks off when the program stops.
        asked.await.unwrap_or(Ok(None))
    }

    /// Tells whoever looks on.
    fn succeeded(&self, summary: &Summary) {
        // Of another queue, a pull does not know what was delivered.
        let knows_deliveries = matches!(self.place, LedgerLocation::Beside { .. });
        let silent: &[String] = if knows_deliveries {
            &summary.silent
        } else {
            &[]
        };
        let now = self.clock.now().as_millisecond();
        self.state.succeeded(&self.source.name, now, silent);
    }

    fn failed(&self, reason: &str) {
        let now = self.clock.now().as_millisecond();
        self.state.failed(&self.source.name, now, reason);
    }

    /// Looks through the platform once. `records` is what the queue got, where it can be looked into.
    async fn run(
        &self,
        platform: Arc<dyn Platform>,
        ledger: &mut LedgerFile,
        records: Option<QueueRecords>,
        progress: &Told,
    ) -> Result<Summary, String> {
        let mut sink = RelaySink {
            sender: Arc::clone(&self.sender),
            main: self.main.clone(),
            records,
        };
        let mut run = Reconcile {
            source: &self.source,
            platform,
            ledger,
            sink: &mut sink,
            progress,
            clock: &*self.clock,
            overlap: self.settings.overlap,
            begin: self.settings.since,
            full: false,
            deleted_projects: &self.settings.deleted_projects,
        };
        run.run().await.map_err(|error| chain(&error))
    }

    /// The platform, asked with the newest token.
    async fn platform(&self) -> Result<Arc<dyn Platform>, String> {
        let secrets = self.token.fetch().await;
        let secrets = secrets.map_err(|error| error.to_string())?;
        let token = secrets.into_iter().next();
        let token = token.ok_or("the token is empty: put one in its place")?;
        let mut options = platform_http::options(self.proxies.clone());
        options.timeout = TIMEOUT;
        options.attempts = ATTEMPTS;
        options.per_second = self.settings.rate;
        let projects = self.settings.projects.clone();
        let failed = |error: PlatformError| error.message;
        Ok(if self.source.provider == Provider::Labelbox {
            let opened = Labelbox::new(&self.server, token, projects, options);
            Arc::new(opened.map_err(failed)?)
        } else {
            let opened = LabelStudio::new(&self.server, token, projects, options);
            Arc::new(opened.map_err(failed)?)
        })
    }
}

fn warn_of_vanished(summary: &Summary, progress: &Told) {
    for project in &summary.vanished {
        progress.warn(&format!(
            "gone, or no longer seen with this token: project {project}. Nothing in it is reported as deleted. If it was deleted, put it into deleted_projects in [source.pull]; if not, give the token its rights back"
        ));
    }
}
