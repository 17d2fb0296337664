//! The pipeline as a value: its routes and its parts.

use super::admission::Admission;
use super::body_reader::BodyReader;
use super::dispatcher::Dispatcher;
use super::memory_estimate::{self, Memory};
use super::parts::Parts;
use super::readiness_cache::Readiness;
use super::verifier::Verifier;
use crate::clock::Clock;
use crate::config::{self, Config, ConfigError, SourceConfig};
use crate::secret::{SecretRing, SecretSource};
use crate::source::{Routes, Source};
use std::sync::Arc;

/// The pipeline. One value serves all requests; it holds no lock while it waits.
pub struct Relay {
    pub(super) routes: Routes,
    pub(super) parts: Parts,
    pub(super) admission: Admission,
    pub(super) body_reader: Arc<BodyReader>,
    pub(super) verifier: Verifier,
    pub(super) dispatcher: Dispatcher,
    pub(super) readiness: Readiness,
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
            .map(|source| build(source, &parts.clock, open_secret).map(Arc::new))
            .collect::<Result<_, _>>()?;
        let memory = Memory::new(&parts, memory_estimate::bound(config, &parts)?);
        let body_reader = Arc::new(BodyReader::new(config, &parts, memory.clone()));
        Ok(Self {
            routes: Routes::new(sources, config),
            admission: Admission::new(config.max_in_flight(), memory.limit(), &parts),
            verifier: Verifier::new(&parts, Arc::clone(&body_reader)),
            dispatcher: Dispatcher::new(&parts, &body_reader, memory),
            body_reader,
            parts,
            readiness: Readiness::default(),
        })
    }

    /// The sources, in the order of the configuration.
    pub fn sources(&self) -> &[Arc<Source>] {
        self.routes.sources()
    }

    /// Bytes that all deliveries together may have in memory: their bodies, envelopes and copies.
    pub fn max_bytes_in_flight(&self) -> u64 {
        self.admission.max_bytes()
    }

    /// The parts that the pipeline was given.
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
