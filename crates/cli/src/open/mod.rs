//! Opens what a configuration names: queue, blob store, secrets; and puts the pipeline together.

mod back_ends;
mod looking;
pub(crate) mod network;
#[cfg(test)]
mod same_start;
mod spool;
mod stdout_queue;

pub(crate) use back_ends::BackEnds;

use crate::failure::{Failure, chain};
use crate::home::Home;
use crate::places::{self, QueuePlace, StorePlace};
use crate::world::World;
use labelrelay_core::backend::{BackEnd as _, Location};
use labelrelay_core::config::Config;
use labelrelay_core::observe::NoObserver;
use labelrelay_core::{BlobStore, Clock, EventQueue, FallbackStore, Observer, Relay};
use labelrelay_local::{EmbeddedQueue, FileFallback, OpenError, Options};
use labelrelay_startup::{
    BLOB_STORE, Found, Injected, Name, Open, OsEntropy, QUEUE, Setting, StartError, SystemClock,
    examine, settle,
};
use looking::Looking;
use std::sync::Arc;
use std::time::Duration;

/// How long a cloud may take to say that all is well.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pipeline, and what has to be closed after it.
pub(crate) struct Opened {
    pub(crate) relay: Arc<Relay>,
    pub(crate) embedded: Option<Arc<EmbeddedQueue>>,
}

/// Opens everything. Nothing listens yet, and nothing is sent. Needs a Tokio runtime around it.
pub(crate) async fn relay(
    config: &Config,
    world: &World<'_>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<Opened, Failure> {
    let home = Home::below(world.cwd());
    if queue_place(config, world)? == QueuePlace::Sqlite(home.queue_file()) {
        home.make()?;
    }
    let options = Options::from(&config.embedded_queue);
    let back_ends = BackEnds::new(options, world, Arc::clone(&clock));
    let relay = opened(&back_ends.open(), config, world, clock, observer).await?;
    Ok(Opened {
        relay: Arc::new(relay),
        embedded: back_ends.embedded(),
    })
}

async fn opened(
    open: &Open<'_>,
    config: &Config,
    world: &World<'_>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<Relay, Failure> {
    let injected = Injected {
        clock,
        entropy: Arc::new(OsEntropy),
        observer,
        spool: spool::open(config, world)?,
    };
    Ok(open.relay(config, injected).await?)
}

/// Whether `serve` may begin.
pub(crate) async fn may_start(
    relay: &Relay,
    config: &Config,
    world: &World<'_>,
) -> Result<(), Failure> {
    let found = examine(relay, PATIENCE, true).await;
    Ok(settle(&found, relay, config, world.lookup())?)
}

/// Looks at everything that [`relay`] would open, without owning or making anything. Returns warnings.
pub(crate) async fn look(config: &Config, world: &World<'_>) -> Result<Vec<String>, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let back_ends = BackEnds::new(Options::default(), world, Arc::clone(&clock));
    let looking = Looking(&back_ends);
    let mut there = config.clone();
    let is_there = |url: &String, name| {
        let base = setting(name, config, world).base_dir;
        !matches!(places::store(url, base), Ok(StorePlace::Directory(directory)) if !directory.exists())
    };
    // The next start makes those that are not there yet.
    there.blob_store = there.blob_store.filter(|url| is_there(url, BLOB_STORE));
    there.fallback = there
        .fallback
        .filter(|url| is_there(url, labelrelay_startup::FALLBACK));
    let mut open = back_ends.open();
    open.back_end = &looking;
    let injected = Injected {
        clock,
        entropy: Arc::new(OsEntropy),
        observer: Arc::new(NoObserver),
        spool: spool::look(config, world)?,
    };
    let relay = open.relay(&there, injected).await?;
    let found = examine(&relay, PATIENCE, true).await;
    settle(&found, &relay, config, world.lookup())?;
    match found.first() {
        None => Ok(relay.warnings().await),
        Some(found) => Err(not_ready(found)),
    }
}

/// A trouble that a start would wait for.
fn not_ready(found: &Found) -> Failure {
    let source = found.source.as_ref();
    let of = source.map_or_else(String::new, |name| format!(" of source `{name}`"));
    Failure::failed(format_args!(
        "{}{of}: {}; see that it can be reached, has room and is held by no other program, and start again",
        found.what.replace('_', " "),
        found.reason()
    ))
}

/// A queue file that could not be opened. The error names it, and the cure.
pub(crate) fn not_opened(error: &OpenError) -> Failure {
    let message = format!("queue: {}", chain(error));
    if error.is_retryable() {
        Failure::Failed(message)
    } else {
        Failure::Config(message)
    }
}

/// Queue for events: the configured one, else the one in the directory of our own.
pub(crate) fn queue_place(config: &Config, world: &World<'_>) -> Result<QueuePlace, Failure> {
    let Some(url) = &config.queue else {
        return Ok(QueuePlace::Sqlite(Home::below(world.cwd()).queue_file()));
    };
    let at = setting(QUEUE, config, world);
    let place = places::queue(url, at.base_dir);
    Ok(place.map_err(|error| error.at(at.origin, at.key))?)
}

/// A queue that is sent to, without owning it where it is a file; `None` is the embedded one, which others
/// append to.
pub(crate) async fn sink(
    place: &QueuePlace,
    at: Setting<'_>,
    world: &World<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Arc<dyn EventQueue>>, Failure> {
    let url = match place {
        QueuePlace::Sqlite(_) => return Ok(None),
        QueuePlace::Stdout => "stdout:",
        QueuePlace::Cloud(_, url) => url,
    };
    let back_ends = BackEnds::new(Options::default(), world, Arc::clone(clock));
    let opened = back_ends.queue(at.location(url)).await;
    let opened = opened.map_err(|error| StartError::at(error, at.origin, at.key))?;
    Ok(Some(opened))
}

/// The store for bodies that are too large for the queue. `make` says whether its directory may be made.
pub(crate) async fn blob_store(
    config: &Config,
    world: &World<'_>,
    clock: &Arc<dyn Clock>,
    make: bool,
) -> Result<Option<Arc<dyn BlobStore>>, Failure> {
    let base = setting(BLOB_STORE, config, world).base_dir;
    let place = config.blob_store.as_ref();
    let place = place.map(|url| places::store(url, base));
    if let (Some(Ok(StorePlace::Directory(directory))), false) = (place, make)
        && !directory.exists()
    {
        return Ok(None);
    }
    let back_ends = BackEnds::new(Options::default(), world, Arc::clone(clock));
    Ok(back_ends.open().blob_store(config).await?)
}

/// A store whose objects can be listed and removed. `make` says whether its directory may be made; `None` when
/// it may not and is not there.
pub(crate) async fn objects(
    place: &StorePlace,
    at: Setting<'_>,
    world: &World<'_>,
    clock: &Arc<dyn Clock>,
    make: bool,
) -> Result<Option<Arc<dyn FallbackStore>>, Failure> {
    match place {
        StorePlace::Directory(directory) if !make && !directory.exists() => Ok(None),
        StorePlace::Directory(directory) => {
            let store = FileFallback::open(directory).map_err(|error| {
                Failure::config(format_args!("{}: `{}`: {error}", at.origin, at.key))
            })?;
            Ok(Some(Arc::new(store)))
        }
        StorePlace::Cloud(_, url) => {
            let back_ends = BackEnds::new(Options::default(), world, Arc::clone(clock));
            let location = Location {
                url,
                base_dir: at.base_dir,
            };
            let opened = back_ends.ledger(location).await;
            let opened = opened.map_err(|error| StartError::at(error, at.origin, at.key))?;
            Ok(Some(opened))
        }
    }
}

/// The origin, name and base directory of a setting.
pub(crate) fn setting<'a>(name: Name, config: &'a Config, world: &'a World<'_>) -> Setting<'a> {
    Setting::of(name, config, world.lookup(), world.cwd())
}
