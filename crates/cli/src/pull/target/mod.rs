//! Queue for the events that were found, and location of the ledger: beside the embedded queue, or in a store.

mod embedded;
mod preview;
mod queue;
mod traces;

use crate::clouds::Cloud;
use crate::env::Env;
use crate::error::CliError;
use crate::local_dir::LocalDir;
use crate::locations::{self, QueueLocation, StoreLocation};
use crate::open::{self, not_opened};
use crate::output::say;
use crate::queue_sender::QueueSender;
use crate::remote_ledger::{RemoteLedger, Saving};
use embedded::Embedded;
use labelrelay_core::config::Config;
use labelrelay_core::ledger::LedgerError;
use labelrelay_core::{Clock, Lease, QueueError, QueueLimits};
use labelrelay_local::{LedgerFile, Options};
use labelrelay_reconcile::Sink;
use labelrelay_startup::{BLOB_STORE, QUEUE, Setting, TRACES};
use preview::Preview;
use queue::Queue;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use traces::{TraceStore, Traces};

/// Looks for a ledger that another run has, and the pause between them: 5 s in all.
const TRIES: u32 = 25;
const PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Target {
    kind: Kind,
    /// Events go to stdout, where nothing else may stand then.
    pub(super) takes_stdout: bool,
    clock: Arc<dyn Clock>,
}

enum Kind {
    /// The embedded queue in this file; the ledger is beside it.
    Embedded { queue: PathBuf, local_dir: LocalDir },
    /// Any other queue; the ledger is in a store.
    Queue {
        sender: Arc<QueueSender>,
        /// `None` in a dry run, as long as nobody has made its directory.
        ledger: Option<Arc<RemoteLedger>>,
        /// Where whoever takes deliveries leaves traces, if it does.
        traces: Option<TraceStore>,
    },
}

/// Options of one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunOptions<'a> {
    /// Name of the source whose ledger it is.
    pub(super) source: &'a str,
    /// Server that the ledger is about.
    pub(super) server: &'a str,
    /// The ledger may be about another address.
    pub(super) moved: bool,
    /// Nothing is sent or left behind.
    pub(super) dry_run: bool,
    /// Events of a dry run are printed as JSON.
    pub(super) json: bool,
}

/// Ledger and queue, as long as a run has them.
pub(super) struct Opened {
    pub(super) ledger: LedgerFile,
    pub(super) sink: Box<dyn Sink>,
    saving: Option<Saving>,
    traces: Option<Arc<Traces>>,
}

impl Target {
    /// Takes the configured queue, with the ledger at the URL `ledger` if that is given. A dry run makes nothing. Needs a
    /// Tokio runtime around it.
    pub(super) async fn new(
        config: &Config,
        ledger: Option<&str>,
        source: &str,
        dry_run: bool,
        env: &Env<'_>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CliError> {
        let location = open::queue_location(config, env)?;
        let takes_stdout = location == QueueLocation::Stdout;
        let at = open::setting(QUEUE, config, env);
        let kind = match (
            open::sink(&location, at, Some(config), env, &clock).await?,
            location,
        ) {
            (Some(queue), location) => {
                let blobs = open::blob_store(config, env, &clock, !dry_run).await?;
                let sender = QueueSender::new(queue, blobs, Arc::clone(&clock));
                let (location, at) = match (&location, ledger) {
                    (QueueLocation::Cloud(Cloud::Postgres, url), None) => {
                        (locations::ledger_in_postgres(url), at)
                    }
                    _ => ledger_location(config, ledger, env)?,
                };
                let location = location.below(source);
                let store = open::objects(&location, at, env, &clock, !dry_run).await?;
                let remote = |store| {
                    RemoteLedger::new(store, location.to_string(), Arc::clone(&clock), warn)
                };
                Kind::Queue {
                    sender: Arc::new(sender),
                    ledger: store.map(|store| Arc::new(remote(store))),
                    traces: trace_store(config, env, &clock, !dry_run).await?,
                }
            }
            (None, QueueLocation::Sqlite(queue)) => {
                if ledger.is_some() {
                    return Err(CliError::usage(format_args!(
                        "--ledger is for queues elsewhere: this one is a file, and its ledger is {}",
                        LedgerFile::beside(&queue).display()
                    )));
                }
                let local_dir = LocalDir::below(env.cwd());
                Kind::Embedded { queue, local_dir }
            }
            (None, other) => {
                return Err(CliError::config(format_args!("{other}: cannot be sent to")));
            }
        };
        Ok(Self {
            kind,
            takes_stdout,
            clock,
        })
    }

    /// The right to pull again and again, which one process at a time has, where the queue sees to that. `None` while another
    /// has it.
    pub(super) async fn lease(&self, source: &str) -> Result<Option<Lease>, QueueError> {
        match &self.kind {
            Kind::Embedded { .. } => Ok(Some(Lease::of(()))),
            Kind::Queue { sender, .. } => sender.pull_lease(source).await,
        }
    }

    /// Opens both for one run.
    pub(super) async fn open(&self, options: RunOptions<'_>) -> Result<Opened, CliError> {
        match &self.kind {
            Kind::Embedded { queue, local_dir } => self.embedded(queue, local_dir, options).await,
            Kind::Queue {
                sender,
                ledger,
                traces,
            } => {
                let of_source = |store: &TraceStore| {
                    let clock = Arc::clone(&self.clock);
                    Arc::new(Traces::new(store.clone(), options.source, clock, warn))
                };
                let traces = traces.as_ref().map(of_source);
                match ledger {
                    Some(ledger) => queue(sender, ledger, traces, options).await,
                    None => preview(sender, Path::new(""), traces, options),
                }
            }
        }
    }

    async fn embedded(
        &self,
        queue: &Path,
        local_dir: &LocalDir,
        options: RunOptions<'_>,
    ) -> Result<Opened, CliError> {
        let file = LedgerFile::beside(queue);
        let clock = Arc::clone(&self.clock);
        if options.dry_run {
            let queue = Embedded::open_existing(queue, clock)?;
            let limits = QueueLimits::bytes(Options::default().max_message_bytes);
            return Ok(Opened {
                ledger: LedgerFile::copy(&file, options.source, options.server)?,
                sink: Box::new(Preview::new(queue, limits, options.json)),
                saving: None,
                traces: None,
            });
        }
        if queue == local_dir.queue_file() {
            local_dir.make()?;
        }
        embedded::make(queue, Arc::clone(&clock))?;
        let ledger = options.ledger_when_free(&file).await?;
        let queue = Embedded::open(queue, clock).map_err(|error| not_opened(&error))?;
        Ok(Opened {
            ledger,
            sink: Box::new(queue),
            saving: None,
            traces: None,
        })
    }
}

fn warn(words: &str) {
    say(format_args!("warning: {words}"));
}

async fn queue(
    sender: &Arc<QueueSender>,
    remote: &Arc<RemoteLedger>,
    traces: Option<Arc<Traces>>,
    options: RunOptions<'_>,
) -> Result<Opened, CliError> {
    if !options.dry_run {
        // Before anything is sent: it is to be remembered.
        remote.check().await?;
    }
    let copy = remote.fetch().await?;
    let file = copy.file();
    let named = |failure| remote.says(failure, &file);
    if options.dry_run {
        return preview(sender, &file, traces, options).map_err(named);
    }
    let mut ledger = options.ledger(&file).map_err(|error| named(error.into()))?;
    ledger.track()?;
    Ok(Opened {
        ledger,
        sink: Box::new(Queue::new(Arc::clone(sender), traces.clone())),
        saving: Some(Saving::begin(Arc::clone(remote), copy)),
        traces,
    })
}

/// By the ledger in this file, if it is there.
fn preview(
    sender: &QueueSender,
    ledger: &Path,
    traces: Option<Arc<Traces>>,
    options: RunOptions<'_>,
) -> Result<Opened, CliError> {
    let preview = Preview::new(None, sender.limits(), options.json);
    Ok(Opened {
        ledger: LedgerFile::copy(ledger, options.source, options.server)?,
        sink: Box::new(preview.with_traces(traces)),
        saving: None,
        traces: None,
    })
}

impl RunOptions<'_> {
    fn ledger(&self, file: &Path) -> Result<LedgerFile, LedgerError> {
        if self.moved {
            LedgerFile::moved(file, self.source, self.server)?;
        }
        LedgerFile::open(file, self.source, self.server)
    }

    /// The same; a `serve` that pulls by itself has the ledger now and then.
    async fn ledger_when_free(&self, file: &Path) -> Result<LedgerFile, CliError> {
        for _ in 0..TRIES {
            match self.ledger(file) {
                Err(error) if error.retryable => tokio::time::sleep(PAUSE).await,
                opened => return Ok(opened?),
            }
        }
        Ok(self.ledger(file)?)
    }
}

impl Opened {
    /// Tells whether the run learned what was delivered since the one before: from the embedded queue, or from traces.
    pub(super) fn knows_deliveries(&self) -> bool {
        match &self.traces {
            Some(traces) => !traces.have_failed(),
            // Only another queue has a ledger that is saved.
            None => self.saving.is_none(),
        }
    }

    /// Makes what was recorded last, also of a run that failed.
    pub(super) async fn close(self) -> Result<(), CliError> {
        let Some(saving) = self.saving else {
            return Ok(());
        };
        saving.end().await?;
        // Not before: until then they are all that tells of these events.
        if let Some(traces) = self.traces {
            traces.remove_recorded().await;
        }
        Ok(())
    }
}

/// The store for traces, if one is configured. `make` says whether its directory may be made.
async fn trace_store(
    config: &Config,
    env: &Env<'_>,
    clock: &Arc<dyn Clock>,
    make: bool,
) -> Result<Option<TraceStore>, CliError> {
    let Some(url) = &config.traces else {
        return Ok(None);
    };
    let at = open::setting(TRACES, config, env);
    let location = locations::store(url, at.base_dir);
    let location = location.map_err(|error| error.at(at.origin, at.key))?;
    let store = open::objects(&location, at, env, clock, make).await?;
    Ok(store.map(|store| TraceStore {
        store,
        location: location.to_string(),
    }))
}

/// Location of ledgers: `url`, or within the blob store.
fn ledger_location<'a>(
    config: &'a Config,
    url: Option<&str>,
    env: &'a Env<'_>,
) -> Result<(StoreLocation, Setting<'a>), CliError> {
    if let Some(url) = url {
        let at = Setting {
            origin: "command line",
            key: "--ledger",
            base_dir: env.cwd(),
        };
        let location = locations::store(url, env.cwd());
        return Ok((location.map_err(|error| error.at(at.origin, at.key))?, at));
    }
    let Some(url) = &config.blob_store else {
        return Err(CliError::usage(
            "where shall be remembered what was seen? The queue is not a file of this machine: give --ledger URL (s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX, file:///DIRECTORY), or configure a blob store, which it then lies in",
        ));
    };
    let at = open::setting(BLOB_STORE, config, env);
    let location = locations::store(url, at.base_dir);
    let location = location.map_err(|error| error.at(at.origin, at.key))?;
    Ok((location.below("ledger"), at))
}
