//! Runtimes: `serve` has one with a thread a core, the other verbs a small one.

use crate::failure::Failure;
use tokio::runtime::{Builder, Runtime};

pub(crate) fn small() -> Result<Runtime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| cannot_start(&error))
}

pub(crate) fn full() -> Result<Runtime, Failure> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| cannot_start(&error))
}

fn cannot_start(error: &std::io::Error) -> Failure {
    Failure::failed(format_args!("cannot start: {error}"))
}
