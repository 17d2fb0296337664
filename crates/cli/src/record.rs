//! The record of deliveries: where it is, what it keeps, and who may look into it.

use crate::clouds::Cloud;
use crate::env::Env;
use crate::error::{CliError, chain};
use crate::find_configuration::{self, Missing};
use crate::locations::QueueLocation;
use crate::output::say;
use crate::queue_file::QueueArgs;
use crate::{open, serve_address, shared_record};
use labelrelay_core::Clock;
use labelrelay_core::config::Config;
use labelrelay_core::signature::SecretHeader;
use labelrelay_local::KeptForRecord;
use labelrelay_record::{
    Options, Record, RecordError, RecordFile, Recorded, Recorder, SharedRecord, beside,
};
use labelrelay_startup::QUEUE;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Handle;

/// Where deliveries are recorded.
#[derive(Clone)]
pub(crate) enum RecordPlace {
    /// In this file.
    File(PathBuf),
    /// With those of all replicas.
    Shared(Arc<dyn SharedRecord>),
}

/// A record that somebody looks into.
pub(crate) enum Opened {
    File(RecordFile),
    Shared(Arc<dyn SharedRecord>),
}

impl RecordPlace {
    /// The record; `None` where nothing was recorded yet. A file is opened anew: one that was set aside or removed is not
    /// looked at any more.
    pub(crate) fn open(&self) -> Result<Option<Opened>, RecordError> {
        Ok(match self {
            Self::File(file) => RecordFile::open(file)?.map(Opened::File),
            Self::Shared(record) => Some(Opened::Shared(Arc::clone(record))),
        })
    }
}

impl Deref for Opened {
    type Target = dyn Record;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::File(file) => file,
            Self::Shared(record) => &**record,
        }
    }
}

/// What `serve` records with, and where; `None` where it shall record nothing. Nothing is made yet. Needs a Tokio runtime
/// around it. It is to listen at this `port`.
pub(crate) fn recorder(
    config: &Config,
    env: &Env<'_>,
    clock: &Arc<dyn Clock>,
    port: u16,
) -> Result<Option<(Arc<Recorder>, RecordPlace)>, CliError> {
    let Some(file) = file(config, env)? else {
        return Ok(None);
    };
    let (options, clock) = (options(config), Arc::clone(clock));
    let (recorder, place) = match open::queue_location(config, env)? {
        QueueLocation::Cloud(Cloud::Postgres, url) => {
            let base = open::setting(QUEUE, config, env).base_dir;
            let replica = shared_record::replica(port);
            let record = shared_record::open(&url, base, env, Some(Handle::current()), &replica)?;
            let waiting = waiting(&file);
            let shared = Arc::clone(&record);
            (
                Recorder::into_shared(shared, waiting, options, clock),
                RecordPlace::Shared(record),
            )
        }
        _ => (
            Recorder::new(file.clone(), options, clock),
            RecordPlace::File(file),
        ),
    };
    Ok(Some((Arc::new(recorder), place)))
}

/// Where deliveries wait for a record that replicas share. The name is not that of the file: one that was recorded into
/// before stays a record, with a journal of its own.
fn waiting(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".waiting");
    PathBuf::from(name)
}

/// Bytes of acknowledged events that the queue keeps for the record where the configuration does not say.
const KEEP_EVENTS_BYTES: u64 = 256 * 1024 * 1024;

/// Which acknowledged events the embedded queue keeps because the record refers to them; `None` where it keeps none.
/// Without a recorder, the record says nothing of what it has, and the bound alone counts.
pub(crate) fn kept_events(
    config: &Config,
    env: &Env<'_>,
    recorder: Option<&Recorder>,
) -> Result<Option<KeptForRecord>, CliError> {
    if file(config, env)?.is_none() {
        return Ok(None);
    }
    let set = config.serve.record.keep_events_bytes;
    Ok(Some(KeptForRecord {
        bytes: set.unwrap_or(KEEP_EVENTS_BYTES),
        longest: options(config).max_age,
        since_ms: recorder.map(Recorder::events_since_ms).unwrap_or_default(),
    }))
}

/// The file of the record, where a page shows it.
pub(crate) fn shown_by_page(config: &Config, env: &Env<'_>) -> Result<Option<PathBuf>, CliError> {
    let is_shown = config.serve.record.page.unwrap_or(true);
    Ok(file(config, env)?.filter(|_| is_shown))
}

/// The file that `serve` records into; `None` where it shall record nothing.
pub(crate) fn file(config: &Config, env: &Env<'_>) -> Result<Option<PathBuf>, CliError> {
    if !config.serve.record.enabled {
        return Ok(None);
    }
    let queue = match open::queue_location(config, env)? {
        QueueLocation::Sqlite(file) => Some(file),
        _ => None,
    };
    let file = configured(config).or_else(|| queue.as_deref().map(beside));
    if file.is_none() && config.serve.record.is_default {
        // Nobody asked for one, and there is no place for it.
        return Ok(None);
    }
    let file = file.ok_or_else(|| {
        CliError::config(format_args!(
            "{}: `serve.record.file` is not set: the queue is not the embedded one, beside which the record would be; name a file for it",
            config.origin
        ))
    })?;
    if queue.as_ref() == Some(&file) {
        return Err(CliError::config(format_args!(
            "{}: `serve.record.file` is the file of the queue: name another one, or remove the setting",
            config.origin
        )));
    }
    Ok(Some(file))
}

/// The record that belongs to a queue; `None` where nothing was recorded yet, or nothing says where it would be.
pub(crate) fn open_beside(queue: &QueueArgs, env: &Env<'_>) -> Result<Option<Opened>, CliError> {
    if let Some(record) = shared_beside(queue, env)? {
        return Ok(Some(Opened::Shared(record)));
    }
    match file_beside(queue, env) {
        Ok(file) => Ok(RecordFile::open(&file)?.map(Opened::File)),
        Err(_) => Ok(None),
    }
}

/// The same, for a verb that has looked on the queue. If the record that replicas share cannot be read, that is told, and
/// is no failure: whoever reads the queue may have no right to the record.
pub(crate) fn open_after_queue(
    queue: &QueueArgs,
    env: &Env<'_>,
) -> Result<Option<Opened>, CliError> {
    let opened = open_beside(queue, env)?;
    if let Some(Opened::Shared(record)) = &opened
        && let Err(error) = record.exists()
    {
        say(format_args!(
            "the record of deliveries was not looked into: {}",
            chain(&error)
        ));
        return Ok(None);
    }
    Ok(opened)
}

/// The same, for a verb that needs it.
pub(crate) fn open_existing(queue: &QueueArgs, env: &Env<'_>) -> Result<Opened, CliError> {
    if let Some(record) = shared_beside(queue, env)? {
        if record.exists()? {
            return Ok(Opened::Shared(record));
        }
        return Err(CliError::failed(
            "there is no record in the database of the queue: name a `file` in [serve.record] of each replica, where its deliveries wait for the database; those from then on are recorded",
        ));
    }
    let file = file_beside(queue, env)?;
    let record = RecordFile::open(&file)?.ok_or_else(|| missing(&file, queue, env))?;
    Ok(Opened::File(record))
}

fn missing(file: &Path, queue: &QueueArgs, env: &Env<'_>) -> CliError {
    let is_running = match queue.location(env) {
        Ok(QueueLocation::Sqlite(queue)) => serve_address::find(&queue).is_some(),
        _ => false,
    };
    let file = file.display();
    if is_running {
        return CliError::failed(format_args!(
            "there is no record at {file}, though `serve` runs: it records nothing if [serve.record] has `enabled = false`. Otherwise it could not make the file: its log says why (`record_failed`). See that it may write there. It tries again every 5 seconds; deliveries from then on are recorded"
        ));
    }
    CliError::failed(format_args!(
        "there is no record at {file}: `serve` makes it, unless [serve.record] has `enabled = false`; deliveries from then on are recorded"
    ))
}

/// The record that replicas share; `None` if the queue is none of Postgres. What is wrong with the queue's name is told by
/// whoever looks for a file.
fn shared_beside(
    queue: &QueueArgs,
    env: &Env<'_>,
) -> Result<Option<Arc<dyn SharedRecord>>, CliError> {
    let Ok((QueueLocation::Cloud(Cloud::Postgres, url), base_dir)) = queue.location_and_base(env)
    else {
        return Ok(None);
    };
    shared_record::open(&url, &base_dir, env, None, "").map(Some)
}

/// The one delivery that is called `which`; `None` when there is none. An id that several deliveries have means the
/// newest of them. A number is a whole id.
pub(crate) fn find(record: &dyn Record, which: &str) -> Result<Option<Recorded>, CliError> {
    let found = record.find(which)?;
    let exact = |found: &&Recorded| {
        let row = &found.row;
        let ids = [row.event_id.as_deref(), row.delivery_id.as_deref()];
        found.name() == which || ids.contains(&Some(which))
    };
    if let Some(exact) = found.iter().find(exact) {
        return Ok(Some(exact.clone()));
    }
    // As on the queue: a mistyped number must not show another delivery, nor hide that its event is damaged.
    let Some(first) = found.first().filter(|_| which.parse::<u64>().is_err()) else {
        return Ok(None);
    };
    let id = |found: &Recorded| {
        let row = &found.row;
        let mut ids = [&row.event_id, &row.delivery_id].into_iter().flatten();
        ids.find(|id| id.starts_with(which)).cloned()
    };
    if let Some(other) = found.iter().find(|other| id(other) != id(first)) {
        return Err(CliError::failed(format_args!(
            "several deliveries have an id that begins with {which}, such as {} and {}; give more of it",
            id(first).unwrap_or_default(),
            id(other).unwrap_or_default()
        )));
    }
    Ok(Some(first.clone()))
}

fn file_beside(queue: &QueueArgs, env: &Env<'_>) -> Result<PathBuf, CliError> {
    if queue.queue.is_none()
        && let Ok(found) = find_configuration::find(env, queue.config.as_deref(), Missing::Refuse)
        && let Some(file) = configured(&found.config)
    {
        return Ok(file);
    }
    match queue.location(env)? {
        QueueLocation::Sqlite(file) => Ok(beside(&file)),
        other => Err(CliError::usage(format_args!(
            "nothing says where the record of {other} is: give --config FILE of a configuration that sets `serve.record.file`"
        ))),
    }
}

fn configured(config: &Config) -> Option<PathBuf> {
    let file = config.serve.record.file.as_ref();
    file.map(|file| config.base_dir.join(file))
}

fn options(config: &Config) -> Options {
    let set = &config.serve.record;
    let mut options = Options::default();
    let Options {
        verified, stranger, ..
    } = &mut options;
    for (bound, set) in [
        (&mut verified.deliveries, set.max_deliveries),
        (&mut verified.bytes, set.max_bytes),
        (&mut verified.body_bytes, set.max_bodies_bytes),
        (&mut stranger.deliveries, set.max_refused),
        (&mut stranger.bytes, set.max_refused_bytes),
        (&mut stranger.body_bytes, set.max_bodies_bytes),
    ] {
        *bound = set.unwrap_or(*bound);
    }
    options.max_disk_percent = set.max_disk_percent.unwrap_or(options.max_disk_percent);
    options.max_age = set.max_age.unwrap_or(options.max_age);
    options.bodies = set.bodies.unwrap_or(options.bodies);
    options.blots_out = set.blot_out.unwrap_or(options.blots_out);
    let names = config
        .sources
        .iter()
        .filter_map(|source| match &source.header {
            Some(SecretHeader::Named(name)) => Some(name.as_str().to_owned()),
            _ => None,
        });
    options.secret_headers = names.collect();
    options
}

impl From<RecordError> for CliError {
    fn from(error: RecordError) -> Self {
        Self::failed(chain(&error))
    }
}
