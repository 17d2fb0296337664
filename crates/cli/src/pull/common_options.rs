//! Options and steps that every platform has: source, ledger, queue, schedule.

use super::counted::Counted;
use super::progress::Shown;
use super::rounds;
use super::target::{RunOptions, Target};
use crate::connect::sections;
use crate::durations::{self, parse_duration};
use crate::env::Env;
use crate::error::CliError;
use crate::find_configuration::{self, Missing};
use crate::output::{print, say};
use crate::pull_counts::PullCounts;
use crate::pull_turn::PullTurn;
use crate::source_of_platform;
use crate::telemetry::PullMetrics;
use jiff::Timestamp;
use labelrelay_core::Clock;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_core::ledger::LedgerError;
use labelrelay_core::provider::Provider;
use labelrelay_http::admin::Metrics;
use labelrelay_reconcile::{Platform, Reconcile, ReconcileError};
use labelrelay_startup::SystemClock;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Common {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The configured source of these events; needed when several are of this platform
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Look through this project only; can be given several times [default: those of `[source.pull]`, else of
    /// `[source.webhook]`, else all that the token sees]
    #[arg(long, value_name = "ID")]
    project: Vec<String>,
    /// This project was deleted: report everything in it as deleted
    #[arg(long, value_name = "ID")]
    deleted_project: Vec<String>,
    /// Run again and again, with this pause in between, until stopped
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    every: Option<Duration>,
    /// Send and record nothing; print what would be sent
    #[arg(long)]
    dry_run: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    /// Send changes of this time or later; remember older ones without sending them
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Look at everything, even if the numbers of tasks and annotations agree; happens once a day anyhow
    #[arg(long)]
    full: bool,
    /// Look back this far before the end of the last run
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "10m")]
    overlap: Duration,
    /// Requests a second at most
    #[arg(long, value_name = "N", value_parser = rate)]
    pub(super) rate: Option<f64>,
    /// Store for the ledger of what was seen, if the queue is not a file, such as
    /// `gs://BUCKET/PREFIX` [default: within Postgres or the blob store]
    #[arg(long, value_name = "URL")]
    ledger: Option<String>,
    /// The same server as before, at another address
    #[arg(long)]
    moved: bool,
}

fn time(text: &str) -> Result<Timestamp, String> {
    labelrelay_core::time::parse(text)
        .ok_or_else(|| "write a time as 2026-11-01T00:00:00Z".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("write a number above 0, such as 5 or 0.5".to_owned()),
    }
}

impl Common {
    pub(super) fn configuration(&self, env: &Env<'_>) -> Result<Config, CliError> {
        Ok(find_configuration::find(env, self.config.as_deref(), Missing::Refuse)?.config)
    }

    /// The source whose events these are.
    pub(super) fn source<'a>(
        &self,
        config: &'a Config,
        provider: Provider,
    ) -> Result<&'a SourceConfig, CliError> {
        source_of_platform::find(config, provider, self.source.as_deref())
    }

    /// Projects to look through; empty: all.
    pub(super) fn projects(&self, source: &SourceConfig) -> Vec<String> {
        if self.project.is_empty() {
            sections::pulled_projects(source).to_vec()
        } else {
            self.project.clone()
        }
    }

    /// Reconciles with `platform`, which is `server`, once or again and again.
    pub(super) fn run(
        &self,
        env: &Env<'_>,
        config: &Config,
        source: &SourceConfig,
        server: &str,
        platform: Arc<dyn Platform>,
    ) -> Result<(), CliError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let metrics = Arc::new(Metrics::new());
        let runtime = crate::runtime::full()?;
        let target = Target::new(
            config,
            self.ledger.as_deref(),
            &source.name,
            self.dry_run,
            env,
            Arc::clone(&clock),
        );
        let target = runtime.block_on(target)?;
        let round = Round {
            args: self,
            source,
            server,
            platform,
            counts: PullCounts::new(&source.name, Arc::clone(&metrics), Arc::clone(&clock)),
            clock: Arc::clone(&clock),
            target,
            turn: Mutex::default(),
        };
        runtime.block_on(async {
            round.counts.began();
            // A dry run tells nobody of events that it did not send.
            let sends = (!self.dry_run).then(|| PullMetrics::begin(&metrics, &clock, env));
            let ended = rounds::run(self.every, || round.once()).await;
            if let Some(sends) = sends {
                sends.end().await;
            }
            ended
        })
    }
}

/// Everything that a round needs.
struct Round<'a> {
    args: &'a Common,
    source: &'a SourceConfig,
    server: &'a str,
    platform: Arc<dyn Platform>,
    counts: PullCounts,
    clock: Arc<dyn Clock>,
    target: Target,
    /// The right to pull again and again, where several processes have one queue.
    turn: Mutex<PullTurn>,
}

impl Round<'_> {
    async fn once(&self) -> Result<(), CliError> {
        if let Some(pause) = self.args.every
            && !self.has_turn().await
        {
            let pause = durations::words(pause);
            say(format_args!(
                "another process pulls from this source; this one looks again in {pause}"
            ));
            return Ok(());
        }
        let options = RunOptions {
            source: &self.source.name,
            server: self.server,
            moved: self.args.moved,
            dry_run: self.args.dry_run,
            json: self.args.json,
        };
        let opened = self.target.open(options).await;
        let mut opened = opened.inspect_err(|_| self.counts.ended(false))?;
        let progress = Counted {
            shown: Shown::new(self.args.json),
            counts: &self.counts,
        };
        let mut reconcile = Reconcile {
            source: self.source,
            platform: Arc::clone(&self.platform),
            ledger: &mut opened.ledger,
            sink: &mut *opened.sink,
            progress: &progress,
            clock: &*self.clock,
            overlap: self.args.overlap,
            begin: self.args.since,
            full: self.args.full,
            deleted_projects: &self.args.deleted_project,
        };
        let ended = reconcile.run().await;
        drop(progress);
        let knows_deliveries = !self.args.dry_run && opened.knows_deliveries();
        let closed = opened.close().await;
        self.counts.ended(ended.is_ok() && closed.is_ok());
        let summary = ended?;
        let (dry_run, json) = (self.args.dry_run, self.args.json);
        let words = rounds::words(&summary, dry_run, json, knows_deliveries);
        if self.target.takes_stdout && !self.args.dry_run {
            say(format_args!("{words}"));
        } else {
            print(format_args!("{words}"))?;
        }
        closed?;
        if !summary.vanished.is_empty() {
            let projects = summary.vanished.join(", ");
            return Err(CliError::failed(format_args!(
                "gone, or no longer seen with this token: project {projects}. Nothing in it is reported as deleted. If it was deleted, add --deleted-project ID once; if not, give the token its rights back"
            )));
        }
        if summary.refused > 0 {
            return Err(CliError::failed(format_args!(
                "{} events were not sent, for the reasons above; the next run tries them again",
                summary.refused
            )));
        }
        Ok(())
    }
}

impl Round<'_> {
    /// Tells whether this process is the one that pulls again and again. It is, as long as it lives.
    async fn has_turn(&self) -> bool {
        if self.args.dry_run {
            return true;
        }
        let asked = self.target.lease(&self.source.name);
        self.turn.lock().await.is_mine(asked).await
    }
}

impl From<LedgerError> for CliError {
    fn from(error: LedgerError) -> Self {
        Self::failed(crate::error::chain(&error))
    }
}

impl From<ReconcileError> for CliError {
    fn from(error: ReconcileError) -> Self {
        Self::failed(error)
    }
}
