//! The programs that are measured, built as they are deployed.

use crate::Outcome;
use crate::paths::built;
use crate::step::{cargo, status};
use std::path::{Path, PathBuf};

pub(super) struct Programs {
    pub(super) hello: PathBuf,
    pub(super) cloud_function: PathBuf,
    pub(super) azure_function: PathBuf,
    /// The same clients of the queues, and nothing around them.
    pub(super) publish: PathBuf,
}

impl Programs {
    /// Builds all at once, as the container's build does: what they share is compiled once.
    pub(super) fn build() -> Outcome<Self> {
        const HELLO: &str = "labelrelay-hello-service";
        const GOOGLE: &str = "labelrelay-cloud-function";
        const AZURE: &str = "labelrelay-azure-function";
        const PUBLISH: &str = "labelrelay-publish";
        let mut build = cargo("build --profile function --locked");
        for package in [HELLO, GOOGLE, AZURE, PUBLISH] {
            build.args(["--package", package]);
        }
        status(&mut build)?;
        let program = |package| built("function", package);
        Ok(Self {
            hello: program(HELLO)?,
            cloud_function: program(GOOGLE)?,
            azure_function: program(AZURE)?,
            publish: program(PUBLISH)?,
        })
    }
}

/// Size of a program, in megabytes (10⁶).
#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of programs are far below 2^52"
)]
pub(super) fn megabytes(program: &Path) -> Outcome<f64> {
    Ok(std::fs::metadata(program)?.len() as f64 / 1e6)
}
