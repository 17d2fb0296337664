//! SIGTERM, SIGINT and SIGHUP: the first one stops, one that comes later ends.

use crate::output::{finish, say};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Signals that come together are one wish: systemd sends SIGHUP right after SIGTERM (`SendSIGHUP=yes`), and a
/// wrapper passes on the SIGINT that the terminal has sent to both. What had arrived would be lost by the second.
const ONE_STOP: Duration = Duration::from_secs(1);

/// Becomes true at the first signal.
pub(super) type Stop = watch::Receiver<bool>;

/// Listens for signals from now on.
pub(super) fn watch(on_second: impl FnOnce() + Send + 'static) -> std::io::Result<Stop> {
    let (sender, stop) = watch::channel(false);
    let mut signals = Signals::new()?;
    tokio::spawn(async move {
        signals
            .second(|| {
                tracing::info!(name: "stopping", "stopping: what was accepted is finished first; a signal after a second or more ends at once");
                let _ = sender.send(true);
            })
            .await;
        say(format_args!("labelrelay: ended at once"));
        on_second();
        finish();
        // The conventional code for an interrupt; nothing that was answered 2xx is lost by it.
        std::process::exit(130);
    });
    Ok(stop)
}

/// Completes at the first signal.
pub(super) async fn stopped(mut stop: Stop) {
    // The sender lives as long as the runtime; if it is gone, so should we.
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Signals {
    /// Calls `on_first` at the first signal, and completes at the second.
    pub(crate) async fn second(&mut self, on_first: impl FnOnce()) {
        self.next().await;
        let first = Instant::now();
        on_first();
        while {
            self.next().await;
            first.elapsed() < ONE_STOP
        } {}
    }
}

/// The signals that ask a process to end.
#[cfg(unix)]
pub(crate) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    /// `None` where the process was started to outlive its terminal (`nohup`).
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: (!hang_up_is_ignored())
                .then(|| signal(SignalKind::hangup()))
                .transpose()?,
        })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = hung_up(self.hang_up.as_mut()) => {}
        }
    }
}

#[cfg(unix)]
async fn hung_up(signal: Option<&mut tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Tells whether the parent of this process had it ignore SIGHUP. Only Linux tells without unsafe code; elsewhere
/// `nohup` does not keep `serve` from stopping with its terminal.
#[cfg(unix)]
fn hang_up_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The lowest bit is that of signal 1.
    mask.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "the other systems' form can fail")]
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
