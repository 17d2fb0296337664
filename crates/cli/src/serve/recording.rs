//! The record of deliveries, while `serve` runs: on, unless the configuration switches it off, or it has no place.

use super::page::RelayState;
use crate::arrivals::Arrivals;
use crate::env::Env;
use crate::error::CliError;
use crate::open::Extras;
use crate::record::{self, RecordPlace};
use labelrelay_core::config::Config;
use labelrelay_core::{Clock, Observer};
use labelrelay_http::admin::Metrics;
use labelrelay_http::observe::Tee;
use labelrelay_record::{MEMORY_BYTES, Recorder};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// An end waits this long for the record, and no longer: a disk that hangs keeps nobody from starting again. What is in
/// the journal by then is moved by the next start.
const END_WITHIN: Duration = Duration::from_secs(6);

pub(super) struct Recording {
    recorder: Option<Arc<Recorder>>,
    place: Option<RecordPlace>,
    /// What no row says.
    relay: RelayState,
}

impl Recording {
    pub(super) fn of(
        config: &Config,
        env: &Env<'_>,
        clock: &Arc<dyn Clock>,
        port: u16,
    ) -> Result<Self, CliError> {
        let (recorder, place) = record::recorder(config, env, clock, port)?.unzip();
        Ok(Self {
            recorder,
            place,
            relay: RelayState::default(),
        })
    }

    pub(super) const fn is_on(&self) -> bool {
        self.recorder.is_some()
    }

    /// The metrics, and whether deliveries are recorded, where they shall be.
    pub(super) fn counted_by(&self, metrics: Metrics) -> Metrics {
        match &self.recorder {
            Some(recorder) => metrics.with_record(recorder.is_failing()),
            None => metrics,
        }
    }

    /// Where deliveries are recorded; `None` where they are not.
    pub(super) fn place(&self) -> Option<RecordPlace> {
        self.place.clone()
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

    /// What is done with the events of the queue: some stay for the record, and those of a queue that cannot be looked into
    /// are noted in `arrivals`.
    pub(super) fn extras(
        &self,
        config: &Config,
        env: &Env<'_>,
        arrivals: Option<Arc<Arrivals>>,
    ) -> Result<Extras, CliError> {
        let kept = record::kept_events(config, env, self.recorder.as_deref())?;
        Ok(Extras { arrivals, kept })
    }

    /// Begins to write. The queue is ours by now, and so is the record beside it. Deliveries are taken without it, too.
    pub(super) fn begin(&self) {
        if let Some(recorder) = &self.recorder
            && let Err(error) = recorder.begin()
        {
            tracing::error!(name: "record_failed", reason = %error, "deliveries are not recorded until the next start; they are taken all the same");
        }
    }

    /// Ends once everything is written.
    pub(super) async fn end(self) {
        let Some(recorder) = self.recorder else {
            return;
        };
        // It waits for nothing but a disk; a panic of it was printed where it happened.
        let ending = tokio::task::spawn_blocking(move || recorder.close());
        if timeout(END_WITHIN, ending).await.is_err() {
            tracing::warn!(name: "record_not_ended", within_s = END_WITHIN.as_secs(), "the record's disk or database does not answer, or another program keeps its file locked; its newest deliveries may be missing");
        }
    }
}
