//! A build without it.

use super::Platform;
use labelrelay_core::config::{Config, Lookup};
use labelrelay_core::{Clock, Entropy, Observer};
use std::future::{Ready, ready};
use std::sync::Arc;

/// Nothing is exported.
pub struct Export;

/// Nothing is at work.
pub struct Exporting;

impl Export {
    /// Reads nothing.
    pub fn of(
        _: Platform,
        _: &Config,
        _: Lookup<'_>,
        _: &Arc<dyn Clock>,
        _: impl Entropy + 'static,
    ) -> Self {
        Self
    }

    /// Hands `log` back.
    pub fn beside(&self, log: Arc<dyn Observer>) -> Arc<dyn Observer> {
        let Self = self;
        log
    }

    /// Begins nothing.
    pub fn begin(self) -> Exporting {
        let Self = self;
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
