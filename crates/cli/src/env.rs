//! Environment and directory of the process, read once in `main` and handed to every verb.

use labelrelay_core::config::{ConfigError, Lookup};
use std::path::{Path, PathBuf};

pub(crate) struct Env<'a> {
    lookup: Lookup<'a>,
    cwd: PathBuf,
}

impl<'a> Env<'a> {
    pub(crate) fn new(lookup: Lookup<'a>, cwd: PathBuf) -> Self {
        Self { lookup, cwd }
    }

    /// One environment variable; set to nothing, it counts as unset.
    pub(crate) fn var(&self, name: &str) -> Result<Option<String>, ConfigError> {
        self.lookup.text(name)
    }

    pub(crate) fn lookup(&self) -> Lookup<'a> {
        self.lookup
    }

    pub(crate) fn cwd(&self) -> &Path {
        &self.cwd
    }
}
