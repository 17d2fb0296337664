//! The origin of a setting: a variable, or the file.

use labelrelay_core::Location;
use labelrelay_core::config::{Config, ENVIRONMENT, Lookup};
use std::path::Path;

/// A setting's two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// In the environment.
    pub variable: &'static str,
    /// In the file.
    pub key: &'static str,
}

/// The queue.
pub const QUEUE: Name = Name {
    variable: "LABELRELAY_QUEUE",
    key: "queue",
};

/// The store for bodies that are too large for the queue.
pub const BLOB_STORE: Name = Name {
    variable: "LABELRELAY_BLOB_STORE",
    key: "blob_store",
};

/// The form of what a queue gets in place of an event that is too large for it.
pub const CLAIM_CHECK: Name = Name {
    variable: "LABELRELAY_CLAIM_CHECK",
    key: "claim_check",
};

/// The store for events that the queue does not take in time.
pub const FALLBACK: Name = Name {
    variable: "LABELRELAY_FALLBACK",
    key: "fallback",
};

/// The store for traces of the events that the queue took.
pub const TRACES: Name = Name {
    variable: "LABELRELAY_TRACES",
    key: "traces",
};

/// The directory of large bodies while they arrive.
pub const SPOOL_DIR: Name = Name {
    variable: "LABELRELAY_SPOOL_DIR",
    key: "spool.dir",
};

/// The origin of a setting, for errors, and the base directory of a relative path in it.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The file, or the environment.
    pub origin: &'a str,
    /// Name there.
    pub key: &'a str,
    /// The base directory of a relative path in it.
    pub base_dir: &'a Path,
}

impl<'a> Setting<'a> {
    /// The origin of the setting `name`: the environment wins over the file, and is relative to where the
    /// process was started.
    pub fn of(name: Name, config: &'a Config, lookup: Lookup<'_>, cwd: &'a Path) -> Self {
        // An unreadable variable was an error when the configuration was read.
        let by_variable =
            matches!(lookup.text(name.variable), Ok(Some(_))) || config.origin == ENVIRONMENT;
        if by_variable {
            Self::of_variable(name, cwd)
        } else {
            Self {
                origin: &config.origin,
                key: name.key,
                base_dir: &config.base_dir,
            }
        }
    }

    /// The setting `name` in the environment.
    pub fn of_variable(name: Name, cwd: &'a Path) -> Self {
        Self {
            origin: ENVIRONMENT,
            key: name.variable,
            base_dir: cwd,
        }
    }

    /// The location that `url` of this setting names.
    pub fn location<'l>(&self, url: &'l str) -> Location<'l>
    where
        'a: 'l,
    {
        Location {
            url,
            base_dir: self.base_dir,
        }
    }
}
