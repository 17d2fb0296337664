//! The embedded queue that a verb looks into: of `--queue`, else the configured one.

use crate::clouds::Cloud;
use crate::env::Env;
use crate::error::{CliError, chain};
use crate::find_configuration::{self, Missing};
use crate::local_dir::LocalDir;
use crate::locations::{self, QueueLocation};
use crate::open;
use labelrelay_core::config::ENVIRONMENT;
use labelrelay_local::{FileError, OpenError, QueueFile};
use labelrelay_startup::{QUEUE, SystemClock};
use std::path::PathBuf;
use std::sync::Arc;

/// Says which queue.
#[derive(Debug, clap::Args)]
pub(crate) struct QueueArgs {
    /// Queue: `sqlite:FILE` or `sqlite:///absolute/FILE` [default: the configured one]
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) queue: Option<String>,
    /// Configuration file that names the queue
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
}

impl QueueArgs {
    /// Opens the file.
    pub(crate) fn open(&self, env: &Env<'_>) -> Result<QueueFile, CliError> {
        open(self.location(env)?)
    }

    /// The queue: of the flag, of the environment, of the configuration, else the one in the directory of our own.
    /// A queue can be read without knowing any secret.
    pub(crate) fn location(&self, env: &Env<'_>) -> Result<QueueLocation, CliError> {
        let (location, _) = self.location_and_base(env)?;
        Ok(location)
    }

    /// The same, and the directory in which relative paths of its URL begin.
    pub(crate) fn location_and_base(
        &self,
        env: &Env<'_>,
    ) -> Result<(QueueLocation, PathBuf), CliError> {
        let config = self.config.as_deref();
        let here = env.cwd().to_owned();
        if let Some(url) = &self.queue {
            return Ok((named(url, "`--queue`", env)?, here));
        }
        if let (None, Some(url)) = (config, env.var("LABELRELAY_QUEUE")?) {
            let location = locations::queue(&url, &here);
            let location = location.map_err(|error| error.at(ENVIRONMENT, QUEUE.variable))?;
            return Ok((location, here));
        }
        let local_dir = LocalDir::below(env.cwd());
        // `serve` may have been configured by an environment that this shell has not.
        if find_configuration::is_first_start(env, config)? && local_dir.has_queue()? {
            return Ok((QueueLocation::Sqlite(local_dir.queue_file()), here));
        }
        let found = find_configuration::find(env, config, Missing::Refuse)?;
        let location = open::queue_location(&found.config, env)?;
        let base = open::setting(QUEUE, &found.config, env).base_dir;
        Ok((location, base.to_owned()))
    }
}

/// Opens the queue file at `location`; other queues have tools of their own.
pub(crate) fn open(location: QueueLocation) -> Result<QueueFile, CliError> {
    let file = match location {
        QueueLocation::Sqlite(file) => file,
        QueueLocation::Stdout => {
            return Err(CliError::usage(
                "the queue is `stdout:`, which keeps nothing to look into",
            ));
        }
        QueueLocation::Cloud(Cloud::Postgres, _) => {
            return Err(CliError::usage(
                "the queue is in Postgres: `labelrelay events list`, `show` and `tail` look into it, and its tables can be read by SQL (docs/postgres.md says what they hold); this verb is for the embedded queue (--queue sqlite:FILE)",
            ));
        }
        QueueLocation::Cloud(Cloud::Nats, _) => {
            return Err(CliError::usage(
                "the queue is in NATS: `labelrelay events list`, `show` and `tail` look into it, and so does `nats stream`; this verb is for the embedded queue (--queue sqlite:FILE)",
            ));
        }
        QueueLocation::Cloud(cloud, _) => {
            return Err(CliError::usage(format_args!(
                "the queue is one of {cloud}, which has tools of its own; this verb looks into the embedded queue (--queue sqlite:FILE)"
            )));
        }
    };
    QueueFile::open(&file, Arc::new(SystemClock::new())).map_err(|error| match error {
        OpenError::Missing { .. } => CliError::failed(chain(&error)),
        _ => open::not_opened(&error),
    })
}

/// A queue that a flag names.
pub(crate) fn named(url: &str, flag: &str, env: &Env<'_>) -> Result<QueueLocation, CliError> {
    locations::queue(url, env.cwd())
        .map_err(|error| CliError::usage(format_args!("{flag}: {error}")))
}

impl From<FileError> for CliError {
    fn from(error: FileError) -> Self {
        Self::failed(chain(&error))
    }
}
