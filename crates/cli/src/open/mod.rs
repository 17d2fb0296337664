//! Opens what a configuration names: queue, blob store, secrets; and puts the pipeline together.

mod not_ready;
mod spool;
mod stdout_queue;
mod unopened;

pub(crate) use not_ready::{not_opened, not_ready};

use crate::failure::Failure;
use crate::home::Home;
use crate::places::{self, QueuePlace};
use crate::secrets;
use crate::world::World;
use labelrelay_core::config::Config;
use labelrelay_core::observe::NoObserver;
use labelrelay_core::{
    BlobStore, Clock, EventQueue, FallbackStore, Observer, Parts, QueueLimits, Relay,
};
use labelrelay_http::{OsEntropy, SystemClock};
use labelrelay_local::{EmbeddedQueue, FileBlobStore, FileFallback, OpenError, Options, QueueFile};
use std::path::Path;
use std::sync::Arc;
use stdout_queue::StdoutQueue;
use unopened::Unopened;

/// The pipeline, and what has to be closed after it.
pub(crate) struct Opened {
    pub(crate) relay: Arc<Relay>,
    pub(crate) embedded: Option<Arc<EmbeddedQueue>>,
}

/// Opens everything. Nothing listens yet.
pub(crate) fn relay(
    config: &Config,
    world: &World<'_>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<Opened, Failure> {
    let place = queue_place(config, world)?;
    let blobs = blob_store(config, world, true)?;
    let fallback = fallback(config, world, true)?;
    let (queue, embedded): (Arc<dyn EventQueue>, _) = match place {
        QueuePlace::Sqlite(file) => {
            if file == Home::below(world.cwd()).queue_file() {
                Home::below(world.cwd()).make()?;
            }
            let queue = Arc::new(embedded(&file, config, Arc::clone(&clock))?);
            (queue.clone(), Some(queue))
        }
        QueuePlace::Stdout => {
            let queue = StdoutQueue::open(Arc::clone(&clock))
                .map_err(|error| Failure::failed(format_args!("stdout: {error}")))?;
            (Arc::new(queue), None)
        }
    };
    let parts = Parts::new(queue, clock, Arc::new(OsEntropy), observer)
        .with_blobs(blobs)
        .with_fallback(fallback)
        .with_spool(spool::open(config, world)?);
    let relay = Arc::new(pipeline(config, world, parts)?);
    Ok(Opened { relay, embedded })
}

/// Looks at everything that [`relay`] would open, without owning or making anything. Returns warnings.
pub(crate) async fn look(config: &Config, world: &World<'_>) -> Result<Vec<String>, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let place = queue_place(config, world)?;
    let blobs = blob_store(config, world, false)?;
    let fallback = fallback(config, world, false)?;
    let limits = match &place {
        QueuePlace::Sqlite(file) => {
            match QueueFile::open(file, Arc::clone(&clock)) {
                // The next start makes it.
                Ok(_) | Err(OpenError::Missing { .. }) => {}
                Err(error) => return Err(not_opened(&error)),
            }
            QueueLimits::bytes(Options::default().max_message_bytes)
        }
        QueuePlace::Stdout => stdout_queue::LIMITS,
    };
    let queue = Arc::new(Unopened(limits));
    let parts = Parts::new(queue, clock, Arc::new(OsEntropy), Arc::new(NoObserver))
        .with_blobs(blobs)
        .with_fallback(fallback)
        .with_spool(spool::look(config, world)?);
    let relay = pipeline(config, world, parts)?;
    relay.check().await.map_err(|error| not_ready(&error))?;
    Ok(relay.warnings().await)
}

fn pipeline(config: &Config, world: &World<'_>, parts: Parts) -> Result<Relay, Failure> {
    let open_secret =
        |reference: &_, end| secrets::open(reference, end, world.lookup(), &config.origin);
    Ok(Relay::new(config, parts, &open_secret)?)
}

/// Where events go: what is configured, else the queue in the directory of our own.
pub(crate) fn queue_place(config: &Config, world: &World<'_>) -> Result<QueuePlace, Failure> {
    let Some(url) = &config.queue else {
        return Ok(QueuePlace::Sqlite(Home::below(world.cwd()).queue_file()));
    };
    let (base, at) = setting("queue", "LABELRELAY_QUEUE", config, world);
    places::queue(url, base, &at)
}

/// Where bodies go that are too large for the queue. `make` says whether its directory may be made.
fn blob_store(
    config: &Config,
    world: &World<'_>,
    make: bool,
) -> Result<Option<Arc<dyn BlobStore>>, Failure> {
    let Some(url) = &config.blob_store else {
        return Ok(None);
    };
    let (base, at) = setting("blob_store", "LABELRELAY_BLOB_STORE", config, world);
    let directory = places::store(url, base, &at)?;
    if !make && !directory.exists() {
        return Ok(None);
    }
    let store = FileBlobStore::open(&directory)
        .map_err(|error| Failure::config(format_args!("{at}: {error}")))?;
    Ok(Some(Arc::new(store)))
}

/// Where events go that the queue does not take in time.
fn fallback(
    config: &Config,
    world: &World<'_>,
    make: bool,
) -> Result<Option<Arc<dyn FallbackStore>>, Failure> {
    let Some(url) = &config.fallback else {
        return Ok(None);
    };
    let (base, at) = setting("fallback", "LABELRELAY_FALLBACK", config, world);
    let directory = places::store(url, base, &at)?;
    if !make && !directory.exists() {
        return Ok(None);
    }
    let store = FileFallback::open(&directory)
        .map_err(|error| Failure::config(format_args!("{at}: {error}")))?;
    Ok(Some(Arc::new(store)))
}

/// What relative paths of a setting are relative to, and what to call it in errors. The environment
/// wins over the file, and is relative to where the process was started.
fn setting<'a>(
    key: &str,
    variable: &str,
    config: &'a Config,
    world: &'a World<'_>,
) -> (&'a Path, String) {
    match world.var(variable) {
        Some(_) => (world.cwd(), format!("environment: `{variable}`")),
        None => (&config.base_dir, format!("{}: `{key}`", config.origin)),
    }
}

fn embedded(file: &Path, config: &Config, clock: Arc<dyn Clock>) -> Result<EmbeddedQueue, Failure> {
    let mut options = Options::default();
    let settings = &config.embedded_queue;
    if let Some(window) = settings.repeat_window {
        options.window = window;
    }
    if let Some(retention) = settings.retain_acknowledged {
        options.retention = retention;
    }
    if let Some(max_receives) = settings.max_receives {
        options.max_receives = max_receives;
    }
    EmbeddedQueue::open(file, options, clock).map_err(|error| not_opened(&error))
}
