//! Opens what a configuration names: queue, blob store, secrets; and puts the pipeline together.

mod back_ends;
mod missing_directory;
pub(crate) mod network_file_system;
mod noted_back_ends;
mod read_only;
mod spool;
#[cfg(test)]
mod start_suite;
mod stdout_queue;

pub(crate) use back_ends::BackEnds;

use crate::arrivals::Arrivals;
use crate::env::Env;
use crate::error::{CliError, chain};
use crate::local_dir::LocalDir;
use crate::locations::{self, QueueLocation, StoreLocation};
use labelrelay_core::backend::{BackEnd as _, CommandLineBackEnd as _, Location};
use labelrelay_core::config::Config;
use labelrelay_core::derive::Derivation;
use labelrelay_core::observe::NoObserver;
use labelrelay_core::{
    BlobStore, Clock, DeadLetterCount, EventQueue, FallbackStore, ObjectStore, Observer, Relay,
};
use labelrelay_files::FileObjectStore;
use labelrelay_local::{EmbeddedQueue, FileFallback, KeptForRecord, OpenError, Options};
use labelrelay_startup::{
    BLOB_STORE, Claims, FailedCheck, Injected, Name, Open, OsEntropy, QUEUE, Setting, StartError,
    SystemClock, examine, settle, warn,
};
use noted_back_ends::NotedBackEnds;
use read_only::ReadOnly;
use std::sync::Arc;
use std::time::Duration;

/// Time that a cloud may take to say that all is well.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pipeline, and what has to be closed after it.
pub(crate) struct Opened {
    pub(crate) relay: Arc<Relay>,
    pub(crate) embedded: Option<Arc<EmbeddedQueue>>,
}

/// What is done beside the pipeline with the events of a queue.
#[derive(Default)]
pub(crate) struct Extras {
    /// What a queue takes that cannot be looked into is noted here.
    pub(crate) arrivals: Option<Arc<Arrivals>>,
    /// Which acknowledged events the embedded queue keeps for longer.
    pub(crate) kept: Option<KeptForRecord>,
}

/// Opens everything. Nothing listens yet, and nothing is sent. Needs a Tokio runtime around it.
pub(crate) async fn relay(
    config: &Config,
    env: &Env<'_>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    extras: Extras,
) -> Result<Opened, CliError> {
    let local_dir = LocalDir::below(env.cwd());
    if queue_location(config, env)? == QueueLocation::Sqlite(local_dir.queue_file()) {
        local_dir.make()?;
    }
    let mut options = Options::from(&config.embedded_queue);
    if config.embedded_queue.derive.unwrap_or(true) {
        options.derivation = Derivation::of(&config.sources).map(Arc::new);
    }
    options.kept_for_record = extras.kept;
    let back_ends = BackEnds::new(options, env, Arc::clone(&clock));
    let noted = NotedBackEnds {
        back_ends: &back_ends,
        arrivals: extras.arrivals,
    };
    let mut open = back_ends.open();
    open.back_end = &noted;
    let relay = opened(&open, config, env, clock, observer).await?;
    for (cloud, identity) in back_ends.identities() {
        tracing::info!(name: "identity", %cloud, %identity, "the identity that is used");
    }
    warn(&back_ends.identity_doubts());
    Ok(Opened {
        relay: Arc::new(relay),
        embedded: back_ends.embedded(),
    })
}

async fn opened(
    open: &Open<'_>,
    config: &Config,
    env: &Env<'_>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<Relay, CliError> {
    let injected = Injected {
        clock,
        entropy: Arc::new(OsEntropy),
        observer,
        spool: spool::open(config, env)?,
    };
    Ok(open.relay(config, injected).await?)
}

/// Checks that `serve` may begin; returns what works but should not stay. The queue's doubt is asked for beside the checks,
/// which wait for the same server: where that answers, it makes no start longer.
pub(crate) async fn may_start(
    relay: &Relay,
    config: &Config,
    env: &Env<'_>,
) -> Result<Vec<String>, CliError> {
    let examined = async {
        let found = examine(relay, PATIENCE, true).await;
        settle(&found, relay, config, env.lookup())
    };
    let ((), doubt) = relay.doubt_beside(examined).await?;
    let mut warnings = Vec::from_iter(doubt);
    warnings.extend(relay.warnings().await);
    Ok(warnings)
}

/// Findings of [`check`].
pub(crate) struct Checked {
    pub(crate) warnings: Vec<String>,
    /// Dead letters of a queue elsewhere.
    pub(crate) dead_letters: DeadLetterCount,
    /// The identity that each cloud is used with, which was proven by what the check asked.
    pub(crate) identities: Vec<String>,
}

/// Checks everything that [`relay`] would open, without owning or making anything.
pub(crate) async fn check(config: &Config, env: &Env<'_>) -> Result<Checked, CliError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let back_ends = BackEnds::new(Options::default(), env, Arc::clone(&clock));
    let read_only = ReadOnly(&back_ends);
    let mut open = back_ends.open();
    open.back_end = &read_only;
    let injected = Injected {
        clock,
        entropy: Arc::new(OsEntropy),
        observer: Arc::new(NoObserver),
        spool: spool::open_existing(config, env)?,
    };
    let relay = open.relay(config, injected).await?;
    let found = examine(&relay, PATIENCE, true).await;
    settle(&found, &relay, config, env.lookup())?;
    match found.first() {
        None => {
            let of = back_ends.identities().into_iter();
            let identities = of.map(|(cloud, identity)| format!("{cloud}: {identity}"));
            let mut ready = checked(&relay).await;
            ready.warnings.extend(back_ends.identity_doubts());
            Ok(Checked {
                identities: identities.collect(),
                ..ready
            })
        }
        Some(found) => Err(not_ready(found)),
    }
}

/// What else is to be said of a relay that is ready.
async fn checked(relay: &Relay) -> Checked {
    let mut warnings = Vec::from_iter(relay.doubt().await);
    warnings.extend(relay.warnings().await);
    let counting = tokio::time::timeout(PATIENCE, relay.parts().queue.dead_letters());
    let why = match counting.await {
        Ok(Ok(dead_letters)) => {
            return Checked {
                warnings,
                dead_letters,
                identities: Vec::new(),
            };
        }
        Ok(Err(error)) => chain(&error),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    warnings.push(format!(
        "how many dead letters the queue has is not known: {why}"
    ));
    Checked {
        warnings,
        dead_letters: DeadLetterCount::Unknown(None),
        identities: Vec::new(),
    }
}

/// A trouble that a start would wait for.
fn not_ready(found: &FailedCheck) -> CliError {
    let source = found.source.as_ref();
    let of = source.map_or_else(String::new, |name| format!(" of source `{name}`"));
    CliError::failed(format_args!(
        "{}{of}: {}; see that it can be reached, has room and is held by no other program, and start again",
        found.what().replace('_', " "),
        found.reason()
    ))
}

/// A queue file that could not be opened. The error names it, and the cure.
pub(crate) fn not_opened(error: &OpenError) -> CliError {
    let message = format!("queue: {}", chain(error));
    if error.is_retryable() {
        CliError::Failed(message)
    } else {
        CliError::Config(message)
    }
}

/// Queue for events: the configured one, else the one in the directory of our own.
pub(crate) fn queue_location(config: &Config, env: &Env<'_>) -> Result<QueueLocation, CliError> {
    let Some(url) = &config.queue else {
        return Ok(QueueLocation::Sqlite(
            LocalDir::below(env.cwd()).queue_file(),
        ));
    };
    let at = setting(QUEUE, config, env);
    let location = locations::queue(url, at.base_dir);
    Ok(location.map_err(|error| error.at(at.origin, at.key))?)
}

/// A queue that is sent to, without owning it where it is a file; `None` is the embedded one, which others
/// append to. Its claim checks are of the form that `config` says.
pub(crate) async fn sink(
    location: &QueueLocation,
    at: Setting<'_>,
    config: Option<&Config>,
    env: &Env<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Arc<dyn EventQueue>>, CliError> {
    let url = match location {
        QueueLocation::Sqlite(_) => return Ok(None),
        QueueLocation::Stdout => "stdout:",
        QueueLocation::Cloud(_, url) => url,
    };
    let back_ends = BackEnds::new(Options::default(), env, Arc::clone(clock));
    let Some(config) = config else {
        let opened = back_ends.queue(at.location(url)).await;
        let opened = opened.map_err(|error| StartError::at(error, at.origin, at.key))?;
        return Ok(Some(opened));
    };
    let claims = Claims::of(config, env.lookup(), env.cwd());
    Ok(Some(
        back_ends.open().queue_at(Some(url), at, &claims).await?,
    ))
}

/// The store for bodies that are too large for the queue. `make` says whether its directory may be made.
pub(crate) async fn blob_store(
    config: &Config,
    env: &Env<'_>,
    clock: &Arc<dyn Clock>,
    make: bool,
) -> Result<Option<Arc<dyn BlobStore>>, CliError> {
    let base = setting(BLOB_STORE, config, env).base_dir;
    let location = config.blob_store.as_ref();
    let location = location.map(|url| locations::store(url, base));
    if let (Some(Ok(StoreLocation::Directory(directory))), false) = (location, make)
        && !directory.exists()
    {
        return Ok(None);
    }
    let back_ends = BackEnds::new(Options::default(), env, Arc::clone(clock));
    Ok(back_ends.open().blob_store(config).await?)
}

/// A store whose objects can be listed and removed. `make` says whether its directory may be made; `None` when
/// it may not and is not there.
pub(crate) async fn objects(
    location: &StoreLocation,
    at: Setting<'_>,
    env: &Env<'_>,
    clock: &Arc<dyn Clock>,
    make: bool,
) -> Result<Option<Arc<dyn FallbackStore>>, CliError> {
    match location {
        StoreLocation::Directory(directory) if !make && !directory.exists() => Ok(None),
        StoreLocation::Directory(directory) => {
            let store = FileFallback::open(directory).map_err(|error| {
                CliError::config(format_args!("{}: `{}`: {error}", at.origin, at.key))
            })?;
            Ok(Some(Arc::new(store)))
        }
        StoreLocation::Cloud(_, url) => {
            let back_ends = BackEnds::new(Options::default(), env, Arc::clone(clock));
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

/// A store for files under names of one's choice. Its directory is made if need be.
pub(crate) async fn object_store(
    location: &StoreLocation,
    at: Setting<'_>,
    env: &Env<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn ObjectStore>, CliError> {
    match location {
        StoreLocation::Directory(directory) => {
            let store = FileObjectStore::open(directory).map_err(|error| {
                CliError::config(format_args!("{}: `{}`: {error}", at.origin, at.key))
            })?;
            Ok(Arc::new(store))
        }
        StoreLocation::Cloud(_, url) => {
            let back_ends = BackEnds::new(Options::default(), env, Arc::clone(clock));
            let opened = back_ends.object_store(at.location(url)).await;
            let opened = opened.map_err(|error| StartError::at(error, at.origin, at.key))?;
            Ok(opened)
        }
    }
}

/// The origin, name and base directory of a setting.
pub(crate) fn setting<'a>(name: Name, config: &'a Config, env: &'a Env<'_>) -> Setting<'a> {
    Setting::of(name, config, env.lookup(), env.cwd())
}
