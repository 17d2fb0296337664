//! The machine as a back end: the embedded queue, and stores in directories.

use crate::{EmbeddedQueue, OpenError, Options};
use jiff::Timestamp;
use labelrelay_core::backend::{BackEnd, BackEndError, Forms, Location, Opening};
use labelrelay_core::config::{EmbeddedQueueConfig, SecretRef};
use labelrelay_core::{BlobStore, Clock, EventQueue, FallbackStore, SecretSource, chain};
use labelrelay_files::{Directories, path_in};
use std::future::ready;
use std::sync::{Arc, OnceLock};

/// Opens `sqlite:FILE` as the file's owner, and `file:DIRECTORY`.
pub struct Local {
    options: Options,
    clock: Arc<dyn Clock>,
    /// The queue that was opened first: whoever opened it watches and closes it.
    opened: OnceLock<Arc<EmbeddedQueue>>,
}

impl Local {
    /// A back end whose queue has these options.
    pub fn new(options: Options, clock: Arc<dyn Clock>) -> Self {
        Self {
            options,
            clock,
            opened: OnceLock::new(),
        }
    }

    /// The embedded queue, if one was opened.
    pub fn embedded(&self) -> Option<Arc<EmbeddedQueue>> {
        self.opened.get().cloned()
    }

    fn open(&self, at: Location<'_>) -> Result<Arc<dyn EventQueue>, BackEndError> {
        let file = match at.url.split_once(':') {
            Some(("sqlite", rest)) => path_in(rest, at.base_dir),
            _ => None,
        };
        let file = file.ok_or_else(|| {
            let cure = "write sqlite:FILE or sqlite:///absolute/FILE";
            BackEndError::new(at.url, "names no file", cure)
        })?;
        let queue = EmbeddedQueue::open(&file, self.options.clone(), Arc::clone(&self.clock));
        let queue = Arc::new(queue.map_err(|error| error.of(at.url))?);
        let _ = self.opened.set(Arc::clone(&queue));
        Ok(queue)
    }
}

impl OpenError {
    /// The same, of the queue at `url`.
    pub fn of(&self, url: &str) -> BackEndError {
        let problem = format!("cannot be opened: {}", chain(self));
        if self.is_retryable() {
            BackEndError::new(url, problem, "see to it, and start again").retryable()
        } else {
            BackEndError::new(url, problem, "correct it, or what it names")
        }
    }
}

/// The options that a configuration sets; the rest by default.
impl From<&EmbeddedQueueConfig> for Options {
    fn from(settings: &EmbeddedQueueConfig) -> Self {
        let default = Self::default();
        Self {
            window: settings.repeat_window.unwrap_or(default.window),
            retention: settings.retain_acknowledged.unwrap_or(default.retention),
            max_receives: settings.max_receives.unwrap_or(default.max_receives),
            max_file_bytes: settings.max_bytes,
            ..default
        }
    }
}

impl BackEnd for Local {
    fn forms(&self) -> Forms {
        Forms {
            queue: "sqlite:FILE",
            ..Directories.forms()
        }
    }

    fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>> {
        Box::pin(ready(self.open(at)))
    }

    fn blob_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn BlobStore>> {
        // It keeps nothing of the one that is asked.
        Box::pin(async move { Directories.blob_store(at).await })
    }

    fn fallback<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        Box::pin(async move { Directories.fallback(at).await })
    }

    fn secret<'a>(
        &'a self,
        reference: &'a SecretRef,
        not_after: Option<Timestamp>,
    ) -> Opening<'a, Box<dyn SecretSource>> {
        Box::pin(async move { Directories.secret(reference, not_after).await })
    }
}
