//! The settings at the start of a program.
//!
//! Whoever runs a collector sets its variables for all programs of a machine, of which some speak what this one does not. So
//! a value that is not understood switches it off, says so, and keeps nothing from running.

use crate::settings::Settings;
use labelrelay_core::Entropy;
use labelrelay_core::config::{ConfigError, Lookup};
use std::fmt::Write as _;

const INSTANCE: &str = "service.instance.id";

impl Settings {
    /// The settings, if it is on. A value that is wrong is told in the log, and switches it off.
    pub fn at_start(lookup: Lookup<'_>, entropy: &dyn Entropy) -> Option<Self> {
        Self::at_start_or(lookup, entropy, |wrong| {
            tracing::warn!(name: "telemetry_off", variable = wrong.key.as_str(), "{wrong}. No spans and no metrics are sent until the next start; everything else goes on");
        })
    }

    /// The same, where `tell` says what is wrong.
    pub fn at_start_or(
        lookup: Lookup<'_>,
        entropy: &dyn Entropy,
        tell: impl FnOnce(&ConfigError),
    ) -> Option<Self> {
        match Self::read(lookup) {
            Ok(settings) => settings.map(|mut settings| {
                settings.say(INSTANCE, || instance(entropy));
                settings
            }),
            Err(wrong) => {
                tell(&wrong);
                None
            }
        }
    }

    /// An attribute of this program, unless the environment gave it another value.
    pub(crate) fn say(&mut self, key: &str, value: impl FnOnce() -> String) {
        let has_one = self.resource.iter().any(|(known, _)| known == key);
        if !has_one {
            self.resource.push((key.to_owned(), value()));
        }
    }
}

/// An id that no other run has.
fn instance(entropy: &dyn Entropy) -> String {
    let mut id = String::new();
    for byte in entropy.ten_bytes() {
        // Writing into memory does not fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}
