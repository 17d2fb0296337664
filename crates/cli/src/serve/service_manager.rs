//! Tells a service manager when `serve` answers and when it stops: the protocol of `sd_notify(3)`.
//!
//! By hand, because the crates for it read the environment by themselves, which `main` alone does here. Told are
//! two states, each a datagram to the socket that `NOTIFY_SOCKET` names.

use super::signals::{self, Stop};
use crate::env::Env;
use crate::error::CliError;
use std::net::SocketAddr;

/// Name of the variable by which systemd says where it listens.
const SOCKET: &str = "NOTIFY_SOCKET";

/// A service manager, if there is one.
#[derive(Clone)]
pub(super) struct ServiceManager {
    socket: Option<String>,
}

impl ServiceManager {
    pub(super) fn of(env: &Env<'_>) -> Result<Self, CliError> {
        let socket = env.var(SOCKET)?;
        Ok(Self { socket })
    }

    /// Whoever connects from now on is answered.
    pub(super) fn ready(&self, bound: SocketAddr) {
        self.tell(&format!("READY=1\nSTATUS=takes deliveries on {bound}"));
    }

    /// Waits for the signal to stop, and tells that what was accepted is being finished.
    pub(super) async fn stopping(self, stop: Stop) {
        signals::stopped(stop).await;
        self.tell("STOPPING=1\nSTATUS=finishes what was accepted");
    }

    /// Sends `state`. An error does not stop `serve`: the manager itself reports that it waits in vain.
    fn tell(&self, state: &str) {
        let Some(socket) = &self.socket else {
            return;
        };
        if let Err(error) = send(socket, state) {
            tracing::warn!(name: "service_manager_not_told", socket, reason = %error, "the service manager at NOTIFY_SOCKET did not hear of the state of this process");
        }
    }
}

#[cfg(unix)]
fn send(socket: &str, state: &str) -> std::io::Result<()> {
    use std::os::unix::net::UnixDatagram;
    let sender = UnixDatagram::unbound()?;
    // A manager that reads nothing must not hold up deliveries.
    sender.set_nonblocking(true)?;
    let sent = match socket.strip_prefix('@') {
        Some(name) => send_to_abstract(&sender, name, state)?,
        None => sender.send_to(state.as_bytes(), socket)?,
    };
    if sent == state.len() {
        Ok(())
    } else {
        Err(std::io::ErrorKind::WriteZero.into())
    }
}

/// To a name that is no file, which Linux alone has.
#[cfg(target_os = "linux")]
fn send_to_abstract(
    sender: &std::os::unix::net::UnixDatagram,
    name: &str,
    state: &str,
) -> std::io::Result<usize> {
    use std::os::linux::net::SocketAddrExt as _;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
    sender.send_to_addr(state.as_bytes(), &address)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn send_to_abstract(
    _: &std::os::unix::net::UnixDatagram,
    _: &str,
    _: &str,
) -> std::io::Result<usize> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn send(_: &str, _: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
