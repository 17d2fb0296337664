//! What is the same for every platform: the source, the ledger, where to send, how often.

use super::embedded::{self, Embedded};
use super::preview::Preview;
use super::progress::Shown;
use super::rounds;
use crate::discover::{self, Missing};
use crate::failure::Failure;
use crate::home::Home;
use crate::open::{self, not_opened};
use crate::places::QueuePlace;
use crate::times::parse_duration;
use crate::world::World;
use jiff::Timestamp;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_core::ledger::LedgerError;
use labelrelay_core::provider::Provider;
use labelrelay_core::{Clock, Ledger};
use labelrelay_http::SystemClock;
use labelrelay_local::LedgerFile;
use labelrelay_reconcile::{Outlet, Platform, Reconcile, ReconcileError, Summary};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The configured source as which the deliveries would have come; needed when several are of this platform
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Look through this project only; can be given several times [default: all that the token sees]
    #[arg(long, value_name = "ID")]
    pub(super) project: Vec<String>,
    /// This project was deleted: report what was in it as deleted
    #[arg(long, value_name = "ID")]
    deleted_project: Vec<String>,
    /// Do it again this long after each run, until told to stop
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    every: Option<Duration>,
    /// Send and record nothing; print what would be sent
    #[arg(long)]
    dry_run: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    /// Remember what is older than this without sending it, unless it changes
    #[arg(long, value_name = "TIME", value_parser = time)]
    begin: Option<Timestamp>,
    /// Look back this far before the end of the last run
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "10m")]
    overlap: Duration,
    /// Requests a second at most
    #[arg(long, value_name = "N", value_parser = rate)]
    pub(super) rate: Option<f64>,
    /// The server is the one of before, at another address
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
    /// Reconciles with `platform`, which is `server`, once or again and again.
    pub(super) fn run(
        &self,
        world: &World<'_>,
        provider: Provider,
        server: &str,
        platform: Arc<dyn Platform>,
    ) -> Result<(), Failure> {
        let config = discover::find(world, self.config.as_deref(), Missing::Refuse)?.config;
        let source = self.source(&config, provider)?;
        let QueuePlace::Sqlite(queue) = open::queue_place(&config, world)? else {
            return Err(Failure::config(format_args!(
                "{}: `queue`: reconcile sends into an embedded queue; set queue = \"sqlite:queue.db\"",
                config.origin
            )));
        };
        let place = Place {
            args: self,
            source,
            server,
            platform,
            clock: Arc::new(SystemClock::new()),
            queue,
            home: Home::below(world.cwd()),
        };
        let runtime = crate::runtime::full()?;
        runtime.block_on(rounds::run(self.every, || place.once()))
    }

    fn source<'a>(
        &self,
        config: &'a Config,
        provider: Provider,
    ) -> Result<&'a SourceConfig, Failure> {
        let of_platform = || {
            config
                .sources
                .iter()
                .filter(|source| source.provider == provider)
        };
        let names = || {
            let names: Vec<_> = of_platform().map(|source| source.name.as_str()).collect();
            names.join(", ")
        };
        if let Some(name) = &self.source {
            return of_platform()
                .find(|source| source.name == *name)
                .ok_or_else(|| {
                    Failure::usage(format_args!(
                        "--source {name}: there is no such source of {}; there are: {}",
                        provider.as_str(),
                        names()
                    ))
                });
        }
        let mut sources = of_platform();
        match (sources.next(), sources.next()) {
            (Some(source), None) => Ok(source),
            (None, _) => Err(Failure::config(format_args!(
                "{}: no source is of {}; add a [[source]] section, for ids and names are made of it",
                config.origin,
                provider.as_str()
            ))),
            (Some(_), Some(_)) => Err(Failure::usage(format_args!(
                "several sources are of {}: say which with --source NAME: {}",
                provider.as_str(),
                names()
            ))),
        }
    }
}

/// What every round goes by.
struct Place<'a> {
    args: &'a Common,
    source: &'a SourceConfig,
    server: &'a str,
    platform: Arc<dyn Platform>,
    clock: Arc<SystemClock>,
    queue: PathBuf,
    home: Home,
}

impl Place<'_> {
    async fn once(&self) -> Result<(), Failure> {
        let ledger_file = LedgerFile::beside(&self.queue);
        let (name, clock) = (&self.source.name, self.clock.clone());
        let progress = Shown::new(self.args.json);
        let summary = if self.args.dry_run {
            let mut ledger = LedgerFile::copy(&ledger_file, name, self.server)?;
            let mut outlet = Preview::new(&self.queue, clock, self.args.json)?;
            self.reconcile(&mut ledger, &mut outlet, &progress).await
        } else {
            if self.queue == self.home.queue_file() {
                self.home.make()?;
            }
            embedded::make(&self.queue, clock.clone())?;
            if self.args.moved {
                LedgerFile::moved(&ledger_file, name, self.server)?;
            }
            let mut ledger = LedgerFile::open(&ledger_file, name, self.server)?;
            let mut outlet =
                Embedded::open(&self.queue, clock).map_err(|error| not_opened(&error))?;
            self.reconcile(&mut ledger, &mut outlet, &progress).await
        };
        drop(progress);
        let summary = summary?;
        rounds::tell(&summary, self.args.dry_run, self.args.json)?;
        if summary.vanished.is_empty() {
            return Ok(());
        }
        let projects = summary.vanished.join(", ");
        Err(Failure::failed(format_args!(
            "gone, or no longer seen with this token: project {projects}. Nothing in it is reported as deleted. If it was deleted, add --deleted-project ID once; if not, give the token its rights back"
        )))
    }

    async fn reconcile(
        &self,
        ledger: &mut dyn Ledger,
        outlet: &mut dyn Outlet,
        progress: &Shown,
    ) -> Result<Summary, ReconcileError> {
        let clock: &dyn Clock = &*self.clock;
        Reconcile {
            source: self.source,
            platform: Arc::clone(&self.platform),
            ledger,
            outlet,
            progress,
            clock,
            overlap: self.args.overlap,
            begin: self.args.begin,
            deleted_projects: &self.args.deleted_project,
        }
        .run()
        .await
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::failed(crate::failure::chain(&error))
    }
}

impl From<ReconcileError> for Failure {
    fn from(error: ReconcileError) -> Self {
        Self::failed(error)
    }
}
