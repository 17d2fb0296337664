//! The machine as a back end: the embedded queue, and stores in directories.

use crate::{EmbeddedQueue, FileSource, OpenError, Options};
use futures_channel::oneshot;
use jiff::Timestamp;
use labelrelay_core::backend::{
    BackEnd, BackEndError, CommandLineBackEnd, Forms, Location, Opening,
};
use labelrelay_core::config::{EmbeddedQueueConfig, SecretRef};
use labelrelay_core::{
    BlobStore, Clock, EventQueue, EventSource, EventSourceError, FallbackStore, SecretSource,
    SourceOptions, chain,
};
use labelrelay_files::{Directories, path_in};
use std::future::ready;
use std::path::PathBuf;
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

    /// Opens the queue file on a thread of its own: a file blocks, and may be locked for a while.
    async fn open_source(
        &self,
        at: Location<'_>,
        options: &SourceOptions,
    ) -> Result<Arc<dyn EventSource>, BackEndError> {
        if options.dead_letter.is_some() {
            let problem = "has dead letters of its own, in the same file";
            let cure = "name no other place for dead letters";
            return Err(BackEndError::new(at.url, problem, cure));
        }
        let file = source_file(at)?;
        let clock = Arc::clone(&self.clock);
        let (sender, opened) = oneshot::channel();
        let thread = std::thread::Builder::new().name("queue-open".to_owned());
        let no_thread = |problem: String| {
            BackEndError::new(at.url, problem, "allow this process more threads").retryable()
        };
        thread
            .spawn(move || sender.send(FileSource::open(file, clock)).is_ok())
            .map_err(|error| no_thread(format!("got no thread from the system ({error})")))?;
        let opened = opened.await;
        let opened =
            opened.map_err(|_| no_thread("was not opened: its thread broke down".to_owned()))?;
        let source = opened.map_err(|error| not_opened(at, &error))?;
        Ok(Arc::new(source))
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

/// The queue file that a consumer names: `sqlite:FILE`, or the directory in which `labelrelay serve` runs without a
/// configuration.
fn source_file(at: Location<'_>) -> Result<PathBuf, BackEndError> {
    let wrong = |problem: &str| {
        let cure = "write sqlite:FILE, or the directory in which `labelrelay serve` runs";
        BackEndError::new(at.url, problem, cure)
    };
    if let Some(rest) = at.url.strip_prefix("sqlite:") {
        return path_in(rest, at.base_dir).ok_or_else(|| wrong("names no file"));
    }
    let directory = at.base_dir.join(at.url);
    if at.url.is_empty() || !directory.is_dir() {
        return Err(wrong("is neither the URL of a queue nor a directory"));
    }
    // Another directory's configuration takes that directory's environment to be read.
    if directory.join("labelrelay.toml").exists() {
        let problem = format!(
            "{} has a labelrelay.toml that says where the queue is",
            directory.display()
        );
        let cure = "write what stands there as `queue`, as sqlite:FILE";
        return Err(BackEndError::new(at.url, problem, cure));
    }
    Ok(directory.join(".labelrelay").join("queue.db"))
}

fn not_opened(at: Location<'_>, error: &EventSourceError) -> BackEndError {
    let problem = format!("cannot be opened: {}: {}", error.resource, error.problem);
    let told = BackEndError::new(at.url, problem, &*error.cure);
    if error.retryable {
        told.retryable()
    } else {
        told
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

impl CommandLineBackEnd for Local {
    fn event_source<'a>(
        &'a self,
        at: Location<'a>,
        options: &'a SourceOptions,
    ) -> Opening<'a, Arc<dyn EventSource>> {
        Box::pin(self.open_source(at, options))
    }
}
