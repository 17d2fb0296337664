//! A build without it.

use super::Platform;
use labelrelay_core::config::{Config, Lookup, TELEMETRY_LEFT_OUT, telemetry_asked_by};
use labelrelay_core::{Clock, Entropy, Observer};
use std::future::{Ready, ready};
use std::sync::Arc;

/// Nothing is exported. The variables that ask for it in vain.
pub struct Export(Vec<&'static str>);

/// Nothing is at work.
pub struct Exporting;

impl Export {
    /// Looks whether a variable asks for it.
    pub fn of(
        _: Platform,
        _: &Config,
        lookup: Lookup<'_>,
        _: &Arc<dyn Clock>,
        _: impl Entropy + 'static,
    ) -> Self {
        Self(telemetry_asked_by(lookup).collect())
    }

    /// Hands `log` back.
    pub fn beside(&self, log: Arc<dyn Observer>) -> Arc<dyn Observer> {
        let Self(_) = self;
        log
    }

    /// Begins nothing, and says in the log if it was asked for: only now, for the first request need not wait for that.
    pub fn begin(self) -> Exporting {
        for name in self.0 {
            tracing::warn!(name: "telemetry_left_out", variable = name, "{TELEMETRY_LEFT_OUT}");
        }
        Exporting
    }
}

impl Exporting {
    /// Has nothing to send.
    pub fn end(self) -> Ready<()> {
        let Self = self;
        ready(())
    }
}
