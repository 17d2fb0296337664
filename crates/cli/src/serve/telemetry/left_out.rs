//! A build without it.

use crate::env::Env;
use crate::telemetry;
use labelrelay_core::{Clock, NoObserver};
use labelrelay_http::admin::Metrics;
use std::future::Ready;
use std::sync::Arc;

/// Nothing.
pub(in crate::serve) struct Telemetry;

/// Nothing at work.
pub(in crate::serve) struct Running;

impl Telemetry {
    pub(in crate::serve) fn of(_: &str, env: &Env<'_>, _: &Arc<dyn Clock>) -> Self {
        telemetry::warn_if_wanted(env);
        Self
    }

    pub(in crate::serve) fn counted_by(&self, metrics: Metrics) -> Metrics {
        let Self = self;
        metrics
    }

    pub(in crate::serve) fn observer(&self) -> NoObserver {
        let Self = self;
        NoObserver
    }

    pub(in crate::serve) const fn most_bytes(&self) -> u64 {
        let Self = self;
        0
    }

    pub(in crate::serve) fn begin(self, _: &Arc<Metrics>) -> Running {
        let Self = self;
        Running
    }
}

impl Running {
    pub(in crate::serve) fn end(self) -> Ready<()> {
        let Self = self;
        std::future::ready(())
    }
}
