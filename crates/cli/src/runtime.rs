//! Runtimes: `serve` has one with a thread a core, the other verbs a small one.

use crate::error::CliError;
use tokio::runtime::{Builder, Runtime};

pub(crate) fn small() -> Result<Runtime, CliError> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| cannot_start(&error))
}

pub(crate) fn full() -> Result<Runtime, CliError> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| cannot_start(&error))
}

/// From now on a limit on the size of files (`ulimit -f`) is an error of whoever writes, and not the end of the
/// process: the signal's own action is that. Its handler stays when the runtime that brings it is gone.
pub(crate) fn outlive_the_limit_on_files() -> Result<(), CliError> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let number = rustix::process::Signal::XFSZ.as_raw();
        let runtime = small()?;
        let _inside = runtime.enter();
        let _handler_stays =
            signal(SignalKind::from_raw(number)).map_err(|error| cannot_start(&error))?;
    }
    Ok(())
}

fn cannot_start(error: &std::io::Error) -> CliError {
    CliError::failed(format_args!("cannot start: {error}"))
}
