//! Queue for the events that were found, and place of the ledger: beside the embedded queue, or in a store.

mod embedded;
mod kept;
mod preview;
mod queue;

use crate::failure::Failure;
use crate::home::Home;
use crate::open::{self, not_opened};
use crate::places::{self, QueuePlace, StorePlace};
use crate::sender::Sender;
use crate::world::World;
use embedded::Embedded;
use kept::{Kept, Saving};
use labelrelay_core::config::Config;
use labelrelay_core::{Clock, QueueLimits};
use labelrelay_local::{LedgerFile, Options};
use labelrelay_reconcile::Sink;
use labelrelay_startup::{BLOB_STORE, QUEUE, Setting};
use preview::Preview;
use queue::Queue;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) struct Target {
    kind: Kind,
    /// Events go to stdout, where nothing else may stand then.
    pub(super) takes_stdout: bool,
    clock: Arc<dyn Clock>,
}

enum Kind {
    /// The embedded queue in this file; the ledger lies beside it.
    Embedded { queue: PathBuf, home: Home },
    /// Any other queue; the ledger lies in a store.
    Queue {
        sender: Arc<Sender>,
        /// `None` in a dry run, as long as nobody has made its directory.
        ledger: Option<Arc<Kept>>,
    },
}

/// Options of one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wishes<'a> {
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
}

impl Target {
    /// Takes the configured queue, with the ledger at the URL `ledger` if that is given. A dry run makes nothing. Needs a
    /// Tokio runtime around it.
    pub(super) async fn new(
        config: &Config,
        ledger: Option<&str>,
        source: &str,
        dry_run: bool,
        world: &World<'_>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let place = open::queue_place(config, world)?;
        let takes_stdout = place == QueuePlace::Stdout;
        let at = open::setting(QUEUE, config, world);
        let kind = match (open::sink(&place, at, world, &clock).await?, place) {
            (Some(queue), _) => {
                let blobs = open::blob_store(config, world, &clock, !dry_run).await?;
                let sender = Sender::new(queue, blobs, Arc::clone(&clock));
                let (place, at) = ledger_place(config, ledger, world)?;
                let place = place.below(source);
                let store = open::objects(&place, at, world, &clock, !dry_run).await?;
                let kept = |store| Kept::new(store, place.to_string(), Arc::clone(&clock));
                Kind::Queue {
                    sender: Arc::new(sender),
                    ledger: store.map(|store| Arc::new(kept(store))),
                }
            }
            (None, QueuePlace::Sqlite(queue)) => {
                if ledger.is_some() {
                    return Err(Failure::usage(format_args!(
                        "--ledger is for queues elsewhere: this one is a file, and its ledger is {}",
                        LedgerFile::beside(&queue).display()
                    )));
                }
                let home = Home::below(world.cwd());
                Kind::Embedded { queue, home }
            }
            (None, other) => {
                return Err(Failure::config(format_args!("{other}: cannot be sent to")));
            }
        };
        Ok(Self {
            kind,
            takes_stdout,
            clock,
        })
    }

    /// Opens both for one run.
    pub(super) async fn open(&self, wishes: Wishes<'_>) -> Result<Opened, Failure> {
        match &self.kind {
            Kind::Embedded { queue, home } => self.embedded(queue, home, wishes),
            Kind::Queue {
                sender,
                ledger: Some(ledger),
            } => queue(sender, ledger, wishes).await,
            Kind::Queue {
                sender,
                ledger: None,
            } => preview(sender, Path::new(""), wishes),
        }
    }

    fn embedded(&self, queue: &Path, home: &Home, wishes: Wishes<'_>) -> Result<Opened, Failure> {
        let file = LedgerFile::beside(queue);
        let clock = Arc::clone(&self.clock);
        if wishes.dry_run {
            let queue = Embedded::open_existing(queue, clock)?;
            let limits = QueueLimits::bytes(Options::default().max_message_bytes);
            return Ok(Opened {
                ledger: LedgerFile::copy(&file, wishes.source, wishes.server)?,
                sink: Box::new(Preview::new(queue, limits, wishes.json)),
                saving: None,
            });
        }
        if queue == home.queue_file() {
            home.make()?;
        }
        embedded::make(queue, Arc::clone(&clock))?;
        let ledger = wishes.ledger(&file)?;
        let queue = Embedded::open(queue, clock).map_err(|error| not_opened(&error))?;
        Ok(Opened {
            ledger,
            sink: Box::new(queue),
            saving: None,
        })
    }
}

async fn queue(
    sender: &Arc<Sender>,
    kept: &Arc<Kept>,
    wishes: Wishes<'_>,
) -> Result<Opened, Failure> {
    let copy = kept.fetch().await?;
    let file = copy.file();
    let named = |failure| kept.says(failure, &file);
    if wishes.dry_run {
        return preview(sender, &file, wishes).map_err(named);
    }
    let ledger = wishes.ledger(&file).map_err(named)?;
    Ok(Opened {
        ledger,
        sink: Box::new(Queue::new(Arc::clone(sender))),
        saving: Some(Saving::begin(Arc::clone(kept), copy)),
    })
}

/// By the ledger in this file, if it is there.
fn preview(sender: &Sender, ledger: &Path, wishes: Wishes<'_>) -> Result<Opened, Failure> {
    Ok(Opened {
        ledger: LedgerFile::copy(ledger, wishes.source, wishes.server)?,
        sink: Box::new(Preview::new(None, sender.limits(), wishes.json)),
        saving: None,
    })
}

impl Wishes<'_> {
    fn ledger(&self, file: &Path) -> Result<LedgerFile, Failure> {
        if self.moved {
            LedgerFile::moved(file, self.source, self.server)?;
        }
        Ok(LedgerFile::open(file, self.source, self.server)?)
    }
}

impl Opened {
    /// Makes what was recorded last, also of a run that failed.
    pub(super) async fn close(self) -> Result<(), Failure> {
        match self.saving {
            Some(saving) => saving.end().await,
            None => Ok(()),
        }
    }
}

/// Place of ledgers: `url`, or within the blob store.
fn ledger_place<'a>(
    config: &'a Config,
    url: Option<&str>,
    world: &'a World<'_>,
) -> Result<(StorePlace, Setting<'a>), Failure> {
    if let Some(url) = url {
        let at = Setting {
            origin: "command line",
            key: "--ledger",
            base_dir: world.cwd(),
        };
        let place = places::store(url, world.cwd());
        return Ok((place.map_err(|error| error.at(at.origin, at.key))?, at));
    }
    let Some(url) = &config.blob_store else {
        return Err(Failure::usage(
            "where shall be remembered what was seen? The queue is not a file of this machine: give --ledger URL (s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX, file:///DIRECTORY), or configure a blob store, which it then lies in",
        ));
    };
    let at = open::setting(BLOB_STORE, config, world);
    let place = places::store(url, at.base_dir);
    let place = place.map_err(|error| error.at(at.origin, at.key))?;
    Ok((place.below("ledger"), at))
}
