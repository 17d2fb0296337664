//! Addresses to listen on.

use crate::error::CliError;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use tokio::net::TcpListener;

/// Loopback: nobody but this machine can deliver until somebody decides otherwise.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:8090";

/// Known beforehand, so that dashboards and scripts find it; any free port where it is taken.
pub(super) const DEFAULT_ADMIN_LISTEN: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);
const ANY_ADMIN_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// `at` says where the text stands.
pub(super) fn parse(text: &str, at: &str) -> Result<SocketAddr, CliError> {
    text.to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next())
        .ok_or_else(|| {
            CliError::config(format_args!(
                "{at}: `{}` is not an address; write ADDRESS:PORT, for example {DEFAULT_LISTEN}",
                text.escape_debug()
            ))
        })
}

/// Metrics and reasons tell more than senders may know, so they never leave the machine.
pub(super) fn parse_loopback(text: &str, at: &str) -> Result<SocketAddr, CliError> {
    let address = parse(text, at)?;
    if address.ip().to_canonical().is_loopback() {
        return Ok(address);
    }
    Err(CliError::config(format_args!(
        "{at}: {address} is not a loopback address; metrics and reasons are not for senders: write 127.0.0.1:PORT"
    )))
}

/// An address that cannot be listened on, and what to do about it.
pub(super) fn cannot_bind(address: SocketAddr, flag: &str, error: &std::io::Error) -> CliError {
    let cure = match error.kind() {
        ErrorKind::AddrInUse => {
            return CliError::failed(format_args!(
                "{address} is taken by another program; stop that one, or give another address: {flag} 127.0.0.1:0 picks a free port"
            ));
        }
        ErrorKind::AddrNotAvailable => {
            "give an address of this machine: 127.0.0.1 reaches this machine alone, 0.0.0.0 all of its addresses"
        }
        ErrorKind::PermissionDenied => {
            "ports below 1024 need a privilege: give a higher one, and let a proxy stand on the lower one"
        }
        _ => "give another address",
    };
    CliError::failed(format_args!(
        "cannot listen on {address}: {error}; {cure} ({flag} ADDRESS:PORT)"
    ))
}

/// Binds the address of a flag.
pub(super) async fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, CliError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| cannot_bind(address, flag, &error))
}

/// Binds the admin port. A default port that is taken does not stop deliveries; a configured one ends the start.
pub(super) async fn bind_admin(set: Option<SocketAddr>) -> Result<TcpListener, CliError> {
    if let Some(address) = set {
        return bind(address, "--admin-listen").await;
    }
    match TcpListener::bind(DEFAULT_ADMIN_LISTEN).await {
        Ok(listener) => Ok(listener),
        Err(error) => {
            tracing::info!(name: "admin_port_taken", address = %DEFAULT_ADMIN_LISTEN, reason = %error, "metrics are on another port");
            bind(ANY_ADMIN_LISTEN, "--admin-listen").await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_taken_for_reasons() {
        for (text, good) in [
            ("127.0.0.1:0", true),
            ("[::1]:9000", true),
            ("[::ffff:127.0.0.1]:9000", true),
            ("0.0.0.0:9000", false),
            ("[::]:9000", false),
            ("192.0.2.1:9000", false),
            ("127.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(parse_loopback(text, "x").is_ok(), good, "{text}");
        }
    }
}
