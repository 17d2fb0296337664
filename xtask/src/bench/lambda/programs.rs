//! The programs that are measured, built with the function's profile.

use crate::Outcome;
use crate::paths::built;
use crate::step::{cargo, status};
use std::path::PathBuf;

/// Profile that cargo builds functions with.
pub(super) const PROFILE: &str = "function";

pub(super) struct Programs {
    /// Hello world.
    pub(super) hello: PathBuf,
    /// The relay's function.
    pub(super) relay: PathBuf,
    /// The calls that the relay makes, and nothing else.
    pub(super) bare: PathBuf,
}

impl Programs {
    /// Builds each by itself: together, one's features would be another's weight.
    pub(super) fn build() -> Outcome<Self> {
        let program = |package: &str| -> Outcome<PathBuf> {
            let mut build = cargo("build --locked");
            build.args(["--profile", PROFILE, "--package", package]);
            status(&mut build)?;
            built(PROFILE, package)
        };
        Ok(Self {
            hello: program("labelrelay-hello-lambda")?,
            relay: program("labelrelay-lambda")?,
            bare: program("labelrelay-bare-aws")?,
        })
    }
}
