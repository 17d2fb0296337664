//! The record of deliveries, while `serve` runs: on, unless the configuration switches it off, or it has no place.

use super::page::RelayState;
use crate::env::Env;
use crate::error::CliError;
use crate::record;
use labelrelay_core::config::Config;
use labelrelay_core::{Clock, Observer};
use labelrelay_http::observe::Tee;
use labelrelay_record::{MEMORY_BYTES, Recorder};
use std::sync::Arc;

pub(super) struct Recording {
    recorder: Option<Arc<Recorder>>,
    /// What no row says.
    relay: RelayState,
}

impl Recording {
    pub(super) fn of(
        config: &Config,
        env: &Env<'_>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, CliError> {
        Ok(Self {
            recorder: record::recorder(config, env, clock)?,
            relay: RelayState::default(),
        })
    }

    pub(super) const fn is_on(&self) -> bool {
        self.recorder.is_some()
    }

    /// The most that the record has in memory.
    pub(super) const fn most_bytes(&self) -> u64 {
        if self.is_on() { MEMORY_BYTES } else { 0 }
    }

    /// What the record does not say of the relay.
    pub(super) fn relay(&self) -> RelayState {
        self.relay.clone()
    }

    /// The observer, and the record after it.
    pub(super) fn after(&self, observer: impl Observer + 'static) -> Arc<dyn Observer> {
        match &self.recorder {
            Some(recorder) => {
                let record = Tee(Arc::clone(recorder), self.relay());
                Arc::new(Tee(observer, record))
            }
            None => Arc::new(observer),
        }
    }

    /// Begins to write. The queue is ours by now, and so is the record beside it.
    pub(super) fn begin(&self) -> Result<(), CliError> {
        match &self.recorder {
            Some(recorder) => Ok(recorder.begin()?),
            None => Ok(()),
        }
    }

    /// Ends once everything is written.
    pub(super) async fn end(self) {
        if let Some(recorder) = self.recorder {
            // It waits for nothing but a disk; a panic of it was printed where it happened.
            let _ = tokio::task::spawn_blocking(move || recorder.close()).await;
        }
    }
}
