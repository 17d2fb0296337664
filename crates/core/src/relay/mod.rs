//! The one pipeline: route, verify, describe, wrap, claim, send, answer.

mod attempts;
mod attributes;
mod breaker;
mod check;
mod complete;
mod hand_over;
mod in_flight;
mod memory;
mod open;
mod overload;
mod reading;
mod ready;
mod receive;
mod refusal;
mod secret_warnings;
mod verify;
mod wrap;

pub use check::CheckError;
pub use receive::{BodyError, Intake, Received};

use crate::blob::BlobStore;
use crate::clock::{Clock, Entropy};
use crate::config::{self, Config, ConfigError, SourceConfig};
use crate::fallback::FallbackStore;
use crate::observe::Observer;
use crate::queue::EventQueue;
use crate::secret::{SecretRing, SecretSource};
use crate::source::{Routes, Source};
use crate::spool::Spool;
use std::sync::Arc;
use std::time::Duration;

/// Work on one delivery ends this long after its last byte, whatever its state.
///
/// Long enough for a queue that restarts; short enough that a platform which stops the process 10 s
/// after asking (Cloud Run) stops nothing that was still hoped for.
pub const GIVE_UP: Duration = Duration::from_secs(10);

/// A body must be complete this long after the request's head, unless configured otherwise; one that is
/// spooled has longer, by what it brings.
pub const DEFAULT_BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What the pipeline needs of the world. Every part is an object-safe trait.
#[derive(Clone)]
#[non_exhaustive]
pub struct Parts {
    /// Where events go.
    pub queue: Arc<dyn EventQueue>,
    /// Where bodies go that are too large for the queue.
    pub blobs: Option<Arc<dyn BlobStore>>,
    /// Where events go that the queue does not take in time.
    pub fallback: Option<Arc<dyn FallbackStore>>,
    /// Where bodies lie that are too large for the memory, until they are stored.
    pub spool: Option<Arc<dyn Spool>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Logs and metrics.
    pub observer: Arc<dyn Observer>,
}

impl Parts {
    /// Parts without a blob store, a fallback and a spool.
    pub fn new(
        queue: Arc<dyn EventQueue>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self {
            queue,
            blobs: None,
            fallback: None,
            spool: None,
            clock,
            entropy,
            observer,
        }
    }

    /// The same parts, with a blob store for what is too large for the queue.
    #[must_use]
    pub fn with_blobs(mut self, blobs: Option<Arc<dyn BlobStore>>) -> Self {
        self.blobs = blobs;
        self
    }

    /// The same parts, with a second place for what the queue does not take in time. Somebody has to
    /// [`redrive`](crate::fallback::redrive) it.
    #[must_use]
    pub fn with_fallback(mut self, fallback: Option<Arc<dyn FallbackStore>>) -> Self {
        self.fallback = fallback;
        self
    }

    /// The same parts, with a spool for large bodies. Without one, all bodies are in memory.
    #[must_use]
    pub fn with_spool(mut self, spool: Option<Arc<dyn Spool>>) -> Self {
        self.spool = spool;
        self
    }
}

/// The pipeline. One value serves all requests; it holds no lock while it waits.
pub struct Relay {
    routes: Routes,
    parts: Parts,
    pace: reading::Pace,
    /// Bodies with more bytes are spooled.
    spool_threshold: u64,
    budget: Arc<in_flight::Budget>,
    ready: ready::Ready,
    breaker: breaker::Breaker,
}

/// Opens a reference into a secret store; what each cloud's crate brings along.
pub type OpenSecret<'a> = &'a dyn Fn(
    &crate::config::SecretRef,
    Option<jiff::Timestamp>,
) -> Result<Box<dyn SecretSource>, ConfigError>;

impl Relay {
    /// A relay with the sources of `config`. `open_secret` turns each reference into something that
    /// can be read.
    ///
    /// # Errors
    /// [`ConfigError`] when a reference cannot be opened, or the largest body that is allowed would never find
    /// room in memory.
    pub fn new(
        config: &Config,
        parts: Parts,
        open_secret: OpenSecret<'_>,
    ) -> Result<Self, ConfigError> {
        let sources = config
            .sources
            .iter()
            .map(|source| build(source, &parts.clock, open_secret))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            routes: Routes::new(sources, config),
            pace: reading::Pace {
                whole: config.serve.body_timeout.unwrap_or(DEFAULT_BODY_TIMEOUT),
                bytes_per_second: config.spool.min_bytes_per_second(),
                idle: config.spool.idle_timeout(),
            },
            spool_threshold: match parts.spool {
                Some(_) => config.spool.threshold_bytes(),
                None => u64::MAX,
            },
            budget: in_flight::Budget::new(config.max_in_flight(), memory::bound(config, &parts)?),
            parts,
            ready: ready::Ready::default(),
            breaker: breaker::Breaker::default(),
        })
    }

    /// The sources, in the order of the configuration.
    pub fn sources(&self) -> &[Source] {
        self.routes.sources()
    }

    /// Bytes that all deliveries together may have in memory: their bodies, envelopes and copies.
    pub fn max_bytes_in_flight(&self) -> u64 {
        self.budget.bytes.limit
    }

    /// What a body in memory takes of it.
    fn cost(&self) -> memory::Cost {
        memory::Cost::of(&self.parts)
    }

    /// What the pipeline was given.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }
}

fn build(
    config: &SourceConfig,
    clock: &Arc<dyn Clock>,
    open_secret: OpenSecret<'_>,
) -> Result<Source, ConfigError> {
    let secrets = config
        .secrets
        .iter()
        .enumerate()
        .map(|(index, (reference, end))| {
            open_secret(reference, *end).map_err(|error| named(error, &config.name, index))
        })
        .collect::<Result<_, _>>()?;
    let ring = SecretRing::new(secrets, Arc::clone(clock));
    Ok(Source::new(config.clone(), ring))
}

/// The key under which a source names its secrets, where the configuration has keys.
fn named(error: ConfigError, source: &str, index: usize) -> ConfigError {
    if error.origin == config::ENVIRONMENT {
        return error;
    }
    let key = if index == 0 {
        "secret"
    } else {
        "previous_secret"
    };
    ConfigError {
        key: format!("source.{source}.{key}"),
        ..error
    }
}
