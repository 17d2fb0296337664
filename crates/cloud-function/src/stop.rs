//! SIGTERM, and what time is left after it.

use labelrelay_http::ServeOptions;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Cloud Run kills the process ten seconds after SIGTERM.
pub const PATIENCE: Duration = Duration::from_millis(9_800);

/// Time that a stop waits for requests whose body is still arriving: what has arrived by then has the time to
/// its answer, which is 8 s at most unless it was configured to be more, before [`PATIENCE`] ends.
const DRAIN: Duration = Duration::from_millis(1_500);

/// Options with which the platform's patience is enough. `of_one_address`: the connections that one may
/// have, where they do not all come from a front end.
pub fn options(of_one_address: Option<usize>) -> ServeOptions {
    ServeOptions::default()
        .with_drain(DRAIN)
        .with_max_connections_per_address(of_one_address)
        .with_http2()
}

/// Signals to stop, listened for from now on.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Completes at the next signal.
    pub async fn stopped(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hang_up.recv() => {}
        }
        tracing::info!(name: "stopping", "stopping: what was accepted is finished first");
    }
}
