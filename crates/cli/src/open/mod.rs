//! Opens what a configuration names: queue, blob store, secrets; and puts the pipeline together.

pub(crate) mod network;
mod not_ready;
mod spool;
mod stdout_queue;
mod unopened;

pub(crate) use not_ready::not_opened;
use not_ready::not_ready;

use crate::clouds::{Cloud, Setting};
use crate::failure::Failure;
use crate::home::Home;
use crate::places::{self, QueuePlace, StorePlace};
use crate::secrets;
use crate::world::World;
use labelrelay_core::clock::within;
use labelrelay_core::config::{Config, ENVIRONMENT};
use labelrelay_core::observe::NoObserver;
use labelrelay_core::relay::CheckError;
use labelrelay_core::{
    BlobStore, Clock, Copies, EventQueue, FallbackStore, Observer, Parts, QueueLimits, Relay,
};
use labelrelay_http::{OsEntropy, SystemClock};
use labelrelay_local::{EmbeddedQueue, FileBlobStore, FileFallback, OpenError, Options, QueueFile};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use stdout_queue::StdoutQueue;
use unopened::Unopened;

/// The pipeline, and what has to be closed after it.
pub(crate) struct Opened {
    pub(crate) relay: Arc<Relay>,
    pub(crate) embedded: Option<Arc<EmbeddedQueue>>,
}

/// Opens everything. Nothing listens yet, and nothing is sent. Needs a Tokio runtime around it.
pub(crate) fn relay(
    config: &Config,
    world: &World<'_>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<Opened, Failure> {
    let place = queue_place(config, world)?;
    let blobs = blob_store(config, world, &clock, true)?;
    let fallback = fallback(config, world, &clock, true)?;
    let (queue, embedded): (Arc<dyn EventQueue>, _) = match place {
        QueuePlace::Sqlite(file) => {
            if file == Home::below(world.cwd()).queue_file() {
                Home::below(world.cwd()).make()?;
            }
            let queue = Arc::new(embedded(&file, config, Arc::clone(&clock))?);
            (queue.clone(), Some(queue))
        }
        QueuePlace::Stdout => (Arc::new(stdout(&clock)?), None),
        QueuePlace::Cloud(cloud, url) => (cloud_queue(cloud, &url, config, world, &clock)?, None),
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
    let blobs = blob_store(config, world, &clock, false)?;
    let fallback = fallback(config, world, &clock, false)?;
    let unopened =
        |limits, copies| -> Arc<dyn EventQueue> { Arc::new(Unopened { limits, copies }) };
    let queue = match &place {
        QueuePlace::Sqlite(file) => {
            match QueueFile::open(file, Arc::clone(&clock)) {
                // The next start makes it.
                Ok(_) | Err(OpenError::Missing { .. }) => {}
                Err(error) => return Err(not_opened(&error)),
            }
            let limits = QueueLimits::bytes(Options::default().max_message_bytes);
            unopened(limits, EmbeddedQueue::COPIES)
        }
        QueuePlace::Stdout => unopened(stdout_queue::LIMITS, Copies::default()),
        // Opening one makes nothing and owns nothing.
        QueuePlace::Cloud(cloud, url) => cloud_queue(*cloud, url, config, world, &clock)?,
    };
    let parts = Parts::new(queue, clock, Arc::new(OsEntropy), Arc::new(NoObserver))
        .with_blobs(blobs)
        .with_fallback(fallback)
        .with_spool(spool::look(config, world)?);
    let relay = pipeline(config, world, parts)?;
    check(&relay).await?;
    Ok(relay.warnings().await)
}

/// Time that a cloud may take to say that all is well.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether everything could be used now.
async fn check(relay: &Relay) -> Result<(), Failure> {
    looked_at(relay).await.map_err(|(failure, _)| failure)
}

/// Whether `serve` may start. Where a fallback takes what the queue does not, a queue that cannot be reached
/// now is no reason to refuse deliveries: nobody sends them again.
pub(crate) async fn may_start(relay: &Relay) -> Result<(), Failure> {
    let (reason, fallback) = match (looked_at(relay).await, &relay.parts().fallback) {
        (Ok(()), _) => return Ok(()),
        (Err((Failure::Failed(reason), true)), Some(fallback)) => (reason, fallback),
        (Err((failure, _)), _) => return Err(failure),
    };
    match within(&*relay.parts().clock, PATIENCE, fallback.check()).await {
        Ok(Ok(())) => {
            tracing::error!(name: "not_ready", reason, "not ready; events go to the fallback meanwhile");
            Ok(())
        }
        _ => Err(Failure::Failed(reason)),
    }
}

/// Failure of the check, and whether a fallback would do instead.
async fn looked_at(relay: &Relay) -> Result<(), (Failure, bool)> {
    match within(&*relay.parts().clock, PATIENCE, relay.check()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            let of_the_queue = matches!(error, CheckError::Queue(_) | CheckError::Blob(_));
            Err((not_ready(&error), of_the_queue))
        }
        Err(_) => {
            let failure = Failure::failed(format_args!(
                "queue, stores and secrets do not all answer within {} s; see that they can be reached, and start again",
                PATIENCE.as_secs()
            ));
            Err((failure, true))
        }
    }
}

fn pipeline(config: &Config, world: &World<'_>, parts: Parts) -> Result<Relay, Failure> {
    let clock = Arc::clone(&parts.clock);
    let open_secret =
        |reference: &_, end| secrets::open(reference, end, world, &clock, &config.origin);
    Ok(Relay::new(config, parts, &open_secret)?)
}

/// Queue for events: the configured one, else the one in the directory of our own.
pub(crate) fn queue_place(config: &Config, world: &World<'_>) -> Result<QueuePlace, Failure> {
    let Some(url) = &config.queue else {
        return Ok(QueuePlace::Sqlite(Home::below(world.cwd()).queue_file()));
    };
    let (base, at) = setting("queue", "LABELRELAY_QUEUE", config, world);
    places::queue(url, base, &at)
}

fn cloud_queue(
    cloud: Cloud,
    url: &str,
    config: &Config,
    world: &World<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn EventQueue>, Failure> {
    let at = stands("queue", "LABELRELAY_QUEUE", config, world);
    Ok(cloud.open(world, clock, at)?.queue(url, at)?)
}

/// A queue that is sent to, without owning it where it is a file; `None` is the embedded one, which others
/// append to.
pub(crate) fn sink(
    place: &QueuePlace,
    at: Setting<'_>,
    world: &World<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Arc<dyn EventQueue>>, Failure> {
    match place {
        QueuePlace::Sqlite(_) => Ok(None),
        QueuePlace::Stdout => Ok(Some(Arc::new(stdout(clock)?))),
        QueuePlace::Cloud(cloud, url) => Ok(Some(cloud.open(world, clock, at)?.queue(url, at)?)),
    }
}

fn stdout(clock: &Arc<dyn Clock>) -> Result<StdoutQueue, Failure> {
    StdoutQueue::open(Arc::clone(clock))
        .map_err(|error| Failure::failed(format_args!("stdout: {error}")))
}

/// Store for bodies that are too large for the queue. `make` says whether its directory may be made.
pub(crate) fn blob_store(
    config: &Config,
    world: &World<'_>,
    clock: &Arc<dyn Clock>,
    make: bool,
) -> Result<Option<Arc<dyn BlobStore>>, Failure> {
    let Some(url) = &config.blob_store else {
        return Ok(None);
    };
    let (key, variable) = ("blob_store", "LABELRELAY_BLOB_STORE");
    let (base, at) = setting(key, variable, config, world);
    let directory = match places::store(url, base, &at)? {
        StorePlace::Directory(directory) => directory,
        StorePlace::Cloud(cloud, url) => {
            let at = stands(key, variable, config, world);
            return Ok(Some(cloud.open(world, clock, at)?.blob_store(&url, at)?));
        }
    };
    if !make && !directory.exists() {
        return Ok(None);
    }
    let store = FileBlobStore::open(&directory)
        .map_err(|error| Failure::config(format_args!("{at}: {error}")))?;
    Ok(Some(Arc::new(store)))
}

/// Store for events that the queue does not take in time.
fn fallback(
    config: &Config,
    world: &World<'_>,
    clock: &Arc<dyn Clock>,
    make: bool,
) -> Result<Option<Arc<dyn FallbackStore>>, Failure> {
    let Some(url) = &config.fallback else {
        return Ok(None);
    };
    let (key, variable) = ("fallback", "LABELRELAY_FALLBACK");
    let (base, name) = setting(key, variable, config, world);
    let place = places::store(url, base, &name)?;
    let at = stands(key, variable, config, world);
    objects(&place, at, world, clock, make)
}

/// A store whose objects can be listed and removed. `make` says whether its directory may be made; `None` when
/// it may not and is not there.
pub(crate) fn objects(
    place: &StorePlace,
    at: Setting<'_>,
    world: &World<'_>,
    clock: &Arc<dyn Clock>,
    make: bool,
) -> Result<Option<Arc<dyn FallbackStore>>, Failure> {
    let directory = match place {
        StorePlace::Directory(directory) => directory,
        StorePlace::Cloud(cloud, url) => {
            return Ok(Some(cloud.open(world, clock, at)?.fallback(url, at)?));
        }
    };
    if !make && !directory.exists() {
        return Ok(None);
    }
    let store = FileFallback::open(directory)
        .map_err(|error| Failure::config(format_args!("{}: `{}`: {error}", at.origin, at.key)))?;
    Ok(Some(Arc::new(store)))
}

/// Base of a setting's relative paths, and its name in errors. The environment
/// wins over the file, and is relative to where the process was started.
pub(crate) fn setting<'a>(
    key: &'a str,
    variable: &'a str,
    config: &'a Config,
    world: &'a World<'_>,
) -> (&'a Path, String) {
    let at = stands(key, variable, config, world);
    let base = if at.origin == ENVIRONMENT {
        world.cwd()
    } else {
        &config.base_dir
    };
    (base, format!("{}: `{}`", at.origin, at.key))
}

/// Place of a setting: the environment wins over the file.
pub(crate) fn stands<'a>(
    key: &'a str,
    variable: &'a str,
    config: &'a Config,
    world: &World<'_>,
) -> Setting<'a> {
    // An unreadable variable was an error when the configuration was read.
    match world.var(variable) {
        Ok(Some(_)) => Setting {
            origin: ENVIRONMENT,
            key: variable,
        },
        _ => Setting {
            origin: &config.origin,
            key,
        },
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
    options.max_file_bytes = settings.max_bytes;
    EmbeddedQueue::open(file, options, clock).map_err(|error| not_opened(&error))
}
