//! The embedded queue that a verb looks into: of `--queue`, else the configured one.

use crate::discover::{self, Missing};
use crate::failure::{Failure, chain};
use crate::home::Home;
use crate::open;
use crate::places::{self, QueuePlace};
use crate::world::World;
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
    pub(crate) fn open(&self, world: &World<'_>) -> Result<QueueFile, Failure> {
        open(self.place(world)?)
    }

    /// The queue: of the flag, of the environment, of the configuration, else the one in the directory of our own.
    /// A queue can be read without knowing any secret.
    pub(crate) fn place(&self, world: &World<'_>) -> Result<QueuePlace, Failure> {
        let config = self.config.as_deref();
        if let Some(url) = &self.queue {
            return named(url, "`--queue`", world);
        }
        if let (None, Some(url)) = (config, world.var("LABELRELAY_QUEUE")?) {
            let place = places::queue(&url, world.cwd());
            return Ok(place.map_err(|error| error.at(ENVIRONMENT, QUEUE.variable))?);
        }
        let home = Home::below(world.cwd());
        // `serve` may have been configured by an environment that this shell has not.
        if discover::is_first_start(world, config)? && home.has_queue()? {
            return Ok(QueuePlace::Sqlite(home.queue_file()));
        }
        let found = discover::find(world, config, Missing::Refuse)?;
        open::queue_place(&found.config, world)
    }
}

/// Opens the queue file at `place`; other queues have tools of their own.
pub(crate) fn open(place: QueuePlace) -> Result<QueueFile, Failure> {
    let file = match place {
        QueuePlace::Sqlite(file) => file,
        QueuePlace::Stdout => {
            return Err(Failure::usage(
                "the queue is `stdout:`, which keeps nothing to look into",
            ));
        }
        QueuePlace::Cloud(cloud, _) => {
            return Err(Failure::usage(format_args!(
                "the queue is one of {cloud}, which has tools of its own; this verb looks into the embedded queue (--queue sqlite:FILE)"
            )));
        }
    };
    QueueFile::open(&file, Arc::new(SystemClock::new())).map_err(|error| match error {
        OpenError::Missing { .. } => Failure::failed(chain(&error)),
        _ => open::not_opened(&error),
    })
}

/// A queue that a flag names.
pub(crate) fn named(url: &str, flag: &str, world: &World<'_>) -> Result<QueuePlace, Failure> {
    places::queue(url, world.cwd()).map_err(|error| Failure::usage(format_args!("{flag}: {error}")))
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::failed(chain(&error))
    }
}
