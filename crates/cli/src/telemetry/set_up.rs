//! What the environment says.

use crate::env::Env;
use labelrelay_core::Entropy as _;
use labelrelay_core::config::ConfigError;
use labelrelay_otlp::Settings;
use labelrelay_startup::OsEntropy;
use std::fmt::Write as _;

const INSTANCE: &str = "service.instance.id";

/// The settings, if it is on. A value that is wrong is told in the log, and switches it off.
pub(crate) fn settings(env: &Env<'_>) -> Option<Settings> {
    read(env, |wrong| {
        tracing::warn!(name: "telemetry_off", variable = wrong.key.as_str(), "{wrong}. No spans and no metrics are sent until the next start; everything else goes on");
    })
}

/// The same, where `tell` says what is wrong.
pub(super) fn read(env: &Env<'_>, tell: impl FnOnce(&ConfigError)) -> Option<Settings> {
    match Settings::read(env.lookup()) {
        Ok(settings) => settings.map(with_instance),
        Err(wrong) => {
            tell(&wrong);
            None
        }
    }
}

/// The same, with the id of this run, if it has no other.
fn with_instance(mut settings: Settings) -> Settings {
    let has_one = settings.resource.iter().any(|(key, _)| key == INSTANCE);
    if !has_one {
        settings.resource.push((INSTANCE.to_owned(), instance()));
    }
    settings
}

/// An id that no other run has.
fn instance() -> String {
    let mut id = String::new();
    for byte in OsEntropy.ten_bytes() {
        // Writing into memory does not fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}
