//! The archive that a URL names.

use crate::directory_at_need::DirectoryAtNeed;
use crate::env::Env;
use crate::error::{CliError, chain};
use crate::locations::{self, QueueLocation, StoreLocation};
use crate::open;
use crate::store_in_time::InTime;
use labelrelay_archive::{Archive, ArchiveError};
use labelrelay_core::config::{ArchiveConfig, Config};
use labelrelay_core::{Clock, ObjectStore};
use labelrelay_startup::{Setting, SystemClock};
use std::sync::Arc;

/// A store that is, or will be, an archive.
pub(crate) struct ArchiveStore {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// For messages: without a signature.
    pub(crate) url: String,
}

/// The store of the configuration; `None` where nothing shall be archived. Its directory is made once it is needed.
pub(crate) async fn configured(
    config: &Config,
    env: &Env<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<ArchiveStore>, CliError> {
    let Some(settings) = &config.archive else {
        return Ok(None);
    };
    let (location, at) = configured_location(config, settings)?;
    let store: Arc<dyn ObjectStore> = match &location {
        StoreLocation::Directory(path) => Arc::new(DirectoryAtNeed::new(path.clone())),
        StoreLocation::Cloud(..) => open::object_store(&location, at, env, clock).await?,
    };
    Ok(Some(ArchiveStore {
        store: Arc::new(InTime::of(store)),
        url: location.to_string(),
    }))
}

/// The place of the configuration's archive.
pub(crate) fn configured_location<'a>(
    config: &'a Config,
    settings: &ArchiveConfig,
) -> Result<(StoreLocation, Setting<'a>), CliError> {
    let at = Setting {
        origin: &config.origin,
        key: "archive.url",
        base_dir: &config.base_dir,
    };
    let location = locations::store(&settings.url, at.base_dir);
    let location = location.map_err(|error| error.at(at.origin, at.key))?;
    Ok((location, at))
}

/// Refuses an archive beside a queue that is no file: only a file can be followed.
pub(crate) fn check_queue(config: &Config, queue: &QueueLocation) -> Result<(), CliError> {
    if config.archive.is_some() && !matches!(queue, QueueLocation::Sqlite(_)) {
        return Err(CliError::config(format_args!(
            "{}: `archive.url` is set, and the queue is not the embedded one: only a file can be followed; remove the section [archive]",
            config.origin
        )));
    }
    Ok(())
}

/// The archive at `url`, which `flag` names and which is there.
pub(crate) async fn named(url: &str, flag: &str, env: &Env<'_>) -> Result<Archive, CliError> {
    let (location, at) = located(url, flag, env)?;
    let shown = location.to_string();
    // Whoever looks makes nothing.
    if let StoreLocation::Directory(directory) = &location
        && !directory.is_dir()
    {
        return Err(ArchiveError::Missing { url: shown }.into());
    }
    let store = opened(&location, at, env).await?;
    Ok(Archive::open(store, &shown).await?)
}

/// The archive at `url`, which `flag` names; made if need be.
pub(crate) async fn made(url: &str, flag: &str, env: &Env<'_>) -> Result<Archive, CliError> {
    let (location, at) = located(url, flag, env)?;
    let store = opened(&location, at, env).await?;
    let id = random_name().map_err(CliError::failed)?;
    Ok(Archive::open_or_create(store, &location.to_string(), id).await?)
}

fn located<'a>(
    url: &str,
    flag: &'a str,
    env: &'a Env<'_>,
) -> Result<(StoreLocation, Setting<'a>), CliError> {
    let at = Setting {
        origin: "command line",
        key: flag,
        base_dir: env.cwd(),
    };
    let location = locations::store(url, at.base_dir);
    let location = location.map_err(|error| CliError::usage(error.at(at.origin, at.key)))?;
    Ok((location, at))
}

async fn opened(
    location: &StoreLocation,
    at: Setting<'_>,
    env: &Env<'_>,
) -> Result<Arc<dyn ObjectStore>, CliError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let store = open::object_store(location, at, env, &clock).await?;
    Ok(Arc::new(InTime::of(store)))
}

/// A random name, of an archive or of whoever writes one.
pub(crate) fn random_name() -> Result<u64, String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| format!("the system gave no random bytes for a name: {error}"))?;
    Ok(u64::from_be_bytes(bytes))
}

impl From<ArchiveError> for CliError {
    fn from(error: ArchiveError) -> Self {
        Self::failed(chain(&error))
    }
}
